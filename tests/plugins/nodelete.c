/* SPDX-License-Identifier: BSD-2-Clause */
/* Sin: linked with -z nodelete. */
#include <berth/berth.h>

static void
sin_info(struct berth_service *service, struct berth_text *text)
{
	static int calls;

	(void)service;
	(void)berth_text_printf(text, "call %d", ++calls);
}

BERTH_SERVICE(make_sin, .info = sin_info);
