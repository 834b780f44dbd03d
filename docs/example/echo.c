/* SPDX-License-Identifier: BSD-2-Clause */
#include <berth/berth.h>

static int
echo_input(struct berth_session *session, struct berth_bytes in)
{
	return berth_write(session, in);
}

BERTH_SERVICE(
    make_echo, .summary = "echo (RFC 862)", .session = {.input = echo_input});
