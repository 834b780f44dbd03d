/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * input: from the kernel to the input and eof hooks.
 *
 * Bytes are read into a buffer that all sessions of the host share and offered
 * from there; only what the hook did not take gets memory of its own, at most
 * input_limit.  Until it is taken, new bytes are put behind it.
 *
 * A hook that takes less while output is pending is held up by its client: no
 * more is read from that one, and what was left is offered again when the
 * output is down at its low-water mark.  A hook that takes less while nothing
 * is pending waits for more; it is offered the rest with what comes next, and
 * the session ends with an overflow if it then takes nothing of input_limit
 * bytes.
 *
 * One readiness is worth one recv(2), or two when the first filled the buffer.
 */
#include "session/session_priv.h"

#include <errno.h>
#include <string.h>

static const struct berth_session_type *
type_of(const struct session *session)
{
	return session->server->options.type;
}

static size_t
limit_of(const struct session *session)
{
	uint64_t limit = server_settings(session->server)->input_limit_bytes;

	/* Results of hooks are int. */
	if (limit > INT32_MAX)
		limit = INT32_MAX;
	return limit == 0 ? 1 : (size_t)limit;
}

/* --- the end of the client's side
 * ----------------------------------------------
 */

static void
end_of_input(struct session *session)
{
	const struct berth_session_type *type = type_of(session);
	struct berth_bytes rest = {"", buffer_size(session->input)};

	session->flags |= SESSION_EOF;
	if (session->input != NULL)
		rest.data = buffer_data(session->input);
	if (type->eof == NULL)
		session_shut(session, BERTH_CLOSED_ORDERLY);
	else if (type->eof(&session->public, rest) < 0)
		session_doom(session, BERTH_CLOSED_ABORTED);
	buffer_drop(&session->input);
}

/* --- reading
 * ---------------------------------------------------------------------
 */

/* How many bytes came; 0: none, or the end, which was seen to. */
static inline size_t
receive(struct session *session, void *room, size_t size)
{
	/* A record that is longer than the room tells its real length; for a
	 * stream the same flag would mean something else. */
	int flags = (session->flags & SESSION_RECORDS) != 0 ? MSG_TRUNC : 0;
	ssize_t got;

	do {
		got = recv(session->fd, room, size, flags);
	} while (got < 0 && errno == EINTR);
	if (got < 0) {
		if (errno != EAGAIN)
			session_doom(session, -errno);
		return 0;
	}
	if (got == 0) {
		end_of_input(session);
		return 0;
	}
	if ((size_t)got > size) {
		session_doom(session, BERTH_CLOSED_OVERFLOW);
		return 0;
	}
	session->bytes_in += (uint64_t)got;
	session->server->counters.bytes_in += (uint64_t)got;
	return (size_t)got;
}

/* How many bytes the hook took. */
static inline size_t
offer(struct session *session, const void *data, size_t size)
{
	const struct berth_session_type *type = type_of(session);
	int taken;

	if (type->input == NULL)
		return size;
	taken = type->input(&session->public, berth_bytes(data, size));
	if (taken >= 0 && (size_t)taken <= size)
		return (size_t)taken;
	/* More than it was offered: it counts something else than bytes, and
	 * nothing it does from here on can be right. */
	session_doom(session, taken < 0 ? BERTH_CLOSED_ABORTED : -ERANGE);
	return size;
}

/* What follows from bytes that were not taken. */
static void
left_over(struct session *session, size_t taken)
{
	size_t left = buffer_size(session->input);

	if (left == 0 || session->phase != PHASE_OPEN)
		return;
	if (session->output != NULL || (session->flags & SESSION_SHORT) != 0)
		session->flags |= SESSION_STALLED;
	else if (taken == 0 && left >= limit_of(session) &&
		 (session->flags & SESSION_STOPPED) == 0)
		session_doom(session, BERTH_CLOSED_OVERFLOW);
}

static void
offer_kept(struct session *session)
{
	size_t taken = offer(
	    session, buffer_data(session->input), buffer_size(session->input));

	buffer_consume(&session->input, taken);
	left_over(session, taken);
}

/* How much may be read, and its place, behind what is kept. */
static size_t
room_behind(struct session *session, size_t most, size_t kept)
{
	size_t limit = limit_of(session);

	if (limit <= kept) {
		session_doom(session, BERTH_CLOSED_OVERFLOW);
		return 0;
	}
	return (limit < most ? limit : most) - kept;
}

/* Much is kept: it stays where it is.  True: the room was filled. */
static bool
read_behind(struct session *session)
{
	size_t kept = buffer_size(session->input), got;
	size_t size = room_behind(session, kept + LISTENERS_BUFFER_BYTES, kept);
	void *room;

	if (size == 0)
		return false;
	if (buffer_reserve(&session->input, size, &room) != 0) {
		session_doom(session, -ENOMEM);
		return false;
	}
	got = receive(session, room, size);
	if (session->input != NULL)
		buffer_grow(&session->input, got);
	if (got > 0)
		offer_kept(session);
	return got == size;
}

/* What was offered from the shared buffer and not taken gets memory. */
static __attribute__((noinline)) void
keep_rest(struct session *session, const char *data, size_t size, size_t taken)
{
	if (session->phase != PHASE_OPEN)
		return;
	if (buffer_replace(&session->input, data + taken, size - taken) != 0)
		session_doom(session, -ENOMEM);
	left_over(session, taken);
}

/* Something is kept: it comes along.  True: the room was filled. */
static __attribute__((noinline)) bool
read_along(struct session *session, char *shared)
{
	size_t kept = buffer_size(session->input), got;
	size_t size = room_behind(session, LISTENERS_BUFFER_BYTES, kept);

	if (size == 0)
		return false;
	memcpy(shared, buffer_data(session->input), kept);
	got = receive(session, shared + kept, size);
	if (got > 0)
		keep_rest(session, shared, kept + got,
		    offer(session, shared, kept + got));
	return got == size;
}

/* Nothing is kept, nearly always.  True: the room was filled. */
static inline bool
read_fresh(struct session *session, char *shared)
{
	size_t size = limit_of(session), got, taken;

	if (size > LISTENERS_BUFFER_BYTES)
		size = LISTENERS_BUFFER_BYTES;
	got = receive(session, shared, size);
	if (got > 0) {
		taken = offer(session, shared, got);
		if (taken != got)
			keep_rest(session, shared, got, taken);
	}
	return got == size;
}

/* Little is better copied than grown.  A record must find all the room that
 * the limit leaves. */
static bool
fits_shared(const struct session *session)
{
	return session->input == NULL ||
	       ((session->flags & SESSION_RECORDS) == 0 &&
		   buffer_size(session->input) <= LISTENERS_BUFFER_BYTES / 2);
}

static bool
read_once(struct session *session)
{
	struct listeners *lender = session->server->options.listeners;
	char *shared = NULL;
	bool filled;

	if (fits_shared(session))
		shared = listeners_lend(lender);
	if (shared == NULL)
		return read_behind(session);
	filled = session->input == NULL ? read_fresh(session, shared)
					: read_along(session, shared);
	listeners_return(lender);
	return filled;
}

int
session_read(struct session *session)
{
	if (!session_is_reading(session) || !read_once(session))
		return 0;
	return session_is_reading(session) && read_once(session);
}

void
session_offer_again(struct session *session)
{
	uint16_t waits = session->flags & (SESSION_STALLED | SESSION_KICKED);

	if (session->phase != PHASE_OPEN || waits == 0 ||
	    (session->flags & (SESSION_STOPPED | SESSION_SHORT)) != 0 ||
	    !session_output_low(session))
		return;
	session->flags &= (uint16_t) ~(SESSION_STALLED | SESSION_KICKED);
	if (session->input != NULL)
		offer_kept(session);
}
