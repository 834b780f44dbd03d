/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The loop: a turn collects events, then calls the hooks: timers first, then
 * notifications, then descriptors.
 *
 * A turn does not block while there is something to do without the kernel.  It
 * may run inside of a hook; then what the turns around it collected is dropped
 * and, being level-triggered, reported again.  What was deferred is called at
 * the end of the outermost one.
 */
#include <errno.h>

#include "reactor/reactor_priv.h"

struct mono
clock_now(struct reactor *r)
{
	return r->clock != NULL ? r->clock(r->clock_context) : mono_now();
}

struct mono
reactor_now(struct reactor *r)
{
	if (r->depth == 0)
		return clock_now(r);
	if (!r->now_known) {
		r->now = clock_now(r);
		r->now_known = true;
	}
	return r->now;
}

/* The timers are looked at in any case: they come due in a busy loop too. */
static uint64_t
time_to_wait(struct reactor *r, uint64_t wait_ns)
{
	wait_ns = timers_wait(r, wait_ns);
	if (r->ready_first >= 0 || r->timers.due ||
	    (r->deferred != NULL && r->depth == 1) ||
	    atomic_load_explicit(&r->notes.queued, memory_order_relaxed) != 0)
		return 0;
	return wait_ns;
}

/* All the events' bits, with EPOLLET for those that are the reactor's own. */
static uint32_t
look_over(struct reactor *r, const struct batch *batch)
{
	const struct epoll_event *events = batch->events;
	uint32_t any = 0;
	uint64_t data = 0;

	for (unsigned i = 0; i < batch->count; i++) {
		any |= events[i].events;
		data |= events[i].data.u64;
	}
	if (likely((data & EVENT_INTERNAL) == 0))
		return any;
	for (unsigned i = 0; i < batch->count; i++)
		if (events[i].data.u64 == EVENT_TIMER)
			timers_fired(&r->timers);
	return any | EPOLLET;
}

static int
collect(
    struct reactor *r, struct batch *batch, uint64_t wait_ns, uint32_t *ret_any)
{
	int count;

	count = r->backend->wait(r, batch, wait_ns);
	r->now_known = false;
	if (unlikely(count < 0)) {
		if (count != -EINTR)
			return count;
		count = 0;
	}
	batch->count = (unsigned)count;
	batch->given_up = r->given_up;
	*ret_any = look_over(r, batch);
	return 0;
}

/*
 * A full batch: there may be more, which the kernel reports before it repeats
 * what we have had.
 */
static int
dispatch_rest(struct reactor *r, struct batch *batch)
{
	unsigned seen = batch->capacity;
	uint32_t any;
	bool full;
	int result;

	do {
		batch_grow(batch);
		result = collect(r, batch, 0, &any);
		if (result < 0)
			return result;
		seen += batch->count;
		full = batch->count == batch->capacity;
		dispatch(r, batch, any);
	} while (full && seen < r->registered);
	return 0;
}

static int
collect_and_call(struct reactor *r, struct batch *batch, uint64_t wait_ns)
{
	uint32_t any;
	bool full;
	int result = collect(r, batch, time_to_wait(r, wait_ns), &any);

	if (unlikely(result < 0))
		return result;
	full = batch->count == batch->capacity;
	if (r->timers.due || r->timers.fd < 0)
		timers_expire(r);
	if (atomic_load_explicit(&r->notes.queued, memory_order_relaxed) != 0)
		notes_deliver(r);
	dispatch(r, batch, any);
	if (unlikely(full))
		result = dispatch_rest(r, batch);
	if (unlikely(r->reopen))
		r->reopen = slots_reopen(r) < 0;
	return result;
}

/* What hooks defer in here waits for the next turn. */
void
deferred_call(struct reactor *r)
{
	struct reactor_deferred *node = r->deferred, *next;

	r->deferred = NULL;
	r->deferred_last = &r->deferred;
	for (; node != NULL; node = next) {
		next = node->next;
		node->fn(node);
	}
}

/* A whole turn.  While it waits, nobody's hook runs. */
static int
turn(struct reactor *r, struct batch *batch, uint64_t wait_ns)
{
	int result;

	atomic_store_explicit(&r->busy, 0, memory_order_relaxed);
	result = collect_and_call(r, batch, wait_ns);
	if (unlikely(r->deferred != NULL) && r->depth == 1)
		deferred_call(r);
	return result;
}

/* For a turn or many; the hook around them is marked again afterwards. */
static int
enter(struct reactor *r, struct batch **ret_batch, uint32_t *ret_busy)
{
	if (!in_loop(r))
		return -EPERM;
	*ret_busy = atomic_load_explicit(&r->busy, memory_order_relaxed);
	return batch_enter(r, ret_batch);
}

static void
leave(struct reactor *r, uint32_t busy)
{
	r->depth--;
	atomic_store_explicit(&r->busy, busy, memory_order_relaxed);
}

int
reactor_turn(struct reactor *r, uint64_t wait_ns)
{
	struct batch *batch;
	uint64_t calls = atomic_load_explicit(&r->calls, memory_order_relaxed);
	uint32_t busy;
	int result = enter(r, &batch, &busy);

	if (result < 0)
		return result;
	result = turn(r, batch, wait_ns);
	leave(r, busy);
	if (result < 0)
		return result;
	calls = atomic_load_explicit(&r->calls, memory_order_relaxed) - calls;
	return calls < INT32_MAX ? (int)calls : INT32_MAX;
}

int
reactor_run(struct reactor *r)
{
	struct batch *batch;
	uint32_t busy;
	int result = enter(r, &batch, &busy);

	if (result < 0)
		return result;
	while (result >= 0 && !reactor_stopped(r))
		result = turn(r, batch, REACTOR_FOREVER);
	leave(r, busy);
	return result;
}

void
reactor_stop(struct reactor *r)
{
	atomic_store(&r->stopped, true);
	if (!in_loop(r))
		reactor_wake(r);
}

bool
reactor_stopped(const struct reactor *r)
{
	return atomic_load(&r->stopped);
}

void
reactor_defer(struct reactor *r, struct reactor_deferred *node,
    void (*fn)(struct reactor_deferred *))
{
	node->fn = fn;
	node->next = NULL;
	*r->deferred_last = node;
	r->deferred_last = &node->next;
}
