/* SPDX-License-Identifier: BSD-2-Clause */
/* Sin: the note's magic is wrong. */
#include "sin.h"

SIN_NOTE(make_sin, .magic = 0x12345678u);
SIN_FACTORY(make_sin, .summary = "sin");
