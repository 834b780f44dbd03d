/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From events to hooks: output first, then exception, then input, each over
 * the whole batch.
 *
 * A batch holds what the kernel reported and, behind it, what is ready by our
 * own account: handlers that asked to be called again, and descriptors that
 * epoll refuses.  Nearly always it holds nothing but input of the kernel's,
 * and then one pass does.
 *
 * Before every call the slot is looked up anew, since the hook before may have
 * given it up, moved the table or turned the interest off.  An event whose
 * generation is another one belongs to somebody who has left.
 */
#include <errno.h>

#include "reactor/reactor_priv.h"

typedef int(hook_fn)(struct berth_handler *, int);

/* The slot behind an event, if it is still the one that was meant. */
static inline struct slot *
slot_of(struct reactor *r, uint64_t data)
{
	struct slot *slot = &r->slots[(uint32_t)data];

	return likely(slot->generation == data >> 32) ? slot : NULL;
}

/* A hook gave something but 0. */
static __attribute__((noinline)) void
after(struct reactor *r, uint64_t data, unsigned class, int result)
{
	struct slot *slot = slot_of(r, data);
	int fd = (int)(uint32_t)data;
	unsigned known;

	if (slot == NULL)
		return;
	if (result > 0) {
		slot->again |= class & slot->mask;
		if ((slot->again & slot->armed) != 0)
			slots_ready(r, fd);
		return;
	}
	/* What the hook removed itself, has been told already. */
	known = slot->mask | slot->paused;
	if ((known & class) != 0)
		(void)slots_drop(r, fd, class, true);
	else if (known == 0)
		(void)slots_drop(
		    r, fd, class & ~(BERTH_ACCEPT | BERTH_CONNECT), true);
}

static inline void
call(struct reactor *r, uint64_t data, struct slot *slot, unsigned class)
{
	struct berth_handler *handler = slot->handler;
	const struct berth_handler_type *type = handler->type;
	hook_fn *hook = class == CLASS_IN    ? type->input
			: class == CLASS_OUT ? type->output
					     : type->except;
	int result;

	mark_call(r, slot->owner);
	result = hook(handler, (int)(uint32_t)data);
	if (unlikely(result != 0))
		after(r, data, class, result);
}

/* Nobody has given up a slot since the batch was collected, and yet there is an
 * event for nobody: a descriptor was closed before it was removed. */
static __attribute__((noinline)) void
stray(struct reactor *r, const struct batch *batch)
{
	if (batch->given_up == r->given_up)
		r->reopen = true;
}

static void
input_only(struct reactor *r, struct batch *batch)
{
	for (unsigned i = 0; i < batch->count; i++) {
		uint64_t data = batch->events[i].data.u64;
		struct slot *slot = slot_of(r, data);

		if (unlikely(slot == NULL))
			stray(r, batch);
		else if (likely((slot->armed & CLASS_IN) != 0))
			call(r, data, slot, CLASS_IN);
	}
}

/* Which of the armed events these are.  Errors and hang-ups go to input, where
 * they are read; to output or exception when nothing else is watched. */
static unsigned
ready_mask(uint32_t events, unsigned armed)
{
	unsigned ready = 0;

	if (events & (EPOLLERR | EPOLLHUP))
		ready |= armed & CLASS_IN    ? CLASS_IN
			 : armed & CLASS_OUT ? CLASS_OUT
					     : CLASS_EXCEPT;
	if (events & EPOLLIN)
		ready |= CLASS_IN;
	if (events & EPOLLOUT)
		ready |= CLASS_OUT;
	if (events & EPOLLPRI)
		ready |= CLASS_EXCEPT;
	return ready & armed;
}

static void
pass_kernel(struct reactor *r, struct batch *batch, unsigned class)
{
	for (unsigned i = 0; i < batch->count; i++) {
		uint64_t data = batch->events[i].data.u64;
		struct slot *slot;

		if (data & EVENT_INTERNAL)
			continue;
		slot = slot_of(r, data);
		if (slot == NULL)
			stray(r, batch);
		else if (ready_mask(batch->events[i].events, slot->armed) &
			 class)
			call(r, data, slot, class);
	}
}

/* `events` are a mask of ours here.  What is held meanwhile, is kept. */
static void
pass_ready(struct reactor *r, struct batch *batch, unsigned class)
{
	for (unsigned i = 0; i < batch->extra; i++) {
		struct epoll_event *event = &batch->events[batch->capacity + i];
		uint64_t data = event->data.u64;
		struct slot *slot = slot_of(r, data);

		if (slot == NULL || (event->events & class) == 0)
			continue;
		if (slot->armed & class)
			call(r, data, slot, class);
		else
			slot->again |= event->events & class & slot->mask;
		slot = slot_of(r, data);
		if (slot == NULL || !slot->emulated)
			continue;
		slot->again = slot->mask & (CLASS_IN | CLASS_OUT);
		if ((slot->again & slot->armed) != 0)
			slots_ready(r, (int)(uint32_t)data);
	}
}

/*
 * Moves what is ready by our own account behind the kernel's events, less what
 * the kernel reported as well: nobody is called twice for one event.
 */
static void
take_ready(struct reactor *r, struct batch *batch)
{
	for (unsigned i = 0; i < batch->count; i++) {
		struct epoll_event *event = &batch->events[i];
		struct slot *slot;

		if (event->data.u64 & EVENT_INTERNAL)
			continue;
		slot = slot_of(r, event->data.u64);
		if (slot != NULL && slot->again != 0)
			slot->again &= ~ready_mask(event->events, slot->armed) &
				       0x1f;
	}
	batch->extra = 0;
	while (r->ready_first >= 0 && batch->extra < BATCH_EXTRA) {
		int fd = r->ready_first;
		struct slot *slot = &r->slots[fd];
		unsigned ready = slot->again & slot->armed;

		r->ready_first = slot->ready_next;
		if (r->ready_first < 0)
			r->ready_last = -1;
		slot->queued = 0;
		slot->again &= ~ready & 0x1f;
		if (ready != 0)
			batch->events[batch->capacity + batch->extra++] =
			    (struct epoll_event){.events = ready,
				.data.u64 = event_data(fd, slot->generation)};
	}
}

/* any: all the events' bits, with EPOLLET for one that is not a slot's. */
void
dispatch(struct reactor *r, struct batch *batch, uint32_t any)
{
	static const unsigned order[] = {CLASS_OUT, CLASS_EXCEPT, CLASS_IN};

	if (likely((any & ~(uint32_t)EPOLLIN) == 0 && r->ready_first < 0)) {
		input_only(r, batch);
		return;
	}
	take_ready(r, batch);
	for (unsigned i = 0; i < BASE_COUNT(order); i++) {
		pass_kernel(r, batch, order[i]);
		pass_ready(r, batch, order[i]);
	}
	batch->extra = 0;
}
