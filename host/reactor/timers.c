/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Timers: the heap's entries, their ids, and when they are called.
 *
 * An id is the number of a timer's place in the pool and how often that place
 * was used; a place that was used 2^32 times is not used again, so that ids
 * never come back and are found without a search.  The pool grows by chunks
 * and is not given back.
 *
 * With the real clock a timerfd, edge-triggered and never read, is set to the
 * earliest deadline: a turn then reads no clock unless a timer is due.  With a
 * clock of the caller's the clock is read every turn and limits the wait.
 *
 * Called in one turn are the timers that were due when it began, in the order
 * of their deadlines; what a hook schedules with no delay waits for the next
 * turn.  A periodic timer is scheduled anew before its hook is called; periods
 * that are over already are skipped.  A one-shot timer stays in the pool while
 * its hook runs, so that a hook that frees its handler (having cancelled it,
 * or been revoked) and gives a negative result is not told of it once more.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "reactor/reactor_priv.h"

static berth_timer_id
id_of(uint32_t index, uint32_t generation)
{
	return (uint64_t)generation << 32 | index;
}

/* Never UINT64_MAX, which is no deadline at all. */
static uint64_t
add_ns(uint64_t a, uint64_t b)
{
	uint64_t sum;

	return __builtin_add_overflow(a, b, &sum) || sum == UINT64_MAX
		   ? UINT64_MAX - 1
		   : sum;
}

/* --- the pool, under the lock ----------------------------------------------
 */

static int
pool_grow(struct timers *t)
{
	struct timer **chunks, *chunk;
	uint32_t first = t->chunk_count * TIMER_CHUNK;

	chunks = realloc(
	    t->chunks, ((size_t)t->chunk_count + 1) * sizeof(struct timer *));
	if (chunks == NULL)
		return -ENOMEM;
	t->chunks = chunks;
	chunk = calloc(TIMER_CHUNK, sizeof(*chunk));
	if (chunk == NULL)
		return -ENOMEM;
	t->chunks[t->chunk_count++] = chunk;
	for (uint32_t i = TIMER_CHUNK; i-- > 0;) {
		chunk[i].position = TIMER_FREE;
		chunk[i].next = t->free;
		t->free = first + i;
	}
	return 0;
}

static int
pool_take(struct timers *t, uint32_t *ret_index)
{
	struct timer *timer;
	int result;

	if (t->free == TIMER_NONE) {
		result = pool_grow(t);
		if (result < 0)
			return result;
	}
	/* Firing ones are in the pool but not in the heap: no more entries
	 * are needed than there are places. */
	result = heap_reserve(t, t->chunk_count * TIMER_CHUNK);
	if (result < 0)
		return result;
	*ret_index = t->free;
	timer = timer_at(t, t->free);
	t->free = timer->next;
	timer->generation++;
	return 0;
}

static void
link_owner(struct timers *t, uint32_t index, struct reactor_owner *owner)
{
	struct timer *timer = timer_at(t, index);

	timer->owner = owner;
	timer->previous = TIMER_NONE;
	timer->next = owner->first_timer;
	if (timer->next != TIMER_NONE)
		timer_at(t, timer->next)->previous = index;
	owner->first_timer = index;
	owner->timers++;
}

/* Out of the heap if it is there, from its owner, into the pool. */
static void
drop(struct timers *t, uint32_t index)
{
	struct timer *timer = timer_at(t, index);

	if (timer->position < TIMER_FIRING)
		heap_remove(t, timer->position);
	if (timer->next != TIMER_NONE)
		timer_at(t, timer->next)->previous = timer->previous;
	if (timer->previous != TIMER_NONE)
		timer_at(t, timer->previous)->next = timer->next;
	else
		timer->owner->first_timer = timer->next;
	timer->owner->timers--;
	timer->position = TIMER_FREE;
	timer->owner = NULL;
	if (timer->generation != UINT32_MAX) {
		timer->next = t->free;
		t->free = index;
	}
}

static struct timer *
lookup(struct timers *t, berth_timer_id id)
{
	uint32_t index = (uint32_t)id;
	struct timer *timer;

	if (index / TIMER_CHUNK >= t->chunk_count)
		return NULL;
	timer = timer_at(t, index);
	if (timer->position == TIMER_FREE || timer->generation != id >> 32)
		return NULL;
	return timer;
}

/* --- when to wake -----------------------------------------------------------
 */

/* The timerfd is left alone when it is set to an earlier time: it then fires
 * for nothing, once. */
static void
arm(struct timers *t)
{
	uint64_t earliest = atomic_load_explicit(
	    &t->earliest_ns, memory_order_relaxed);
	struct itimerspec spec = {
	    .it_value.tv_sec = (time_t)(earliest / 1000000000u),
	    .it_value.tv_nsec = (long)(earliest % 1000000000u),
	};

	if (t->fd < 0 || earliest >= atomic_load_explicit(
					 &t->armed_ns, memory_order_relaxed))
		return;
	if (earliest == 0)
		spec.it_value.tv_nsec = 1; /* 0 would disarm */
	(void)timerfd_settime(t->fd, TFD_TIMER_ABSTIME, &spec, NULL);
	atomic_store_explicit(&t->armed_ns, earliest, memory_order_relaxed);
}

/* The first timer is earlier than what the timerfd is set to.  One that is due
 * needs no timerfd, which would fire too late for this turn. */
static uint64_t
set_out(struct reactor *r, uint64_t earliest, uint64_t wait_ns)
{
	if (earliest <= clock_now(r).ns) {
		r->timers.due = true;
		return 0;
	}
	lock(r);
	arm(&r->timers);
	unlock(r);
	return wait_ns;
}

uint64_t
timers_wait(struct reactor *r, uint64_t wait_ns)
{
	struct timers *t = &r->timers;
	uint64_t earliest = atomic_load_explicit(
	    &t->earliest_ns, memory_order_relaxed);
	uint64_t now;

	if (earliest == UINT64_MAX)
		return wait_ns;
	if (t->fd >= 0)
		return earliest < atomic_load_explicit(
				      &t->armed_ns, memory_order_relaxed)
			   ? set_out(r, earliest, wait_ns)
			   : wait_ns;
	now = clock_now(r).ns;
	if (earliest <= now)
		return 0;
	return earliest - now < wait_ns ? earliest - now : wait_ns;
}

/* --- schedule and cancel -----------------------------------------------------
 */

int
reactor_schedule(struct reactor_owner *owner, struct berth_handler *handler,
    void *token, uint64_t delay_ns, uint64_t interval_ns,
    berth_timer_id *ret_id)
{
	struct reactor *r = owner->reactor;
	struct timers *t = &r->timers;
	bool inside = in_loop(r);
	struct timer *timer;
	uint64_t deadline;
	uint32_t index;
	int result;

	if (handler == NULL || handler->type == NULL ||
	    handler->type->timeout == NULL)
		return -EINVAL;
	deadline = add_ns(clock_now(r).ns, delay_ns);
	lock(r);
	result = owner->revoking ? -ECANCELED : pool_take(t, &index);
	if (result < 0) {
		unlock(r);
		return result;
	}
	timer = timer_at(t, index);
	timer->handler = handler;
	timer->token = token;
	timer->interval_ns = interval_ns;
	timer->serial = ++t->serial;
	link_owner(t, index, owner);
	heap_push(t, index, deadline);
	if (ret_id != NULL)
		*ret_id = id_of(index, timer->generation);
	if (!inside)
		arm(t);
	unlock(r);
	if (!inside && t->fd < 0)
		reactor_wake(r);
	return 0;
}

int
reactor_cancel(struct reactor_owner *owner, berth_timer_id id, void **ret_token)
{
	struct reactor *r = owner->reactor;
	struct timer *timer;
	int result = -ENOENT;

	if (!in_loop(r))
		return -EPERM;
	lock(r);
	timer = lookup(&r->timers, id);
	if (timer != NULL && timer->owner == owner) {
		if (timer->position != TIMER_FIRING) {
			result = 0;
			if (ret_token != NULL)
				*ret_token = timer->token;
		}
		drop(&r->timers, (uint32_t)id);
	}
	unlock(r);
	return result;
}

/* All of the owner's, or those of one handler. */
static int
cancel_some(struct reactor_owner *owner, const struct berth_handler *handler)
{
	struct timers *t = &owner->reactor->timers;
	uint32_t index = owner->first_timer;
	int count = 0;

	while (index != TIMER_NONE) {
		struct timer *timer = timer_at(t, index);
		uint32_t next = timer->next;

		if (handler == NULL || timer->handler == handler) {
			count += timer->position != TIMER_FIRING;
			drop(t, index);
		}
		index = next;
	}
	return count;
}

int
reactor_cancel_all(struct reactor_owner *owner, struct berth_handler *handler)
{
	struct reactor *r = owner->reactor;
	int count;

	if (!in_loop(r))
		return -EPERM;
	if (handler == NULL)
		return -EINVAL;
	lock(r);
	count = cancel_some(owner, handler);
	unlock(r);
	return count;
}

void
timers_revoke(struct reactor_owner *owner)
{
	lock(owner->reactor);
	(void)cancel_some(owner, NULL);
	unlock(owner->reactor);
}

/* --- expiry
 * -------------------------------------------------------------------
 */

/* What is called outside of the lock. */
struct due {
	struct berth_handler *handler;
	void *token;
	berth_timer_id id;
	uint32_t owner;
	bool once;
};

/* The first timer, if it was due at `now` and is no newer than `newest`. */
static bool
next_due(struct reactor *r, uint64_t now, uint64_t newest, struct due *ret_due)
{
	struct timers *t = &r->timers;
	uint32_t index;
	uint64_t deadline;
	struct timer *timer;

	if (t->count == 0 || t->heap[0].deadline_ns > now)
		return false;
	index = t->heap[0].timer;
	timer = timer_at(t, index);
	if (timer->serial > newest)
		return false;
	*ret_due = (struct due){timer->handler, timer->token,
	    id_of(index, timer->generation), timer->owner->index,
	    timer->interval_ns == 0};
	if (ret_due->once) {
		heap_remove(t, 0);
		timer->position = TIMER_FIRING;
		return true;
	}
	deadline = add_ns(t->heap[0].deadline_ns, timer->interval_ns);
	if (deadline <= now)
		deadline = add_ns(
		    deadline, ((now - deadline) / timer->interval_ns + 1) *
				  timer->interval_ns);
	timer->serial = ++t->serial;
	heap_replace_first(t, deadline);
	return true;
}

static void
call_timeout(struct reactor *r, const struct due *due, uint64_t now)
{
	struct timer *timer;
	int result;

	mark_call(r, due->owner);
	result = due->handler->type->timeout(due->handler, now, due->token);
	if (result >= 0 && !due->once)
		return;
	lock(r);
	timer = lookup(&r->timers, due->id);
	if (timer != NULL)
		drop(&r->timers, (uint32_t)due->id);
	unlock(r);
	if (result < 0 && timer != NULL)
		call_close(due->handler, -1, BERTH_TIMER);
}

void
timers_expire(struct reactor *r)
{
	struct timers *t = &r->timers;
	uint64_t newest, now;
	struct due due;

	t->due = false;
	if (atomic_load_explicit(&t->earliest_ns, memory_order_relaxed) ==
	    UINT64_MAX)
		return;
	now = reactor_now(r).ns;
	lock(r);
	newest = t->serial;
	while (next_due(r, now, newest, &due)) {
		unlock(r);
		call_timeout(r, &due, now);
		lock(r);
	}
	unlock(r);
}

/* --- life
 * ----------------------------------------------------------------------
 */

int
timers_init(struct reactor *r, unsigned reserve)
{
	struct timers *t = &r->timers;
	int result = 0;

	t->fd = -1;
	t->free = TIMER_NONE;
	atomic_store(&t->earliest_ns, UINT64_MAX);
	atomic_store(&t->armed_ns, UINT64_MAX);
	while (result == 0 && t->chunk_count * TIMER_CHUNK < reserve)
		result = pool_grow(t);
	if (result == 0)
		result = heap_reserve(t, t->chunk_count * TIMER_CHUNK);
	if (result < 0 || r->clock != NULL)
		return result;
	t->fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	return t->fd < 0 ? -errno : 0;
}

void
timers_fini(struct reactor *r)
{
	struct timers *t = &r->timers;

	for (uint32_t i = 0; i < t->chunk_count; i++)
		free(t->chunks[i]);
	free(t->chunks);
	free(t->heap);
	fd_close(&t->fd);
	*t = (struct timers){.fd = -1, .free = TIMER_NONE};
}
