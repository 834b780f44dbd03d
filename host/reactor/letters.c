/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Letters: what loops say to each other.  They need no memory, so that sending
 * one cannot fail; they lie in a queue beside the notes and wake the loop in
 * the same way.
 *
 * A turn delivers as many as were there when it began.  They are taken one at a
 * time, so that a hook that runs a turn of its own finds what came after it.
 */
#include "reactor/reactor_priv.h"

void
reactor_send(struct reactor *r, struct reactor_letter *letter)
{
	bool first = false;

	lock(r);
	if (!letter->sent) {
		letter->sent = true;
		TAILQ_INSERT_TAIL(&r->notes.letters, letter, link);
		first = atomic_fetch_add(&r->notes.queued, 1) == 0;
	}
	unlock(r);
	if (first && !in_loop(r))
		reactor_wake(r);
}

/* Under the lock. */
static void
take(struct reactor *r, struct reactor_letter *letter)
{
	letter->sent = false;
	TAILQ_REMOVE(&r->notes.letters, letter, link);
	atomic_fetch_sub(&r->notes.queued, 1);
}

bool
reactor_recall(struct reactor *r, struct reactor_letter *letter)
{
	bool sent;

	lock(r);
	sent = letter->sent;
	if (sent)
		take(r, letter);
	unlock(r);
	return sent;
}

void
letters_deliver(struct reactor *r)
{
	unsigned count = atomic_load_explicit(
	    &r->notes.queued, memory_order_relaxed);
	struct reactor_letter *letter;

	do {
		lock(r);
		letter = TAILQ_FIRST(&r->notes.letters);
		if (letter != NULL)
			take(r, letter);
		unlock(r);
		if (letter == NULL)
			return;
		mark_call(r, r->self.index);
		letter->fn(letter);
	} while (--count > 0);
}
