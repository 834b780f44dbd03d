/* SPDX-License-Identifier: BSD-2-Clause */
/* Sin: a shared object with a factory, but without a note. */
#include "sin.h"

SIN_FACTORY(make_sin, .summary = "sin");
