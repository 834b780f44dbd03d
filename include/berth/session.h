/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * <berth/session.h>: one connection of a service, or one datagram.
 *
 * The host owns the descriptor.  It reads, offers what came to the hooks,
 * sends what they write, stops reading from a client that does not read
 * (that one only), and closes in order.  A session lives from open to the
 * return of closed; the pointer is dead afterwards.  All calls belong to the
 * thread that calls the hooks.
 *
 * A service is written in one of two styles: hooks that are called when
 * something happens, or serve, which waits for it.
 */
#ifndef BERTH_SESSION_H
#define BERTH_SESSION_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct berth_service;

/* Bytes that somebody else owns, valid for the call only; not a string: no NUL
 * follows. */
struct berth_bytes {
	const void *data;
	size_t size;
};

struct berth_session {
	struct berth_service *service;
	void *state; /* session_type->state_size bytes, zeroed before open */
};

/* Why a session ended, for the closed hook; negative errno otherwise. */
#define BERTH_CLOSED_ORDERLY 0	/* both sides are through */
#define BERTH_CLOSED_IDLE 1	/* idle_timeout */
#define BERTH_CLOSED_DRAINED 2	/* the service ended before the session */
#define BERTH_CLOSED_ABORTED 3	/* berth_abort(), or a negative result */
#define BERTH_CLOSED_OVERFLOW 4 /* input_limit reached and nothing taken */
#define BERTH_CLOSED_EXPIRED 5	/* max_session */

struct berth_session_type {
	size_t state_size; /* bytes of state for each session */

	/*
	 * A connection was accepted.  It may write and close at once.
	 * Negative: closed at once, and closed() is not called.
	 */
	int (*open)(struct berth_session *);

	/*
	 * Bytes have come.  Returns how many were taken, from the front, and
	 * so may return what berth_write() of them gave.  What is left is
	 * offered again with what comes next, or, when output was pending, once
	 * that has drained: until then nothing is read from this client.
	 * Negative: abort the session, as more than was offered does.  Without
	 * this hook what comes is thrown away.
	 */
	int (*input)(struct berth_session *, struct berth_bytes);

	/*
	 * A berth_write() took less than it was given, or berth_printf() found
	 * no room; now the output has drained below the low-water mark, half of
	 * output_limit.  Negative: abort.
	 */
	int (*output_ready)(struct berth_session *);

	/* The time of berth_session_timeout() is over.  Negative: abort. */
	int (*timeout)(struct berth_session *);

	/*
	 * The client has ended its side; rest is what input did not take, and
	 * is not offered again.  It may still read: the session goes on until
	 * the service calls berth_close(), here or later.  Default: flush and
	 * close.  Negative: abort.
	 */
	int (*eof)(struct berth_session *, struct berth_bytes rest);

	/* The last call for a session whose open succeeded; writing is over.
	 * reason: BERTH_CLOSED_*, or the negative errno that ended it. */
	void (*closed)(struct berth_session *, int reason);

	/*
	 * One datagram of a udp or unix-dgram endpoint; berth_write() answers
	 * its sender, with one datagram a call.  The session lives for this
	 * call only, without open or closed, its state zeroed.  The result is
	 * ignored but for logging a negative one.  A type without this hook
	 * can't have datagram endpoints, and one without open and input no
	 * connections.
	 */
	int (*datagram)(struct berth_session *, struct berth_bytes);

	/*
	 * Instead of input, output_ready, timeout and eof: the whole session as
	 * one function, which reads, writes and sleeps with the calls of
	 * <berth/serve.h>; those wait, and meanwhile others are served.  Called
	 * once, after open.  0: close in order; negative: abort.  When a call
	 * says -ECANCELED it has to return.  Since 1.1.
	 */
	int (*serve)(struct berth_session *);

	void (*reserved[7])(void); /* NULL; future hooks */
};

static inline struct berth_bytes
berth_bytes(const void *data, size_t size)
{
	struct berth_bytes b = {data, size};

	return b;
}

static inline struct berth_bytes
berth_str(const char *text)
{
	return berth_bytes(text, strlen(text));
}

#endif
