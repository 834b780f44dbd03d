/* SPDX-License-Identifier: BSD-2-Clause */
/* Sockets that were handed over: whom they are meant for, and the hand-over
 * to a host (a fake one). */
#include "unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "control/control.h"
#include "main/main.h"

struct host {
	int seen[4];
	unsigned count;
	int refuse_fd;
};

int
host_adopt_socket(struct host *host, int fd)
{
	if (fd == host->refuse_fd)
		return -ENOTSOCK;
	assert_true(host->count < BASE_COUNT(host->seen));
	host->seen[host->count++] = fd;
	return 0;
}

static void
set_environment(const char *pid, const char *count)
{
	if (pid == NULL)
		unsetenv("LISTEN_PID");
	else
		setenv("LISTEN_PID", pid, 1);
	if (count == NULL)
		unsetenv("LISTEN_FDS");
	else
		setenv("LISTEN_FDS", count, 1);
	setenv("LISTEN_FDNAMES", "a:b", 1);
}

static void
assert_clean(void)
{
	assert_null(getenv("LISTEN_PID"));
	assert_null(getenv("LISTEN_FDS"));
	assert_null(getenv("LISTEN_FDNAMES"));
}

static void
test_count(void **state)
{
	char self[16], other[16];
	const struct {
		const char *pid, *count;
		int result;
	} cases[] = {
	    {NULL, NULL, 0},
	    {self, NULL, 0},
	    {NULL, "2", 0},
	    {other, "2", 0},
	    {self, "0", 0},
	    {self, "2", 2},
	    {self, "", -EINVAL},
	    {self, "2x", -EINVAL},
	    {self, "-1", -EINVAL},
	    {self, "99999999999999999999", -EINVAL},
	    {self, "2147483647", -EINVAL},
	    {"", "2", -EINVAL},
	    {"me", "2", -EINVAL},
	    {self, "2147483640", -EBADF},
	};

	(void)state;
	snprintf(self, sizeof(self), "%ld", (long)getpid());
	snprintf(other, sizeof(other), "%ld", (long)getppid());
	for (size_t i = 0; i < BASE_COUNT(cases); i++) {
		set_environment(cases[i].pid, cases[i].count);
		assert_int_equal(listen_fds_take(), cases[i].result);
		assert_clean();
	}
}

static void
test_flags(void **state)
{
	char self[16];

	(void)state;
	snprintf(self, sizeof(self), "%ld", (long)getpid());
	for (int fd = LISTEN_FDS_FIRST; fd < LISTEN_FDS_FIRST + 2; fd++)
		assert_int_equal(fcntl(fd, F_SETFD, 0), 0);
	set_environment(self, "2");
	assert_int_equal(listen_fds_take(), 2);
	for (int fd = LISTEN_FDS_FIRST; fd < LISTEN_FDS_FIRST + 2; fd++)
		assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
}

static void
test_adopt(void **state)
{
	struct host host = {.refuse_fd = -1};
	int fd = -1;

	(void)state;
	assert_int_equal(listen_fds_adopt(&host, 0, &fd), 0);
	assert_int_equal(host.count, 0);
	assert_int_equal(listen_fds_adopt(&host, 3, &fd), 0);
	assert_int_equal(host.count, 3);
	for (int i = 0; i < 3; i++)
		assert_int_equal(host.seen[i], LISTEN_FDS_FIRST + i);
	assert_int_equal(fd, -1);

	host.count = 0;
	host.refuse_fd = LISTEN_FDS_FIRST + 1;
	assert_int_equal(listen_fds_adopt(&host, 3, &fd), -ENOTSOCK);
	assert_int_equal(fd, LISTEN_FDS_FIRST + 1);
	assert_int_equal(host.count, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_count),
	    cmocka_unit_test(test_flags),
	    cmocka_unit_test(test_adopt),
	};

	/* Two descriptors that may have been handed over. */
	for (int fd = LISTEN_FDS_FIRST; fd < LISTEN_FDS_FIRST + 2; fd++)
		if (fcntl(fd, F_GETFD) < 0 && dup2(STDOUT_FILENO, fd) < 0)
			return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
