/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Has code that runs when it is loaded: makes the file that the environment
 * names.  Built with CONSTRUCTOR_MINOR 0, and once with a newer one, which must
 * keep that code from running.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "sin.h"

__attribute__((constructor)) static void
leave_a_mark(void)
{
	const char *path = getenv("BERTH_TEST_CONSTRUCTOR");
	int fd;

	if (path == NULL)
		return;
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd >= 0)
		close(fd);
}

SIN_NOTE(make_constructor, .abi_minor = CONSTRUCTOR_MINOR);
SIN_FACTORY(make_constructor, .summary = "constructor");
