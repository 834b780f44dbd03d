/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * crew_lane: one thread with a loop of its own, and one session at a time.
 *
 * The thread waits in its loop, without a timer, for a letter with the next
 * connection; what the hooks do there is what they do on the host's loop.  It
 * is never cancelled: it ends when its loop is stopped, between two sessions.
 *
 * What is here runs at home, but for the hooks of letters that home sends and
 * what the header says.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "session/session_crew.h"
#include "session/session_priv.h"

static struct crew_lane *
of_lane(struct lane *lane)
{
	return BASE_CONTAINER(lane, struct crew_lane, lane);
}

/* --- on its thread ---------------------------------------------------------*/

void
crew_lane_publish(struct lane *lane)
{
	struct crew_lane *own = of_lane(lane);

	atomic_store_explicit(
	    &own->bytes_in, lane->bytes_in, memory_order_relaxed);
	atomic_store_explicit(
	    &own->bytes_out, lane->bytes_out, memory_order_relaxed);
	atomic_store_explicit(&own->failed, lane->failed, memory_order_relaxed);
}

static void *
run(void *arg)
{
	struct crew_lane *own = arg;
	struct reactor *reactor = own->lane.reactor;
	int result = 0;

	reactor_adopt(reactor);
	while (result >= 0 && !reactor_stopped(reactor)) {
		result = reactor_turn(reactor, REACTOR_FOREVER);
		crew_lane_publish(&own->lane);
	}
	return NULL;
}

/* Under the gate: nobody may be at home any more. */
static void
tell_home(struct crew_lane *own, struct reactor_letter *letter)
{
	struct crew *crew = own->crew;

	if (!crew->orphaned)
		reactor_send(crew->server->home.reactor, letter);
}

/* Does what home wants; twice does no harm. */
static void
obey_wish(struct crew_lane *own)
{
	struct crew *crew = own->crew;
	struct crew_wish wish;

	pthread_mutex_lock(&own->lock);
	wish = own->wish;
	pthread_mutex_unlock(&own->lock);
	if (wish.settings != own->lane.settings)
		lane_update(&own->lane, wish.settings);
	if (atomic_exchange(&own->epoch, wish.epoch) != wish.epoch) {
		pthread_mutex_lock(&crew->gate);
		tell_home(own, &own->seen);
		pthread_mutex_unlock(&crew->gate);
	}
	lane_hold(&own->lane, wish.hold);
	if (wish.ending == CREW_CLOSES)
		lane_close_all(&own->lane, BERTH_CLOSED_DRAINED);
	else if (wish.ending == CREW_ABORTS)
		lane_abort_all(&own->lane, BERTH_CLOSED_DRAINED);
}

static void
obey(struct reactor_letter *letter)
{
	obey_wish(BASE_CONTAINER(letter, struct crew_lane, obey));
}

static void
take(struct reactor_letter *letter)
{
	struct crew_lane *own = BASE_CONTAINER(letter, struct crew_lane, take);

	struct connection job = own->job;

	/* What counts it is home's. */
	job.source = NULL;
	obey_wish(own);
	if (session_begin(&own->lane, &job) < 0)
		crew_lane_finished(&own->lane, NULL);
	else
		/* What was wished while there was nobody to obey. */
		obey_wish(own);
}

void
crew_lane_finished(struct lane *lane, struct guard_source *source)
{
	struct crew_lane *own = of_lane(lane);
	struct crew *crew = own->crew;

	(void)source;
	crew_lane_publish(lane);
	pthread_mutex_lock(&crew->gate);
	own->finished = true;
	pthread_cond_broadcast(&crew->arrived);
	tell_home(own, &own->done);
	pthread_mutex_unlock(&crew->gate);
}

void
crew_lane_lets_go(struct lane *lane)
{
	struct crew_lane *own = of_lane(lane);

	pthread_mutex_lock(&own->lock);
	own->fd = -1;
	pthread_mutex_unlock(&own->lock);
}

static const struct lane_kind kind = {
    .lets_go = crew_lane_lets_go,
    .gone = crew_lane_finished,
};

/* --- at home ---------------------------------------------------------------*/

void
crew_lane_wish(struct crew_lane *own, bool tell)
{
	pthread_mutex_lock(&own->lock);
	own->wish = own->crew->wish;
	pthread_mutex_unlock(&own->lock);
	if (tell)
		reactor_send(own->lane.reactor, &own->obey);
}

void
crew_lane_shut(struct crew_lane *own)
{
	pthread_mutex_lock(&own->lock);
	if (own->fd >= 0)
		shutdown(own->fd, SHUT_RDWR);
	pthread_mutex_unlock(&own->lock);
}

void
crew_lane_give(struct crew_lane *own, const struct connection *connection)
{
	own->job = *connection;
	own->busy = true;
	own->since_ns = reactor_now(own->lane.server->home.reactor).ns;
	/* Its thread looks at nothing while it is free. */
	lane_set_ledger(&own->lane, own->lane.server->options.ledger);
	pthread_mutex_lock(&own->lock);
	own->fd = connection->fd;
	own->wish = own->crew->wish;
	pthread_mutex_unlock(&own->lock);
	atomic_store(&own->epoch, own->crew->wish.epoch);
	reactor_send(own->lane.reactor, &own->take);
}

static int
create(struct crew_lane *own)
{
	int result = thread_start(run, own, &own->thread);

	if (result == 0)
		pthread_setname_np(own->thread, own->name);
	return result;
}

static void
init(struct crew_lane *own, struct crew *crew)
{
	own->crew = crew;
	own->fd = -1;
	own->wish = crew->wish;
	own->take.fn = take;
	own->obey.fn = obey;
	own->visit.fn = crew_lane_visited;
	own->done.fn = crew_lane_done;
	own->seen.fn = crew_lane_seen;
	pthread_mutex_init(&own->lock, NULL);
	snprintf(own->name, sizeof(own->name), "%.9s/%u",
	    crew->server->options.service->name, ++crew->serial);
}

/* What was made of it, but for its thread. */
static void
unmake(struct crew_lane *own)
{
	if (own->lane.reactor != NULL) {
		reactor_adopt(own->lane.reactor);
		lane_fini(&own->lane);
		reactor_owner_fini(&own->owner);
		reactor_free(own->lane.reactor);
	}
	free(own->shared.buffer);
	pthread_mutex_destroy(&own->lock);
	free(own);
}

static int
make(struct crew_lane *own, struct server *server)
{
	struct reactor_options options = {.log = server->options.log};
	struct reactor *reactor;
	int result;

	own->shared.buffer = malloc(LISTENERS_BUFFER_BYTES);
	if (own->shared.buffer == NULL)
		return -ENOMEM;
	result = reactor_new(&options, &reactor);
	if (result < 0)
		return result;
	result = reactor_owner_init(
	    &own->owner, reactor, server->options.service->name);
	if (result < 0) {
		reactor_free(reactor);
		return result;
	}
	lane_init(&own->lane, server, &own->owner, &own->shared);
	own->lane.kind = &kind;
	return create(own);
}

int
crew_lane_new(struct crew *crew, struct crew_lane **ret_lane)
{
	struct crew_lane *own = calloc(1, sizeof(*own));
	int result;

	if (own == NULL)
		return -ENOMEM;
	init(own, crew);
	result = make(own, crew->server);
	if (result < 0) {
		unmake(own);
		return result;
	}
	*ret_lane = own;
	return 0;
}

struct crew_lane *
crew_lane_free(struct crew_lane *own)
{
	struct reactor *home = own->lane.server->home.reactor;

	reactor_stop(own->lane.reactor);
	pthread_join(own->thread, NULL);
	reactor_recall(home, &own->done);
	reactor_recall(home, &own->seen);
	unmake(own);
	return NULL;
}
