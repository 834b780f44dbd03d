/* SPDX-License-Identifier: BSD-2-Clause */
/* The object form: `object:object_type`, without parentheses. */
#include <berth/berth.h>

static void
object_info(struct berth_service *service, struct berth_text *text)
{
	(void)service;
	(void)berth_text_printf(text, "an object");
}

BERTH_SERVICE_OBJECT(object_type, .info = object_info);
