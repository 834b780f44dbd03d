/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * chain_calls: what a filter asks of the host; <berth/filter.h> has the
 * contract.
 *
 * Results: 0 or more, or a negative errno.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "session/session_chain.h"

static bool
is_over(const struct chain *chain)
{
	return chain->session->phase == PHASE_DOOMED;
}

/* Outside of a hook what was noted is acted upon soon. */
static int
after(struct chain *chain, int result)
{
	struct session *session = chain->session;

	if (session->depth == 0 && !is_over(chain)) {
		session_defer(session);
		session_touch(session);
	}
	return result;
}

static int
call_pass_up(struct berth_filter *filter, struct berth_bytes bytes)
{
	struct chain_link *link = chain_link_of(filter);
	struct chain *chain = link->chain;

	if (is_over(chain))
		return -EPIPE;
	chain_up_into(chain, link->index + 1, bytes);
	return after(chain, is_over(chain) ? -EPIPE : 0);
}

static int
call_pass_down(struct berth_filter *filter, struct berth_bytes bytes)
{
	struct chain_link *link = chain_link_of(filter);
	struct chain *chain = link->chain;

	if (chain->session->phase >= PHASE_LINGERING ||
	    chain->end_down_at <= link->index)
		return -EPIPE;
	chain_down_into(chain, link->index, bytes);
	return after(chain, is_over(chain) ? -EPIPE : 0);
}

static int
call_room_up(struct berth_filter *filter)
{
	struct chain_link *link = chain_link_of(filter);

	if (chain_has_room(link))
		return 1;
	link->wants_room = true;
	return 0;
}

static size_t
call_room_down(struct berth_filter *filter)
{
	return session_room(chain_link_of(filter)->chain->session);
}

static void
call_hold_up(struct berth_filter *filter, int hold)
{
	struct chain_link *link = chain_link_of(filter);
	struct chain *chain = link->chain;

	if (hold != 0)
		chain->held_up |= UINT32_C(1) << link->index;
	else
		chain->held_up &= ~(UINT32_C(1) << link->index);
	link->up_again = hold == 0;
	after(chain, 0);
}

static void
call_hold_down(struct berth_filter *filter, int hold)
{
	struct chain_link *link = chain_link_of(filter);
	struct chain *chain = link->chain;

	if (hold != 0)
		chain->held_down |= UINT32_C(1) << link->index;
	else
		chain->held_down &= ~(UINT32_C(1) << link->index);
	link->down_again = hold == 0;
	after(chain, 0);
}

static int
call_end_up(struct berth_filter *filter)
{
	struct chain_link *link = chain_link_of(filter);
	struct chain *chain = link->chain;

	if (is_over(chain))
		return -EPIPE;
	chain->ending_up = true;
	if (chain->end_up_at <= link->index)
		chain->end_up_at = link->index + 1;
	return after(chain, 0);
}

static int
call_ready(struct berth_filter *filter)
{
	struct chain_link *link = chain_link_of(filter);
	struct chain *chain = link->chain;

	if (is_over(chain))
		return -EPIPE;
	if (!chain->waits || link->index + 1 != chain->open_count)
		return -EALREADY;
	chain->waits = false;
	link->up_again = true;
	if (chain->limit != 0)
		reactor_cancel(chain->session->lane->owner, chain->limit, NULL);
	chain->limit = 0;
	return after(chain, 0);
}

static int
call_timeout(struct berth_filter *filter, uint32_t ms)
{
	struct chain_link *link = chain_link_of(filter);
	struct chain *chain = link->chain;
	struct reactor_owner *owner = chain->session->lane->owner;

	if (is_over(chain))
		return -EPIPE;
	if (link->timer != 0)
		reactor_cancel(owner, link->timer, NULL);
	link->timer = 0;
	if (ms == 0)
		return 0;
	return reactor_schedule(
	    owner, &chain->handler, link, MONO_MS(ms), 0, &link->timer);
}

BASE_PRINTF(3, 0)
static int
call_fail(struct berth_filter *filter, int code, const char *format, va_list ap)
{
	struct chain *chain = chain_link_of(filter)->chain;
	char why[512];
	int size = snprintf(why, sizeof(why), "%s: ", filter->module->name);

	if (size > 0 && (size_t)size < sizeof(why))
		vsnprintf(why + size, sizeof(why) - (size_t)size, format, ap);
	if (chain->failure == NULL)
		chain->failure = strdup(why);
	return code > 0 ? -code : code;
}

static socklen_t
address_size(const struct sockaddr *address)
{
	if (address->sa_family == AF_INET)
		return sizeof(struct sockaddr_in);
	return address->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6) : 0;
}

static int
call_set_peer(struct berth_filter *filter, const struct sockaddr *from,
    const struct sockaddr *to)
{
	struct chain *chain = chain_link_of(filter)->chain;
	struct session_name *name = chain->name;

	if (from == NULL || address_size(from) == 0 ||
	    (to != NULL && to->sa_family != from->sa_family))
		return -EINVAL;
	if (name == NULL)
		name = calloc(1, sizeof(*name));
	if (name == NULL)
		return -ENOMEM;
	memset(name, 0, sizeof(*name));
	name->size = address_size(from);
	memcpy(&name->peer, from, name->size);
	if (to != NULL)
		memcpy(&name->local, to, name->size);
	chain->name = name;
	return 0;
}

static int
call_set_identity(struct berth_filter *filter, const char *identity)
{
	struct chain *chain = chain_link_of(filter)->chain;
	char *copy = NULL;

	if (identity != NULL) {
		copy = strdup(identity);
		if (copy == NULL)
			return -ENOMEM;
	}
	free(chain->identity);
	chain->identity = copy;
	return 0;
}

const char *
session_identity(const struct session *session)
{
	return session_is_chained(session) ? session->chain->identity : NULL;
}

static int
call_peer_identity(struct berth_session *public, char *buffer, size_t size)
{
	const struct session *session = session_of(public);

	if ((session->flags & SESSION_DATAGRAM) != 0 ||
	    session_identity(session) == NULL)
		return -ENODATA;
	return snprintf(buffer, size, "%s", session_identity(session));
}

const struct berth_filter_calls chain_calls = {
    .magic = BERTH_MAGIC,
    .abi_major = BERTH_ABI_MAJOR,
    .abi_minor = BERTH_ABI_MINOR,
    .size = sizeof(struct berth_filter_calls),
    .pass_up = call_pass_up,
    .pass_down = call_pass_down,
    .room_up = call_room_up,
    .room_down = call_room_down,
    .hold_up = call_hold_up,
    .hold_down = call_hold_down,
    .end_up = call_end_up,
    .ready = call_ready,
    .timeout = call_timeout,
    .fail = call_fail,
    .set_peer = call_set_peer,
    .set_identity = call_set_identity,
    .peer_identity = call_peer_identity,
};
