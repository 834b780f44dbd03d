/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * output: from the service to the kernel.
 *
 * A write is tried at once; what the kernel does not take waits in a buffer of
 * at most output_limit bytes, and only while there is one is writability asked
 * for.  The low-water mark is half of output_limit: below it the service hears
 * output_ready, if a write was short, and gets the input again that it had
 * left.
 *
 * One hook may send SEND_BUDGET bytes of its session directly; beyond that its
 * writes go to the buffer, so that a service that writes until it is refused is
 * refused at some time, however fast its client reads.
 *
 * What the open hook writes to a TCP client is held back in the kernel until
 * the hook has returned: if it closed, the reply and our end leave in one
 * segment, which is what a connection that is answered and closed costs most.
 *
 * Without memory for the buffer a write is short; the session goes on when the
 * kernel takes more.  Records are never buffered, which would join them.
 */
#include "session/session_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>

#define SEND_BUDGET (256u * 1024)
#define FORMAT_ROOM 1024u

static size_t
limit_of(const struct session *session)
{
	uint64_t limit = session_settings(session)->output_limit_bytes;

	return limit > SIZE_MAX / 2 ? SIZE_MAX / 2 : (size_t)limit;
}

bool
session_output_low(const struct session *session)
{
	return session_pending(session) <= limit_of(session) / 2;
}

size_t
session_pending(const struct session *session)
{
	size_t size = buffer_size(session->output);

	return session_is_chained(session) ? size + chain_pending(session)
					   : size;
}

size_t
session_room(const struct session *session)
{
	size_t limit = limit_of(session), waiting = session_pending(session);

	return waiting < limit ? limit - waiting : 0;
}

static inline bool
is_over(const struct session *session)
{
	return session->phase != PHASE_OPEN ||
	       (session->flags & SESSION_HALF) != 0;
}

static inline void
count_sent(struct session *session, size_t sent)
{
	session->bytes_out += sent;
	lane_count(&session->lane->bytes_out, sent);
	session->spent += (uint32_t)sent; /* at most a budget and a message */
}

/* How many bytes the kernel took, or a negative errno. */
static ssize_t
send_now(struct session *session, const void *data, size_t size)
{
	int flags = MSG_NOSIGNAL;
	ssize_t sent;

	if ((session->flags & SESSION_CORKED) != 0)
		flags |= MSG_MORE;
	do {
		sent = send(session->fd, data, size, flags);
	} while (sent < 0 && errno == EINTR);
	if (sent < 0)
		/* No memory in the kernel is no fault of this client's. */
		return errno == EAGAIN || errno == ENOBUFS || errno == ENOMEM
			   ? 0
			   : -errno;
	count_sent(session, (size_t)sent);
	if (sent > 0)
		session->active_ns = reactor_now(session->lane->reactor).ns;
	return sent;
}

/* How many bytes were kept for later. */
static size_t
keep(struct session *session, const char *data, size_t size)
{
	size_t limit = limit_of(session),
	       waiting = buffer_size(session->output);

	if ((session->flags & SESSION_RECORDS) != 0 || waiting >= limit)
		return 0;
	if (size > limit - waiting)
		size = limit - waiting;
	return buffer_append(&session->output, data, size) == 0 ? size : 0;
}

int
session_write_some(struct session *session, const char *data, size_t size)
{
	ssize_t sent = 0;
	size_t taken;

	if (session->output == NULL &&
	    (session->spent < SEND_BUDGET || session->depth == 0)) {
		sent = send_now(session, data, size);
		if (sent == -EMSGSIZE)
			return -EMSGSIZE;
		if (sent < 0) {
			session_doom(session, (int)sent);
			return (int)sent;
		}
		if ((size_t)sent == size)
			return (int)size;
	}
	taken = (size_t)sent + keep(session, data + sent, size - (size_t)sent);
	if (taken < size)
		session->flags |= SESSION_SHORT;
	return (int)taken;
}

void
session_send_all(struct session *session, struct berth_bytes bytes)
{
	const char *data = bytes.data;
	ssize_t sent = 0;

	if (session->output == NULL &&
	    (session->spent < SEND_BUDGET || session->depth == 0))
		sent = send_now(session, data, bytes.size);
	if (sent < 0)
		session_doom(session, (int)sent);
	else if (buffer_append(&session->output, data + sent,
		     bytes.size - (size_t)sent) != 0)
		session_doom(session, -ENOMEM);
}

int
session_put_some(struct session *session, const char *data, size_t size)
{
	size_t room, taken = size;

	if (!session_is_chained(session))
		return session_write_some(session, data, size);
	room = session_room(session);
	if (chain_makes_frames(session) && size > limit_of(session))
		return -EMSGSIZE;
	if (size > room)
		taken = chain_makes_frames(session) ? 0 : room;
	if (taken < size)
		session->flags |= SESSION_SHORT;
	if (taken > 0 || size == 0)
		chain_write(session, berth_bytes(data, taken));
	if (session->phase != PHASE_DOOMED)
		return (int)taken;
	return session->reason < 0 ? session->reason : -EPIPE;
}

static __attribute__((noinline)) int
write_unusual(struct session *session, struct berth_bytes bytes)
{
	size_t size = bytes.size > INT_MAX ? INT_MAX : bytes.size;
	int result;

	if (session_is_foreign(session))
		return -EPERM;
	if (is_over(session))
		return -EPIPE;
	if ((session->flags & SESSION_DATAGRAM) != 0)
		return datagram_write(session, bytes);
	if (size == 0 && !session_is_chained(session))
		return 0;
	result = session_put_some(session, bytes.data, size);
	if (result >= 0 && (size_t)result < size && serve_is_current(session))
		result = serve_write(session, bytes.data, size, (size_t)result);
	session_touch(session);
	return result;
}

/* The kernel took a part, which is behind us, or said something else. */
static __attribute__((noinline)) int
write_rest(struct session *session, struct berth_bytes bytes, ssize_t sent)
{
	const char *data = bytes.data;
	int result;

	if (sent < 0)
		return write_unusual(session, bytes);
	count_sent(session, (size_t)sent);
	result = write_unusual(
	    session, berth_bytes(data + sent, bytes.size - (size_t)sent));
	return result < 0 ? result : (int)sent + result;
}

int
session_write(struct berth_session *public, struct berth_bytes bytes)
{
	struct session *session = session_of(public);
	ssize_t sent;

	/* In a hook of its own, which has noted the time. */
	if (unlikely(!session_is_usual(session) || session->depth == 0 ||
		     session->spent >= SEND_BUDGET ||
		     bytes.size - 1 >= INT_MAX))
		return write_unusual(session, bytes);
	sent = send(session->fd, bytes.data, bytes.size, MSG_NOSIGNAL);
	if (unlikely(sent != (ssize_t)bytes.size))
		return write_rest(session, bytes, sent);
	count_sent(session, (size_t)sent);
	return (int)sent;
}

size_t
session_writable(struct berth_session *public)
{
	struct session *session = session_of(public);
	if (is_over(session))
		return 0;
	if ((session->flags & SESSION_DATAGRAM) != 0)
		return DATAGRAM_MAX;
	if ((session->flags & SESSION_RECORDS) != 0)
		return (session->flags & SESSION_SHORT) != 0
			   ? 0
			   : limit_of(session);
	return session_room(session);
}

/* Unlike send(2) this has no way to forbid SIGPIPE, which the process ignores.
 */
static ssize_t
splice_now(struct session *session, int pipe, size_t size)
{
	unsigned flags = SPLICE_F_MOVE | SPLICE_F_NONBLOCK;
	ssize_t moved;

	if ((session->flags & SESSION_CORKED) != 0)
		flags |= SPLICE_F_MORE;
	do {
		moved = splice(pipe, NULL, session->fd, NULL, size, flags);
	} while (moved < 0 && errno == EINTR);
	if (moved < 0)
		return errno == EAGAIN || errno == ENOBUFS || errno == ENOMEM
			   ? 0
			   : -errno;
	count_sent(session, (size_t)moved);
	if (moved > 0)
		session->active_ns = reactor_now(session->lane->reactor).ns;
	return moved;
}

int
session_splice(struct berth_session *public, int pipe, size_t size)
{
	struct session *session = session_of(public);
	ssize_t moved = 0;

	if (session_is_foreign(session))
		return -EPERM;
	if (is_over(session))
		return -EPIPE;
	if ((session->flags & (SESSION_DATAGRAM | SESSION_RECORDS)) != 0 ||
	    session_is_chained(session) || serve_is_current(session))
		return -EOPNOTSUPP;
	if (size > INT_MAX)
		size = INT_MAX;
	if (size > 0 && session->output == NULL &&
	    (session->spent < SEND_BUDGET || session->depth == 0))
		moved = splice_now(session, pipe, size);
	if (moved == -EINVAL || moved == -EBADF)
		return (int)moved;
	if (moved < 0)
		session_doom(session, (int)moved);
	else if ((size_t)moved < size)
		session->flags |= SESSION_SHORT;
	session_touch(session);
	return (int)moved;
}

static int
write_whole(struct session *session, const char *text, size_t size)
{
	int result;

	if ((session->flags & SESSION_DATAGRAM) == 0 &&
	    size > session_writable(&session->public) &&
	    !serve_is_current(session)) {
		if (size > limit_of(session))
			return -EMSGSIZE;
		session->flags |= SESSION_SHORT;
		session_touch(session);
		return -EAGAIN;
	}
	result = session_write(&session->public, berth_bytes(text, size));
	if (result < 0 || (size_t)result == size)
		return result;
	if (result == 0)
		return -EAGAIN;
	/* No memory for the rest: half a message must not be followed by the
	 * next one. */
	session_doom(session, -ENOMEM);
	return -ENOMEM;
}

int
session_vprintf(struct berth_session *public, const char *format, va_list ap)
{
	struct session *session = session_of(public);
	char text[FORMAT_ROOM];
	AUTO_FREE char *longer = NULL;
	va_list again;
	int size;

	if (session_is_foreign(session))
		return -EPERM;
	if (is_over(session))
		return -EPIPE;
	va_copy(again, ap);
	size = vsnprintf(text, sizeof(text), format, again);
	va_end(again);
	if (size < 0)
		return -EINVAL;
	if ((size_t)size < sizeof(text))
		return write_whole(session, text, (size_t)size);
	longer = malloc((size_t)size + 1);
	if (longer == NULL)
		return -ENOMEM;
	vsnprintf(longer, (size_t)size + 1, format, ap);
	return write_whole(session, longer, (size_t)size);
}

void
session_flush(struct session *session)
{
	ssize_t sent;

	if (session->output == NULL)
		return;
	sent = send_now(session, buffer_data(session->output),
	    buffer_size(session->output));
	if (sent < 0) {
		session_doom(session, (int)sent);
		return;
	}
	buffer_consume(&session->output, (size_t)sent);
}

void
session_uncork(struct session *session)
{
	int off = 0;

	if ((session->flags & SESSION_CORKED) == 0)
		return;
	session->flags &= (uint16_t)~SESSION_CORKED;
	/* An end of ours has taken along what was held back. */
	if (session->bytes_out > 0 && session->phase < PHASE_LINGERING)
		setsockopt(
		    session->fd, IPPROTO_TCP, TCP_CORK, &off, sizeof(off));
}
