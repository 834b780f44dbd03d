/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A binary heap of deadlines in an array.  Every timer knows its place in it,
 * so that one in the middle is removed without a search.  Equal deadlines come
 * out in the order in which they were scheduled.
 */
#include <errno.h>
#include <stdlib.h>

#include "reactor/reactor_priv.h"

int
heap_reserve(struct timers *t, uint32_t capacity)
{
	struct heap_entry *heap;

	if (capacity <= t->capacity)
		return 0;
	heap = realloc(t->heap, (size_t)capacity * sizeof(*heap));
	if (heap == NULL)
		return -ENOMEM;
	t->heap = heap;
	t->capacity = capacity;
	return 0;
}

static bool
before(const struct timers *t, struct heap_entry a, struct heap_entry b)
{
	if (a.deadline_ns != b.deadline_ns)
		return a.deadline_ns < b.deadline_ns;
	return timer_at(t, a.timer)->serial < timer_at(t, b.timer)->serial;
}

static void
put(struct timers *t, uint32_t position, struct heap_entry entry)
{
	t->heap[position] = entry;
	timer_at(t, entry.timer)->position = position;
}

static void
sift_up(struct timers *t, uint32_t position, struct heap_entry entry)
{
	while (position > 0) {
		uint32_t parent = (position - 1) / 2;

		if (!before(t, entry, t->heap[parent]))
			break;
		put(t, position, t->heap[parent]);
		position = parent;
	}
	put(t, position, entry);
}

static void
sift_down(struct timers *t, uint32_t position, struct heap_entry entry)
{
	for (;;) {
		uint32_t child = 2 * position + 1;

		if (child >= t->count)
			break;
		if (child + 1 < t->count &&
		    before(t, t->heap[child + 1], t->heap[child]))
			child++;
		if (!before(t, t->heap[child], entry))
			break;
		put(t, position, t->heap[child]);
		position = child;
	}
	put(t, position, entry);
}

static void
note_earliest(struct timers *t)
{
	atomic_store_explicit(&t->earliest_ns,
	    t->count != 0 ? t->heap[0].deadline_ns : UINT64_MAX,
	    memory_order_relaxed);
}

/* There is room: heap_reserve() was called. */
void
heap_push(struct timers *t, uint32_t timer, uint64_t deadline_ns)
{
	struct heap_entry entry = {deadline_ns, timer};

	BASE_ASSERT(t->count < t->capacity);
	sift_up(t, t->count++, entry);
	note_earliest(t);
}

void
heap_remove(struct timers *t, uint32_t position)
{
	struct heap_entry last = t->heap[--t->count];

	if (position < t->count) {
		if (position > 0 &&
		    before(t, last, t->heap[(position - 1) / 2]))
			sift_up(t, position, last);
		else
			sift_down(t, position, last);
	}
	note_earliest(t);
}

void
heap_replace_first(struct timers *t, uint64_t deadline_ns)
{
	struct heap_entry entry = {deadline_ns, t->heap[0].timer};

	sift_down(t, 0, entry);
	note_earliest(t);
}
