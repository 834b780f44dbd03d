/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * connector: a connection that a service wants, and wants again when it is
 * lost.
 *
 * It is in one state, which has one thing to wait for besides the timer:
 *
 *	WAITS	for its time		timer: the next attempt
 *	ASKS	for addresses		timer: the limit	names waiter
 *	TRIES	one address		timer: the limit	descriptor
 *	RESTS	a connection was handed out, or it has given up
 *
 * Hooks are called with nothing under way, so that they may end it or have it
 * begin again.  What was handed out is the service's.
 *
 * It does not wait for anything on the loop, and does not keep connections.
 */
#include "session/connector_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ADDRESSES_MOST 16u
#define SOON_NS 1u

enum state { STATE_WAITS, STATE_ASKS, STATE_TRIES, STATE_RESTS };

struct berth_connector {
	LIST_ENTRY(berth_connector) link;
	struct connectors *all;
	struct berth_connect_options options;
	struct connector_place place;
	struct berth_handler handler;
	struct names_waiter waiter;
	enum state state;
	int fd;
	berth_timer_id timer; /* 0: none */
	unsigned failures;    /* in a row */
	uint64_t delay_ns;    /* after the next failure */
	struct access_prefix prefixes[ADDRESSES_MOST];
	unsigned count, next;
	int error; /* of the last address */
	bool ended;
	struct reactor_deferred deferred;
};

static void try_next(struct berth_connector *connector);

static struct berth_connector *
connector_of(struct berth_handler *handler)
{
	return BASE_CONTAINER(handler, struct berth_connector, handler);
}

/* --- what is under way -----------------------------------------------------*/

static void
drop_timer(struct berth_connector *connector)
{
	if (connector->timer != 0)
		reactor_cancel(connector->all->owner, connector->timer, NULL);
	connector->timer = 0;
}

static int
set_timer(struct berth_connector *connector, uint64_t delay_ns)
{
	drop_timer(connector);
	return reactor_schedule(connector->all->owner, &connector->handler,
	    NULL, delay_ns, 0, &connector->timer);
}

/* Gives up the descriptor. */
static int
take_fd(struct berth_connector *connector)
{
	if (connector->fd >= 0)
		reactor_remove(connector->all->owner, connector->fd,
		    BERTH_IO_EVENTS | BERTH_DONT_CALL);
	return base_take_fd(&connector->fd);
}

static void
drop(struct berth_connector *connector)
{
	int fd = take_fd(connector);

	fd_close(&fd);
	names_unwait(&connector->waiter);
	drop_timer(connector);
	connector->state = STATE_RESTS;
}

/* --- its ends --------------------------------------------------------------*/

/* When to try again, or 0. */
static uint64_t
next_delay(struct berth_connector *connector)
{
	const struct berth_connect_options *options = &connector->options;
	uint64_t delay_ns = connector->delay_ns;

	connector->failures++;
	if (delay_ns == 0 ||
	    (options->attempts > 0 && connector->failures >= options->attempts))
		return 0;
	connector->delay_ns = delay_ns > options->retry_most_ns / 2
				  ? options->retry_most_ns
				  : 2 * delay_ns;
	return delay_ns;
}

static void
begin_anew(struct berth_connector *connector)
{
	connector->failures = 0;
	connector->delay_ns = connector->options.retry_ns;
}

static void
fail(struct berth_connector *connector, int error)
{
	uint64_t again_ns;

	drop(connector);
	again_ns = next_delay(connector);
	if (again_ns > 0 && set_timer(connector, again_ns) == 0)
		connector->state = STATE_WAITS;
	else
		again_ns = 0;
	if (connector->options.failed != NULL)
		connector->options.failed(
		    connector->options.arg, error, again_ns);
}

static void
succeed(struct berth_connector *connector)
{
	unsigned failures = connector->failures;
	uint64_t delay_ns = connector->delay_ns;
	int fd = take_fd(connector), result;

	drop(connector);
	begin_anew(connector);
	result = connector->options.connected(connector->options.arg, fd);
	if (result >= 0)
		return;
	fd_close(&fd);
	if (connector->ended || connector->state != STATE_RESTS)
		return;
	connector->failures = failures;
	connector->delay_ns = delay_ns;
	fail(connector, result);
}

/* --- an attempt ------------------------------------------------------------*/

/* The time for what is under way.  0, or negative: there is none. */
static int
limit(struct berth_connector *connector)
{
	uint64_t timeout_ns = connector->options.timeout_ns;

	drop_timer(connector);
	if (timeout_ns == BERTH_CONNECT_AT_ONCE)
		return -EWOULDBLOCK;
	if (timeout_ns == BERTH_CONNECT_FOREVER)
		return 0;
	return set_timer(connector, timeout_ns);
}

/* 0: it is on its way, or done with; or a negative errno: the next one. */
static int
try_address(struct berth_connector *connector, const struct address *address)
{
	int result = connector_begin(
	    &connector->place, address, &connector->fd);

	if (result == 0) {
		succeed(connector);
		return 0;
	}
	if (result == -EINPROGRESS)
		result = limit(connector);
	if (result == 0)
		result = reactor_add(connector->all->owner, &connector->handler,
		    connector->fd, BERTH_CONNECT);
	if (result == 0)
		connector->state = STATE_TRIES;
	else
		fd_close(&connector->fd);
	return result;
}

static void
try_next(struct berth_connector *connector)
{
	struct address address = connector->place.address;
	int result = connector->error;

	while (connector->next < connector->count) {
		unsigned at = connector->next++;

		if (connector->place.is_name &&
		    !connector_place_with(
			&connector->place, &connector->prefixes[at], &address))
			continue;
		result = try_address(connector, &address);
		if (result == 0)
			return;
	}
	fail(connector, result);
}

static void addresses_known(struct names_waiter *waiter);

static void
ask(struct berth_connector *connector)
{
	struct names_answer answer = {.state = NAMES_FAILED};
	int result = -EHOSTUNREACH;

	if (connector->all->names != NULL)
		names_addresses(
		    connector->all->names, connector->place.to.host, &answer);
	if (answer.state == NAMES_GOOD) {
		connector->count = answer.count < ADDRESSES_MOST
				       ? answer.count
				       : ADDRESSES_MOST;
		memcpy(connector->prefixes, answer.prefixes,
		    connector->count * sizeof(connector->prefixes[0]));
		try_next(connector);
		return;
	}
	if (answer.state == NAMES_NONE)
		result = -ENXIO;
	else if (answer.state == NAMES_PENDING)
		result = connector->timer != 0 && connector->state == STATE_ASKS
			     ? 0
			     : limit(connector);
	if (result != 0) {
		fail(connector, result);
		return;
	}
	connector->state = STATE_ASKS;
	names_wait(answer.entry, &connector->waiter, addresses_known);
}

static void
addresses_known(struct names_waiter *waiter)
{
	ask(BASE_CONTAINER(waiter, struct berth_connector, waiter));
}

static void
begin(struct berth_connector *connector)
{
	connector->next = 0;
	connector->error = -EHOSTUNREACH;
	if (connector->place.is_name) {
		ask(connector);
		return;
	}
	connector->count = 1;
	try_next(connector);
}

/* This address is of no use; the next one. */
static void
give_up(struct berth_connector *connector, int error)
{
	drop(connector);
	connector->error = error;
	try_next(connector);
}

static int
on_connected(struct berth_handler *handler, int fd)
{
	struct berth_connector *connector = connector_of(handler);
	int result = connector_outcome(fd);

	if (result == 0)
		succeed(connector);
	else
		give_up(connector, result);
	return 0;
}

static int
on_timer(struct berth_handler *handler, uint64_t now_ns, void *token)
{
	struct berth_connector *connector = connector_of(handler);

	(void)now_ns;
	(void)token;
	connector->timer = 0;
	if (connector->state == STATE_WAITS)
		begin(connector);
	else if (connector->state == STATE_TRIES)
		give_up(connector, -ETIME);
	else
		fail(connector, -ETIME);
	return 0;
}

static const struct berth_handler_type handler_type = {
    .output = on_connected,
    .timeout = on_timer,
};

/* --- life ------------------------------------------------------------------*/

void
connectors_init(struct connectors *connectors, struct reactor_owner *owner,
    struct names *names)
{
	*connectors = (struct connectors){.owner = owner, .names = names};
	LIST_INIT(&connectors->list);
}

unsigned
connectors_fini(struct connectors *connectors)
{
	unsigned count = connectors->count;
	struct berth_connector *connector;

	while ((connector = LIST_FIRST(&connectors->list)) != NULL)
		connector_free(connector);
	return count;
}

static int
start(struct berth_connector *connector, uint64_t delay_ns)
{
	int result = set_timer(connector, delay_ns);

	if (result == 0)
		connector->state = STATE_WAITS;
	return result;
}

int
connector_new(struct connectors *connectors,
    const struct berth_connect_options *options,
    struct berth_connector **ret_connector)
{
	struct berth_connector *connector;
	int result = -EINVAL;

	if (options->connected == NULL)
		return result;
	connector = calloc(1, sizeof(*connector));
	if (connector == NULL)
		return -ENOMEM;
	connector->all = connectors;
	connector->options = *options;
	if (options->retry_most_ns < options->retry_ns)
		connector->options.retry_most_ns = options->retry_ns;
	connector->handler.type = &handler_type;
	connector->fd = -1;
	begin_anew(connector);
	result = connector_place_init(&connector->place, options);
	if (result == 0)
		result = start(connector, SOON_NS);
	if (result != 0) {
		connector_place_fini(&connector->place);
		free(connector);
		return result;
	}
	LIST_INSERT_HEAD(&connectors->list, connector, link);
	connectors->count++;
	*ret_connector = connector;
	return 0;
}

int
connector_again(struct berth_connector *connector)
{
	uint64_t delay_ns = connector->options.retry_ns;
	int result;

	if (connector->state != STATE_RESTS)
		return 0;
	begin_anew(connector);
	result = start(connector, delay_ns > 0 ? delay_ns : SOON_NS);
	return result;
}

static void
end_of_turn(struct reactor_deferred *deferred)
{
	struct berth_connector *connector = BASE_CONTAINER(
	    deferred, struct berth_connector, deferred);

	connector_place_fini(&connector->place);
	free(connector);
}

struct berth_connector *
connector_free(struct berth_connector *connector)
{
	if (connector == NULL || connector->ended)
		return NULL;
	drop(connector);
	connector->ended = true;
	LIST_REMOVE(connector, link);
	connector->all->count--;
	/* One of its hooks may be on the stack. */
	reactor_defer(
	    connector->all->owner->reactor, &connector->deferred, end_of_turn);
	return NULL;
}
