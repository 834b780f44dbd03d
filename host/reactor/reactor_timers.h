/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Inside the reactor: timers and their heap.  All under the reactor's lock but
 * what is atomic or said to be the loop's.
 */
#ifndef REACTOR_REACTOR_TIMERS_H
#define REACTOR_REACTOR_TIMERS_H

#include "reactor/reactor.h"

#define TIMER_NONE UINT32_MAX
#define TIMER_FREE UINT32_MAX
#define TIMER_FIRING (UINT32_MAX - 1)
#define TIMER_CHUNK 256u

struct timer {
	struct berth_handler *handler;
	void *token;
	struct reactor_owner *owner;
	uint64_t interval_ns;
	uint64_t serial;	 /* breaks ties, tells newcomers of a turn */
	uint32_t previous, next; /* of the owner, or of the free */
	uint32_t position;	 /* in the heap, or TIMER_FREE, TIMER_FIRING */
	uint32_t generation;	 /* upper half of the id; 0 before first use */
};

struct heap_entry {
	uint64_t deadline_ns;
	uint32_t timer;
};

struct timers {
	struct timer **chunks; /* never given back: they hold generations */
	uint32_t chunk_count;
	uint32_t free;
	struct heap_entry *heap;
	uint32_t count;
	uint32_t capacity;
	uint64_t serial;
	_Atomic uint64_t earliest_ns; /* UINT64_MAX: none */
	_Atomic uint64_t armed_ns;    /* what the timerfd is set to */
	int fd;			      /* -1 with a clock of the caller's */
	bool due;		      /* the loop's thread only */
};

/* Another thread may set it at the same time: then it is set once more. */
static inline void
timers_fired(struct timers *t)
{
	t->due = true;
	atomic_store_explicit(&t->armed_ns, UINT64_MAX, memory_order_relaxed);
}

int timers_init(struct reactor *r, unsigned reserve);
void timers_fini(struct reactor *r);
/* Before a wait: the timerfd is set, or the time to wait is cut. */
uint64_t timers_wait(struct reactor *r, uint64_t wait_ns);
void timers_expire(struct reactor *r);

void timers_revoke(struct reactor_owner *owner);

int heap_reserve(struct timers *t, uint32_t capacity);
void heap_push(struct timers *t, uint32_t timer, uint64_t deadline_ns);
void heap_remove(struct timers *t, uint32_t position);
void heap_replace_first(struct timers *t, uint64_t deadline_ns);

static inline struct timer *
timer_at(const struct timers *t, uint32_t index)
{
	return &t->chunks[index / TIMER_CHUNK][index % TIMER_CHUNK];
}

#endif
