/* SPDX-License-Identifier: BSD-2-Clause */
/* Sin: the note names a symbol that is not exported. */
#include "sin.h"

SIN_NOTE(make_sin, .form = BERTH_FORM_FACTORY);
SIN_FACTORY(make_another, .summary = "sin");
