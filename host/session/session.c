/* SPDX-License-Identifier: BSD-2-Clause */
#include "session/session.h"
