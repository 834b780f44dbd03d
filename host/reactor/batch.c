/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where a turn puts the events that it collected.  A turn inside of a hook has
 * a batch of its own; they are kept for the next time, as deep as turns went.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "reactor/reactor_priv.h"

static int
batch_new(unsigned capacity, struct batch **ret_batch)
{
	struct batch *batch = calloc(1, sizeof(*batch));

	if (batch == NULL)
		return -ENOMEM;
	batch->events = calloc(capacity + BATCH_EXTRA, sizeof(*batch->events));
	if (batch->events == NULL) {
		free(batch);
		return -ENOMEM;
	}
	batch->capacity = capacity;
	*ret_batch = batch;
	return 0;
}

/* The next depth.  What the turns around this one still had to call of the
 * kernel's events will be reported again, for this turn may serve them. */
int
batch_enter(struct reactor *r, struct batch **ret_batch)
{
	struct batch **place = &r->batches;
	int result;

	for (unsigned i = 0; i < r->depth; i++)
		place = &(*place)->inner;
	if (*place == NULL) {
		result = batch_new(BATCH_FIRST, place);
		if (result < 0)
			return result;
	}
	if (r->depth > 0)
		for (struct batch *b = r->batches; b != *place; b = b->inner)
			b->count = 0;
	(*place)->count = 0;
	(*place)->extra = 0;
	r->depth++;
	*ret_batch = *place;
	return 0;
}

/* After a wait that filled it; that there is no memory is no harm. */
void
batch_grow(struct batch *batch)
{
	unsigned capacity = batch->capacity * 2;
	struct epoll_event *events;

	if (capacity > BATCH_LAST)
		return;
	events = realloc(
	    batch->events, (capacity + BATCH_EXTRA) * sizeof(*events));
	if (events == NULL)
		return;
	batch->events = events;
	batch->capacity = capacity;
}

void
batch_free_all(struct reactor *r)
{
	while (r->batches != NULL) {
		struct batch *batch = r->batches;

		r->batches = batch->inner;
		free(batch->events);
		free(batch);
	}
}
