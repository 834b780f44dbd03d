/* SPDX-License-Identifier: BSD-2-Clause */
/* Sin: made for another major version of the interface. */
#include "sin.h"

SIN_NOTE(make_sin, .abi_major = BERTH_ABI_MAJOR + 1);
SIN_FACTORY(make_sin, .summary = "sin");
