/* SPDX-License-Identifier: BSD-2-Clause */
/* Sin: the factory gives NULL. */
#include "sin.h"

SIN_NOTE(make_sin, .form = BERTH_FORM_FACTORY);

BERTH_EXPORT const struct berth_service_type *make_sin(void);

const struct berth_service_type *
make_sin(void)
{
	return NULL;
}
