/* SPDX-License-Identifier: BSD-2-Clause */
/* Sin: init gives a positive number, which is neither success nor an errno. */
#include <berth/berth.h>

static int
sin_init(struct berth_service *service, int argc, char **argv)
{
	(void)service;
	(void)argv;
	return argc;
}

BERTH_SERVICE(make_sin, .init = sin_init);
