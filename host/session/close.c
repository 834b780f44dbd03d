/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * close: the orderly end of a connection.
 *
 * The output is flushed.  A client that never sent anything is then closed at
 * once: there is nothing the kernel could answer with a reset.  Otherwise our
 * side is shut down and what the client still sends is thrown away until it
 * ends its side too, because bytes that arrive at, or lie unread in, a closed
 * socket make the kernel reset the connection, and the client may lose what
 * was sent to it last (RFC 1122, 4.2.2.13).
 *
 * A half-close ends our side alone, in the same way, and leaves the rest to the
 * service: the client's bytes are offered as before, until its end.
 *
 * Both steps have limits: flushing ends when nothing was taken for linger,
 * lingering when it has lasted that long or too much came.
 */
#include "session/session_priv.h"

#include <errno.h>

/* What a client may send after we have ended. */
#define DISCARD_MAX (1024u * 1024)

/* Even a host that doesn't linger gives its output a chance. */
#define FLUSH_MIN_MS 1000u

static uint64_t
patience_ns(const struct session *session)
{
	uint64_t ms = session_settings(session)->linger_ms;

	if (session_pending(session) > 0 && ms < FLUSH_MIN_MS)
		ms = FLUSH_MIN_MS;
	return MONO_MS(ms);
}

void
session_cancel_timer(struct session *session)
{
	if (session->timer != 0)
		reactor_cancel(session->lane->owner, session->timer, NULL);
	session->timer = 0;
}

/* Whoever can't have a timer is not waited for. */
static void
arm(struct session *session)
{
	int result = -ETIMEDOUT;

	session_cancel_timer(session);
	if (patience_ns(session) > 0)
		result = reactor_schedule(session->lane->owner,
		    &session->handler, NULL, patience_ns(session), 0,
		    &session->timer);
	if (result == 0)
		return;
	if (session_pending(session) == 0)
		result = session->reason;
	session_doom(session, result);
}

int
session_half_close(struct berth_session *public)
{
	struct session *session = session_of(public);

	if (session_is_foreign(session))
		return -EPERM;
	if ((session->flags & SESSION_DATAGRAM) != 0)
		return -EOPNOTSUPP;
	if (session->phase != PHASE_OPEN)
		return -EPIPE;
	session->flags |= SESSION_HALF;
	session->flags &= (uint16_t)~SESSION_SHORT;
	session_touch(session);
	return 0;
}

/* The filters, too, have said their last, and the kernel has taken it. */
static bool
is_flushed(struct session *session)
{
	if (session_is_chained(session) && !chain_is_flushed(session))
		return false;
	return session->output == NULL;
}

static bool
client_has_ended(const struct session *session)
{
	return session_is_chained(session)
		   ? chain_saw_end(session)
		   : (session->flags & SESSION_EOF) != 0;
}

/* What the client sends from here on is still the service's. */
void
session_half_step(struct session *session)
{
	if (!is_flushed(session) || (session->flags & SESSION_SHUT) != 0)
		return;
	session->flags |= SESSION_SHUT;
	shutdown(session->fd, SHUT_WR);
}

void
session_shut(struct session *session, int reason)
{
	if (session->phase != PHASE_OPEN)
		return;
	session->phase = PHASE_FLUSHING;
	session->reason = (int16_t)reason;
	session->flags &= (uint16_t) ~(
	    SESSION_SHORT | SESSION_STALLED | SESSION_KICKED | SESSION_PAUSED);
	session_cancel_timer(session);
	/* A sequential service is told at the end of the turn. */
	if (serve_waits(session))
		session_defer(session);
	session_touch(session);
}

static bool
has_unread(const struct session *session)
{
	char byte;

	return recv(session->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

void
session_shut_step(struct session *session)
{
	if (!is_flushed(session)) {
		if (session->timer == 0 && session->phase != PHASE_DOOMED)
			arm(session);
		return;
	}
	if (session->phase == PHASE_DOOMED)
		return;
	if (client_has_ended(session) ||
	    (session->bytes_in == 0 && !has_unread(session))) {
		session_doom(session, session->reason);
		return;
	}
	shutdown(session->fd, SHUT_WR);
	session->phase = PHASE_LINGERING;
	session->spent = 0;
	arm(session);
}

void
session_linger_over(struct session *session)
{
	uint64_t now = reactor_now(session->lane->reactor).ns;

	if (session->phase == PHASE_LINGERING)
		session_doom(session, session->reason);
	else if (session->phase == PHASE_FLUSHING &&
		 now - session->active_ns >= patience_ns(session))
		session_doom(session, -ETIMEDOUT);
	/* Else it was taking something: the next step waits once more. */
}

int
session_discard(struct session *session)
{
	struct listeners_shared *shared = session->lane->shared;
	ssize_t got;

	/* Nobody looks at it: whose buffer it is does not matter, as long as
	 * nobody else does. */
	if (shared->lent)
		return 0;
	got = recv(session->fd, shared->buffer, LISTENERS_BUFFER_BYTES, 0);
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	/* Its end, or its reset: it has what it wanted. */
	if (got <= 0 || session->spent + (size_t)got > DISCARD_MAX) {
		session_doom(session, session->reason);
		return 0;
	}
	session->spent += (uint32_t)got;
	return got == LISTENERS_BUFFER_BYTES;
}
