/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * upper: sends back what comes with its letters a to z in capitals, over
 * connections and datagrams.
 *
 * Nothing is remembered from one call to the next: what could not be sent was
 * not taken, and the host offers it again.  So no answer is lost or overtaken,
 * however much a client sends before it reads.
 */
#include <berth/berth.h>

#define PIECE_BYTES 4096u

static void
raise_case(const char *from, char *to, size_t size)
{
	for (size_t i = 0; i < size; i++)
		to[i] = from[i] >= 'a' && from[i] <= 'z'
			    ? (char)(from[i] - 'a' + 'A')
			    : from[i];
}

static int
upper_input(struct berth_session *session, struct berth_bytes in)
{
	char piece[PIECE_BYTES];
	size_t done = 0;

	while (done < in.size) {
		size_t size = in.size - done;
		int sent;

		if (size > sizeof(piece))
			size = sizeof(piece);
		raise_case((const char *)in.data + done, piece, size);
		sent = berth_write(session, berth_bytes(piece, size));
		if (sent < 0)
			return sent;
		done += (size_t)sent;
		if ((size_t)sent < size)
			break;
	}
	return (int)done;
}

/* One answer; a longer datagram than fits is not answered in part. */
static int
upper_datagram(struct berth_session *session, struct berth_bytes in)
{
	char piece[PIECE_BYTES];

	if (in.size > sizeof(piece))
		return -EMSGSIZE;
	raise_case(in.data, piece, in.size);
	return berth_write(session, berth_bytes(piece, in.size));
}

BERTH_SERVICE(make_upper, .summary = "sends back capitals",
    .flags = BERTH_CONCURRENT,
    .session = {.input = upper_input, .datagram = upper_datagram});
