/* SPDX-License-Identifier: BSD-2-Clause */
/* Sin: made for a newer minor version of the interface. */
#include "sin.h"

SIN_NOTE(make_sin, .abi_minor = 7);
SIN_FACTORY(make_sin, .summary = "sin");
