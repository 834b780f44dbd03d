/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The life of a reactor and of the owners that register with it.
 *
 * An owner has a number in a table.  The loop says whose hook runs by storing
 * that number; the watchdog finds the name by it, under the lock, though the
 * owner may go at any time.
 */
#include <errno.h>
#include <stdlib.h>

#include "reactor/reactor_priv.h"

enum { OWNERS_FIRST = 16 };

/* --- owners ------------------------------------------------------------------
 */

/* Under the lock: makes room for more owners and links it into the free. */
static int
grow_owners(struct reactor *r)
{
	uint32_t count = r->owner_count != 0 ? r->owner_count * 2
					     : OWNERS_FIRST;
	struct owner_entry *owners = realloc(
	    r->owners, (size_t)count * sizeof(*owners));

	if (owners == NULL)
		return -ENOMEM;
	r->owners = owners;
	for (uint32_t i = count; i-- > r->owner_count;) {
		owners[i] = (struct owner_entry){.next_free = r->owner_free};
		if (i != 0)
			r->owner_free = i;
	}
	r->owner_count = count;
	return 0;
}

int
reactor_owner_init(
    struct reactor_owner *owner, struct reactor *r, const char *name)
{
	struct owner_entry *entry;
	int result;

	if (!in_loop(r))
		return -EPERM;
	lock(r);
	result = r->owner_free != 0 ? 0 : grow_owners(r);
	if (result == 0) {
		*owner = (struct reactor_owner){
		    .name = name,
		    .reactor = r,
		    .index = r->owner_free,
		    .first_timer = TIMER_NONE,
		    .first_fd = -1,
		    .era = ++r->era,
		};
		LIST_INIT(&owner->notes);
		entry = &r->owners[owner->index];
		r->owner_free = entry->next_free;
		entry->owner = owner;
	}
	unlock(r);
	return result;
}

static void
set_revoking(struct reactor_owner *owner, bool revoking)
{
	lock(owner->reactor);
	owner->revoking = revoking;
	unlock(owner->reactor);
}

void
reactor_revoke(struct reactor_owner *owner, bool dont_call)
{
	bool before = owner->revoking;

	if (owner->reactor == NULL)
		return;
	BASE_ASSERT(in_loop(owner->reactor));
	set_revoking(owner, true);
	owner->era = ++owner->reactor->era;
	signals_revoke(owner);
	timers_revoke(owner);
	notes_revoke(owner, dont_call);
	slots_revoke(owner, dont_call);
	set_revoking(owner, before);
}

void
reactor_owner_fini(struct reactor_owner *owner)
{
	struct reactor *r = owner->reactor;

	if (r == NULL)
		return;
	reactor_revoke(owner, false);
	lock(r);
	r->owners[owner->index] = (struct owner_entry){
	    .next_free = r->owner_free};
	r->owner_free = owner->index;
	/* It may be a hook of its own that ends it. */
	if (atomic_load_explicit(&r->busy, memory_order_relaxed) ==
	    owner->index)
		atomic_store_explicit(&r->busy, 0, memory_order_relaxed);
	unlock(r);
	owner->reactor = NULL;
}

/* --- the reactor
 * -------------------------------------------------------------- */

static int
init(struct reactor *r, const struct reactor_options *options)
{
	int result = timers_init(r, options->reserve_timers);

	if (result == 0)
		result = notes_init(r, options->max_notifications);
	if (result == 0)
		result = r->backend->open(r);
	if (result == 0)
		result = reactor_owner_init(&r->self, r, "reactor");
	return result;
}

int
reactor_new(const struct reactor_options *options, struct reactor **ret_reactor)
{
	static const struct reactor_options none;
	struct reactor *r = calloc(1, sizeof(*r));
	int result;

	if (r == NULL)
		return -ENOMEM;
	if (options == NULL)
		options = &none;
	*r = (struct reactor){
	    .backend = &backend_epoll,
	    .epoll_fd = -1,
	    .ready_first = -1,
	    .ready_last = -1,
	    .deferred_last = &r->deferred,
	    .timers.fd = -1,
	    .timers.free = TIMER_NONE,
	    .notes.fd = -1,
	    .notes.queue = TAILQ_HEAD_INITIALIZER(r->notes.queue),
	    .notes.letters = TAILQ_HEAD_INITIALIZER(r->notes.letters),
	    .clock = options->clock,
	    .clock_context = options->clock_context,
	    .log = options->log,
	    .thread = pthread_self(),
	};
	result = -pthread_mutex_init(&r->lock, NULL);
	if (result < 0) {
		free(r);
		return result;
	}
	result = init(r, options);
	if (result < 0) {
		reactor_free(r);
		return result;
	}
	*ret_reactor = r;
	return 0;
}

void
reactor_adopt(struct reactor *r)
{
	atomic_store(&r->thread, pthread_self());
}

bool
reactor_is_here(struct reactor *r)
{
	return in_loop(r);
}

/* Its own comes last: there are the signals of the others. */
static void
abandon_owners(struct reactor *r)
{
	for (uint32_t i = 0; i < r->owner_count; i++)
		if (r->owners[i].owner != NULL &&
		    r->owners[i].owner != &r->self)
			reactor_owner_fini(r->owners[i].owner);
	reactor_owner_fini(&r->self);
}

struct reactor *
reactor_free(struct reactor *r)
{
	if (r == NULL)
		return NULL;
	BASE_ASSERT(r->depth == 0);
	reactor_adopt(r);
	r->closing = true;
	reactor_watchdog_stop(r);
	abandon_owners(r);
	while (r->deferred != NULL)
		deferred_call(r);
	notes_fini(r);
	timers_fini(r);
	if (r->epoll_fd >= 0)
		r->backend->close(r);
	batch_free_all(r);
	free(r->slots);
	free(r->owners);
	(void)pthread_mutex_destroy(&r->lock);
	free(r);
	return NULL;
}
