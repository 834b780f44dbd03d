/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * daemon: leaves the terminal, and lets the caller wait for the result.
 *
 *   caller --fork--> child: setsid --fork--> the daemon
 *
 * The second fork takes away the leadership of the session, without which no
 * terminal can be acquired again.  The daemon keeps the caller's standard
 * error until its services are up, so that what it has to say is seen where
 * it was started; then it lets go of the streams, and only then of the
 * caller, so that a caller who reads to the end of them does not wait for
 * ever.
 *
 * One byte on a pipe is the result; a pipe that ends without one is a daemon
 * that died.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "main/main.h"

/* In the caller's process. */
static enum status
wait_for_result(int fd, pid_t child)
{
	unsigned char status = STATUS_FAILED;
	ssize_t size;
	pid_t ended;

	do {
		ended = waitpid(child, NULL, 0);
	} while (ended < 0 && errno == EINTR);
	do {
		size = read(fd, &status, 1);
	} while (size < 0 && errno == EINTR);
	if (size != 1)
		fprintf(
		    stderr, "berthd: it ended before its services were up\n");
	return (enum status)status;
}

static _Noreturn void
leave_session(int result_fd, int error)
{
	struct daemon daemon = {.result_fd = result_fd};

	if (error != 0) {
		fprintf(stderr, "berthd: cannot go to the background: %s\n",
		    strerror(error));
		daemon_report(&daemon, STATUS_FAILED);
	}
	_exit(STATUS_GOOD);
}

/* In the child; returns in the daemon only. */
static int
become_daemon(int result_fd)
{
	pid_t pid;

	if (setsid() < 0)
		leave_session(result_fd, errno);
	pid = fork();
	if (pid != 0)
		leave_session(result_fd, pid < 0 ? errno : 0);
	umask(022);
	return chdir("/") == 0 ? 0 : -errno;
}

int
daemon_detach(struct daemon *daemon, enum status *ret_status)
{
	int ends[2];
	pid_t pid;

	/* Blocking: to wait is all that the caller does. */
	if (pipe2(ends, O_CLOEXEC) != 0)
		return -errno;
	AUTO_FD read_end = ends[0];
	AUTO_FD write_end = ends[1];

	pid = fork();
	if (pid < 0)
		return -errno;
	if (pid > 0) {
		fd_close(&write_end);
		*ret_status = wait_for_result(read_end, pid);
		return DAEMON_E_PARENT;
	}
	daemon->result_fd = base_take_fd(&write_end);
	return become_daemon(daemon->result_fd);
}

void
daemon_report(struct daemon *daemon, enum status status)
{
	unsigned char byte = (unsigned char)status;
	ssize_t written;

	if (daemon->result_fd < 0)
		return;
	if (status == STATUS_GOOD)
		descriptors_null_standard();
	/* A caller that was killed meanwhile does not want to know. */
	do {
		written = write(daemon->result_fd, &byte, 1);
	} while (written < 0 && errno == EINTR);
	fd_close(&daemon->result_fd);
}
