/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * reactor: the event loop.  Detects events on descriptors, timers, posts from
 * other threads, signals and child exits; calls the handlers.  The contract of
 * handlers (results, masks, order) stands in <berth/reactor.h>, after C++NPv2
 * chapters 3 and 4.
 *
 * Everything is registered under an owner.  Revoking an owner takes away all
 * that it registered, at once, so that no code of it is called again.
 *
 * One thread, the one that called reactor_new() or last reactor_adopt(), runs
 * the loop and makes all calls, but those marked [any thread].
 */
#ifndef REACTOR_REACTOR_H
#define REACTOR_REACTOR_H

#include <berth/reactor.h>
#include <pthread.h>
#include <stdatomic.h>

#include "base/base.h"

struct rusage;
struct reactor;
struct reactor_note;
LIST_HEAD(reactor_notes, reactor_note);

/*
 * Somebody who registers: the host itself, or one instance of a service.
 * Embedded; init and fini.  The counts say what it still holds.
 */
struct reactor_owner {
	const char *name; /* for the watchdog; lives as long as the owner */
	struct reactor *reactor;
	unsigned descriptors; /* signals and children count too */
	atomic_uint timers;
	atomic_uint posts; /* and notifications, and queued additions */

	/* The reactor's: where the lists of what is held begin. */
	uint32_t index;
	uint32_t first_timer;
	int first_fd;
	bool revoking;
	uint64_t era; /* another one after each revocation */
	struct reactor_notes notes;
};

#define REACTOR_FOREVER UINT64_MAX

struct reactor_options {
	/* NULL: CLOCK_MONOTONIC.  Called by any thread that schedules. */
	struct mono (*clock)(void *context);
	void *clock_context;
	unsigned max_notifications; /* a turn; 0: all that are there */
	unsigned reserve_timers;    /* allocated at once */
	struct log *log;	    /* may be NULL */
};

/* options may be NULL.  -ENOMEM, -EMFILE, … */
int reactor_new(
    const struct reactor_options *options, struct reactor **ret_reactor);
/* Calls the close hook of every descriptor still there; timers and posts are
 * dropped; what was deferred is called.  Nobody may be running the loop.
 * Takes NULL; gives NULL. */
struct reactor *reactor_free(struct reactor *reactor);
void reactor_adopt(struct reactor *reactor); /* this thread runs it now */

int reactor_owner_init(
    struct reactor_owner *owner, struct reactor *reactor, const char *name);
/* Revokes (close hooks are called), then forgets.  Takes an owner that is all
 * zero, and one whose reactor is gone. */
void reactor_owner_fini(struct reactor_owner *owner);
/* Removes all descriptors (close hooks are called with the descriptor unless
 * dont_call), timers, notifications and posts of the owner, signals too.  Of
 * its children no more is told, but they are reaped when they end. */
void reactor_revoke(struct reactor_owner *owner, bool dont_call);

/* --- descriptors -------------------------------------------------------- */

/*
 * See berth_add() and kin in <berth/events.h>.  -EPERM in the wrong thread for
 * calls that are not [any thread]; -EBADF; -EBUSY; -EINVAL for a mask whose
 * hook is missing; -ENOENT; -ENOMEM; -ECANCELED while the owner is revoked.
 *
 * The mask may be empty: the descriptor is known, nothing is told of it.  From
 * another thread the addition is queued; what then fails, comes as a call of
 * the close hook.
 */
int reactor_add(struct reactor_owner *owner, struct berth_handler *handler,
    int fd, unsigned mask); /* [any thread] */
/* When no event is left, the descriptor is forgotten. */
int reactor_remove(struct reactor_owner *owner, int fd, unsigned mask);
/* A descriptor that was added stays so with an empty mask.  Cannot fail for
 * one that is there and open. */
int reactor_mask(
    struct reactor_owner *owner, int fd, unsigned off, unsigned on);
/* Looks at every descriptor of the owner; -ENOENT: the handler has none. */
int reactor_hold(
    struct reactor_owner *owner, struct berth_handler *handler, bool hold);

/* --- timers: relative delays, nanoseconds --------------------------------- */

int reactor_schedule(struct reactor_owner *owner, struct berth_handler *handler,
    void *token, uint64_t delay_ns, uint64_t interval_ns,
    berth_timer_id *ret_id); /* [any thread] */
int reactor_cancel(
    struct reactor_owner *owner, berth_timer_id id, void **ret_token);
int reactor_cancel_all(
    struct reactor_owner *owner, struct berth_handler *handler);

/* --- notifications and posts ------------------------------------------------
 */

int reactor_notify(struct reactor_owner *owner, struct berth_handler *handler,
    unsigned mask); /* [any thread] */
/* Returns how many were forgotten.  mask 0: all.  [any thread] */
int reactor_purge(
    struct reactor_owner *owner, struct berth_handler *handler, unsigned mask);
int reactor_post(struct reactor_owner *owner, berth_post_fn *fn,
    void *arg);				    /* [any thread] */
void reactor_wake(struct reactor *reactor); /* [any thread] */
/*
 * A letter: its fn is called on the loop, soon, in whatever turn runs next, an
 * inner one too.  Sending cannot fail, and does nothing while the letter is on
 * its way; it may be sent again from within fn.  It is the sender's, embedded,
 * and must not go before it has come or was recalled.
 */
struct reactor_letter {
	void (*fn)(struct reactor_letter *);
	TAILQ_ENTRY(reactor_letter) link;
	bool sent;
};
void reactor_send(
    struct reactor *reactor, struct reactor_letter *letter); /* [any thread] */
/* Was it on its way?  It no longer is.  [any thread] */
bool reactor_recall(struct reactor *reactor, struct reactor_letter *letter);
/* Does this thread run the loop?  [any thread] */
bool reactor_is_here(struct reactor *reactor);

/* Calls fn(arg) at the end of the outermost turn: for freeing what a caller
 * further up the stack may still touch.  Cannot fail: the node is the
 * caller's, embedded in what is freed. */
struct reactor_deferred {
	void (*fn)(struct reactor_deferred *);
	struct reactor_deferred *next;
};
void reactor_defer(struct reactor *reactor, struct reactor_deferred *node,
    void (*fn)(struct reactor_deferred *));

/* --- signals and children: what main hands in --------------------------------
 */

/* The caller has blocked the signal in all threads.  Delivered by signalfd:
 * the hook may call anything.  -EBUSY: another handler has it.  No close hook
 * is called on removal, nor by reactor_revoke(). */
int reactor_signal(
    struct reactor_owner *owner, struct berth_handler *handler, int signum);
int reactor_unsignal(struct reactor_owner *owner, int signum);
/* Calls handler->type->child once, when the process has ended; it is reaped.
 * The code is 0 when somebody else had reaped it.  -ESRCH: no such process. */
int reactor_child(
    struct reactor_owner *owner, struct berth_handler *handler, pid_t pid);
/* What the process of the child hook that runs now has used; NULL when that is
 * not known, and outside of such a hook. */
const struct rusage *reactor_child_usage(const struct reactor *reactor);
/* Says no more of it; it is still reaped. */
int reactor_unchild(struct reactor_owner *owner, pid_t pid);

/* --- the loop
 * ------------------------------------------------------------------ */

/* One turn: waits at most wait_ns, calls all that is ready.  Returns how many
 * hooks were called, 0 when the time was over.  May be called in a hook. */
int reactor_turn(struct reactor *reactor, uint64_t wait_ns);
/* Until reactor_stop(), which stays: called before, this returns at once. */
int reactor_run(struct reactor *reactor);
void reactor_stop(struct reactor *reactor); /* and wakes [any thread] */
bool reactor_stopped(const struct reactor *reactor);

/* The time of the present turn, cached; of the clock when outside of one. */
struct mono reactor_now(struct reactor *reactor);

/* --- the watchdog
 * ---------------------------------------------------------------- */

/*
 * A thread that looks at the loop twice in limit_ms; when one callback lasts
 * longer, it says so, once a callback, with the owner's name, through overrun
 * (called on the watchdog's thread).  The loop pays two stores a callback.  It
 * is started and stopped by one thread, not always the loop's.
 */
typedef void(reactor_overrun_fn)(
    void *context, const char *owner, uint64_t busy_ms);
int reactor_watchdog_start(struct reactor *reactor, uint64_t limit_ms,
    reactor_overrun_fn *overrun, void *context);
void reactor_watchdog_stop(struct reactor *reactor);
/* Whose hook runs on the loop's thread, or NULL.  For the handler of a signal
 * that ends the process: takes no lock, the name may be of a moment ago. */
const char *reactor_busy_name(const struct reactor *reactor);
/* The thread that runs the loop.  [any thread] */
pthread_t reactor_thread(const struct reactor *reactor);
/* What the present hook does from here on is this owner's doing: a listener
 * calls the service that takes the connection. */
void reactor_charge(struct reactor_owner *owner);

#endif
