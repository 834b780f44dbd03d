/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * time_server: tells clerks the time, after the time service of ACE.  The
 * manual is berth-time-service(8).
 *
 *	[-p PORT]
 *
 * A connection may ask as often as it likes; a datagram is one question.  What
 * is no question ends the connection, and a datagram is not answered.
 */
#include <berth/berth.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "wire.h"

static int
answer(struct berth_session *session, const unsigned char *question)
{
	unsigned char reply[WIRE_BYTES];

	if (memcmp(question, WIRE_QUESTION, 4) != 0)
		return -EPROTO;
	memcpy(reply, question, WIRE_BYTES);
	memcpy(reply, WIRE_ANSWER, 4);
	wire_put(reply + 16, (uint64_t)clock_ns(CLOCK_REALTIME), 8);
	return berth_write(session, berth_bytes(reply, WIRE_BYTES));
}

static int
input(struct berth_session *session, struct berth_bytes in)
{
	const unsigned char *data = in.data;
	size_t at = 0;
	int result;

	for (; in.size - at >= WIRE_BYTES; at += WIRE_BYTES) {
		if (berth_writable(session) < WIRE_BYTES)
			break;
		result = answer(session, data + at);
		if (result < 0)
			return result;
	}
	return (int)at;
}

static int
datagram(struct berth_session *session, struct berth_bytes in)
{
	if (in.size == WIRE_BYTES)
		answer(session, in.data);
	return 0;
}

static int
init(struct berth_service *service, int argc, char **argv)
{
	const char *port = WIRE_PORT;
	char endpoint[64], *end;
	unsigned long number;

	if (argc == 3 && strcmp(argv[1], "-p") == 0)
		port = argv[2];
	else if (argc > 1)
		return berth_fail(service, EINVAL,
		    "'%s': -p PORT is all that can be said", argv[1]);
	number = strtoul(port, &end, 10);
	if (*port < '0' || *port > '9' || *end != '\0' || number > 65535)
		return berth_fail(
		    service, EINVAL, "-p: '%s' is no port's number", port);
	if (argc == 1 && berth_endpoints(service) > 0)
		return 0;
	snprintf(endpoint, sizeof(endpoint), "tcp:*:%lu", number);
	return berth_listen(service, endpoint);
}

BERTH_SERVICE(make_time_server, .summary = "tells clerks the time",
    .flags = BERTH_CONCURRENT, .init = init,
    .session = {.input = input, .datagram = datagram});
