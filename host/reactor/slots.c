/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Descriptors: who watches what.
 *
 * A table indexed by descriptor number, which grows by quarters beyond the
 * highest number seen and is never shrunk.  Invariants:
 *
 * - A slot with a handler is known to the back end, with exactly the events
 *   of `armed`, or is `emulated`.
 * - With nothing armed it stays known, edge-triggered and without events: so
 *   hang-ups, which epoll reports to everybody, do not spin, and arming again
 *   needs no memory and cannot fail for want of it.
 * - A slot is given up, its generation changed and the back end told, before
 *   the close hook is called, in which the descriptor may be closed.
 *
 * What epoll refuses with EPERM (regular files, directories, /dev/null) is
 * always readable and writable, as select(2) has it: such a slot goes back to
 * the end of the ready list after each call.
 *
 * Descriptors that are closed before they are removed are their owners' bugs
 * and must not hurt others.  The slot is found out when the number is added
 * again.  While a duplicate lives on, such a descriptor cannot be taken out of
 * an epoll set any more: dispatch.c sees its events come back for nobody, and
 * slots_reopen() starts a new set.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include <berth/host.h>

#include "reactor/reactor_priv.h"

enum { SLOTS_FIRST = 64 };

static uint32_t
events_of(unsigned mask)
{
	uint32_t events = 0;

	if (mask & CLASS_IN)
		events |= EPOLLIN;
	if (mask & CLASS_OUT)
		events |= EPOLLOUT;
	if (mask & CLASS_EXCEPT)
		events |= EPOLLPRI;
	return events != 0 ? events : EPOLLET;
}

static bool
has_hooks(const struct berth_handler_type *type, unsigned mask)
{
	if ((mask & CLASS_IN) != 0 && type->input == NULL)
		return false;
	if ((mask & CLASS_OUT) != 0 && type->output == NULL)
		return false;
	return (mask & CLASS_EXCEPT) == 0 || type->except != NULL;
}

static int
grow(struct reactor *r, int fd)
{
	unsigned count = r->slot_count != 0 ? r->slot_count : SLOTS_FIRST;
	struct slot *slots;

	if ((unsigned)fd < r->slot_count)
		return 0;
	/* A number out of the blue shall not cost its weight in memory. */
	if (fcntl(fd, F_GETFD) < 0)
		return -errno;
	while (count <= (unsigned)fd)
		count += count / 4;
	slots = realloc(r->slots, (size_t)count * sizeof(*slots));
	if (slots == NULL)
		return -ENOMEM;
	memset(slots + r->slot_count, 0,
	    (size_t)(count - r->slot_count) * sizeof(*slots));
	r->slots = slots;
	r->slot_count = count;
	return 0;
}

/* What others added before is there before we look something up. */
static inline void
settle(struct reactor *r)
{
	if (unlikely(atomic_load_explicit(
		&r->notes.additions, memory_order_acquire)) != 0)
		notes_settle_additions(r);
}

/* The owner's slot of this descriptor, or NULL. */
static struct slot *
find(struct reactor_owner *owner, int fd)
{
	struct reactor *r = owner->reactor;
	struct slot *slot;

	if (fd < 0 || (unsigned)fd >= r->slot_count)
		return NULL;
	slot = &r->slots[fd];
	if (slot->handler == NULL || slot->owner != owner->index)
		return NULL;
	return slot->internal ? NULL : slot;
}

void
slots_ready(struct reactor *r, int fd)
{
	struct slot *slot = &r->slots[fd];

	if (slot->queued)
		return;
	slot->queued = 1;
	slot->ready_next = -1;
	if (r->ready_last >= 0)
		r->slots[r->ready_last].ready_next = fd;
	else
		r->ready_first = fd;
	r->ready_last = fd;
}

/* Makes the back end watch what the slot says.  A hook that asked to be called
 * again while the slot was held, is called after the hold. */
static int
rearm(struct reactor *r, int fd)
{
	struct slot *slot = &r->slots[fd];
	unsigned armed = slot->held ? 0 : slot->mask;
	uint32_t events = events_of(armed);
	int result = 0;

	if (slot->emulated)
		slot->again = slot->mask & (CLASS_IN | CLASS_OUT);
	else if (events != events_of(slot->armed))
		result = r->backend->change(
		    r, fd, events, event_data(fd, slot->generation));
	slot->armed = armed & 0x1f;
	if ((slot->again & slot->armed) != 0)
		slots_ready(r, fd);
	return result;
}

/* Links a new slot in; the back end takes it or refuses it by nature. */
static int
occupy(struct reactor_owner *owner, struct berth_handler *handler, int fd,
    unsigned mask)
{
	struct reactor *r = owner->reactor;
	struct slot *slot = &r->slots[fd];
	int result = r->backend->add(
	    r, fd, events_of(mask), event_data(fd, slot->generation));

	if (result < 0 && result != -EPERM)
		return result;
	slot->handler = handler;
	slot->owner = owner->index;
	slot->mask = mask & 0x1f;
	slot->armed = mask & 0x1f;
	slot->emulated = result == -EPERM;
	slot->previous = -1;
	slot->next = owner->first_fd;
	if (slot->next >= 0)
		r->slots[slot->next].previous = fd;
	owner->first_fd = fd;
	owner->descriptors++;
	r->registered++;
	return slot->emulated ? rearm(r, fd) : 0;
}

/* The back end has been told, or will find out by itself. */
static void
unlink_slot(struct reactor *r, int fd)
{
	struct slot *slot = &r->slots[fd];
	struct reactor_owner *owner = r->owners[slot->owner].owner;

	if (slot->next >= 0)
		r->slots[slot->next].previous = slot->previous;
	if (slot->previous >= 0)
		r->slots[slot->previous].next = slot->next;
	else
		owner->first_fd = slot->next;
	/* It may still be in the ready list, which links the number. */
	*slot = (struct slot){
	    .generation = (slot->generation + 1) & 0x7fffffff,
	    .ready_next = slot->ready_next,
	    .queued = slot->queued,
	};
	owner->descriptors--;
	r->registered--;
	r->given_up++;
}

static void
give_up(struct reactor *r, int fd)
{
	if (!r->slots[fd].emulated)
		(void)r->backend->remove(r, fd);
	unlink_slot(r, fd);
}

void
slots_close(struct reactor *r, int fd)
{
	unlink_slot(r, fd);
	fd_close(&fd);
}

/*
 * Is this still the descriptor that was added, or one that has got its number
 * since?  The back end knows files, not numbers.  Somebody who closes before
 * removing shall not keep others from what they open.
 */
static bool
is_stale(struct reactor *r, int fd)
{
	const struct slot *slot = &r->slots[fd];
	uint32_t events = events_of(slot->armed);
	uint64_t data = event_data(fd, slot->generation);
	int result;

	if (!slot->emulated)
		return r->backend->change(r, fd, events, data) == -ENOENT;
	result = r->backend->add(r, fd, events, data);
	if (result == 0)
		(void)r->backend->remove(r, fd);
	return result == 0;
}

/* No close hook: it might close what is another's by now. */
static void
evict(struct reactor *r, int fd)
{
	log_printf(r->log, BERTH_WARNING,
	    r->owners[r->slots[fd].owner].owner->name,
	    "descriptor %d was closed before it was removed", fd);
	give_up(r, fd);
}

int
slots_add(struct reactor_owner *owner, struct berth_handler *handler, int fd,
    unsigned mask, bool internal)
{
	struct reactor *r = owner->reactor;
	struct slot *slot;
	int result = grow(r, fd);

	if (result < 0)
		return result;
	slot = &r->slots[fd];
	if (slot->handler != NULL && is_stale(r, fd))
		evict(r, fd);
	if (slot->handler == NULL) {
		result = occupy(owner, handler, fd, mask);
		r->slots[fd].internal = result == 0 && internal;
		return result;
	}
	if (slot->handler != handler || slot->owner != owner->index)
		return -EBUSY;
	return reactor_mask(owner, fd, 0, mask);
}

int
reactor_add(struct reactor_owner *owner, struct berth_handler *handler, int fd,
    unsigned mask)
{
	struct reactor *r = owner->reactor;

	if (handler == NULL || handler->type == NULL ||
	    (mask & ~BERTH_IO_EVENTS) != 0 || !has_hooks(handler->type, mask))
		return -EINVAL;
	if (fd < 0)
		return -EBADF;
	if (!in_loop(r))
		return notes_add(owner, handler, fd, mask);
	if (r->closing || owner->revoking)
		return -ECANCELED;
	return slots_add(owner, handler, fd, mask, false);
}

/* Stops these events, which are bits of what is registered; the last one gives
 * the slot up.  Then, and only then, the handler is told. */
int
slots_drop(struct reactor *r, int fd, unsigned bits, bool call)
{
	struct slot *slot = &r->slots[fd];
	struct berth_handler *handler = slot->handler;
	unsigned known = slot->mask | slot->paused;

	if ((known & bits) == 0 && known != 0)
		return -ENOENT;
	if ((known & bits) != 0)
		bits &= known;
	slot->mask &= ~bits & 0x1f;
	slot->paused &= ~bits & 0x1f;
	slot->again &= ~bits & 0x1f;
	if ((slot->mask | slot->paused) == 0)
		give_up(r, fd);
	else
		(void)rearm(r, fd);
	if (call)
		call_close(handler, fd, bits);
	return 0;
}

int
reactor_remove(struct reactor_owner *owner, int fd, unsigned mask)
{
	struct reactor *r = owner->reactor;

	if (!in_loop(r))
		return -EPERM;
	if ((mask & BERTH_IO_EVENTS) == 0)
		return -EINVAL;
	if (fd < 0)
		return -EBADF;
	settle(r);
	if (find(owner, fd) == NULL)
		return -ENOENT;
	return slots_drop(
	    r, fd, mask & BERTH_IO_EVENTS, (mask & BERTH_DONT_CALL) == 0);
}

int
reactor_mask(struct reactor_owner *owner, int fd, unsigned off, unsigned on)
{
	struct reactor *r = owner->reactor;
	struct slot *slot;
	unsigned was, now;

	if (unlikely(!in_loop(r)))
		return -EPERM;
	if (fd < 0)
		return -EBADF;
	settle(r);
	slot = find(owner, fd);
	if (slot == NULL)
		return -ENOENT;
	if ((on & ~BERTH_IO_EVENTS) != 0 || !has_hooks(slot->handler->type, on))
		return -EINVAL;
	was = slot->mask;
	now = (was & ~off) | on;
	slot->mask = now & 0x1f;
	slot->paused = (slot->paused | was) & ~now & 0x1f;
	slot->again &= now & 0x1f;
	return rearm(r, fd);
}

int
reactor_hold(
    struct reactor_owner *owner, struct berth_handler *handler, bool hold)
{
	struct reactor *r = owner->reactor;
	int result = -ENOENT;

	if (!in_loop(r))
		return -EPERM;
	settle(r);
	for (int fd = owner->first_fd; fd >= 0; fd = r->slots[fd].next) {
		struct slot *slot = &r->slots[fd];

		if (slot->handler != handler || slot->internal)
			continue;
		slot->held = hold;
		(void)rearm(r, fd);
		result = 0;
	}
	return result;
}

/* The reactor's own clean up in their close hooks, called in any case. */
void
slots_revoke(struct reactor_owner *owner, bool dont_call)
{
	struct reactor *r = owner->reactor;

	while (owner->first_fd >= 0) {
		int fd = owner->first_fd;
		struct slot *slot = &r->slots[fd];
		struct berth_handler *handler = slot->handler;
		unsigned mask = slot->mask | slot->paused;
		bool call = slot->internal || !dont_call;

		give_up(r, fd);
		if (call)
			call_close(handler, fd, mask);
	}
}

int
slots_reopen(struct reactor *r)
{
	int old = r->epoll_fd;
	int result = r->backend->open(r);

	log_printf(r->log, BERTH_WARNING, NULL,
	    "a descriptor with duplicates was closed before it was removed");
	for (unsigned i = 0; result == 0 && i < r->slot_count; i++) {
		struct slot *slot = &r->slots[i];

		if (slot->handler == NULL || slot->emulated)
			continue;
		result = r->backend->add(r, (int)i, events_of(slot->armed),
		    event_data((int)i, slot->generation));
		if (result == -EBADF) /* it too was closed too soon */
			result = 0;
	}
	if (result < 0) {
		r->backend->close(r);
		r->epoll_fd = old;
		return result;
	}
	fd_close(&old);
	return 0;
}
