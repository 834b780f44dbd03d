/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * upper: answers each line with the same in capitals.  A model for a service
 * with arguments, state, datagrams and a client who may be slow; it compiles as
 * C99 and as C++20.
 *
 *	dynamic Upper Service_Object * upper:make_upper() "-l 80"
 *
 * -l LENGTH: the longest line that it takes, with its newline (1000).
 */
#include <berth/berth.h>

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LENGTH_MAX 1000

/* One for each service; the host allocates it, zeroed, and frees it. */
struct upper {
	size_t length;
	unsigned long lines;
};

/* One for each connection. */
struct upper_session {
	unsigned long lines;
};

static struct upper *
upper_of(struct berth_service *service)
{
	return (struct upper *)service->state;
}

static int
upper_init(struct berth_service *service, int argc, char **argv)
{
	struct upper *upper = upper_of(service);
	int option;

	upper->length = LENGTH_MAX;
	optind =
	    0; /* getopt(3) is shared with other services: from the start */
	opterr = 0;
	while ((option = getopt(argc, argv, "l:")) != -1) {
		if (option != 'l')
			return berth_fail(
			    service, EINVAL, "usage: [-l LENGTH]");
		upper->length = (size_t)strtoul(optarg, NULL, 10);
	}
	if (upper->length < 1 || upper->length > LENGTH_MAX)
		return berth_fail(
		    service, EINVAL, "-l wants 1 to %d", LENGTH_MAX);
	return 0;
}

static void
upper_info(struct berth_service *service, struct berth_text *text)
{
	berth_text_printf(text, "%lu lines", upper_of(service)->lines);
}

static void
to_upper(char *to, const char *from, size_t size)
{
	size_t i;

	for (i = 0; i < size; i++)
		to[i] = (char)toupper((unsigned char)from[i]);
}

/* One line, at most LENGTH_MAX long.  0, or negative to end the session. */
static int
upper_line(struct berth_session *session, const char *line, size_t size)
{
	struct upper_session *state = (struct upper_session *)session->state;
	char answer[LENGTH_MAX];
	int sent;

	to_upper(answer, line, size);
	sent = berth_write(session, berth_bytes(answer, size));
	if (sent < 0)
		return sent;
	state->lines++;
	upper_of(session->service)->lines++;
	return 0;
}

/*
 * Takes whole lines only.  What it does not take comes again: the rest of a
 * line with what follows it, and lines for which there is no room now, once the
 * client has read.
 */
static int
upper_input(struct berth_session *session, struct berth_bytes in)
{
	const char *data = (const char *)in.data, *end;
	size_t length = upper_of(session->service)->length, taken = 0, size;
	int r;

	while (taken < in.size) {
		size = in.size - taken;
		end = (const char *)memchr(data + taken, '\n', size);
		if (end != NULL)
			size = (size_t)(end + 1 - (data + taken));
		if (size > length) {
			berth_printf(session, "line too long\n");
			berth_close(session);
			return (int)in.size;
		}
		if (end == NULL || berth_writable(session) < size)
			break;
		r = upper_line(session, data + taken, size);
		if (r < 0)
			return r;
		taken += size;
	}
	return (int)taken;
}

/* The last line may lack its newline. */
static int
upper_eof(struct berth_session *session, struct berth_bytes rest)
{
	if (rest.size > 0 && rest.size <= LENGTH_MAX)
		upper_line(session, (const char *)rest.data, rest.size);
	berth_close(session);
	return 0;
}

static void
upper_closed(struct berth_session *session, int reason)
{
	struct upper_session *state = (struct upper_session *)session->state;
	char peer[64];

	if (berth_peer(session, peer, sizeof(peer)) < 0)
		strcpy(peer, "somebody");
	berth_log(session->service, BERTH_DEBUG, "%s left after %lu lines (%d)",
	    peer, state->lines, reason);
}

/* A datagram is answered by one of the same size. */
static int
upper_datagram(struct berth_session *session, struct berth_bytes in)
{
	char answer[LENGTH_MAX];

	if (in.size > sizeof(answer))
		return -EMSGSIZE;
	to_upper(answer, (const char *)in.data, in.size);
	return berth_write(session, berth_bytes(answer, in.size));
}

BERTH_SERVICE(make_upper, .summary = "answers in capitals",
    .state_size = sizeof(struct upper), .init = upper_init, .info = upper_info,
    .session = {.state_size = sizeof(struct upper_session),
	.input = upper_input,
	.eof = upper_eof,
	.closed = upper_closed,
	.datagram = upper_datagram});
