/* SPDX-License-Identifier: BSD-2-Clause */
/* Sin: calls a function that nobody has. */
#include <berth/berth.h>

int nobody_has_this_function(void);

static int
sin_init(struct berth_service *service, int argc, char **argv)
{
	(void)service;
	(void)argc;
	(void)argv;
	return nobody_has_this_function();
}

BERTH_SERVICE(make_sin, .init = sin_init);
