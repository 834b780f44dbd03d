/* SPDX-License-Identifier: BSD-2-Clause */
/* Sin: the descriptor gives a wrong size of itself. */
#include "sin.h"

SIN_NOTE(make_sin, .size = 24);
SIN_FACTORY(make_sin, .summary = "sin");
