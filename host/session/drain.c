/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * drain: how the sessions of a server end when the service itself ends.
 *
 * Draining has three stages.  Sessions first end by themselves; those left at
 * the deadline are closed in order; those left another while later are
 * aborted.  When none is left drained() is called, once, at the end of a turn.
 */

#include <errno.h>
#include <stdlib.h>

#include "session/session_priv.h"

/* How long the second stage lasts at least: a client that answers at once
 * needs a round trip. */
#define CLOSING_MIN_MS 500u

/* How long a hook in another thread has to return when its session is aborted,
 * before that is said. */
#define STUCK_MS 1000u

/* --- the end of the service ------------------------------------------------*/

static void
tell_drained(struct reactor_deferred *node)
{
	struct server *server = BASE_CONTAINER(node, struct server, deferred);

	server->queued = false;
	if (server->freed) {
		free(server);
		return;
	}
	if (server->stage == DRAIN_NOT || server->told ||
	    server->counters.sessions_active > 0 || server->parked > 0)
		return;
	server->told = true;
	if (server->options.drained != NULL)
		server->options.drained(server->options.context);
}

void
server_drain_check(struct server *server)
{
	if (server->stage == DRAIN_NOT || server->told || server->queued ||
	    server->counters.sessions_active > 0 || server->parked > 0)
		return;
	if (server->deadline != 0)
		reactor_cancel(server->options.owner, server->deadline, NULL);
	server->deadline = 0;
	server->queued = true;
	reactor_defer(server->home.reactor, &server->deferred, tell_drained);
}

void
server_drain_cancel(struct server *server)
{
	if (server->deadline != 0)
		reactor_cancel(server->options.owner, server->deadline, NULL);
	server->deadline = 0;
	server->stage = DRAIN_NOT;
	server->told = false;
	away_go_on(server);
}

static void next_stage(struct server *server);

/* No memory for the timer: there is no waiting. */
static void
wait_for_stage(struct server *server, uint64_t delay_ns)
{
	if (delay_ns == REACTOR_FOREVER)
		return;
	if (delay_ns > 0 &&
	    reactor_schedule(server->options.owner, &server->handler, NULL,
		delay_ns, 0, &server->deadline) == 0)
		return;
	next_stage(server);
}

/* How long units that were asked to end have at least. */
static uint64_t
closing_ms(const struct server *server)
{
	const struct server_strategy *strategy = server->options.strategy;
	uint64_t ms = server_settings(server)->linger_ms;

	if (ms < CLOSING_MIN_MS)
		ms = CLOSING_MIN_MS;
	if (strategy != NULL && ms < strategy->asked_ms)
		ms = strategy->asked_ms;
	return ms;
}

static void
next_stage(struct server *server)
{
	if (server->stage == DRAIN_WAITING) {
		server->stage = DRAIN_CLOSING;
		arrival_end_all(server);
		strategy_end_all(server, SERVER_END_ASKED);
		lane_close_all(&server->home, BERTH_CLOSED_DRAINED);
		away_close(server);
		wait_for_stage(server, MONO_MS(closing_ms(server)));
	} else if (server->stage == DRAIN_CLOSING) {
		server->stage = DRAIN_ABORTING;
		strategy_end_all(server, SERVER_END_FORCED);
		lane_abort_all(&server->home, BERTH_CLOSED_DRAINED);
		if (!away_is_used(server))
			return;
		away_abort(server);
		wait_for_stage(server, MONO_MS(STUCK_MS));
	} else if (server->stage == DRAIN_ABORTING) {
		server->stage = DRAIN_STUCK;
		if (server->options.stuck != NULL &&
		    server->counters.sessions_active > 0)
			server->options.stuck(server->options.context);
	}
}

void
server_drain(struct server *server, uint64_t drain_ns)
{
	server_accept(server, false);
	server_drain_cancel(server);
	server->stage = DRAIN_WAITING;
	strategy_end_all(server, SERVER_END_DRAINING);
	server_drain_check(server);
	if (server->counters.sessions_active > 0 || server->parked > 0)
		wait_for_stage(server, drain_ns);
}

void
server_abort(struct server *server, int reason)
{
	arrival_end_all(server);
	strategy_end_all(server, SERVER_END_LEFT);
	lane_abort_all(&server->home, reason);
	if (!away_is_used(server))
		return;
	away_abort(server);
	away_wait(server, STUCK_MS);
	if (server->stage == DRAIN_NOT)
		away_go_on(server);
}

bool
server_is_busy(const struct server *server)
{
	return server->counters.sessions_active > 0;
}

bool
server_orphan(struct server *server)
{
	return away_orphan(server);
}

int
server_timeout(struct berth_handler *handler, uint64_t now_ns, void *token)
{
	struct server *server = BASE_CONTAINER(handler, struct server, handler);

	(void)now_ns;
	(void)token;
	server->deadline = 0;
	next_stage(server);
	return 0;
}
