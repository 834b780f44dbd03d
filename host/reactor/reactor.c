/* SPDX-License-Identifier: BSD-2-Clause */
#include "reactor/reactor.h"
