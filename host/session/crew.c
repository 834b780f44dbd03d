/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * crew: the threads of a server, seen from home.
 *
 * A pool has all its threads from the beginning; a connection goes to a free
 * one, else waits among those that were accepted, else in the backlog.  With a
 * thread for each connection threads are made as they are needed, up to a
 * bound; one that has become free is parked for a while and serves the next.
 * Neither kind wakes up while there is nothing to do.
 *
 * Settings that have been replaced are kept until every busy lane has said that
 * it looks at the new ones; idle lanes look at none.
 */
#include "session/session_crew.h"

#include <berth/host.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "session/session_priv.h"

/* How long a free thread waits for the next connection. */
#define PARKED_NS MONO_MS(5000)

/* --- free threads ----------------------------------------------------------*/

static void
give_up(struct crew *crew, struct crew_lane *own)
{
	TAILQ_REMOVE(&crew->idle, own, idle_link);
	LIST_REMOVE(own, link);
	crew->count--;
	crew->gone.bytes_in += atomic_load(&own->bytes_in);
	crew->gone.bytes_out += atomic_load(&own->bytes_out);
	crew->gone.sessions_failed += atomic_load(&own->failed);
	crew_lane_free(own);
}

/* Those that were parked for long enough go. */
static int
trim(struct berth_handler *handler, uint64_t now_ns, void *token)
{
	struct crew *crew = BASE_CONTAINER(handler, struct crew, handler);
	struct crew_lane *last;

	(void)token;
	while ((last = TAILQ_LAST(&crew->idle, crew_idle)) != NULL &&
	       now_ns - last->since_ns >= PARKED_NS)
		give_up(crew, last);
	if (last == NULL) {
		reactor_cancel(crew->server->options.owner, crew->trim, NULL);
		crew->trim = 0;
	}
	return 0;
}

static const struct berth_handler_type handler_type = {
    .timeout = trim,
};

static void
park(struct crew *crew, struct crew_lane *own)
{
	own->since_ns = reactor_now(crew->server->home.reactor).ns;
	TAILQ_INSERT_HEAD(&crew->idle, own, idle_link);
	if (crew->is_pool || crew->trim != 0)
		return;
	/* Without memory for the timer it is looked at the next time. */
	reactor_schedule(crew->server->options.owner, &crew->handler, NULL,
	    PARKED_NS, PARKED_NS, &crew->trim);
}

static int
add_lane(struct crew *crew)
{
	struct crew_lane *own;
	int result = crew_lane_new(crew, &own);

	if (result < 0)
		return result;
	LIST_INSERT_HEAD(&crew->lanes, own, link);
	crew->count++;
	TAILQ_INSERT_HEAD(&crew->idle, own, idle_link);
	return 0;
}

/* --- connections -----------------------------------------------------------*/

bool
crew_has_room(const struct crew *crew)
{
	if (!TAILQ_EMPTY(&crew->idle) ||
	    crew->waiting_count < crew->waiting_max)
		return true;
	return crew->count < crew->count_max;
}

static void
give_next(struct crew *crew, const struct connection *connection)
{
	struct crew_lane *own = TAILQ_FIRST(&crew->idle);

	TAILQ_REMOVE(&crew->idle, own, idle_link);
	crew_lane_give(own, connection);
}

static int
let_wait(struct crew *crew, const struct connection *connection)
{
	struct crew_waiting *waiting = malloc(sizeof(*waiting));

	if (waiting == NULL)
		return -ENOMEM;
	waiting->connection = *connection;
	TAILQ_INSERT_TAIL(&crew->waiting, waiting, link);
	crew->waiting_count++;
	return 0;
}

static int
refuse(struct crew *crew, const struct connection *connection, int error)
{
	struct server *server = crew->server;
	int fd = connection->fd;

	guard_leave(connection->source);
	chain_plan_unref(connection->around);
	free(connection->name);
	log_printf(server->options.log, BERTH_WARNING,
	    server->options.service->name,
	    "a connection is closed: no thread for it: %s", strerror(-error));
	fd_close(&fd);
	return error;
}

int
crew_take(struct crew *crew, const struct connection *connection)
{
	int result = 0;

	if (TAILQ_EMPTY(&crew->idle) && crew->count < crew->count_max)
		result = add_lane(crew);
	if (!TAILQ_EMPTY(&crew->idle)) {
		give_next(crew, connection);
		return 0;
	}
	if (result == 0 || crew->waiting_max > 0)
		result = let_wait(crew, connection);
	return result == 0 ? 0 : refuse(crew, connection, result);
}

static void
take_out(struct crew *crew, struct crew_waiting *waiting)
{
	TAILQ_REMOVE(&crew->waiting, waiting, link);
	crew->waiting_count--;
	free(waiting);
}

/* While the service is suspended they wait as those in the backlog do. */
static bool
may_begin(const struct crew *crew)
{
	const struct server *server = crew->server;

	return (server->accepting || server->stage != DRAIN_NOT) &&
	       crew->wish.ending == CREW_GOES_ON;
}

void
crew_go_on(struct crew *crew)
{
	struct crew_waiting *waiting;

	while (may_begin(crew) && !TAILQ_EMPTY(&crew->idle) &&
	       (waiting = TAILQ_FIRST(&crew->waiting)) != NULL) {
		give_next(crew, &waiting->connection);
		take_out(crew, waiting);
	}
}

static void
drop_waiting(struct crew *crew)
{
	struct crew_waiting *waiting;

	while ((waiting = TAILQ_FIRST(&crew->waiting)) != NULL) {
		fd_close(&waiting->connection.fd);
		guard_leave(waiting->connection.source);
		chain_plan_unref(waiting->connection.around);
		free(waiting->connection.name);
		take_out(crew, waiting);
		server_session_gone(crew->server);
	}
}

/* --- settings that were ----------------------------------------------------*/

/* The oldest settings that a lane may look at. */
static uint64_t
oldest_epoch(const struct crew *crew)
{
	const struct crew_lane *own;
	uint64_t oldest = crew->wish.epoch, epoch;

	LIST_FOREACH (own, &crew->lanes, link) {
		epoch = atomic_load(&own->epoch);
		if (own->busy && epoch < oldest)
			oldest = epoch;
	}
	return oldest;
}

static void
release(struct crew *crew, uint64_t oldest)
{
	struct server_retired *retired;

	while ((retired = STAILQ_FIRST(&crew->retired)) != NULL &&
	       retired->epoch <= oldest) {
		STAILQ_REMOVE_HEAD(&crew->retired, link);
		retired->fn(retired);
	}
}

void
crew_retire(struct crew *crew, struct server_retired *retired)
{
	retired->epoch = crew->wish.epoch;
	STAILQ_INSERT_TAIL(&crew->retired, retired, link);
	release(crew, oldest_epoch(crew));
}

void
crew_lane_seen(struct reactor_letter *letter)
{
	struct crew_lane *own = BASE_CONTAINER(letter, struct crew_lane, seen);

	release(own->crew, oldest_epoch(own->crew));
}

/* --- a lane's session is gone ----------------------------------------------*/

static void
lane_is_done(struct crew_lane *own)
{
	struct crew *crew = own->crew;

	own->busy = false;
	guard_leave(own->job.source);
	pthread_mutex_lock(&crew->gate);
	own->finished = false;
	pthread_mutex_unlock(&crew->gate);
	park(crew, own);
	crew_go_on(crew);
	release(crew, oldest_epoch(crew));
	server_session_gone(crew->server);
}

void
crew_lane_done(struct reactor_letter *letter)
{
	lane_is_done(BASE_CONTAINER(letter, struct crew_lane, done));
}

/* --- wishes ----------------------------------------------------------------*/

static void
wish(struct crew *crew)
{
	struct crew_lane *own;

	LIST_FOREACH (own, &crew->lanes, link)
		if (own->busy)
			crew_lane_wish(own, true);
}

void
crew_update(struct crew *crew, const struct settings *settings)
{
	crew->wish.settings = settings;
	crew->wish.epoch++;
	wish(crew);
}

void
crew_hold(struct crew *crew, bool hold)
{
	crew->wish.hold = hold;
	wish(crew);
}

void
crew_end(struct crew *crew, enum crew_ending ending)
{
	struct crew_lane *own;

	crew->wish.ending = ending;
	if (ending == CREW_GOES_ON)
		return;
	drop_waiting(crew);
	wish(crew);
	if (ending != CREW_ABORTS)
		return;
	LIST_FOREACH (own, &crew->lanes, link)
		if (own->busy)
			crew_lane_shut(own);
}

/* --- waiting ---------------------------------------------------------------*/

/* Under the gate. */
static bool
all_finished(const struct crew *crew)
{
	const struct crew_lane *own;

	LIST_FOREACH (own, &crew->lanes, link)
		if (own->busy && !own->finished)
			return false;
	return true;
}

void
crew_wait(struct crew *crew, unsigned ms)
{
	uint64_t until = mono_now().ns + MONO_MS(ms);
	const struct timespec at = {.tv_sec = (time_t)(until / MONO_MS(1000)),
	    .tv_nsec = (long)(until % MONO_MS(1000))};
	struct crew_lane *own;
	int result = 0;

	pthread_mutex_lock(&crew->gate);
	while (result == 0 && !all_finished(crew))
		result = pthread_cond_timedwait(
		    &crew->arrived, &crew->gate, &at);
	pthread_mutex_unlock(&crew->gate);
	LIST_FOREACH (own, &crew->lanes, link)
		if (reactor_recall(crew->server->home.reactor, &own->done))
			lane_is_done(own);
}

bool
crew_orphan(struct crew *crew)
{
	bool busy;

	pthread_mutex_lock(&crew->gate);
	busy = !all_finished(crew);
	crew->orphaned = busy;
	pthread_mutex_unlock(&crew->gate);
	return busy;
}

void
crew_count(struct crew *crew, struct server_counters *counters)
{
	struct crew_lane *own;

	counters->bytes_in += crew->gone.bytes_in;
	counters->bytes_out += crew->gone.bytes_out;
	counters->sessions_failed += crew->gone.sessions_failed;
	LIST_FOREACH (own, &crew->lanes, link) {
		counters->bytes_in += atomic_load(&own->bytes_in);
		counters->bytes_out += atomic_load(&own->bytes_out);
		counters->sessions_failed += atomic_load(&own->failed);
	}
}

/* --- life ------------------------------------------------------------------*/

static void
init(struct crew *crew, struct server *server)
{
	const struct concurrency *how = &server_settings(server)->concurrency;

	pthread_condattr_t attributes;

	crew->server = server;
	crew->is_pool = how->kind == CONCURRENCY_POOL;
	crew->count_max = how->count;
	crew->waiting_max = how->queue;
	crew->wish.settings = server_settings(server);
	crew->handler.type = &handler_type;
	LIST_INIT(&crew->lanes);
	TAILQ_INIT(&crew->idle);
	TAILQ_INIT(&crew->waiting);
	STAILQ_INIT(&crew->retired);
	pthread_mutex_init(&crew->gate, NULL);
	pthread_cond_init(&crew->go_on, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&crew->arrived, &attributes);
	pthread_condattr_destroy(&attributes);
}

int
crew_new(struct server *server, struct crew **ret_crew)
{
	struct crew *crew = calloc(1, sizeof(*crew));
	int result = 0;

	if (crew == NULL)
		return -ENOMEM;
	init(crew, server);
	while (result == 0 && crew->is_pool && crew->count < crew->count_max)
		result = add_lane(crew);
	if (result < 0) {
		crew_free(crew);
		return result;
	}
	*ret_crew = crew;
	return 0;
}

/* All are stopped before the first is joined. */
static void
stop_all(struct crew *crew)
{
	struct crew_lane *own;

	TAILQ_FOREACH (own, &crew->idle, idle_link)
		reactor_stop(own->lane.reactor);
	while ((own = TAILQ_FIRST(&crew->idle)) != NULL)
		give_up(crew, own);
}

struct crew *
crew_free(struct crew *crew)
{
	if (crew == NULL)
		return NULL;
	if (crew->trim != 0)
		reactor_cancel(crew->server->options.owner, crew->trim, NULL);
	stop_all(crew);
	BASE_ASSERT(LIST_EMPTY(&crew->lanes));
	release(crew, UINT64_MAX);
	pthread_cond_destroy(&crew->go_on);
	pthread_cond_destroy(&crew->arrived);
	pthread_mutex_destroy(&crew->gate);
	free(crew);
	return NULL;
}
