/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * discard (RFC 863): throws away what comes and never answers.
 */
#include "services_priv.h"

#include <limits.h>

static int
discard_input(struct berth_session *session, struct berth_bytes in)
{
	(void)session;
	return in.size > INT_MAX ? INT_MAX : (int)in.size;
}

BERTH_SERVICE(make_discard, .summary = "discard (RFC 863)",
    .flags = BERTH_CONCURRENT, .init = service_options_none,
    .session = {.input = discard_input, .datagram = discard_input});
