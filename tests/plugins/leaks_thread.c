/* SPDX-License-Identifier: BSD-2-Clause */
/* Sin: its thread does not look at its stop descriptor.  It ends when the file
 * that the first argument names is there: a test can't wait for ever. */
#include <berth/berth.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

static char file[1024]; /* outlives the service, as the thread does */

static void
sin_thread(struct berth_thread *thread, void *arg)
{
	(void)thread;
	while (access((const char *)arg, F_OK) < 0)
		usleep(1000);
}

static int
sin_init(struct berth_service *service, int argc, char **argv)
{
	if (argc != 2 || strlen(argv[1]) >= sizeof(file))
		return berth_fail(service, EINVAL, "which file ends it?");
	strcpy(file, argv[1]);
	return berth_thread_start(service, "stays", sin_thread, file);
}

BERTH_SERVICE(make_sin, .init = sin_init);
