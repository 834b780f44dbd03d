/* SPDX-License-Identifier: BSD-2-Clause */
#include "plugin/plugin.h"
