/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fd: what every room does with descriptors.
 *
 * Results: 0 or a negative errno.
 */
#include "base/base.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#define READ_SIZE 16384u

void
fd_close(int *fd)
{
	int saved = errno;

	/* Linux releases the number even when close(2) says EINTR. */
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
	errno = saved;
}

int
fd_nonblock(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0)
		return -errno;
	if ((flags & O_NONBLOCK) != 0)
		return 0;
	return fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 ? -errno : 0;
}

int
fd_raise_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return -errno;
	limit.rlim_cur = limit.rlim_max;
	return setrlimit(RLIMIT_NOFILE, &limit) < 0 ? -errno : 0;
}

int
fd_read_all(int fd, size_t limit_bytes, struct text *text)
{
	size_t total = 0;
	char buffer[READ_SIZE];

	for (;;) {
		ssize_t got = read(fd, buffer, sizeof(buffer));
		int result;

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got < 0 ? -errno : 0;
		if ((size_t)got > limit_bytes - total)
			return -EFBIG;
		total += (size_t)got;
		result = text_add(text, buffer, (size_t)got);
		if (result < 0)
			return result;
	}
}

void
base_cleanup_free(void *pointer)
{
	free(*(void **)pointer);
}
