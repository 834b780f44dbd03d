/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * <berth/reactor.h>: event handlers on descriptors, timers and posts, for
 * services that need more than sessions.
 *
 * A handler is a structure that the service embeds in its own and points at
 * a constant table of hooks.  Whatever is registered belongs to the service:
 * the host revokes it when the service ends.  A service that frees a handler
 * sooner removes it first.
 *
 * Results of the hooks (C++NPv2 3.3):
 *   0   go on
 *   >0  call this hook for this descriptor again before the loop blocks,
 *	 after the other ready handlers had their turn
 *   <0  stop watching this event; the close hook is called with its mask
 * A timer takes >0 for 0; a notification is delivered again.
 *
 * Dispatch is level-triggered, in the order timers, notifications, output,
 * exception, input.  Errors and hang-ups come to input(), unasked; to
 * output() when only that is watched; later, when nothing is.
 *
 * A handler may remove itself or others, and close its descriptor after
 * removing it, from inside a hook; no event that was collected before reaches
 * a later owner of the descriptor number.  A hook that ended its own event and
 * gives a negative result is not told of it a second time, so that it may free
 * its handler and return.
 */
#ifndef BERTH_REACTOR_H
#define BERTH_REACTOR_H

#include <stdint.h>

#define BERTH_READ 0x01u    /* input() */
#define BERTH_WRITE 0x02u   /* output() */
#define BERTH_EXCEPT 0x04u  /* except(), urgent data */
#define BERTH_ACCEPT 0x08u  /* input(), on a listening socket */
#define BERTH_CONNECT 0x10u /* output(), a connect(2) in progress */
#define BERTH_IO_EVENTS 0x1fu

/* In the mask of the close hook only. */
#define BERTH_TIMER 0x20u  /* timeout() gave a negative result */
#define BERTH_SIGNAL 0x40u /* signal() did */
#define BERTH_CHILD 0x80u  /* child() did */

/* For removal: do not call the close hook.  Needed inside that hook. */
#define BERTH_DONT_CALL 0x100u

struct berth_handler;

struct berth_handler_type {
	int (*input)(struct berth_handler *, int fd);
	int (*output)(struct berth_handler *, int fd);
	int (*except)(struct berth_handler *, int fd);

	/* now_ns: the reactor's clock; token: as given when scheduling. */
	int (*timeout)(struct berth_handler *, uint64_t now_ns, void *token);

	int (*signal)(struct berth_handler *, int signum);

	/* status: as from waitid(2), si_code and si_status. */
	int (*child)(struct berth_handler *, int pid, int code, int status);

	/*
	 * The events in mask are no longer watched on fd (-1 for a timer).
	 * Called after a negative result, on removal unless BERTH_DONT_CALL,
	 * and at the end of the reactor.
	 */
	void (*close)(struct berth_handler *, int fd, unsigned mask);

	void (*reserved[4])(void);
};

struct berth_handler {
	const struct berth_handler_type *type;
};

/* Names one scheduled timer for ever; 0 names none. */
typedef uint64_t berth_timer_id;

typedef void(berth_post_fn)(void *arg);

/* A thread that the host started for a service. */
struct berth_thread;
typedef void(berth_thread_fn)(struct berth_thread *, void *arg);

#endif
