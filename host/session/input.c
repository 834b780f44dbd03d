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
 *
 * What happens nearly always is session_input() alone, which therefore repeats
 * in a row what the rest does with all its cases.
 */
#include "session/session_priv.h"

#include <errno.h>
#include <string.h>

static const struct berth_session_type *
type_of(const struct session *session)
{
	return session->lane->server->options.type;
}

static size_t
limit_in(const struct settings *settings)
{
	uint64_t limit = settings->input_limit_bytes;

	/* Results of hooks are int. */
	if (limit > INT32_MAX)
		limit = INT32_MAX;
	return limit == 0 ? 1 : (size_t)limit;
}

static size_t
limit_of(const struct session *session)
{
	return limit_in(session_settings(session));
}

size_t
session_read_bytes(const struct settings *settings)
{
	size_t limit = limit_in(settings);

	return limit < LISTENERS_BUFFER_BYTES ? limit : LISTENERS_BUFFER_BYTES;
}

int
session_take_all(struct berth_session *session, struct berth_bytes in)
{
	(void)session;
	return (int)in.size;
}

/* --- the end of the client's side ------------------------------------------*/

void
session_end_of_input(struct session *session)
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
	/* A sequential service reads it when it likes. */
	if (session->lane->server->sequential == NULL)
		buffer_drop(&session->input);
}

/* --- reading ---------------------------------------------------------------*/

static inline void
count_received(struct session *session, size_t got)
{
	session->bytes_in += got;
	lane_count(&session->lane->bytes_in, got);
}

/* Nothing came, for which errno has the reason, or the end. */
void
session_received_none(struct session *session, ssize_t got)
{
	if (got == 0)
		session_end_of_input(session);
	else if (errno != EAGAIN && errno != EINTR)
		session_doom(session, -errno);
}

/* How many bytes came; 0: none, or the end, which was seen to. */
static size_t
receive(struct session *session, void *room, size_t size)
{
	/* A record that is longer than the room tells its real length; for a
	 * stream the same flag would mean something else. */
	int flags = (session->flags & SESSION_RECORDS) != 0 ? MSG_TRUNC : 0;
	ssize_t got = recv(session->fd, room, size, flags);

	if (got <= 0) {
		session_received_none(session, got);
		return 0;
	}
	if ((size_t)got > size) {
		session_doom(session, BERTH_CLOSED_OVERFLOW);
		return 0;
	}
	count_received(session, (size_t)got);
	return (size_t)got;
}

/* What the hook says that it took, as a number of bytes. */
static size_t
judge(struct session *session, size_t size, int taken)
{
	if (taken >= 0 && (size_t)taken <= size)
		return (size_t)taken;
	/* More than it was offered: it counts something else than bytes, and
	 * nothing it does from here on can be right. */
	session_doom(session, taken < 0 ? BERTH_CLOSED_ABORTED : -ERANGE);
	return size;
}

/* How many bytes the hook took. */
size_t
session_offer(struct session *session, const void *data, size_t size)
{
	int taken;

	if (session_is_chained(session))
		chain_service_runs(session, true);
	taken = session->lane->input(&session->public, berth_bytes(data, size));
	if (session_is_chained(session))
		chain_service_runs(session, false);
	return judge(session, size, taken);
}

/* What follows from bytes that were not taken. */
void
session_left_over(struct session *session, size_t taken)
{
	size_t left = buffer_size(session->input);

	if (left == 0 || session->phase != PHASE_OPEN)
		return;
	if (session_pending(session) > 0 ||
	    (session->flags & SESSION_SHORT) != 0)
		session->flags |= SESSION_STALLED;
	else if (taken == 0 && left >= limit_of(session) &&
		 (session->flags & SESSION_STOPPED) == 0)
		session_doom(session, BERTH_CLOSED_OVERFLOW);
}

void
session_offer_kept(struct session *session)
{
	size_t taken = session_offer(
	    session, buffer_data(session->input), buffer_size(session->input));

	buffer_consume(&session->input, taken);
	session_left_over(session, taken);
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
		session_offer_kept(session);
	return got == size;
}

/* What was offered from the shared buffer and not taken gets memory. */
static void
keep_rest(struct session *session, const char *data, size_t size, size_t taken)
{
	if (session->phase != PHASE_OPEN ||
	    (taken == size && session->input == NULL))
		return;
	if (buffer_replace(&session->input, data + taken, size - taken) != 0)
		session_doom(session, -ENOMEM);
	session_left_over(session, taken);
}

/* What is kept comes along.  True: the room was filled. */
static bool
read_shared(struct session *session, char *shared)
{
	size_t kept = buffer_size(session->input), got;
	size_t size = room_behind(session, LISTENERS_BUFFER_BYTES, kept);

	if (size == 0)
		return false;
	if (kept > 0)
		memcpy(shared, buffer_data(session->input), kept);
	got = receive(session, shared + kept, size);
	if (got > 0)
		keep_rest(session, shared, kept + got,
		    session_offer(session, shared, kept + got));
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
	struct listeners_shared *shared = session->lane->shared;
	bool filled;

	if ((session->flags & SESSION_PEEKS) != 0) {
		session_look(session);
		return false;
	}
	if (shared->lent || !fits_shared(session))
		return read_behind(session);
	shared->lent = true;
	filled = read_shared(session, shared->buffer);
	shared->lent = false;
	return filled;
}

void
session_take_seen(struct session *session, void *room, size_t size)
{
	if (recv(session->fd, room, size, 0) == (ssize_t)size)
		count_received(session, size);
	else
		session_doom(session, -EIO);
}

static int
leave(struct session *session, bool more)
{
	return session_leave(session) && more && session_is_reading(session);
}

static __attribute__((noinline)) int
input_unusual(struct session *session)
{
	bool more = false;

	if (session->depth > 0) /* a nested turn of the loop */
		return 0;
	session->active_ns = reactor_now(session->lane->reactor).ns;
	session_enter(session);
	if (session->phase != PHASE_OPEN)
		more = session_discard(session) > 0;
	else if (session_is_reading(session) && read_once(session))
		more = session_is_reading(session) && read_once(session);
	return leave(session, more);
}

static __attribute__((noinline)) int
input_none(struct session *session, ssize_t got)
{
	session_enter(session);
	session_received_none(session, got);
	return leave(session, false);
}

/* After the hook, when not all was taken or something else came of it. */
static __attribute__((noinline)) int
input_rest(struct session *session, size_t got, int taken)
{
	bool more = got == session->lane->read_bytes;

	keep_rest(session, session->lane->shared->buffer, got,
	    judge(session, got, taken));
	more = more && session_is_reading(session) && read_once(session);
	return leave(session, more);
}

int
session_input(struct berth_handler *handler, int fd)
{
	struct session *session = BASE_CONTAINER(
	    handler, struct session, handler);
	struct lane *lane = session->lane;
	struct listeners_shared *shared = lane->shared;
	ssize_t got;
	int taken;

	if (unlikely(!session_is_usual(session) || session->depth > 0 ||
		     shared->lent))
		return input_unusual(session);
	got = recv(fd, shared->buffer, lane->read_bytes, 0);
	if (unlikely(got <= 0))
		return input_none(session, got);
	count_received(session, (size_t)got);
	session->active_ns = reactor_now(lane->reactor).ns;
	session->depth = 1;
	session->spent = 0;
	shared->lent = true;
	taken = lane->input(
	    &session->public, berth_bytes(shared->buffer, (size_t)got));
	shared->lent = false;
	if (unlikely(taken != got || !session_is_usual(session) ||
		     (size_t)got == lane->read_bytes))
		return input_rest(session, (size_t)got, taken);
	session->depth = 0;
	return 0;
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
		session_offer_kept(session);
}
