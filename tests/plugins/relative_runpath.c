/* SPDX-License-Identifier: BSD-2-Clause */
/* Sin: linked with -rpath lib, which would be a folder of where the host runs.
 */
#include <berth/berth.h>

BERTH_SERVICE(make_sin, .summary = "sin");
