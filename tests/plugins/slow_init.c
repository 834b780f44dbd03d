/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Its init lasts until the file that its argument names exists: what a reload
 * looks like that takes long.
 */
#include <berth/berth.h>
#include <errno.h>
#include <unistd.h>

static int
slow_init(struct berth_service *service, int argc, char **argv)
{
	if (argc != 2)
		return berth_fail(service, EINVAL, "wants the name of a file");
	berth_log(service, BERTH_NOTICE, "waits for its gate");
	while (access(argv[1], F_OK) != 0)
		usleep(1000);
	return 0;
}

BERTH_SERVICE(make_slow_init, .summary = "starts slowly", .init = slow_init);
