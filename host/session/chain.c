/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * chain: the filters around one connection, from their opening to their end.
 *
 * They are opened from the client on, each when the one before is ready, and
 * then the service; what comes meanwhile waits.  The ends of either side travel
 * in the same way: a filter is told when all before it has been taken.
 *
 * Hooks only note what is to be done.  chain_step() does it, at the end of
 * whatever was done with the session, until nothing is left.
 */
#include <errno.h>
#include <stdalign.h>
#include <stdlib.h>

#include "session/session_chain.h"

static size_t
align(size_t size)
{
	return (size + alignof(max_align_t) - 1) / alignof(max_align_t) *
	       alignof(max_align_t);
}

/* --- life ------------------------------------------------------------------*/

static size_t
size_of(const struct chain_plan *plan)
{
	size_t size = align(
	    sizeof(struct chain) + plan->count * sizeof(struct chain_link));

	for (unsigned i = 0; i < plan->count; i++)
		size += align(plan->modules[i].type->state_size);
	return size;
}

static void
make_links(struct chain *chain)
{
	const struct chain_plan *plan = chain->plan;
	char *state = (char *)chain +
		      align(sizeof(*chain) +
			    plan->count * sizeof(chain->links[0]));

	for (unsigned i = 0; i < plan->count; i++) {
		struct chain_link *link = &chain->links[i];

		link->public.module = plan->modules[i].module;
		link->public.session = &chain->session->public;
		link->public.state = state;
		link->type = plan->modules[i].type;
		link->chain = chain;
		link->index = i;
		if ((link->type->flags & BERTH_FILTER_FRAMES) != 0)
			chain->frames = true;
		state += align(link->type->state_size);
	}
}

int
chain_new(struct session *session, struct chain_plan *plan,
    struct session_name *name, struct chain **ret_chain)
{
	struct chain *chain = calloc(1, size_of(plan));

	if (chain == NULL)
		return -ENOMEM;
	chain->session = session;
	chain->plan = plan;
	chain->name = name;
	chain->handler.type = &chain_timers;
	chain->count = plan->count;
	chain->end_down_at = plan->count;
	make_links(chain);
	*ret_chain = chain;
	return 0;
}

static void
drop_link(struct chain_link *link, int reason)
{
	struct chain *chain = link->chain;

	if (link->timer != 0)
		reactor_cancel(chain->session->lane->owner, link->timer, NULL);
	if (link->opened && link->type->close != NULL)
		link->type->close(&link->public, reason);
	buffer_drop(&link->up);
	buffer_drop(&link->down);
}

struct chain *
chain_free(struct chain *chain, int reason)
{
	if (chain == NULL)
		return NULL;
	if (chain->limit != 0)
		reactor_cancel(chain->session->lane->owner, chain->limit, NULL);
	for (unsigned i = chain->count; i > 0; i--)
		drop_link(&chain->links[i - 1], reason);
	buffer_drop(&chain->late);
	free(chain->name);
	free(chain->identity);
	free(chain->failure);
	chain_plan_unref(chain->plan);
	free(chain);
	return NULL;
}

/* --- opening ---------------------------------------------------------------*/

static void
wait_for(struct chain *chain, struct chain_link *link, int ms)
{
	int result = reactor_schedule(chain->session->lane->owner,
	    &chain->handler, NULL, MONO_MS((uint64_t)ms), 0, &chain->limit);

	if (result < 0)
		session_doom(chain->session, result);
	chain->waits = chain->limit != 0;
	(void)link;
}

static void
open_link(struct chain *chain, struct chain_link *link)
{
	int result = 0;

	chain->open_count++;
	if (link->type->open != NULL)
		result = link->type->open(&link->public);
	link->opened = result >= 0;
	link->up_again = true;
	if (result < 0)
		session_doom(chain->session, result);
	else if (result > 0)
		wait_for(chain, link, result);
}

static bool
open_next(struct chain *chain)
{
	struct session *session = chain->session;

	if (chain->ready || chain->waits)
		return false;
	if (chain->open_count < chain->count) {
		open_link(chain, &chain->links[chain->open_count]);
		return true;
	}
	chain->ready = true;
	session_open_service(session);
	if (session->input != NULL)
		session->flags |= SESSION_KICKED;
	return true;
}

/* --- the end of the client's side ------------------------------------------*/

/* What is in front of it has to be taken first, as far as it can be. */
static bool
may_tell_end(const struct chain_link *link)
{
	if (!chain_takes_up(link))
		return false;
	return link->up == NULL || !(link->up_again || link->wants_room) ||
	       (link->wants_room && chain_has_room(link));
}

static void
tell_end(struct chain *chain, struct chain_link *link)
{
	struct buffer *rest = link->up;
	size_t size = buffer_size(rest);
	int result = 0;

	link->up = NULL;
	chain->up_bytes -= size;
	link->up_runs = true;
	if (link->type->up_end != NULL)
		result = link->type->up_end(&link->public,
		    berth_bytes(rest != NULL ? buffer_data(rest) : "", size));
	link->up_runs = false;
	buffer_drop(&rest);
	if (chain->end_up_at <= link->index)
		chain->end_up_at = link->index + 1;
	if (result < 0)
		session_doom(chain->session, result);
	else if (chain->waits && link->index + 1 == chain->open_count)
		/* It will never be ready. */
		session_doom(chain->session, -ECONNRESET);
}

static bool
service_may_end(const struct chain *chain)
{
	const struct session *session = chain->session;

	if (!chain->ready || chain->late != NULL ||
	    (session->flags & SESSION_STOPPED) != 0)
		return false;
	return session->input == NULL ||
	       (session->flags & (SESSION_STALLED | SESSION_KICKED)) == 0;
}

static bool
end_up(struct chain *chain)
{
	if (!chain->ending_up || chain->ended_up ||
	    chain->session->phase != PHASE_OPEN)
		return false;
	if (chain->end_up_at < chain->count) {
		struct chain_link *link = &chain->links[chain->end_up_at];

		if (!may_tell_end(link))
			return false;
		tell_end(chain, link);
		return true;
	}
	if (!service_may_end(chain))
		return false;
	chain->ended_up = true;
	session_end_of_input(chain->session);
	return true;
}

/* --- steps -----------------------------------------------------------------*/

void
chain_step(struct session *session)
{
	struct chain *chain = session->chain;
	bool more = true, heard = false;

	while (more && session->phase == PHASE_OPEN) {
		more = open_next(chain);
		more = chain_offer_down(chain) || more;
		if (chain->ready && !heard) {
			heard = true;
			session_drained(session);
		}
		more = chain_offer_up(chain) || more;
		more = end_up(chain) || more;
	}
	while (session->phase == PHASE_FLUSHING && chain_offer_down(chain))
		;
}

bool
chain_is_flushed(struct session *session)
{
	struct chain *chain = session->chain;

	if (!chain->ready)
		return true;
	while (chain->end_down_at > 0) {
		struct chain_link *link = &chain->links[chain->end_down_at - 1];
		int result = 0;

		if (link->down != NULL)
			return false;
		if (link->type->down_end != NULL)
			result = link->type->down_end(&link->public);
		chain->end_down_at--;
		if (result < 0)
			session_doom(session, result);
		if (session->phase == PHASE_DOOMED)
			return true;
	}
	return true;
}

/* --- the session asks ------------------------------------------------------*/

bool
chain_is_reading(const struct session *session)
{
	const struct chain *chain = session->chain;
	const uint16_t bits = SESSION_STOPPED | SESSION_STALLED;

	if (chain->saw_end)
		return false;
	if (session->phase == PHASE_LINGERING)
		return true;
	return session->phase == PHASE_OPEN && (session->flags & bits) == 0 &&
	       chain->held_up == 0 &&
	       (chain->ready ||
		   chain->up_bytes <
		       session_settings(session)->input_limit_bytes);
}

bool
chain_saw_end(const struct session *session)
{
	return session->chain->saw_end;
}

size_t
chain_pending(const struct session *session)
{
	return session->chain->down_bytes;
}

bool
chain_makes_frames(const struct session *session)
{
	return session->chain->frames;
}

const char *
chain_failure(const struct session *session)
{
	return session->chain->failure;
}

struct session_name **
chain_name(struct session *session)
{
	return &session->chain->name;
}

void
chain_service_runs(struct session *session, bool runs)
{
	session->chain->in_service = runs;
}

/* --- events ----------------------------------------------------------------*/

static void
received_none(struct session *session, ssize_t got)
{
	struct chain *chain = session->chain;

	if (got == 0) {
		chain->saw_end = true;
		chain->ending_up = true;
	} else if (errno != EAGAIN && errno != EINTR) {
		session_doom(session, -errno);
	}
}

/* True: the room was filled. */
static bool
read_once(struct session *session)
{
	struct listeners_shared *shared = session->lane->shared;
	size_t size = session->lane->read_bytes;
	ssize_t got;

	if (shared->lent)
		return false;
	got = recv(session->fd, shared->buffer, size, 0);
	if (got <= 0) {
		received_none(session, got);
		return false;
	}
	session->bytes_in += (size_t)got;
	lane_count(&session->lane->bytes_in, (size_t)got);
	shared->lent = true;
	chain_up_into(
	    session->chain, 0, berth_bytes(shared->buffer, (size_t)got));
	shared->lent = false;
	return (size_t)got == size;
}

int
chain_input(struct berth_handler *handler, int fd)
{
	struct session *session = BASE_CONTAINER(
	    handler, struct session, handler);
	bool more = false;

	(void)fd;
	if (session->depth > 0)
		return 0;
	session->active_ns = reactor_now(session->lane->reactor).ns;
	session_enter(session);
	if (session->phase != PHASE_OPEN)
		more = session_discard(session) > 0;
	else if (chain_is_reading(session))
		more = read_once(session);
	return session_leave(session) && more && session_is_reading(session);
}

static int
on_timeout(struct berth_handler *handler, uint64_t now_ns, void *token)
{
	struct chain *chain = BASE_CONTAINER(handler, struct chain, handler);
	struct session *session = chain->session;
	struct chain_link *link = token;
	int result = 0;

	(void)now_ns;
	if (link == NULL)
		chain->limit = 0;
	else
		link->timer = 0;
	if (session->phase >= PHASE_LINGERING)
		return 0;
	session_enter(session);
	if (link == NULL)
		result = -ETIMEDOUT;
	else if (link->type->timeout != NULL)
		result = link->type->timeout(&link->public);
	if (result < 0)
		session_doom(session, result);
	session_leave(session);
	return 0;
}

const struct berth_handler_type chain_timers = {
    .timeout = on_timeout,
};
