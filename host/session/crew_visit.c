/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * crew_visit: looking at the sessions of lanes in other threads.
 *
 * The lanes are asked to stand still, all at once, and do so at the end of the
 * hook that they are in; then their sessions are looked at from home.  A lane
 * whose hook does not return soon is told of by what home knows itself, so that
 * a hook that blocks holds up nobody who asks for the list.
 */
#include <time.h>

#include "session/session_crew.h"
#include "session/session_priv.h"

/* How long home waits for lanes to stand still. */
#define PATIENCE_NS MONO_MS(50)

void
crew_lane_visited(struct reactor_letter *letter)
{
	struct crew_lane *own = BASE_CONTAINER(letter, struct crew_lane, visit);
	struct crew *crew = own->crew;
	uint64_t visit;

	pthread_mutex_lock(&crew->gate);
	visit = crew->visits;
	if (crew->visited) {
		own->present = true;
		pthread_cond_broadcast(&crew->arrived);
	}
	while (crew->visited && crew->visits == visit)
		pthread_cond_wait(&crew->go_on, &crew->gate);
	pthread_mutex_unlock(&crew->gate);
}

/* Under the gate. */
static bool
all_present(const struct crew *crew)
{
	const struct crew_lane *own;

	LIST_FOREACH (own, &crew->lanes, link)
		if (own->busy && !own->finished && !own->present)
			return false;
	return true;
}

static void
tell_from_home(
    struct crew_lane *own, server_session_fn *fn, void *context, uint64_t now)
{
	char peer[SESSION_ADDRESS_MAX] = "";
	struct session_info info = {
	    .id = own->job.id,
	    .peer = peer,
	    .age_ms = (now - own->since_ns) / MONO_MS(1),
	    .state = "busy",
	};

	pthread_mutex_lock(&own->lock);
	if (own->fd < 0 || connection_peer(&(struct connection){.fd = own->fd},
			       peer, sizeof(peer)) < 0)
		peer[0] = '\0';
	pthread_mutex_unlock(&own->lock);
	fn(context, &info);
}

static void
tell_waiting(struct crew *crew, server_session_fn *fn, void *context)
{
	char peer[SESSION_ADDRESS_MAX];
	struct session_info info = {.peer = peer, .state = "waiting"};
	struct crew_waiting *waiting;

	TAILQ_FOREACH (waiting, &crew->waiting, link) {
		if (connection_peer(&waiting->connection, peer, sizeof(peer)) <
		    0)
			peer[0] = '\0';
		info.id = waiting->connection.id;
		fn(context, &info);
	}
}

/* Under the gate. */
static void
ask_and_wait(struct crew *crew)
{
	uint64_t until = mono_now().ns + PATIENCE_NS;
	const struct timespec at = {.tv_sec = (time_t)(until / MONO_MS(1000)),
	    .tv_nsec = (long)(until % MONO_MS(1000))};
	struct crew_lane *own;
	int result = 0;

	crew->visits++;
	crew->visited = true;
	LIST_FOREACH (own, &crew->lanes, link) {
		own->present = false;
		if (own->busy && !own->finished)
			reactor_send(own->lane.reactor, &own->visit);
	}
	while (result == 0 && !all_present(crew))
		result = pthread_cond_timedwait(
		    &crew->arrived, &crew->gate, &at);
}

void
crew_each(struct crew *crew, server_session_fn *fn, void *context)
{
	uint64_t now = reactor_now(crew->server->home.reactor).ns;
	struct crew_lane *own;

	pthread_mutex_lock(&crew->gate);
	ask_and_wait(crew);
	LIST_FOREACH (own, &crew->lanes, link) {
		if (!own->busy || own->finished)
			continue;
		if (own->present)
			lane_each(&own->lane, fn, context);
		else
			tell_from_home(own, fn, context, now);
	}
	crew->visited = false;
	pthread_cond_broadcast(&crew->go_on);
	pthread_mutex_unlock(&crew->gate);
	tell_waiting(crew, fn, context);
}
