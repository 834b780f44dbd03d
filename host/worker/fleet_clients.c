/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fleet_clients: a worker for each connection (`concurrency = process`).
 *
 * The server of such a fleet takes clients itself, so that all limits are the
 * service's and not one worker's, and each is handed to a member that was
 * started ahead and waits.  The member's place is filled again at once; the
 * member ends when its session has.  A client for whom no member is ready has
 * his turn when one is: mostly he is in the backlog still, since the server
 * takes nobody then.
 *
 * To the server the units are the clients.  When it drains, members that wait
 * are told to end and become units, so that it waits for them as well.
 *
 * A member that dies with its client costs this one session; it is no reason
 * for the service to fail, or any client could bring that about.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "worker/fleet_priv.h"

/* --- a client ----------------------------------------------------------------
 */

static struct client *
client_free(struct client *client)
{
	if (client == NULL)
		return NULL;
	guard_leave(client->source);
	fd_close(&client->fd);
	free(client);
	return NULL;
}

/* Takes the descriptor and the place among those of its source. */
static struct client *
client_new(struct fleet *fleet, struct visitor *visitor)
{
	struct client *client = calloc(1, sizeof(*client));
	const struct sockaddr *peer;
	socklen_t size = 0;

	if (client == NULL) {
		guard_leave(visitor->source);
		fd_close(&visitor->fd);
		return NULL;
	}
	client->fd = visitor->fd;
	client->source = visitor->source;
	client->id = listeners_next_id(fleet->options.server.listeners);
	client->born_ns = reactor_now(fleet->reactor).ns;
	peer = visitor_peer(visitor, &size);
	if (peer != NULL)
		address_print(peer, size, client->peer, sizeof(client->peer));
	if (visitor->peer_replaced) {
		client->connection.peer_size = size;
		memcpy(&client->connection.peer, peer, size);
		client->connection.local = visitor->local;
	}
	return client;
}

static void
drop(struct fleet *fleet, struct client *client)
{
	TAILQ_REMOVE(&fleet->clients, client, link);
	client_free(client);
	server_unit_ends(fleet->server, true);
}

void
clients_forget(struct member *member)
{
	struct fleet *fleet = member->fleet;

	member->client = client_free(member->client);
	server_unit_ends(fleet->server, !member->expected);
}

void
clients_tell_death(struct member *member, const char *how)
{
	struct fleet *fleet = member->fleet;
	uint64_t ms = (reactor_now(fleet->reactor).ns -
			  member->client->born_ns) /
		      MONO_MS(1);
	AUTO_TEXT words;

	text_init(&words);
	lines_print(&member->lines, &words);
	log_printf(fleet->log, BERTH_ERROR, fleet->name,
	    "process %d for %s ended after %llu ms: %s%s%s", member->pid,
	    member->client->peer, (unsigned long long)ms, how,
	    member->hung ? " (it hung: watchdog)" : "", text_string(&words));
}

/* --- who serves him ----------------------------------------------------------
 */

static struct member *
find_waiting(const struct fleet *fleet)
{
	for (unsigned i = 0; i < fleet->slot_count; i++) {
		struct member *member = fleet->slots[i].member;

		if (member != NULL && member->state == MEMBER_SERVING &&
		    !member->ended && member->asked == 0 &&
		    member->channel >= 0)
			return member;
	}
	return NULL;
}

static int
hand_over(struct member *member, const struct client *client)
{
	const struct channel_message message = {
	    .kind = CHANNEL_CONNECTION,
	    .data = &client->connection,
	    .size = sizeof(client->connection),
	    .fd = client->fd,
	};

	return channel_send(member->channel, &message);
}

static void
serve(struct member *member, struct client *client)
{
	struct fleet *fleet = member->fleet;

	if (hand_over(member, client) < 0) {
		/* Its end is noticed; the client waits for the next one. */
		member_kill(member, SIGKILL);
		return;
	}
	TAILQ_REMOVE(&fleet->clients, client, link);
	fd_close(&client->fd);
	member->client = client;
	fleet->slots[member->slot].member = NULL;
	log_printf(fleet->log, BERTH_DEBUG, fleet->name, "process %d serves %s",
	    member->pid, client->peer);
}

/* Nobody is left for whom to wait. */
static void
dismiss(struct fleet *fleet)
{
	struct member *member;

	LIST_FOREACH (member, &fleet->members, link) {
		if (member->client != NULL || member->unit)
			continue;
		member->unit = true;
		server_unit_begins(fleet->server);
	}
	fleet_leave_all(fleet, UINT32_MAX, false);
}

void
clients_settle(struct fleet *fleet)
{
	struct client *client;
	struct member *member;

	while ((client = TAILQ_FIRST(&fleet->clients)) != NULL &&
	       (member = find_waiting(fleet)) != NULL)
		serve(member, client);
	if (fleet->draining && TAILQ_EMPTY(&fleet->clients)) {
		dismiss(fleet);
		return;
	}
	slots_fill(fleet);
	if (find_waiting(fleet) != NULL)
		server_wake(fleet->server);
}

void
clients_want_more(struct fleet *fleet)
{
	if (fleet->draining || fleet->slot_wanted >= slots_span(fleet).most ||
	    fleet->slot_wanted >= fleet->slot_count)
		return;
	if (!TAILQ_EMPTY(&fleet->clients) ||
	    (fleet->accepting && slots_clients_wait(fleet)))
		fleet->slot_wanted++;
}

/* --- what the server asks ----------------------------------------------------
 */

static bool
serves(void *units, bool datagram)
{
	(void)units;
	return !datagram;
}

static bool
ready(void *units)
{
	const struct fleet *fleet = units;

	return TAILQ_EMPTY(&fleet->clients) && find_waiting(fleet) != NULL;
}

static int
accepted(void *units, struct visitor *visitor)
{
	struct fleet *fleet = units;
	struct client *client = client_new(fleet, visitor);

	server_unit_begins(fleet->server);
	if (client == NULL) {
		server_unit_ends(fleet->server, true);
		return -ENOMEM;
	}
	TAILQ_INSERT_TAIL(&fleet->clients, client, link);
	clients_settle(fleet);
	return 0;
}

static void
drop_all(struct fleet *fleet)
{
	while (!TAILQ_EMPTY(&fleet->clients))
		drop(fleet, TAILQ_FIRST(&fleet->clients));
}

static void
end_all(void *units, enum server_ending how)
{
	struct fleet *fleet = units;

	fleet->draining = true;
	switch (how) {
	case SERVER_END_DRAINING:
		clients_settle(fleet);
		break;
	case SERVER_END_ASKED:
		drop_all(fleet);
		dismiss(fleet);
		fleet_leave_all(fleet, 0, true);
		break;
	case SERVER_END_FORCED:
	case SERVER_END_LEFT:
		drop_all(fleet);
		fleet_abandon_all(fleet, SIGKILL);
		break;
	}
}

static void
accepting(void *units, bool accept)
{
	struct fleet *fleet = units;

	fleet->accepting = accept;
	if (!accept || !fleet->draining)
		return;
	/* It goes on after all. */
	fleet->draining = false;
	slots_fit(fleet);
	slots_fill(fleet);
}

static void
tell(const struct fleet *fleet, const struct client *client,
    const struct member *member, server_session_fn *fn, void *context)
{
	uint64_t now = reactor_now(fleet->reactor).ns;
	const struct session_info info = {
	    .id = client->id,
	    .peer = client->peer,
	    .age_ms = (now - client->born_ns) / MONO_MS(1),
	    .bytes_in = member != NULL ? member->beat.bytes_in : 0,
	    .bytes_out = member != NULL ? member->beat.bytes_out : 0,
	    .state = member != NULL ? "running" : "waiting",
	    .pid = member != NULL ? member->pid : 0,
	};

	fn(context, &info);
}

static void
each(void *units, server_session_fn *fn, void *context)
{
	struct fleet *fleet = units;
	struct client *client;
	struct member *member;

	LIST_FOREACH (member, &fleet->members, link)
		if (member->client != NULL)
			tell(fleet, member->client, member, fn, context);
	TAILQ_FOREACH (client, &fleet->clients, link)
		tell(fleet, client, NULL, fn, context);
}

/* Sessions are the server's own to count. */
static void
counters(void *units, struct server_counters *counters)
{
	struct fleet *fleet = units;
	struct member *member;

	counters->bytes_in += fleet->gone.bytes_in;
	counters->bytes_out += fleet->gone.bytes_out;
	LIST_FOREACH (member, &fleet->members, link) {
		counters->bytes_in += member->beat.bytes_in;
		counters->bytes_out += member->beat.bytes_out;
	}
}

const struct server_strategy fleet_client_strategy = {
    .serves = serves,
    .ready = ready,
    .accepted = accepted,
    .end_all = end_all,
    .each = each,
    .accepting = accepting,
    .counters = counters,
    .asked_ms = PROGRAM_TERM_MS,
};
