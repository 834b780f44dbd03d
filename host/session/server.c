/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * server: all sessions and listeners of one instance of a service.
 *
 * It is the consumer of its listeners while it accepts.  When `instances`
 * sessions are open it takes no more; clients wait in the backlog until one
 * ends.
 *
 * Its sessions are its own (session.c), or the units of a strategy; all but
 * strategy.c is the same for both.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "session/session_crew.h"
#include "session/session_priv.h"

/* --- the consumer ----------------------------------------------------------*/

static bool
is_ready(struct listener_consumer *consumer)
{
	return server_has_room(server_of(consumer));
}

/* As many as its concurrency drives at once? */
static bool
is_at_bound(const struct server *server)
{
	const struct concurrency *how = &server_settings(server)->concurrency;
	uint64_t inside = server->counters.sessions_active + server->parked;

	if (how->kind == CONCURRENCY_ITERATIVE ||
	    how->kind == CONCURRENCY_PROCESS)
		return inside >= how->count;
	return server->crew != NULL && !crew_has_room(server->crew);
}

bool
server_has_room(struct server *server)
{
	const struct server_strategy *strategy = server->options.strategy;

	if (!is_at_bound(server) && admission_ready(server) &&
	    (strategy == NULL || strategy->ready(server->options.units)))
		return true;
	server->full = true;
	return false;
}

static const struct listener_consumer_type consumer_type = {
    .accepted = arrival_accepted,
    .readable = datagram_readable,
    .ready = is_ready,
};

static const struct berth_handler_type handler_type = {
    .timeout = server_timeout,
};

void
server_wake_listener(struct server *server, struct listener *listener)
{
	if (listener_consumer(listener) == &server->consumer)
		listener_resume(listener);
}

void
server_wake(struct server *server)
{
	unsigned i;

	if (!server->full)
		return;
	server->full = false;
	for (i = 0; i < server->listener_count; i++)
		server_wake_listener(server, server->listeners[i]);
}

void
server_session_gone(struct server *server)
{
	void (*empty)(void *context) = server->empty;

	server->counters.sessions_active--;
	if (unlikely(empty != NULL) && server->counters.sessions_active == 0) {
		server->empty = NULL;
		empty(server->empty_context);
	}
	server_wake(server);
	server_drain_check(server);
}

void
server_unit_begins(struct server *server)
{
	server_counts_session(server);
}

void
server_unit_ends(struct server *server, bool failed)
{
	if (failed)
		lane_count(&server->home.failed, 1);
	server_session_gone(server);
}

/* --- life ------------------------------------------------------------------*/

int
server_new(const struct server_options *options, struct server **ret_server)
{
	enum concurrency_kind how = options->settings->concurrency.kind;
	struct server *server = calloc(1, sizeof(*server));
	int result = 0;

	if (server == NULL)
		return -ENOMEM;
	server->options = *options;
	if (how != CONCURRENCY_REACTIVE || options->strategy != NULL ||
	    options->peeks)
		server->options.loops = NULL;
	result = serve_adapt(server);
	if (result < 0) {
		free(server);
		return result;
	}
	lane_init(&server->home, server, options->owner,
	    listeners_shared(options->listeners));
	server->consumer.type = options->strategy == NULL
				    ? &consumer_type
				    : strategy_consumer(options->strategy);
	server->consumer.name = options->service->name;
	server->handler.type = &handler_type;
	TAILQ_INIT(&server->arrivals);
	admission_init(&server->admission);
	arrival_update(server);
	if (options->strategy == NULL &&
	    (how == CONCURRENCY_THREAD || how == CONCURRENCY_POOL))
		result = crew_new(server, &server->crew);
	if (result < 0) {
		lane_fini(&server->home);
		free(server->adapter);
		free(server);
		return result;
	}
	*ret_server = server;
	return 0;
}

struct server *
server_free(struct server *server)
{
	unsigned i;

	if (server == NULL)
		return NULL;
	BASE_ASSERT(server->counters.sessions_active == 0);
	BASE_ASSERT(server->parked == 0);
	server_accept(server, false);
	server_drain_cancel(server);
	admission_rest(server);
	away_free(server);
	lane_fini(&server->home);
	for (i = 0; i < server->listener_count; i++)
		listener_unref(server->listeners[i]);
	free(server->listeners);
	senders_free(server);
	free(server->datagram);
	free(server->adapter);
	free(server->admission.refusals);
	server->listeners = NULL;
	server->listener_count = 0;
	server->datagram = NULL;
	server->adapter = NULL;
	server->admission.refusals = NULL;
	/* The reactor still has a node of ours until the end of the turn. */
	server->freed = true;
	if (!server->queued)
		free(server);
	return NULL;
}

/* --- listeners -------------------------------------------------------------*/

bool
server_serves(const struct server *server, bool datagram)
{
	const struct server_strategy *strategy = server->options.strategy;
	const struct berth_session_type *type = server->options.type;

	if (strategy != NULL)
		return strategy->serves(server->options.units, datagram);
	if (datagram)
		return type->datagram != NULL;
	return type->open != NULL || type->input != NULL;
}

int
server_make_room(struct server *server, const struct listener *listener)
{
	bool datagram = listener_is_datagram(listener);

	if (!server_serves(server, datagram))
		return -EPROTONOSUPPORT;
	if (datagram && server->options.strategy == NULL &&
	    server->datagram == NULL)
		return datagram_new(server, &server->datagram);
	return 0;
}

int
server_add_listener(struct server *server, struct listener *listener)
{
	struct listener **more;
	int result = server_make_room(server, listener);

	if (result != 0)
		return result;
	more = reallocarray(server->listeners, server->listener_count + 1,
	    sizeof(struct listener *));
	if (more == NULL)
		return -ENOMEM;
	server->listeners = more;
	more[server->listener_count++] = listener;
	if (server->accepting) {
		listener_tune(listener, server_settings(server));
		listener_attach(listener, &server->consumer);
	}
	return 0;
}

static bool
has_listener(const struct server *server, const struct listener *listener)
{
	unsigned i;

	for (i = 0; i < server->listener_count; i++) {
		if (server->listeners[i] == listener)
			return true;
	}
	return false;
}

static void
attach_all(struct server *server)
{
	unsigned i;

	for (i = 0; i < server->listener_count; i++) {
		listener_tune(server->listeners[i], server_settings(server));
		listener_attach(server->listeners[i], &server->consumer);
	}
}

void
server_set_listeners(
    struct server *server, struct listener **listeners, unsigned count)
{
	struct listener **old = server->listeners;
	unsigned old_count = server->listener_count, i;

	server->listeners = listeners;
	server->listener_count = count;
	/* Those that stay are never without a consumer. */
	if (server->accepting)
		attach_all(server);
	for (i = 0; i < old_count; i++) {
		if (!has_listener(server, old[i])) {
			listener_detach(old[i], &server->consumer);
			senders_miss(server, old[i]);
		}
		listener_unref(old[i]);
	}
	free(old);
}

void
server_hold(struct server *server, bool hold)
{
	lane_hold(&server->home, hold);
	away_hold(server, hold);
}

void
server_accept(struct server *server, bool accept)
{
	const struct server_strategy *strategy = server->options.strategy;
	unsigned i;

	server->accepting = accept;
	if (strategy != NULL && strategy->accepting != NULL)
		strategy->accepting(server->options.units, accept);
	if (accept) {
		server_drain_cancel(server);
		attach_all(server);
		if (server->crew != NULL)
			crew_go_on(server->crew);
		return;
	}
	admission_rest(server);
	for (i = 0; i < server->listener_count; i++)
		listener_detach(server->listeners[i], &server->consumer);
}

void
server_tell_empty(
    struct server *server, void (*empty)(void *context), void *context)
{
	server->empty = empty;
	server->empty_context = context;
}

bool
server_is_full(const struct server *server)
{
	return server->full;
}

bool
server_accepting(const struct server *server)
{
	return server->accepting;
}

unsigned
server_listener_count(const struct server *server)
{
	return server->listener_count;
}

struct listener *
server_listener(const struct server *server, unsigned index)
{
	BASE_ASSERT(index < server->listener_count);
	return server->listeners[index];
}

void
server_set_guard(
    struct server *server, struct guard *guard, const struct guard_rules *rules)
{
	server->admission.guard = guard;
	server->admission.rules = rules;
	arrival_update(server);
}

void
server_hands_over(struct server *server)
{
	admission_begins(server);
}

void
server_set_ledger(struct server *server, struct ledger *ledger)
{
	server->options.ledger = ledger;
	lane_set_ledger(&server->home, ledger);
	away_set_ledger(server);
}

struct ledger *
server_ledger(const struct server *server)
{
	return server->options.ledger;
}

void
server_update(struct server *server, const struct settings *settings)
{
	unsigned i;

	server->options.settings = settings;
	lane_update(&server->home, settings);
	arrival_update(server);
	admission_rest(server);
	away_update(server, settings);
	if (!server->accepting)
		return;
	for (i = 0; i < server->listener_count; i++) {
		if (listener_consumer(server->listeners[i]) ==
		    &server->consumer)
			listener_tune(server->listeners[i], settings);
	}
	server_wake(server);
}

void
server_retire(struct server *server, struct server_retired *retired)
{
	away_retire(server, retired);
}

/* --- looking ---------------------------------------------------------------*/

void
server_counters(
    const struct server *server, struct server_counters *ret_counters)
{
	const struct server_strategy *strategy = server->options.strategy;

	*ret_counters = (struct server_counters){
	    .sessions_active = server->counters.sessions_active,
	    .sessions_total = server->counters.sessions_total,
	    .sessions_failed = server->home.failed,
	    .datagrams = server->counters.datagrams,
	    .datagrams_refused = server->counters.datagrams_refused,
	    .arrivals = server->parked,
	    .bytes_in = server->home.bytes_in,
	    .bytes_out = server->home.bytes_out,
	};
	if (server->admission.refusals != NULL)
		memcpy(ret_counters->refused, server->admission.refusals->count,
		    sizeof(ret_counters->refused));
	away_count(server, ret_counters);
	if (strategy != NULL && strategy->counters != NULL)
		strategy->counters(server->options.units, ret_counters);
}

void
server_each_session(struct server *server, server_session_fn *fn, void *context)
{
	const struct server_strategy *strategy = server->options.strategy;

	if (strategy != NULL)
		strategy->each(server->options.units, fn, context);
	lane_each(&server->home, fn, context);
	away_each(server, fn, context);
}
