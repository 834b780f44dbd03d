/* SPDX-License-Identifier: BSD-2-Clause */
/* Sin: init fails; fini must not be called, for it would abort. */
#include <berth/berth.h>
#include <errno.h>
#include <stdlib.h>

static int
sin_init(struct berth_service *service, int argc, char **argv)
{
	(void)argc;
	return berth_fail(service, EINVAL, "%s never starts", argv[0]);
}

static void
sin_fini(struct berth_service *service)
{
	(void)service;
	abort();
}

BERTH_SERVICE(make_sin, .init = sin_init, .fini = sin_fini);
