/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * spread_lane: the sessions of one server on one loop of the host.
 *
 * Connections come in batches, by an inbox and one letter; what is gone is told
 * in the same way.  Memory for that is had when a connection is handed over, so
 * that telling cannot fail.
 *
 * Settings are looked at under the lock, or while there are sessions; that is
 * what lets home free them.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "session/session_priv.h"
#include "session/session_spread.h"

/* An array that was larger than that is not kept. */
#define KEPT 64u

static struct spread_lane *
of_lane(struct lane *lane)
{
	return BASE_CONTAINER(lane, struct spread_lane, lane);
}

/* --- on its thread ---------------------------------------------------------*/

static void
session_is_gone(struct lane *lane, struct guard_source *source)
{
	struct spread_lane *own = of_lane(lane);

	pthread_mutex_lock(&own->lock);
	own->gone++;
	if (source != NULL)
		own->sources[own->source_count++] = source;
	if (own->awaited)
		pthread_cond_broadcast(&own->arrived);
	if (!own->orphaned)
		reactor_send(own->loop->loops->home, &own->done);
	pthread_mutex_unlock(&own->lock);
}

static const struct lane_kind kind = {.gone = session_is_gone};

/* Under the lock. */
static void
look_at_settings(struct spread_lane *own)
{
	const struct spread_wish *wish = &own->wish;

	if (wish->settings == NULL)
		return;
	if (wish->ledger != own->lane.ledger)
		lane_set_ledger(&own->lane, wish->ledger);
	if (own->epoch == wish->epoch)
		return;
	lane_update(&own->lane, wish->settings);
	own->epoch = wish->epoch;
	if (!own->orphaned)
		reactor_send(own->loop->loops->home, &own->seen);
}

/* What is wished of all its sessions; or of those that have just come. */
static void
obey_wish(struct spread_lane *own, bool again)
{
	enum crew_ending ending;
	bool hold;

	pthread_mutex_lock(&own->lock);
	look_at_settings(own);
	ending = own->wish.ending;
	hold = own->wish.hold;
	pthread_mutex_unlock(&own->lock);
	if (hold != own->held || (again && hold))
		lane_hold(&own->lane, hold);
	own->held = hold;
	if (ending == own->ended && !again)
		return;
	own->ended = ending;
	if (ending == CREW_CLOSES)
		lane_close_all(&own->lane, BERTH_CLOSED_DRAINED);
	else if (ending == CREW_ABORTS)
		lane_abort_all(&own->lane, BERTH_CLOSED_DRAINED);
}

static void
obey(struct reactor_letter *letter)
{
	obey_wish(BASE_CONTAINER(letter, struct spread_lane, obey), false);
}

/* Without memory for an owner nobody can be served here. */
static bool
is_ready(struct spread_lane *own)
{
	return own->owner.reactor != NULL ||
	       reactor_owner_init(&own->owner, own->loop->reactor, own->name) ==
		   0;
}

static void
begin(struct spread_lane *own, const struct connection *connection)
{
	bool ready = is_ready(own);
	int fd = connection->fd;

	if (ready && session_begin(&own->lane, connection) == 0)
		return;
	if (!ready) {
		chain_plan_unref(connection->around);
		free(connection->name);
		fd_close(&fd);
		lane_count(&own->lane.failed, 1);
	}
	session_is_gone(&own->lane, connection->source);
}

static void
empty(struct handed *handed)
{
	handed->count = 0;
	if (handed->room <= KEPT)
		return;
	free(handed->items);
	*handed = (struct handed){.items = NULL};
}

static void
take(struct reactor_letter *letter)
{
	struct spread_lane *own = BASE_CONTAINER(
	    letter, struct spread_lane, take);
	struct handed taken = own->taken;

	obey_wish(own, false);
	pthread_mutex_lock(&own->lock);
	own->taken = own->inbox;
	own->inbox = taken;
	pthread_mutex_unlock(&own->lock);
	for (unsigned i = 0; i < own->taken.count; i++)
		begin(own, &own->taken.items[i]);
	empty(&own->taken);
	obey_wish(own, true);
}

/* Nothing of the service is here any more, nor of its server. */
static void
leave(struct reactor_letter *letter)
{
	struct spread_lane *own = BASE_CONTAINER(
	    letter, struct spread_lane, leave);

	lane_fini(&own->lane);
	reactor_owner_fini(&own->owner);
	reactor_send(own->loop->loops->home, &own->left);
}

/* --- at home ---------------------------------------------------------------*/

static int
grow(struct handed *handed)
{
	unsigned room = handed->room == 0 ? 4 : handed->room * 2;
	struct connection *items;

	if (handed->count < handed->room)
		return 0;
	items = reallocarray(handed->items, room, sizeof(*items));
	if (items == NULL)
		return -ENOMEM;
	handed->items = items;
	handed->room = room;
	return 0;
}

/* For the sources of all that are active, and one more. */
static int
grow_sources(struct spread_lane *own)
{
	uint64_t wanted = own->active + 1;
	struct guard_source **sources;

	if (wanted <= own->source_room)
		return 0;
	wanted *= 2;
	if (wanted > UINT32_MAX)
		return -ENOMEM;
	sources = reallocarray(own->sources, wanted, sizeof(*sources));
	if (sources == NULL)
		return -ENOMEM;
	own->sources = sources;
	own->source_room = (unsigned)wanted;
	return 0;
}

int
spread_lane_give(struct spread_lane *own, const struct connection *connection)
{
	int result = 0;

	pthread_mutex_lock(&own->lock);
	if (connection->source != NULL)
		result = grow_sources(own);
	if (result == 0)
		result = grow(&own->inbox);
	if (result == 0) {
		own->inbox.items[own->inbox.count++] = *connection;
		own->active++;
	}
	pthread_mutex_unlock(&own->lock);
	if (result == 0)
		reactor_send(own->loop->reactor, &own->take);
	return result;
}

void
spread_lane_wish(struct spread_lane *own)
{
	struct ledger *before = own->wish.ledger;
	struct ledger *ledger = ledger_ref(own->spread->server->options.ledger);

	pthread_mutex_lock(&own->lock);
	own->wish = own->spread->wish;
	own->wish.ledger = ledger;
	pthread_mutex_unlock(&own->lock);
	ledger_unref(before);
	reactor_send(own->loop->reactor, &own->obey);
}

void
spread_lane_leave(struct spread_lane *own)
{
	struct ledger *before;

	BASE_ASSERT(own->active == 0);
	own->spread = NULL;
	pthread_mutex_lock(&own->lock);
	before = own->wish.ledger;
	own->wish = (struct spread_wish){.settings = NULL};
	pthread_mutex_unlock(&own->lock);
	ledger_unref(before);
	reactor_send(own->loop->reactor, &own->leave);
}

static void
has_left(struct reactor_letter *letter)
{
	struct spread_lane *own = BASE_CONTAINER(
	    letter, struct spread_lane, left);
	struct loop *loop = own->loop;

	spread_lane_free(own);
	loop_end_if_done(loop);
}

void
spread_lane_free(struct spread_lane *own)
{
	struct reactor *home = own->loop->loops->home;

	reactor_recall(home, &own->done);
	reactor_recall(home, &own->seen);
	reactor_recall(home, &own->left);
	LIST_REMOVE(own, link);
	pthread_cond_destroy(&own->arrived);
	pthread_cond_destroy(&own->go_on);
	pthread_mutex_destroy(&own->lock);
	free(own->inbox.items);
	free(own->taken.items);
	free(own->sources);
	free(own);
}

static void
init_letters(struct spread_lane *own)
{
	own->take.fn = take;
	own->obey.fn = obey;
	own->visit.fn = spread_lane_visited;
	own->leave.fn = leave;
	own->done.fn = spread_lane_done;
	own->seen.fn = spread_lane_seen;
	own->left.fn = has_left;
}

static void
init_lock(struct spread_lane *own)
{
	pthread_condattr_t attributes;

	pthread_mutex_init(&own->lock, NULL);
	pthread_cond_init(&own->go_on, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&own->arrived, &attributes);
	pthread_condattr_destroy(&attributes);
}

int
spread_lane_new(
    struct spread *spread, struct loop *loop, struct spread_lane **ret_lane)
{
	struct server *server = spread->server;
	const char *name = server->options.service->name;
	size_t size = strlen(name) + 1;
	struct spread_lane *own = calloc(1, sizeof(*own) + size);

	if (own == NULL)
		return -ENOMEM;
	memcpy(own->name, name, size);
	own->loop = loop;
	own->spread = spread;
	own->wish = spread->wish;
	own->wish.ledger = ledger_ref(server->options.ledger);
	own->epoch = spread->wish.epoch;
	init_letters(own);
	init_lock(own);
	lane_init(&own->lane, server, &own->owner, &loop->shared);
	own->lane.reactor = loop->reactor;
	own->lane.kind = &kind;
	own->lane.number = loop->number;
	LIST_INSERT_HEAD(&loop->lanes, own, link);
	*ret_lane = own;
	return 0;
}
