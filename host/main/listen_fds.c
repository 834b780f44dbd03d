/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * listen_fds: listening sockets that a supervisor opened for us: numbers from
 * 3 on, LISTEN_FDS of them, meant for the process LISTEN_PID (sd_listen_fds(3)
 * is the description of the protocol; LISTEN_FDNAMES is not looked at, since
 * endpoints are matched by address).
 *
 * Variables that are not meant for us, or that are not numbers, give 0 or
 * -EINVAL; a descriptor that is not open gives -EBADF.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "control/control.h"
#include "main/main.h"

/* 0 … INT_MAX, or -EINVAL. */
static int
parse_number(const char *text)
{
	char *end;
	long number;

	errno = 0;
	number = strtol(text, &end, 10);
	if (errno != 0 || end == text || *end != '\0' || number < 0 ||
	    number > INT_MAX)
		return -EINVAL;
	return (int)number;
}

static int
read_count(void)
{
	const char *pid_text = getenv("LISTEN_PID");
	const char *count_text = getenv("LISTEN_FDS");
	int pid;

	if (pid_text == NULL || count_text == NULL)
		return 0;
	pid = parse_number(pid_text);
	if (pid < 0)
		return pid;
	return pid == getpid() ? parse_number(count_text) : 0;
}

int
listen_fds_take(void)
{
	int count = read_count();

	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	if (count > INT_MAX - LISTEN_FDS_FIRST)
		return -EINVAL;
	for (int i = 0; i < count; i++)
		if (fcntl(LISTEN_FDS_FIRST + i, F_SETFD, FD_CLOEXEC) != 0)
			return -errno;
	return count;
}

int
listen_fds_adopt(struct host *host, unsigned count, int *ret_fd)
{
	int result;

	for (int fd = LISTEN_FDS_FIRST; fd < LISTEN_FDS_FIRST + (int)count;
	     fd++) {
		result = host_adopt_socket(host, fd);
		if (result != 0) {
			*ret_fd = fd;
			return result;
		}
	}
	return 0;
}
