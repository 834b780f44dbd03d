/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every allocation and system call of the room made to fail once: the failure
 * is told and forwarded, nothing leaks (the address sanitizer looks), and the
 * next try succeeds.  The calls are wrapped by the linker.
 */
#include "plugin_kit.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>

static unsigned calls; /* that could have failed */
static unsigned fails; /* the one that does, from 1; 0: none */

/* Whether this call is to fail. */
static bool
hit(int code)
{
	if (fails == 0 || ++calls != fails)
		return false;
	errno = code;
	return true;
}

/* A wrapped function with its declarations. */
#define WRAP(type, name, code, failure, parameters, arguments)                 \
	type __real_##name parameters;                                         \
	type __wrap_##name parameters;                                         \
	type __wrap_##name parameters                                          \
	{                                                                      \
		return hit(code) ? failure : __real_##name arguments;          \
	}

WRAP(void *, malloc, ENOMEM, NULL, (size_t size), (size))
WRAP(void *, calloc, ENOMEM, NULL, (size_t count, size_t size), (count, size))
WRAP(void *, realloc, ENOMEM, NULL, (void *old, size_t size), (old, size))
WRAP(void *, reallocarray, ENOMEM, NULL, (void *old, size_t count, size_t size),
    (old, count, size))
WRAP(char *, strdup, ENOMEM, NULL, (const char *from), (from))
WRAP(char *, strndup, ENOMEM, NULL, (const char *from, size_t size),
    (from, size))
WRAP(int, memfd_create, EMFILE, -1, (const char *name, unsigned flags),
    (name, flags))
WRAP(ssize_t, sendfile, EIO, -1, (int to, int from, off_t *offset, size_t size),
    (to, from, offset, size))
WRAP(int, fstat, EIO, -1, (int fd, struct stat *st), (fd, st))

static unsigned
count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned count = 0;

	assert_non_null(dir);
	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}

/* All that the room does for one service. */
static int
scenario(struct kit *kit)
{
	struct plugin_options options = {.path = kit->folder};
	struct plugins *plugins;
	int r;

	r = plugins_new(&options, &plugins);
	if (r < 0)
		return r;
	kit->plugins = plugins;
	plugins_snapshot(plugins, true);
	r = kit_check(kit, "plug:make_first()");
	if (r == 0)
		r = kit_open(kit, "plug:make_second()");
	if (r == 0)
		assert_int_equal(image_unref(kit->image), 0);
	kit->plugins = plugins_free(plugins);
	return r;
}

static void
each_failure(void **state)
{
	struct kit *kit = *state;
	unsigned n, failed = 0, fds;
	int r;

	kit->plugins = plugins_free(kit->plugins);
	kit_copy(kit, "two", "hop.so");
	assert_int_equal(symlink("hop.so", kit_path(kit, "plug.so")), 0);
	assert_int_equal(scenario(kit), 0);
	fds = count_fds();
	for (n = 1; n < 1000; n++) {
		calls = 0;
		fails = n;
		r = scenario(kit);
		fails = 0;
		assert_int_equal(count_fds(), fds);
		assert_true(
		    r == 0 || r == -ENOMEM || r == -EMFILE || r == -EIO);
		if (calls < n)
			break; /* the last went through without a failure */
		if (r < 0)
			failed++;
	}
	assert_true(n > 30 && n < 1000);
	assert_true(failed > 15);
	assert_int_equal(scenario(kit), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		each_failure, kit_setup, kit_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
