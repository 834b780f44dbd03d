/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * chargen (RFC 864): lines of 72 characters, each beginning one character
 * later in the 95 printable ones than the line before.
 *
 * A connection gets them without end, as fast as the client reads: what
 * berth_write() does not take waits for output_ready, without any memory but
 * the place in the pattern.  What the client sends is thrown away; when it
 * ends its side the session ends.  A client that reads as fast as we write
 * would keep the loop for itself, so a session yields after TURN_BYTES.
 *
 * A datagram is answered by at most as many bytes as it had, and an empty one
 * not at all: whoever forges a sender gains nothing by it.  RFC 864 has a
 * random length there.
 */
#include "services_priv.h"

#include <limits.h>

#define FIRST ' '
#define COUNT 95	 /* printable characters, and lines of the pattern */
#define WIDTH 72	 /* characters of a line */
#define LINE (WIDTH + 2) /* with CR LF */
#define PERIOD (COUNT * LINE)
#define DATAGRAM_LIMIT 512 /* RFC 864 */
#define TURN_BYTES (1024 * 1024)
#define YIELD_MS 1

struct chargen {
	char pattern[PERIOD];
};

struct stream {
	uint32_t at; /* the next byte of the pattern */
};

static int
chargen_init(struct berth_service *service, int argc, char **argv)
{
	struct chargen *chargen = service->state;
	int result, line, column;
	char *out = chargen->pattern;

	result = service_options_none(service, argc, argv);
	if (result < 0)
		return result;
	for (line = 0; line < COUNT; line++) {
		for (column = 0; column < WIDTH; column++)
			*out++ = (char)(FIRST + (line + column) % COUNT);
		*out++ = '\r';
		*out++ = '\n';
	}
	return 0;
}

static int
chargen_write(struct berth_session *session)
{
	const struct chargen *chargen = session->service->state;
	struct stream *stream = session->state;
	size_t turn = 0, left;
	int taken;

	while (turn < TURN_BYTES) {
		left = PERIOD - stream->at;
		taken = berth_write(
		    session, berth_bytes(chargen->pattern + stream->at, left));
		if (taken < 0)
			return taken;
		stream->at = (stream->at + (uint32_t)taken) % PERIOD;
		turn += (size_t)taken;
		if ((size_t)taken < left)
			return 0;
	}
	return berth_session_timeout(session, YIELD_MS);
}

static int
chargen_input(struct berth_session *session, struct berth_bytes in)
{
	(void)session;
	return in.size > INT_MAX ? INT_MAX : (int)in.size;
}

static int
chargen_datagram(struct berth_session *session, struct berth_bytes in)
{
	const struct chargen *chargen = session->service->state;
	size_t size = in.size < DATAGRAM_LIMIT ? in.size : DATAGRAM_LIMIT;

	if (size == 0)
		return 0;
	return berth_write(session, berth_bytes(chargen->pattern, size));
}

BERTH_SERVICE(make_chargen, .summary = "character generator (RFC 864)",
    .flags = BERTH_CONCURRENT, .state_size = sizeof(struct chargen),
    .init = chargen_init,
    .session = {.state_size = sizeof(struct stream),
	.open = chargen_write,
	.input = chargen_input,
	.output_ready = chargen_write,
	.timeout = chargen_write,
	.datagram = chargen_datagram});
