/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Notifications, posts, and descriptors that other threads add: one queue,
 * under the lock, and an eventfd that wakes the loop when the queue was empty.
 * The eventfd is edge-triggered, so nobody has to read it; writing it never
 * blocks, and neither does anything here.
 *
 * A turn delivers what was there when it began, or max_notifications of it;
 * the loop does not block while something is left.  While a notification is
 * delivered, its node stays in its owner's list, so that a handler that is
 * purged or revoked in its own hook is not touched afterwards.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "reactor/reactor_priv.h"

enum { FREE_KEPT = 1024 };

/* --- nodes, under the lock --------------------------------------------------
 */

static struct reactor_note *
note_take(struct notes *n)
{
	struct reactor_note *note = LIST_FIRST(&n->free);

	if (note == NULL)
		return malloc(sizeof(*note));
	LIST_REMOVE(note, held);
	n->free_count--;
	return note;
}

static void
disown(struct reactor_note *note)
{
	LIST_REMOVE(note, held);
	note->owner->posts--;
	note->owner = NULL;
}

static void
note_drop(struct notes *n, struct reactor_note *note)
{
	if (note->queued) {
		TAILQ_REMOVE(&n->queue, note, queue);
		atomic_fetch_sub(&n->queued, 1);
	}
	if (note->owner != NULL)
		disown(note);
	if (note->kind == NOTE_ADD)
		atomic_fetch_sub(&n->additions, 1);
	if (n->free_count >= FREE_KEPT) {
		free(note);
		return;
	}
	LIST_INSERT_HEAD(&n->free, note, held);
	n->free_count++;
}

/* --- putting in --------------------------------------------------------------
 */

void
reactor_wake(struct reactor *r)
{
	const uint64_t one = 1;

	/* It fails only when the counter is full: then it is readable. */
	if (write(r->notes.fd, &one, sizeof(one)) < 0)
		return;
}

/* Copies a filled node into the queue. */
static int
enqueue(struct reactor_owner *owner, const struct reactor_note *filled)
{
	struct reactor *r = owner->reactor;
	struct notes *n = &r->notes;
	struct reactor_note *note;
	bool first;
	int result;

	lock(r);
	note = owner->revoking ? NULL : note_take(n);
	if (note == NULL) {
		result = owner->revoking ? -ECANCELED : -ENOMEM;
		unlock(r);
		return result;
	}
	*note = *filled;
	note->owner = owner;
	note->queued = true;
	LIST_INSERT_HEAD(&owner->notes, note, held);
	TAILQ_INSERT_TAIL(&n->queue, note, queue);
	owner->posts++;
	if (note->kind == NOTE_ADD)
		atomic_fetch_add(&n->additions, 1);
	first = atomic_fetch_add(&n->queued, 1) == 0;
	unlock(r);
	if (first && !in_loop(r))
		reactor_wake(r);
	return 0;
}

int
reactor_post(struct reactor_owner *owner, berth_post_fn *fn, void *arg)
{
	if (fn == NULL)
		return -EINVAL;
	return enqueue(owner,
	    &(struct reactor_note){.kind = NOTE_POST, .fn = fn, .arg = arg});
}

int
reactor_notify(
    struct reactor_owner *owner, struct berth_handler *handler, unsigned mask)
{
	const struct berth_handler_type *type;

	if (handler == NULL) {
		reactor_wake(owner->reactor);
		return 0;
	}
	type = handler->type;
	if (type == NULL || mask == 0 || (mask & ~BERTH_IO_EVENTS) != 0 ||
	    ((mask & CLASS_IN) != 0 && type->input == NULL) ||
	    ((mask & CLASS_OUT) != 0 && type->output == NULL) ||
	    ((mask & CLASS_EXCEPT) != 0 && type->except == NULL))
		return -EINVAL;
	return enqueue(owner, &(struct reactor_note){.kind = NOTE_NOTIFY,
				  .handler = handler,
				  .fd = -1,
				  .mask = mask});
}

int
notes_add(struct reactor_owner *owner, struct berth_handler *handler, int fd,
    unsigned mask)
{
	return enqueue(owner,
	    &(struct reactor_note){
		.kind = NOTE_ADD, .handler = handler, .fd = fd, .mask = mask});
}

/* --- taking out
 * ---------------------------------------------------------------
 */

int
reactor_purge(
    struct reactor_owner *owner, struct berth_handler *handler, unsigned mask)
{
	struct reactor *r = owner->reactor;
	struct reactor_note *note, *next;
	int count = 0;

	if (mask == 0)
		mask = BERTH_IO_EVENTS;
	lock(r);
	for (note = LIST_FIRST(&owner->notes); note != NULL; note = next) {
		next = LIST_NEXT(note, held);
		if (note->kind != NOTE_NOTIFY || note->handler != handler)
			continue;
		note->mask &= ~mask;
		if (note->mask != 0 || !note->queued)
			continue;
		note_drop(&r->notes, note);
		count++;
	}
	unlock(r);
	return count;
}

static void
carry_out_addition(struct reactor_owner *owner, const struct reactor_note *note)
{
	int result = reactor_add(owner, note->handler, note->fd, note->mask);

	if (result < 0) {
		mark_call(owner->reactor, owner->index);
		call_close(note->handler, note->fd, note->mask);
	}
}

void
notes_settle_additions(struct reactor *r)
{
	struct reactor_note *note, copy;

	do {
		lock(r);
		TAILQ_FOREACH (note, &r->notes.queue, queue)
			if (note->kind == NOTE_ADD)
				break;
		if (note != NULL) {
			copy = *note;
			note_drop(&r->notes, note);
		}
		unlock(r);
		if (note != NULL)
			carry_out_addition(copy.owner, &copy);
	} while (note != NULL);
}

/* Takes one bit of the notification; 0 when none is left, or it was purged, or
 * its owner revoked. */
static unsigned
next_bit(struct reactor *r, struct reactor_note *note, unsigned *done)
{
	static const unsigned order[] = {
	    BERTH_WRITE, BERTH_CONNECT, BERTH_EXCEPT, BERTH_READ, BERTH_ACCEPT};
	unsigned bit = 0;

	lock(r);
	for (unsigned i = 0; i < BASE_COUNT(order) && bit == 0; i++)
		bit = note->mask & order[i] & ~*done;
	unlock(r);
	*done |= bit;
	return bit;
}

static int
call_hook(struct berth_handler *handler, unsigned bit)
{
	if (bit & CLASS_OUT)
		return handler->type->output(handler, -1);
	if (bit & CLASS_EXCEPT)
		return handler->type->except(handler, -1);
	return handler->type->input(handler, -1);
}

/* What asked to be called again goes back into the queue. */
static void
deliver_notify(struct reactor *r, struct reactor_note *note)
{
	struct berth_handler *handler = note->handler;
	uint32_t owner = note->owner->index;
	unsigned done = 0, again = 0, bit;

	while ((bit = next_bit(r, note, &done)) != 0) {
		int result;

		mark_call(r, owner);
		result = call_hook(handler, bit);
		if (result > 0)
			again |= bit;
		if (result >= 0)
			continue;
		lock(r);
		bit &= note->mask;
		unlock(r);
		if (bit != 0)
			call_close(handler, -1, bit);
	}
	lock(r);
	note->mask &= again;
	if (note->mask != 0) {
		note->queued = true;
		TAILQ_INSERT_TAIL(&r->notes.queue, note, queue);
		atomic_fetch_add(&r->notes.queued, 1);
	} else {
		note_drop(&r->notes, note);
	}
	unlock(r);
}

static bool
deliver_one(struct reactor *r)
{
	struct reactor_note *note, copy;

	lock(r);
	note = TAILQ_FIRST(&r->notes.queue);
	if (note == NULL) {
		unlock(r);
		return false;
	}
	copy = *note;
	if (note->kind == NOTE_NOTIFY) {
		TAILQ_REMOVE(&r->notes.queue, note, queue);
		note->queued = false;
		atomic_fetch_sub(&r->notes.queued, 1);
	} else {
		note_drop(&r->notes, note);
	}
	unlock(r);
	if (copy.kind == NOTE_NOTIFY) {
		deliver_notify(r, note);
	} else if (copy.kind == NOTE_ADD) {
		carry_out_addition(copy.owner, &copy);
	} else {
		mark_call(r, copy.owner->index);
		copy.fn(copy.arg);
	}
	return true;
}

void
notes_deliver(struct reactor *r)
{
	unsigned count = atomic_load_explicit(
	    &r->notes.queued, memory_order_relaxed);

	letters_deliver(r);
	if (r->notes.limit != 0 && count > r->notes.limit)
		count = r->notes.limit;
	while (count-- > 0 && deliver_one(r))
		;
}

/* Takes the first note of the owner.  One that is being delivered, further up
 * the stack, loses its owner and what is left of its mask. */
static bool
take_held(struct reactor_owner *owner, struct reactor_note *ret_note)
{
	struct notes *n = &owner->reactor->notes;
	struct reactor_note *note;

	lock(owner->reactor);
	note = LIST_FIRST(&owner->notes);
	if (note != NULL) {
		*ret_note = *note;
		if (note->queued) {
			note_drop(n, note);
		} else {
			disown(note);
			note->mask = 0;
		}
	}
	unlock(owner->reactor);
	return note != NULL;
}

/* A descriptor that was on its way in gets its close hook. */
void
notes_revoke(struct reactor_owner *owner, bool dont_call)
{
	struct reactor_note note;

	while (take_held(owner, &note))
		if (note.kind == NOTE_ADD && !dont_call)
			call_close(note.handler, note.fd, note.mask);
}

/* --- life
 * -----------------------------------------------------------------------
 */

int
notes_init(struct reactor *r, unsigned limit)
{
	struct notes *n = &r->notes;

	TAILQ_INIT(&n->queue);
	TAILQ_INIT(&n->letters);
	LIST_INIT(&n->free);
	n->limit = limit;
	n->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	return n->fd < 0 ? -errno : 0;
}

void
notes_fini(struct reactor *r)
{
	struct notes *n = &r->notes;
	struct reactor_note *note;

	while ((note = TAILQ_FIRST(&n->queue)) != NULL) {
		TAILQ_REMOVE(&n->queue, note, queue);
		free(note);
	}
	while ((note = LIST_FIRST(&n->free)) != NULL) {
		LIST_REMOVE(note, held);
		free(note);
	}
	fd_close(&n->fd);
}
