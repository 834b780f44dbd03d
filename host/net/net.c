/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/net.h"
