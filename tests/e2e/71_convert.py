# SPDX-License-Identifier: BSD-2-Clause
"""berthctl convert: from every language to every other, over the whole corpus.

With the exit status 0 nothing was lost: what was printed converts back to the
same text.  With any other status something was told, with its place.
"""

import glob
import os
import re
import tempfile

from berth_ctl import run
from berth_e2e import SOURCE, case, main, run_berthd

INETDS = ["inetd", "inetd-freebsd", "inetd-netbsd", "inetd-openbsd",
          "inetd-debian", "inetd-gnu"]
FORMATS = ["svc", "xinetd", "yaml"] + INETDS
PLACE = re.compile(r"^[^:\n]+:\d+:\d+: (error|warning): ", re.M)


def dialect(path):
    """The language that the name of a file of the corpus says."""
    found = [f for f in INETDS[1:] if f in os.path.basename(path)]
    return ["--from", found[0]] if found else []


def convert(path, to, *words):
    return run("convert", "--to", to, *words, os.path.basename(path),
               cwd=os.path.dirname(path))


def check_told(done, path):
    """All that was said has a place in a file, and the status says it."""
    said = [line for line in done.stderr.splitlines()
            if re.search(r"\b(error|warning): ", line)]
    assert done.returncode == (1 if said else 0) or (
        done.returncode == 0 and "error: " not in done.stderr), (path, done)
    assert all(PLACE.match(line) for line in said), (path, done.stderr)


def check_round(folder, path, to):
    done = convert(path, to, *dialect(path))
    assert done.returncode in (0, 1), (path, to, done)
    check_told(done, path)
    if done.returncode != 0:
        return 0
    printed = os.path.join(folder, "printed")
    with open(printed, "w", encoding="utf-8", newline="") as file:
        file.write(done.stdout)
    os.chmod(printed, 0o600)
    again = convert(printed, "svc", "--from", to)
    direct = convert(path, "svc", *dialect(path))
    assert again.returncode == 0, (path, to, done.stdout, again.stderr)
    assert again.stdout == direct.stdout, (path, to, done.stdout)
    return 1


@case
def whatever_loses_nothing_comes_back():
    rounds = 0
    with tempfile.TemporaryDirectory(prefix="berth-") as folder:
        for kind in ("config-inetd", "config-xinetd", "config-yaml"):
            for path in sorted(glob.glob(os.path.join(
                    SOURCE, "tests", kind, "*.conf"))):
                for to in FORMATS:
                    rounds += check_round(folder, os.path.abspath(path), to)
    assert rounds > 300, rounds


@case
def what_is_lost_is_told_at_its_place():
    cases = [
        ("svc.conf", "host { log_level = debug }\n"
         "static echo { listen = tcp:*:7\n drain = 3s }\n", "inetd",
         ["svc.conf:1:1: warning: 'log_level' of the host",
          "svc.conf:2:8: warning: 'drain' of 'echo'"]),
        ("svc.conf", "static echo { listen = tcp:*:7 }\nremove echo\n",
         "xinetd", ["svc.conf:2:1: warning: 'remove echo' is not carried"]),
        ("a.yaml", "- host:\n    watch: yes\n- static: echo\n"
         "  listen: tcp:*:7\n", "inetd",
         ["a.yaml:2:5: warning: 'watch' of the host"]),
        ("xinetd.conf", "service echo\n{\n type = INTERNAL\n wait = no\n"
         " socket_type = stream\n deny_time = 5\n}\n", "svc",
         ["xinetd.conf:6:2: warning: "]),
        ("inetd.conf", "rstatd/2-4 dgram rpc/udp wait root /bin/cat cat\n",
         "svc", ["inetd.conf:1:1: error: "]),
    ]
    with tempfile.TemporaryDirectory(prefix="berth-") as folder:
        for name, text, to, expected in cases:
            path = os.path.join(folder, name)
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
            os.chmod(path, 0o600)
            done = convert(path, to)
            assert done.returncode == 1, (name, done)
            for part in expected:
                assert part in done.stderr, (part, done.stderr)
            check_told(done, path)


@case
def what_is_printed_is_good():
    """berthd itself takes it, in the language it was asked for."""
    with tempfile.TemporaryDirectory(prefix="berth-") as folder:
        path = os.path.join(folder, "inetd.conf")
        with open(path, "w", encoding="utf-8") as file:
            file.write("127.0.0.1:7007 stream tcp nowait root internal\n"
                       "127.0.0.1:7008 stream tcp nowait root /bin/cat cat\n"
                       .replace("7007 stream", "echo stream"))
        os.chmod(path, 0o600)
        for to in FORMATS:
            done = convert(path, to)
            assert done.returncode == 0, done
            printed = os.path.join(folder, "printed")
            with open(printed, "w", encoding="utf-8") as file:
                file.write(done.stdout)
            os.chmod(printed, 0o600)
            tried = run_berthd("-t", "--format", to, "-f", printed)
            assert tried.returncode == 0, (to, done.stdout, tried)


@case
def no_file():
    done = run("convert", "/no/such/file")
    assert done.returncode == 1 and "/no/such/file" in done.stderr, done
    assert done.stdout == "", done


main()
