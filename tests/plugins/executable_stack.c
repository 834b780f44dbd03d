/* SPDX-License-Identifier: BSD-2-Clause */
/* Sin: linked with -z execstack. */
#include <berth/berth.h>

BERTH_SERVICE(make_sin, .summary = "sin");
