/* SPDX-License-Identifier: BSD-2-Clause */
/* Sin: a module, for those who declare it as a service. */
#include "sin.h"

SIN_NOTE(make_sin, .kind = BERTH_KIND_MODULE);
SIN_FACTORY(make_sin, .summary = "sin");
