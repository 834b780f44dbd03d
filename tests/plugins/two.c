/* SPDX-License-Identifier: BSD-2-Clause */
/* Two services in one file. */
#include <berth/berth.h>

static void
first_info(struct berth_service *service, struct berth_text *text)
{
	(void)service;
	(void)berth_text_printf(text, "the first");
}

static void
second_info(struct berth_service *service, struct berth_text *text)
{
	(void)service;
	(void)berth_text_printf(text, "the second");
}

BERTH_SERVICE(make_first, .info = first_info);
BERTH_SERVICE(make_second, .info = second_info);
