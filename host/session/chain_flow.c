/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * chain_flow: bytes through the filters around a connection.
 *
 * Both ways are alike.  A filter is called at once if it may be; else, and with
 * what it leaves, the bytes are kept in front of it.  A hook is never called
 * within itself: what is meant for it meanwhile is kept, behind what it leaves.
 *
 * What fails ends the session, and nothing is passed on any more.
 */
#include <errno.h>

#include "session/session_chain.h"

/* Behind what is kept there. */
static void
keep(struct chain *chain, struct buffer **kept, size_t *count,
    struct berth_bytes bytes)
{
	if (bytes.size == 0)
		return;
	if (buffer_append(kept, bytes.data, bytes.size) != 0) {
		session_doom(chain->session, -ENOMEM);
		return;
	}
	*count += bytes.size;
}

/* What a hook says that it took. */
static size_t
judge(struct chain *chain, size_t size, int taken)
{
	if (taken >= 0 && (size_t)taken <= size)
		return (size_t)taken;
	session_doom(chain->session, taken < 0 ? taken : -ERANGE);
	return size;
}

/* What was kept while the hook ran comes behind what it left. */
static void
put_back(struct chain *chain, struct buffer **kept, struct buffer *left)
{
	if (left != NULL && *kept != NULL &&
	    buffer_append(&left, buffer_data(*kept), buffer_size(*kept)) != 0)
		session_doom(chain->session, -ENOMEM);
	if (left == NULL)
		return;
	buffer_drop(kept);
	*kept = left;
}

/* --- up --------------------------------------------------------------------*/

bool
chain_takes_up(const struct chain_link *link)
{
	const struct chain *chain = link->chain;

	return link->index < chain->open_count && !link->up_runs &&
	       !chain_is_held(chain->held_up, link->index);
}

bool
chain_has_room(const struct chain_link *link)
{
	const struct chain *chain = link->chain;
	const uint16_t bits = SESSION_STOPPED | SESSION_STALLED;

	return chain->ready && !chain->in_service &&
	       chain->held_up >> link->index >> 1 == 0 &&
	       chain->session->phase == PHASE_OPEN &&
	       (chain->session->flags & bits) == 0;
}

static size_t
call_up(struct chain_link *link, struct berth_bytes in)
{
	int taken;

	link->up_runs = true;
	taken = link->type->up(&link->public, in);
	link->up_runs = false;
	return judge(link->chain, in.size, taken);
}

/* It shall not keep more than a service may. */
static void
check_limit(struct chain_link *link, size_t taken)
{
	struct chain *chain = link->chain;
	const struct settings *settings = session_settings(chain->session);

	if (taken == 0 && !link->wants_room &&
	    !chain_is_held(chain->held_up, link->index) &&
	    buffer_size(link->up) >= settings->input_limit_bytes)
		session_doom(chain->session, BERTH_CLOSED_OVERFLOW);
}

static void
offer_kept_up(struct chain_link *link)
{
	struct chain *chain = link->chain;
	struct buffer *mine = link->up;
	size_t taken;

	link->up = NULL;
	link->up_again = false;
	link->wants_room = false;
	taken = call_up(
	    link, berth_bytes(buffer_data(mine), buffer_size(mine)));
	chain->up_bytes -= taken;
	buffer_consume(&mine, taken);
	put_back(chain, &link->up, mine);
	check_limit(link, taken);
}

static void
offer_new_up(struct chain_link *link, struct berth_bytes in)
{
	struct chain *chain = link->chain;
	struct buffer *mine = NULL;
	size_t taken;

	link->wants_room = false;
	taken = call_up(link, in);
	if (taken == in.size)
		return;
	keep(chain, &mine, &chain->up_bytes, berth_bytes_from(in, taken));
	put_back(chain, &link->up, mine);
	check_limit(link, taken);
}

/* What was passed up while the service's hook ran. */
static void
keep_late(struct chain *chain, struct berth_bytes in)
{
	keep(chain, &chain->late, &chain->up_bytes, in);
}

static void
into_open_service(struct session *session, struct berth_bytes in)
{
	bool kept = session->input != NULL;
	const char *data = in.data;
	size_t taken = kept ? 0 : session_offer(session, data, in.size);

	if (session->phase != PHASE_OPEN)
		return;
	if (buffer_append(&session->input, data + taken, in.size - taken) != 0)
		session_doom(session, -ENOMEM);
	else if (kept)
		session_offer_kept(session);
	else
		session_left_over(session, taken);
}

/* As session_input() does it, but that nothing was read here. */
static void
into_service(struct chain *chain, struct berth_bytes in)
{
	struct session *session = chain->session;
	const uint16_t bits = SESSION_STOPPED | SESSION_STALLED;

	if (session->phase != PHASE_OPEN)
		return;
	if (chain->in_service) {
		keep_late(chain, in);
	} else if (chain->ready && (session->flags & bits) == 0) {
		into_open_service(session, in);
	} else if (in.size > 0) {
		session->flags |= SESSION_KICKED;
		if (buffer_append(&session->input, in.data, in.size) != 0)
			session_doom(session, -ENOMEM);
	}
}

/* One without a hook passes on what it was held up with. */
static void
pass_kept_up(struct chain_link *link)
{
	struct chain *chain = link->chain;
	struct buffer *mine = link->up;
	size_t size = buffer_size(mine);

	link->up = NULL;
	link->up_again = false;
	chain->up_bytes -= size;
	chain_up_into(
	    chain, link->index + 1, berth_bytes(buffer_data(mine), size));
	buffer_drop(&mine);
}

static void
offer_kept(struct chain_link *link)
{
	if (link->type->up == NULL)
		pass_kept_up(link);
	else
		offer_kept_up(link);
}

void
chain_up_into(struct chain *chain, unsigned index, struct berth_bytes in)
{
	struct chain_link *link;

	if (chain->session->phase != PHASE_OPEN || index < chain->end_up_at)
		return;
	for (; index < chain->count; index++) {
		link = &chain->links[index];
		if (link->up != NULL || !chain_takes_up(link)) {
			keep(chain, &link->up, &chain->up_bytes, in);
			link->up_again = true;
			if (chain_takes_up(link))
				offer_kept(link);
			return;
		}
		if (link->type->up != NULL) {
			offer_new_up(link, in);
			return;
		}
	}
	into_service(chain, in);
}

static bool
offer_up(struct chain_link *link)
{
	bool due = link->up_again || (link->wants_room && chain_has_room(link));

	if (link->up != NULL && link->index < link->chain->end_up_at) {
		link->chain->up_bytes -= buffer_size(link->up);
		buffer_drop(&link->up);
	}
	if (link->up == NULL || !due || !chain_takes_up(link))
		return false;
	offer_kept(link);
	return true;
}

static bool
offer_late(struct chain *chain)
{
	struct buffer *late = chain->late;
	size_t size = buffer_size(late);

	if (late == NULL || chain->in_service)
		return false;
	chain->late = NULL;
	chain->up_bytes -= size;
	into_service(chain, berth_bytes(buffer_data(late), size));
	buffer_drop(&late);
	return true;
}

bool
chain_offer_up(struct chain *chain)
{
	bool offered = offer_late(chain);

	for (unsigned i = chain->count; i > 0; i--) {
		if (chain->session->phase != PHASE_OPEN)
			return false;
		offered = offer_up(&chain->links[i - 1]) || offered;
	}
	return offered;
}

/* --- down ------------------------------------------------------------------*/

static bool
takes_down(const struct chain_link *link)
{
	return !link->down_runs &&
	       !chain_is_held(link->chain->held_down, link->index);
}

static size_t
call_down(struct chain_link *link, struct berth_bytes out)
{
	int taken;

	link->down_runs = true;
	taken = link->type->down(&link->public, out);
	link->down_runs = false;
	return judge(link->chain, out.size, taken);
}

static void
offer_new_down(struct chain_link *link, struct berth_bytes out)
{
	struct chain *chain = link->chain;
	struct buffer *mine = NULL;
	size_t taken = call_down(link, out);

	if (taken == out.size)
		return;
	keep(chain, &mine, &chain->down_bytes, berth_bytes_from(out, taken));
	put_back(chain, &link->down, mine);
}

void
chain_down_into(struct chain *chain, unsigned index, struct berth_bytes out)
{
	struct chain_link *link;

	for (; index > 0; index--) {
		link = &chain->links[index - 1];
		if (chain->session->phase >= PHASE_LINGERING)
			return;
		if (link->down != NULL || !takes_down(link)) {
			keep(chain, &link->down, &chain->down_bytes, out);
			link->down_again = true;
			return;
		}
		if (link->type->down != NULL) {
			offer_new_down(link, out);
			return;
		}
	}
	session_send_all(chain->session, out);
}

void
chain_write(struct session *session, struct berth_bytes out)
{
	chain_down_into(session->chain, session->chain->count, out);
}

static void
offer_kept_down(struct chain_link *link)
{
	struct chain *chain = link->chain;
	struct buffer *mine = link->down;
	struct berth_bytes out = {buffer_data(mine), buffer_size(mine)};
	size_t taken = out.size;

	link->down = NULL;
	link->down_again = false;
	if (link->type->down == NULL)
		chain_down_into(chain, link->index, out);
	else
		taken = call_down(link, out);
	chain->down_bytes -= taken;
	buffer_consume(&mine, taken);
	put_back(chain, &link->down, mine);
}

bool
chain_offer_down(struct chain *chain)
{
	bool offered = false;

	for (unsigned i = 0; i < chain->count; i++) {
		struct chain_link *link = &chain->links[i];

		if (chain->session->phase >= PHASE_LINGERING)
			return false;
		if (link->down == NULL || !link->down_again ||
		    !takes_down(link))
			continue;
		offer_kept_down(link);
		offered = true;
	}
	return offered;
}
