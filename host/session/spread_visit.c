/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * spread_visit: looking at the sessions of a server on other loops.
 *
 * As with a crew the lanes are asked to stand still, all at once; a loop whose
 * hook does not return soon is told of by what home knows itself.  While one is
 * looked at its loop serves nobody, which is short.
 */
#include <stdio.h>
#include <time.h>

#include "session/session_priv.h"
#include "session/session_spread.h"

/* How long home waits for a lane to stand still. */
#define PATIENCE_NS MONO_MS(250)

void
spread_lane_visited(struct reactor_letter *letter)
{
	struct spread_lane *own = BASE_CONTAINER(
	    letter, struct spread_lane, visit);

	pthread_mutex_lock(&own->lock);
	own->present = true;
	pthread_cond_broadcast(&own->arrived);
	while (own->visited)
		pthread_cond_wait(&own->go_on, &own->lock);
	own->present = false;
	pthread_mutex_unlock(&own->lock);
}

static void
ask(struct spread_lane *own)
{
	pthread_mutex_lock(&own->lock);
	own->visited = true;
	pthread_mutex_unlock(&own->lock);
	reactor_send(own->loop->reactor, &own->visit);
}

/* Under the lock. */
static bool
wait_for(struct spread_lane *own, const struct timespec *until)
{
	int result = 0;

	while (result == 0 && !own->present)
		result = pthread_cond_timedwait(
		    &own->arrived, &own->lock, until);
	return own->present;
}

static void
tell_from_home(
    const struct spread_lane *own, server_session_fn *fn, void *context)
{
	char peer[48];
	const struct session_info info = {
	    .peer = peer, .state = "busy", .loop = own->loop->number};

	snprintf(peer, sizeof(peer), "%llu sessions",
	    (unsigned long long)own->active);
	fn(context, &info);
}

/* Those whose connection has just come have no session yet. */
static void
look(struct spread_lane *own, const struct timespec *until,
    server_session_fn *fn, void *context)
{
	pthread_mutex_lock(&own->lock);
	if (wait_for(own, until))
		lane_each(&own->lane, fn, context);
	else
		tell_from_home(own, fn, context);
	own->visited = false;
	pthread_cond_broadcast(&own->go_on);
	pthread_mutex_unlock(&own->lock);
	reactor_recall(own->loop->reactor, &own->visit);
}

void
spread_each(struct spread *spread, server_session_fn *fn, void *context)
{
	uint64_t end = mono_now().ns + PATIENCE_NS;
	const struct timespec until = {.tv_sec = (time_t)(end / MONO_MS(1000)),
	    .tv_nsec = (long)(end % MONO_MS(1000))};
	unsigned i;

	for (i = 1; i < LOOPS_MAX; i++)
		if (spread->of[i] != NULL && spread->of[i]->active > 0)
			ask(spread->of[i]);
	for (i = 1; i < LOOPS_MAX; i++)
		if (spread->of[i] != NULL && spread->of[i]->active > 0)
			look(spread->of[i], &until, fn, context);
}
