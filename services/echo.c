/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * echo (RFC 862): sends back what comes, byte for byte, over connections and
 * datagrams.
 *
 * A client that sends and does not read is not read from any more: what
 * berth_write() does not take, input does not take either, and the host
 * offers it again when the output has drained.
 */
#include "services_priv.h"

static int
echo_input(struct berth_session *session, struct berth_bytes in)
{
	return berth_write(session, in);
}

BERTH_SERVICE(make_echo, .summary = "echo (RFC 862)", .flags = BERTH_CONCURRENT,
    .init = service_options_none,
    .session = {.input = echo_input, .datagram = echo_input});
