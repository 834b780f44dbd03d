/* SPDX-License-Identifier: BSD-2-Clause */
/* Sin: the type object is larger than the interface has it. */
#include "sin.h"

SIN_NOTE(make_sin, .type_size = 4096);
SIN_FACTORY(make_sin, .summary = "sin");
