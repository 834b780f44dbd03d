/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * time (RFC 868): the seconds since 1900-01-01 00:00 UTC as 32 bits, most
 * significant first; a connection is closed after them, a datagram of any
 * content is answered by them.
 *
 * The number wraps in 2036, as the RFC's does; clients that know their
 * century go on.  A datagram's answer is 4 bytes whatever was sent: the
 * service is no amplifier.
 */
#include "services_priv.h"

#include <time.h>

#define SECONDS_1900_TO_1970 2208988800u

static int
send_time(struct berth_session *session)
{
	uint32_t now = (uint32_t)time(NULL) + SECONDS_1900_TO_1970;
	unsigned char wire[4] = {(unsigned char)(now >> 24),
	    (unsigned char)(now >> 16), (unsigned char)(now >> 8),
	    (unsigned char)now};

	return berth_write(session, berth_bytes(wire, sizeof(wire)));
}

static int
time_open(struct berth_session *session)
{
	int result = send_time(session);

	if (result < 0)
		return result;
	berth_close(session);
	return 0;
}

static int
time_datagram(struct berth_session *session, struct berth_bytes in)
{
	(void)in;
	return send_time(session);
}

BERTH_SERVICE(make_time, .summary = "time (RFC 868)", .flags = BERTH_CONCURRENT,
    .init = service_options_none,
    .session = {.open = time_open, .datagram = time_datagram});
