/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * descriptors: the standard streams, and what else was open when berthd was
 * started.
 *
 * Afterwards 0, 1 and 2 are open, and no descriptor of the caller's reaches a
 * child by accident.  Results are 0 or a negative errno.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <limits.h>
#include <unistd.h>

#include "main/main.h"

int
descriptors_open_standard(void)
{
	int fd;

	/* open() gives the lowest free number, so this fills the holes. */
	do {
		fd = open("/dev/null", O_RDWR);
		if (fd < 0)
			return -errno;
	} while (fd <= STDERR_FILENO);
	close(fd);
	return 0;
}

int
descriptors_null_standard(void)
{
	AUTO_FD fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	for (int standard = STDIN_FILENO; standard <= STDERR_FILENO; standard++)
		if (dup2(fd, standard) < 0)
			return -errno;
	return 0;
}

int
descriptors_close_from(unsigned first, bool keep)
{
	if (close_range(first, UINT_MAX, keep ? CLOSE_RANGE_CLOEXEC : 0) != 0)
		return -errno;
	return 0;
}
