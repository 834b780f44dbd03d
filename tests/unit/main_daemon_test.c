/* SPDX-License-Identifier: BSD-2-Clause */
/* Going to the background, and the standard streams. */
#include "unit/unit.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "main/main.h"

/* What the daemon says of itself, on a pipe to the test. */
struct report {
	pid_t pid, sid, parent;
	mode_t mask;
	bool at_root;
	bool null_before, null_after;
};

static bool
is_null(int fd)
{
	struct stat stream, null;

	return fstat(fd, &stream) == 0 && stat("/dev/null", &null) == 0 &&
	       stream.st_rdev == null.st_rdev;
}

static bool
all_null(void)
{
	return is_null(0) && is_null(1) && is_null(2);
}

static int
exit_status(pid_t pid)
{
	int status;

	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

typedef void(daemon_fn)(struct daemon *daemon, int out);

/* Runs what a caller of berthd is; its exit status is the result. */
static int
call(daemon_fn *act, int out)
{
	pid_t pid = fork();

	if (pid == 0) {
		struct daemon daemon = {.result_fd = -1};
		enum status result = STATUS_FAILED;

		/* The message about a dead daemon is not this test's. */
		if (dup2(out, STDERR_FILENO) < 0)
			_exit(99);
		switch (daemon_detach(&daemon, &result)) {
		case DAEMON_E_PARENT:
			_exit(result);
		case 0:
			act(&daemon, out);
			_exit(0);
		default:
			_exit(98);
		}
	}
	return exit_status(pid);
}

static void
come_up(struct daemon *daemon, int out)
{
	struct report report = {
	    .pid = getpid(),
	    .sid = getsid(0),
	    .parent = getppid(),
	    .mask = umask(0),
	    .null_before = is_null(STDERR_FILENO),
	};
	char cwd[64];

	report.at_root = getcwd(cwd, sizeof(cwd)) != NULL &&
			 strcmp(cwd, "/") == 0;
	daemon_report(daemon, STATUS_GOOD);
	report.null_after = all_null() && daemon->result_fd == -1;
	daemon_report(daemon, STATUS_FAILED); /* once only */
	if (write(out, &report, sizeof(report)) != sizeof(report))
		_exit(1);
}

static void
test_up(void **state)
{
	struct report report;
	int ends[2];

	(void)state;
	umask(0);
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	assert_int_equal(call(come_up, ends[1]), STATUS_GOOD);
	assert_int_equal(
	    read(ends[0], &report, sizeof(report)), sizeof(report));
	assert_int_not_equal(report.pid, report.sid);
	assert_int_not_equal(report.sid, getsid(0));
	assert_int_equal(report.mask, 022);
	assert_true(report.at_root);
	assert_false(report.null_before);
	assert_true(report.null_after);
	close(ends[0]);
	close(ends[1]);
}

static void
refuse(struct daemon *daemon, int out)
{
	/* The streams are still the caller's. */
	if (write(STDERR_FILENO, "no\n", 3) != 3)
		_exit(1);
	(void)out;
	daemon_report(daemon, STATUS_REFUSED);
}

static void
die(struct daemon *daemon, int out)
{
	(void)daemon, (void)out;
	abort();
}

static void
check_failure(daemon_fn *act, int status, const char *message)
{
	char text[200];
	ssize_t size;
	int ends[2];

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	assert_int_equal(call(act, ends[1]), status);
	size = read(ends[0], text, sizeof(text) - 1);
	assert_true(size > 0);
	text[size] = '\0';
	assert_string_equal(text, message);
	close(ends[0]);
	close(ends[1]);
}

static void
test_failures(void **state)
{
	(void)state;
	check_failure(refuse, STATUS_REFUSED, "no\n");
	check_failure(die, STATUS_FAILED,
	    "berthd: it ended before its services were up\n");
}

/* In a child, whose streams may be closed; 0: as it should be. */
static int
fill_holes(unsigned closed)
{
	int spare = dup(STDERR_FILENO);

	for (int fd = 0; fd < 3; fd++)
		if ((closed & 1u << fd) != 0)
			close(fd);
	if (descriptors_open_standard() != 0)
		return 1;
	for (int fd = 0; fd < 3; fd++)
		if (fcntl(fd, F_GETFD) != 0 ||
		    ((closed & 1u << fd) != 0 && !is_null(fd)))
			return 2;
	/* Nothing was opened beside them. */
	return dup(spare) == spare + 1 ? 0 : 3;
}

static void
test_standard(void **state)
{
	(void)state;
	for (unsigned closed = 0; closed < 8; closed++) {
		pid_t pid = fork();

		if (pid == 0)
			_exit(fill_holes(closed));
		assert_int_equal(exit_status(pid), 0);
	}
}

static int
close_rest(bool keep)
{
	int first = dup(STDERR_FILENO), second = dup(STDERR_FILENO);

	if (descriptors_close_from((unsigned)second, keep) != 0)
		return 1;
	if (fcntl(first, F_GETFD) != 0)
		return 2;
	return fcntl(second, F_GETFD) == (keep ? FD_CLOEXEC : -1) ? 0 : 3;
}

static void
test_rest(void **state)
{
	(void)state;
	for (int keep = 0; keep < 2; keep++) {
		pid_t pid = fork();

		if (pid == 0)
			_exit(close_rest(keep != 0));
		assert_int_equal(exit_status(pid), 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_up),
	    cmocka_unit_test(test_failures),
	    cmocka_unit_test(test_standard),
	    cmocka_unit_test(test_rest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
