/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * <berth/events.h>: calls on the reactor, and threads, of a service.
 * <berth/reactor.h> has the contract; berth_reactor(3) is the manual.
 */
#ifndef BERTH_EVENTS_H
#define BERTH_EVENTS_H

#include <berth/host.h>

/*
 * Watch a descriptor.  It stays the service's, who closes it after removing
 * it.  A second call for the same descriptor and handler adds events;
 * -EBUSY for another handler; -EPERM never: what epoll refuses (files,
 * /dev/null) counts as always ready.  [any thread; from another one errors
 * come through the close hook]
 */
static inline int
berth_add(struct berth_service *s, struct berth_handler *handler, int fd,
    unsigned mask)
{
	return s->host->add(s, handler, fd, mask);
}

/*
 * Stop watching these events of fd; mask may hold BERTH_DONT_CALL.  With the
 * last event the host forgets the descriptor.  Remove before you close: the
 * number may be somebody else's a moment later.
 */
static inline int
berth_remove(struct berth_service *s, int fd, unsigned mask)
{
	return s->host->remove(s, fd, mask);
}

/* Change interest without the close hook: bits off, then bits on. */
static inline int
berth_mask(struct berth_service *s, int fd, unsigned off, unsigned on)
{
	return s->host->mask(s, fd, off, on);
}

/* Suspend (1) or resume (0) the descriptors of a handler: events wait;
 * timers and notifications go on.  Looks at every descriptor of the service:
 * for one of many, berth_mask() does it. */
static inline int
berth_hold(struct berth_service *s, struct berth_handler *handler, int hold)
{
	return s->host->hold(s, handler, hold);
}

/*
 * Call handler->type->timeout with the token after delay_ns, then, when
 * interval_ns is not 0, every interval.  A period missed is skipped, not
 * made up for.  ret_id may be NULL.  [any thread]
 */
static inline int
berth_schedule(struct berth_service *s, struct berth_handler *handler,
    void *token, uint64_t delay_ns, uint64_t interval_ns,
    berth_timer_id *ret_id)
{
	return s->host->schedule(
	    s, handler, token, delay_ns, interval_ns, ret_id);
}

/* 0 and the token, or -ENOENT when it has fired or never was. */
static inline int
berth_cancel(struct berth_service *s, berth_timer_id id, void **ret_token)
{
	return s->host->cancel(s, id, ret_token);
}

/* Cancels all timers of the handler; returns how many there were.  Looks at
 * every timer of the service: with many, cancel by id. */
static inline int
berth_cancel_all(struct berth_service *s, struct berth_handler *handler)
{
	return s->host->cancel_all(s, handler);
}

/*
 * Call the hooks of mask (BERTH_READ, …) with fd -1 in the next turn; the
 * handler need not be added.  Never blocks.  [any thread]
 */
static inline int
berth_notify(
    struct berth_service *s, struct berth_handler *handler, unsigned mask)
{
	return s->host->notify(s, handler, mask);
}

/* Forget notifications of a handler that is about to be freed; mask 0 means
 * all.  Returns how many there were.  [any thread] */
static inline int
berth_purge(
    struct berth_service *s, struct berth_handler *handler, unsigned mask)
{
	return s->host->purge(s, handler, mask);
}

/*
 * Start a thread, in init or later.  When the service ends, stop_fd becomes
 * readable, and the host joins the thread before the code is unloaded; one
 * that does not return by the drain deadline keeps the code mapped, and is
 * named in the log.
 */
static inline int
berth_thread_start(
    struct berth_service *s, const char *name, berth_thread_fn *run, void *arg)
{
	return s->host->thread_start(s, name, run, arg);
}

static inline int
berth_thread_stop_fd(struct berth_service *s, struct berth_thread *thread)
{
	return s->host->thread_stop_fd(thread);
}

#endif
