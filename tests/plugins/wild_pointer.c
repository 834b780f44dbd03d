/* SPDX-License-Identifier: BSD-2-Clause */
/* Sin: the factory gives an address where nothing is. */
#include "sin.h"

SIN_NOTE(make_sin, .form = BERTH_FORM_FACTORY);

BERTH_EXPORT const struct berth_service_type *make_sin(void);

const struct berth_service_type *
make_sin(void)
{
	return (const struct berth_service_type *)(uintptr_t)4096;
}
