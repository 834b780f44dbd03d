/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * spread: a server whose sessions are on several loops, seen from home.
 *
 * A connection goes to the loop with the fewest sessions of the service; of
 * several such, to the next in turn, over all services.  So it is known who
 * gets what, and a loop that ends its sessions faster gets more.
 *
 * Settings that have been replaced are kept until every lane with sessions has
 * said that it looks at the new ones; the others look at none.
 */
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "session/session_priv.h"
#include "session/session_spread.h"

#define EACH_LANE(own, spread)                                                 \
	for (unsigned i_ = 1; i_ < LOOPS_MAX; i_++)                            \
		if (((own) = (spread)->of[i_]) != NULL)

static struct loops *
loops_of(const struct spread *spread)
{
	return spread->server->options.loops;
}

/* --- connections -----------------------------------------------------------*/

uint64_t
spread_sessions(const struct spread *spread, unsigned number)
{
	if (number == 0)
		return spread->server->counters.sessions_active - spread->away;
	return spread->of[number] != NULL ? spread->of[number]->active : 0;
}

unsigned
spread_choose(struct spread *spread)
{
	struct loops *loops = loops_of(spread);
	unsigned best = 0, at = loops->next;
	uint64_t least = UINT64_MAX, count;

	for (unsigned i = 0; i < loops->count; i++, at++) {
		if (at >= loops->count)
			at = 0;
		count = spread_sessions(spread, at);
		if (count < least) {
			least = count;
			best = at;
		}
	}
	loops->next = best + 1;
	return best;
}

int
spread_take(
    struct spread *spread, unsigned number, const struct connection *connection)
{
	struct spread_lane **own = &spread->of[number];
	int result = 0;

	if (*own == NULL)
		result = spread_lane_new(
		    spread, loops_of(spread)->of[number], own);
	if (result == 0)
		result = spread_lane_give(*own, connection);
	if (result == 0)
		spread->away++;
	return result;
}

static void
let_go(struct spread_lane *own)
{
	struct spread *spread = own->spread;

	spread->before.bytes_in += lane_counted(&own->lane.bytes_in);
	spread->before.bytes_out += lane_counted(&own->lane.bytes_out);
	spread->before.sessions_failed += lane_counted(&own->lane.failed);
	spread->of[own->loop->number] = NULL;
	spread_lane_leave(own);
}

void
spread_leave_idle(struct loop *loop)
{
	struct spread_lane *own;

	LIST_FOREACH (own, &loop->lanes, link)
		if (own->spread != NULL && own->active == 0)
			let_go(own);
}

/* --- settings that were ----------------------------------------------------*/

static void
release(struct spread *spread, uint64_t oldest)
{
	struct server_retired *retired;

	while ((retired = STAILQ_FIRST(&spread->retired)) != NULL &&
	       retired->epoch <= oldest) {
		STAILQ_REMOVE_HEAD(&spread->retired, link);
		retired->fn(retired);
	}
}

static void
release_seen(struct spread *spread)
{
	uint64_t oldest = spread->wish.epoch;
	struct spread_lane *own;

	if (STAILQ_EMPTY(&spread->retired))
		return;
	EACH_LANE(own, spread)
	{
		pthread_mutex_lock(&own->lock);
		if (own->active > 0 && own->epoch < oldest)
			oldest = own->epoch;
		pthread_mutex_unlock(&own->lock);
	}
	release(spread, oldest);
}

void
spread_retire(struct spread *spread, struct server_retired *retired)
{
	retired->epoch = spread->wish.epoch;
	STAILQ_INSERT_TAIL(&spread->retired, retired, link);
	release_seen(spread);
}

void
spread_lane_seen(struct reactor_letter *letter)
{
	struct spread_lane *own = BASE_CONTAINER(
	    letter, struct spread_lane, seen);

	if (own->spread != NULL)
		release_seen(own->spread);
}

/* --- sessions that are gone ------------------------------------------------*/

/* Takes the news; how many. */
static unsigned
take_news(struct spread_lane *own)
{
	unsigned gone;

	pthread_mutex_lock(&own->lock);
	gone = own->gone;
	own->gone = 0;
	for (unsigned i = 0; i < own->source_count; i++)
		guard_leave(own->sources[i]);
	own->source_count = 0;
	pthread_mutex_unlock(&own->lock);
	own->active -= gone;
	own->spread->away -= gone;
	return gone;
}

static void
hear(struct spread_lane *own)
{
	struct spread *spread = own->spread;
	struct server *server = spread->server;
	struct loop *loop = own->loop;
	unsigned gone = take_news(own);

	if (own->active == 0) {
		release_seen(spread);
		if (loop->number >= loop->loops->count)
			let_go(own);
	}
	for (; gone > 0; gone--)
		server_session_gone(server);
}

void
spread_lane_done(struct reactor_letter *letter)
{
	struct spread_lane *own = BASE_CONTAINER(
	    letter, struct spread_lane, done);

	if (own->spread != NULL)
		hear(own);
}

/* --- wishes ----------------------------------------------------------------*/

static void
wish(struct spread *spread)
{
	struct spread_lane *own;

	EACH_LANE(own, spread)
	spread_lane_wish(own);
}

void
spread_update(struct spread *spread, const struct settings *settings)
{
	spread->wish.settings = settings;
	spread->wish.epoch++;
	wish(spread);
}

void
spread_set_ledger(struct spread *spread)
{
	wish(spread);
}

void
spread_hold(struct spread *spread, bool hold)
{
	spread->wish.hold = hold;
	wish(spread);
}

void
spread_end(struct spread *spread, enum crew_ending ending)
{
	if (spread->wish.ending == ending)
		return;
	spread->wish.ending = ending;
	wish(spread);
}

/* --- waiting ---------------------------------------------------------------*/

static void
await(struct spread_lane *own, const struct timespec *until)
{
	int result = 0;

	pthread_mutex_lock(&own->lock);
	own->awaited = true;
	while (result == 0 && own->gone < own->active)
		result = pthread_cond_timedwait(
		    &own->arrived, &own->lock, until);
	own->awaited = false;
	pthread_mutex_unlock(&own->lock);
}

void
spread_wait(struct spread *spread, unsigned ms)
{
	uint64_t end = mono_now().ns + MONO_MS(ms);
	const struct timespec until = {.tv_sec = (time_t)(end / MONO_MS(1000)),
	    .tv_nsec = (long)(end % MONO_MS(1000))};
	struct spread_lane *own;

	EACH_LANE(own, spread)
	{
		await(own, &until);
		hear(own);
	}
}

bool
spread_orphan(struct spread *spread)
{
	struct spread_lane *own;
	bool busy = false;

	EACH_LANE(own, spread)
	{
		hear(own);
		busy = busy || own->active > 0;
	}
	if (!busy)
		return false;
	EACH_LANE(own, spread)
	{
		pthread_mutex_lock(&own->lock);
		own->orphaned = true;
		pthread_mutex_unlock(&own->lock);
	}
	return true;
}

void
spread_count(const struct spread *spread, struct server_counters *counters)
{
	const struct spread_lane *own;

	counters->bytes_in += spread->before.bytes_in;
	counters->bytes_out += spread->before.bytes_out;
	counters->sessions_failed += spread->before.sessions_failed;
	EACH_LANE(own, spread)
	{
		counters->bytes_in += lane_counted(&own->lane.bytes_in);
		counters->bytes_out += lane_counted(&own->lane.bytes_out);
		counters->sessions_failed += lane_counted(&own->lane.failed);
	}
}

/* --- life ------------------------------------------------------------------*/

int
spread_new(struct server *server, struct spread **ret_spread)
{
	struct spread *spread = calloc(1, sizeof(*spread));

	if (spread == NULL)
		return -ENOMEM;
	spread->server = server;
	spread->wish.settings = server_settings(server);
	STAILQ_INIT(&spread->retired);
	*ret_spread = spread;
	return 0;
}

struct spread *
spread_free(struct spread *spread)
{
	struct spread_lane *own;

	if (spread == NULL)
		return NULL;
	EACH_LANE(own, spread)
	let_go(own);
	release(spread, UINT64_MAX);
	free(spread);
	return NULL;
}
