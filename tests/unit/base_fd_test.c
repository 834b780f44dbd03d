/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Descriptors: closing, flags, the limit, reading a file whole; and the clock.
 */
#include "unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/base.h"

static void
test_close(void **state)
{
	int fds[2], none = -1, open_fd;

	(void)state;
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	open_fd = fds[0];
	errno = ENOTTY;
	fd_close(&fds[0]);
	fd_close(&none);
	assert_int_equal(errno, ENOTTY);
	assert_int_equal(fds[0], -1);
	assert_int_equal(fcntl(open_fd, F_GETFD), -1);
	assert_int_equal(errno, EBADF);
	open_fd = base_take_fd(&fds[1]);
	assert_int_equal(fds[1], -1);
	assert_int_not_equal(fcntl(open_fd, F_GETFD), -1);
	{
		AUTO_FD cleaned = open_fd;

		assert_true(cleaned >= 0);
	}
	assert_int_equal(fcntl(open_fd, F_GETFD), -1);
}

static void
test_nonblock(void **state)
{
	int fds[2];

	(void)state;
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	assert_int_equal(fd_nonblock(fds[0]), 0);
	assert_int_equal(fd_nonblock(fds[0]), 0);
	assert_true((fcntl(fds[0], F_GETFL) & O_NONBLOCK) != 0);
	assert_int_equal(fd_nonblock(-1), -EBADF);
	fd_close(&fds[0]);
	fd_close(&fds[1]);
}

static void
test_limit(void **state)
{
	struct rlimit before, after;

	(void)state;
	getrlimit(RLIMIT_NOFILE, &before);
	after = before;
	after.rlim_cur = before.rlim_max / 2;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &after), 0);
	assert_int_equal(fd_raise_limit(), 0);
	getrlimit(RLIMIT_NOFILE, &after);
	assert_int_equal(after.rlim_cur, before.rlim_max);
	setrlimit(RLIMIT_NOFILE, &before);
}

static int
make_file(size_t size)
{
	int fd = memfd_create("text", MFD_CLOEXEC);

	for (size_t i = 0; i < size; i++)
		if (write(fd, i % 2 != 0 ? "b" : "a", 1) != 1)
			return -1;
	lseek(fd, 0, SEEK_SET);
	return fd;
}

static void
test_read_all(void **state)
{
	static const struct {
		size_t size, limit;
		int result;
	} cases[] = {
	    {0, 0, 0},
	    {0, 10, 0},
	    {10, 10, 0},
	    {11, 10, -EFBIG},
	    {40000, 40000, 0},
	    {40000, 39999, -EFBIG},
	};

	(void)state;
	for (size_t i = 0; i < BASE_COUNT(cases); i++) {
		AUTO_FD fd = make_file(cases[i].size);
		AUTO_TEXT text;

		assert_true(fd >= 0);
		text_init(&text);
		text_add(&text, "[", 1);
		assert_int_equal(
		    fd_read_all(fd, cases[i].limit, &text), cases[i].result);
		if (cases[i].result != 0)
			continue;
		assert_int_equal(text.size, cases[i].size + 1);
		for (size_t j = 1; j < text.size; j++)
			assert_int_equal(text.data[j], j % 2 != 0 ? 'a' : 'b');
	}
}

static void
test_read_fails(void **state)
{
	AUTO_TEXT text;
	int fds[2];

	(void)state;
	text_init(&text);
	assert_int_equal(fd_read_all(-1, 10, &text), -EBADF);
	assert_int_equal(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
	assert_int_equal(fd_read_all(fds[0], 10, &text), -EAGAIN);
	fd_close(&fds[0]);
	fd_close(&fds[1]);
}

static void
test_mono(void **state)
{
	struct mono first = mono_now(), now = first;

	(void)state;
	assert_true(first.ns > 0);
	while (now.ns == first.ns)
		now = mono_now();
	assert_true(now.ns > first.ns);
	assert_int_equal(MONO_MS(30000), 30000000000u);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_close),
	    cmocka_unit_test(test_nonblock),
	    cmocka_unit_test(test_limit),
	    cmocka_unit_test(test_read_all),
	    cmocka_unit_test(test_read_fails),
	    cmocka_unit_test(test_mono),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
