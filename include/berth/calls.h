/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * <berth/calls.h>: what a plugin calls; inline wrappers round the host's
 * table.  berth_service(3) and berth_session(3) are the manual.
 */
#ifndef BERTH_CALLS_H
#define BERTH_CALLS_H

#include <berth/host.h>

#define BERTH_PRINTF(f, a) __attribute__((format(printf, f, a)))

/* A line in the host's log, under the service's name.  [any thread] */
BERTH_PRINTF(3, 4)
static inline void
berth_log(struct berth_service *s, int level, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	s->host->log(s, level, format, ap);
	va_end(ap);
}

/*
 * Tell why a hook fails that may: `return berth_fail(s, EINVAL, "…");`.  The
 * text goes to whoever asked for the change, without the service's name, which
 * the host adds; from a session in another thread it goes to the log.  code: a
 * positive errno.  Returns -code.  [any thread]
 */
BERTH_PRINTF(3, 4)
static inline int
berth_fail(struct berth_service *s, int code, const char *format, ...)
{
	va_list ap;
	int result;

	va_start(ap, format);
	/* In parentheses: cmocka has a macro of this name. */
	result = (s->host->fail)(s, code, format, ap);
	va_end(ap);
	return result;
}

/*
 * Serve one more endpoint, "tcp:127.0.0.1:7".  In init only (-EPERM).  The
 * socket is the host's: it survives a replacement of the service.  When it
 * fails the reason is told by the host; init has but to return the result.
 */
static inline int
berth_listen(struct berth_service *s, const char *endpoint)
{
	return s->host->listen(s, endpoint);
}

/*
 * How many endpoints it has so far: those of its `listen` attribute, known
 * before init, and those of berth_listen().  For a service with an endpoint
 * of its own when nobody names another.
 */
static inline int
berth_endpoints(struct berth_service *s)
{
	return s->host->endpoints(s);
}

/*
 * Call fn(arg) on the loop, soon, in the order of the posts.  Never blocks.
 * Dropped when the service ends: arg is better part of its state than a memory
 * of its own.  0 or -ENOMEM.  [any thread]
 */
static inline int
berth_post(struct berth_service *s, berth_post_fn *fn, void *arg)
{
	return s->host->post(s, fn, arg);
}

/*
 * Run a command of the control table, or any directive, when the present
 * callbacks have returned.  reply is called once with 0 for OK, or a positive
 * status and the text of the error, unless *ret_command was cancelled before.
 */
static inline int
berth_command(struct berth_service *s, const char *line, unsigned flags,
    berth_reply_fn *reply, void *arg, struct berth_command **ret_command)
{
	return s->host->command(s, line, flags, reply, arg, ret_command);
}

static inline void
berth_command_cancel(struct berth_service *s, struct berth_command *c)
{
	s->host->command_cancel(s, c);
}

/* End the host in order, as SIGTERM does.  [any thread] */
static inline void
berth_shutdown(struct berth_service *s)
{
	s->host->shutdown(s);
}

/* Monotonic time of the present turn of the loop, nanoseconds; in another
 * thread that of the clock.  [any thread] */
static inline uint64_t
berth_now(struct berth_service *s)
{
	return s->host->now(s);
}

/* --- sessions -------------------------------------------------------- */

/*
 * Send.  Returns how many bytes were taken, less than given when the client
 * does not read and output_limit is reached (output_ready tells when to go
 * on), or a negative errno: -EPIPE when the session is closing, or what the
 * connection met with, and then it ends.  A datagram is taken whole, sent or
 * dropped; -EMSGSIZE when none can be so long.
 *
 * Within serve it waits until all is taken, and berth_printf() likewise; after
 * -ETIMEDOUT a part may have been sent.
 */
static inline int
berth_write(struct berth_session *s, struct berth_bytes bytes)
{
	return s->service->host->write(s, bytes);
}

/*
 * Format and send, whole or not at all: -EAGAIN when there is no room now
 * (output_ready follows), -EMSGSIZE when it is longer than output_limit.
 * Returns the number of bytes.
 */
BERTH_PRINTF(2, 3)
static inline int
berth_printf(struct berth_session *s, const char *format, ...)
{
	va_list ap;
	int result;

	va_start(ap, format);
	result = s->service->host->vprintf(s, format, ap);
	va_end(ap);
	return result;
}

/* How many bytes berth_write() would take now; 0 when the session is closing.
 */
static inline size_t
berth_writable(struct berth_session *s)
{
	return s->service->host->writable(s);
}

/* Up to `size` bytes from a pipe of the service's to the client, splice(2): how
 * many, and if these are fewer, output_ready follows.  -EOPNOTSUPP, always for
 * this session: its bytes have to be seen.  Since 1.3. */
static inline int
berth_splice(struct berth_session *s, int pipe, size_t size)
{
	return s->service->host->splice(s, pipe, size);
}

/*
 * End in order: flush, half-close, wait for the client with a limit (linger).
 * No hook but closed is called from now on; that one not inside this call.
 */
static inline void
berth_close(struct berth_session *s)
{
	s->service->host->close(s);
}

/*
 * End our side only: flush and half-close, and go on reading.  The client gets
 * its end and may still send, which input is offered as before; output_ready
 * is called no more.  berth_close() is due when the client has ended its side
 * as well (eof), or the rest of it is not wanted.  0, also a second time; then
 * writing is -EPIPE.  -EPIPE when the session is closing, -EOPNOTSUPP for a
 * datagram.  Since 1.1.
 */
static inline int
berth_half_close(struct berth_session *s)
{
	return s->service->host->half_close(s);
}

/* End at once; what was not sent is dropped.  closed is called soon, not inside
 * this call. */
static inline void
berth_abort(struct berth_session *s)
{
	s->service->host->abort(s);
}

/*
 * Stop (1) or go on (0) reading from this client.  While stopped neither input
 * nor eof is called.  Going on offers what input had not taken again, before
 * the loop blocks, but not inside this call.
 */
static inline void
berth_pause(struct berth_session *s, int pause)
{
	s->service->host->pause(s, pause);
}

/* Call the timeout hook once in so many milliseconds, instead of what was asked
 * for before; 0 cancels.  0, -ENOMEM, -EPIPE when the session is closing, or
 * -EOPNOTSUPP for serve, which has berth_deadline(). */
static inline int
berth_session_timeout(struct berth_session *s, uint32_t ms)
{
	return s->service->host->session_timeout(s, ms);
}

/* The addresses as text: "127.0.0.1:4711", "[::1]:4711", "unix:/run/x",
 * "@abstract", "unix" for a nameless one.  The length as snprintf(3) gives it,
 * or a negative errno.
 */
static inline int
berth_peer(struct berth_session *s, char *buffer, size_t size)
{
	return s->service->host->peer(s, buffer, size);
}

static inline int
berth_local(struct berth_session *s, char *buffer, size_t size)
{
	return s->service->host->local(s, buffer, size);
}

/*
 * The user and group of a Unix peer when it connected.  -EOPNOTSUPP for other
 * sockets.
 */
static inline int
berth_peer_user(struct berth_session *s, uint32_t *ret_uid, uint32_t *ret_gid)
{
	return s->service->host->peer_user(s, ret_uid, ret_gid);
}

/* Unique in the host's life. */
static inline uint64_t
berth_session_id(struct berth_session *s)
{
	return s->service->host->session_id(s);
}

/*
 * Give the connection to another service of this host, by its name in upper or
 * lower case, if that one is to be reached so (attribute tcpmux).  From the
 * input hook of a service with BERTH_PEEKS, and nothing may have been written:
 * when the hook returns, what it took is gone, all that follows is the other
 * service's, and this session is closed.
 * 0; -ENOENT: there is none; -EAGAIN: it can't take it now; -EPERM, -EPIPE.
 */
static inline int
berth_hand_over(struct berth_session *s, const char *name)
{
	return s->service->host->hand_over(s, name);
}

/* Call each with the names of all services that are reached so. */
static inline void
berth_heirs(struct berth_service *s, void (*each)(void *arg, const char *name),
    void *arg)
{
	s->host->heirs(s, each, arg);
}

#endif
