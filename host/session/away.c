/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * away: the sessions of a server that are not at home, in the threads of its
 * crew or spread over the loops of the host.  A server has one of the two at
 * most, and the second only once a session went there; so whatever is done to
 * all of its sessions is done to its own loop's and then by way of here.
 */
#include <stdlib.h>

#include "session/session_crew.h"
#include "session/session_priv.h"
#include "session/session_spread.h"

bool
away_is_used(const struct server *server)
{
	return server->crew != NULL || server->options.loops != NULL;
}

/* --- a connection ----------------------------------------------------------*/

static int
give_to_crew(struct server *server, const struct connection *connection)
{
	int result;

	server_counts_session(server);
	result = crew_take(server->crew, connection);
	if (result < 0)
		server_unit_ends(server, true);
	return result;
}

/* Without memory for it home does what there is to do. */
static bool
has_spread(struct server *server)
{
	return server->spread != NULL ||
	       (loops_count(server->options.loops) > 1 &&
		   spread_new(server, &server->spread) == 0);
}

bool
away_begin(
    struct server *server, const struct connection *connection, int *ret_result)
{
	unsigned loop;

	if (server->crew != NULL) {
		*ret_result = give_to_crew(server, connection);
		return true;
	}
	if (!has_spread(server))
		return false;
	loop = spread_choose(server->spread);
	if (loop == 0 || spread_take(server->spread, loop, connection) < 0)
		return false;
	server_counts_session(server);
	*ret_result = 0;
	return true;
}

/* --- all of them -----------------------------------------------------------*/

void
away_update(struct server *server, const struct settings *settings)
{
	if (server->crew != NULL)
		crew_update(server->crew, settings);
	if (server->spread != NULL)
		spread_update(server->spread, settings);
}

/* A thread of a crew gets it with its next connection. */
void
away_set_ledger(struct server *server)
{
	if (server->spread != NULL)
		spread_set_ledger(server->spread);
}

void
away_hold(struct server *server, bool hold)
{
	if (server->crew != NULL)
		crew_hold(server->crew, hold);
	if (server->spread != NULL)
		spread_hold(server->spread, hold);
}

static void
end_all(struct server *server, enum crew_ending ending)
{
	if (server->crew != NULL)
		crew_end(server->crew, ending);
	if (server->spread != NULL)
		spread_end(server->spread, ending);
}

void
away_go_on(struct server *server)
{
	end_all(server, CREW_GOES_ON);
}

void
away_close(struct server *server)
{
	end_all(server, CREW_CLOSES);
}

void
away_abort(struct server *server)
{
	end_all(server, CREW_ABORTS);
}

void
away_wait(struct server *server, unsigned ms)
{
	if (server->crew != NULL)
		crew_wait(server->crew, ms);
	if (server->spread != NULL)
		spread_wait(server->spread, ms);
}

bool
away_orphan(struct server *server)
{
	if (server->crew != NULL)
		return crew_orphan(server->crew);
	return server->spread != NULL && spread_orphan(server->spread);
}

void
away_retire(struct server *server, struct server_retired *retired)
{
	if (server->crew != NULL)
		crew_retire(server->crew, retired);
	else if (server->spread != NULL)
		spread_retire(server->spread, retired);
	else
		retired->fn(retired);
}

/* --- looking ---------------------------------------------------------------*/

void
away_count(const struct server *server, struct server_counters *counters)
{
	if (server->crew != NULL)
		crew_count(server->crew, counters);
	if (server->spread != NULL)
		spread_count(server->spread, counters);
}

void
away_each(struct server *server, server_session_fn *fn, void *context)
{
	if (server->crew != NULL)
		crew_each(server->crew, fn, context);
	if (server->spread != NULL)
		spread_each(server->spread, fn, context);
}

/* Also of loops that are not used any more and still have sessions. */
bool
server_sessions_on(
    const struct server *server, unsigned loop, uint64_t *ret_count)
{
	const struct loops *loops = server->options.loops;

	if (loops == NULL || loop >= LOOPS_MAX)
		return false;
	if (loop >= loops->count && loops->of[loop] == NULL)
		return false;
	if (server->spread != NULL)
		*ret_count = spread_sessions(server->spread, loop);
	else
		*ret_count = loop == 0 ? server->counters.sessions_active : 0;
	return true;
}

void
away_free(struct server *server)
{
	server->crew = crew_free(server->crew);
	server->spread = spread_free(server->spread);
}
