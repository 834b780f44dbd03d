#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# What a stranger does with an installed copy: compile plugins outside of the
# tree against it, as C and as C++, load them, use them, remove them.
# Usage: install-check.sh [SOURCE], a tree with a configure script.
set -eu

top=$(cd "${1:-$(dirname "$0")/..}" && pwd)
: "${CC:=cc}" "${CXX:=c++}" "${JOBS:=2}"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
prefix=$work/prefix
plugins=$prefix/lib/berth

fail() {
	echo "install-check: $*" >&2
	exit 1
}

# WORD ...: quiet unless it fails.
quietly() {
	"$@" >"$work/log" 2>&1 || {
		cat "$work/log" >&2
		fail "$* failed"
	}
}

mkdir "$work/build"
cd "$work/build"
quietly "$top/configure" -q --prefix="$prefix"
quietly make -s -j"$JOBS"
quietly make -s install

# The administrator's file outlives a second installation.
echo '# mine' >>"$prefix/etc/berth/svc.conf"
quietly make -s install
grep -q '^# mine$' "$prefix/etc/berth/svc.conf" ||
    fail "svc.conf was written over"
for file in "$plugins"/*.la; do
	[ ! -e "$file" ] || fail "$file is installed"
done

PKG_CONFIG_PATH=$prefix/lib/pkgconfig
export PKG_CONFIG_PATH
[ "$(pkg-config --variable=plugindir berth)" = "$plugins" ] ||
    fail "berth.pc: wrong plugindir"
[ -z "$(pkg-config --libs berth)" ] ||
    fail "berth.pc: a plugin links no library"

shipped=$(find "$top/plugins" -name '*.am' -exec cat {} + |
    sed -n 's/.*plugins\/.*\/\(.*\)\.la.*/\1/p' | sort -u)
[ -n "$shipped" ] || fail "no plugin is shipped"
# LOCATION: whether the host takes what that makes, a service or a module.
is_taken() {
	"$prefix/sbin/berthd" -T -S "dynamic X Service_Object * $1" \
	    >"$work/log" 2>&1 ||
	    "$prefix/sbin/berthd" -T -S \
	        "stream dynamic X STREAM * :stream() { dynamic Y Module * $1 }" \
	        >>"$work/log" 2>&1
}

for name in $shipped; do
	[ -e "$plugins/$name.so" ] || fail "no plugin $name was installed"
	factories=$(nm -D --defined-only "$plugins/$name.so" |
	    sed -n 's/.* T //p')
	[ -n "$factories" ] || fail "$name exports no factory"
	for factory in $factories; do
		is_taken "$name:$factory()" || {
			cat "$work/log" >&2
			fail "$factory of the installed plugin $name is refused"
		}
	done
done

mkdir -p "$plugins"
cd "$work"
count=0
for source in "$top"/docs/example/*.c; do
	[ -e "$source" ] || continue
	name=$(basename "$source" .c)
	# shellcheck disable=SC2046
	quietly $CC $(pkg-config --cflags berth) -Wall -Wextra -Werror \
	    -shared -fPIC -o "$plugins/$name.so" "$source"
	# shellcheck disable=SC2046
	quietly $CXX -x c++ -std=c++20 $(pkg-config --cflags berth) \
	    -Wall -Wextra -Werror -Wno-missing-field-initializers \
	    -shared -fPIC -o "$plugins/${name}_cxx.so" "$source"
	count=$((count + 1))
done
[ $count -gt 0 ] || fail "docs/example holds no plugin"
echo "$count compiled, as C and as C++"

sed -n '/^\.Bd -literal$/,/^\.Ed/{ /^\./d; s/\\e/\\/g; p; }' \
    "$top/man/berth_log_client.3" >log.c
# shellcheck disable=SC2046
quietly $CC -Wall -Werror $(pkg-config --cflags berth-log) -o logs log.c \
    $(pkg-config --libs berth-log) -Wl,-rpath,"$prefix/lib"
if ./logs "$work/none" 2>/dev/null; then
	fail "libberth-log connects to nothing"
fi

if [ -x "$work/build/berthctl" ]; then
	for file in bin/berthctl share/man/man1/berthctl.1 \
	    share/bash-completion/completions/berthctl \
	    share/zsh/site-functions/_berthctl; do
		[ -e "$prefix/$file" ] || fail "no $file was installed"
	done
fi

[ -x "$prefix/sbin/berthd" ] || fail "no berthd was installed"
BERTHD=$prefix/sbin/berthd EXAMPLES=$top/docs/example \
    PYTHONDONTWRITEBYTECODE=1 python3 "$top/tests/e2e/installed.py"
