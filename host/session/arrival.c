/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * arrival: from accept(2) to the session; see arrival.h.
 *
 * Which stages apply is known from the settings and kept as bits, so that a
 * service without any pays one comparison.  A refused visitor costs neither
 * memory nor more than the calls that tell him so.
 */
#include "session/arrival.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "session/admission.h"
#include "session/session_priv.h"

/* In their order: what is cheap first, what needs the client last. */
static const struct arrival_stage *const usual_stages[] = {&admission_greet,
    &admission_gate, &proxy_stage, &admission_list, &admission_door,
    &wrapped_stage, &admission_welcome, NULL};

static const struct arrival_stage *const *
stages_of(const struct server *server)
{
	return server->options.stages != NULL ? server->options.stages
					      : usual_stages;
}

void
arrival_update(struct server *server)
{
	const struct arrival_stage *const *stages = stages_of(server);
	uint32_t bits = 0;

	for (unsigned i = 0; stages[i] != NULL; i++)
		if (stages[i]->applies == NULL || stages[i]->applies(server))
			bits |= UINT32_C(1) << i;
	server->stages = bits;
}

/* --- the peer --------------------------------------------------------------*/

const struct sockaddr *
visitor_peer(struct visitor *visitor, socklen_t *ret_size)
{
	socklen_t size = sizeof(visitor->peer);
	void *any = &visitor->peer;

	if (visitor->peer_size == 0 &&
	    getpeername(visitor->fd, any, &size) == 0)
		visitor->peer_size = size < sizeof(sa_family_t)
					 ? sizeof(sa_family_t)
					 : size;
	if (visitor->peer_size == 0)
		return NULL;
	*ret_size = visitor->peer_size;
	return any;
}

void
visitor_set_peer(
    struct visitor *visitor, const struct sockaddr *peer, socklen_t size)
{
	BASE_ASSERT(size > 0 && size <= sizeof(visitor->peer));
	memcpy(&visitor->peer, peer, size);
	visitor->peer_size = size;
	visitor->peer_replaced = true;
}

/* --- its ways out ----------------------------------------------------------*/

/* The line that a client of tcpmux waits for; so short a one always fits. */
static void
tell_visitor(const struct visitor *visitor, const char *sign, const char *text)
{
	char line[128];
	int size = snprintf(line, sizeof(line), "%s%s\r\n", sign, text);

	send(visitor->fd, line, (size_t)size, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void
refuse(struct visitor *visitor)
{
	if (visitor->way != VISITOR_DIRECT)
		tell_visitor(visitor, "-", guard_reason_name(visitor->reason));
	admission_refuse(visitor);
}

static int
enter(struct visitor *visitor)
{
	struct server *server = visitor->server;
	const struct server_strategy *strategy = server->options.strategy;

	if (unlikely(visitor->way == VISITOR_MUX_PLUS))
		tell_visitor(visitor, "+", "Go");
	if (strategy == NULL)
		return session_welcome(visitor);
	reactor_charge(server->options.owner);
	return strategy->accepted(server->options.units, visitor);
}

/* --- parked ----------------------------------------------------------------*/

static void
forget(struct reactor_deferred *node)
{
	free(BASE_CONTAINER(node, struct arrival, deferred));
}

static void
stop_waiting(struct arrival *arrival)
{
	struct server *server = arrival->visitor.server;
	const struct arrival_stage *stage = stages_of(server)[arrival->stage];

	if (!arrival->waiting)
		return;
	arrival->waiting = false;
	if (arrival->watched)
		reactor_remove(server->options.owner, arrival->visitor.fd,
		    BERTH_IO_EVENTS | BERTH_DONT_CALL);
	else if (stage->cancel != NULL)
		stage->cancel(arrival);
	arrival->watched = false;
}

/* Its memory stays for those further up the stack; the listener for whoever
 * gets the visitor. */
static void
unpark(struct arrival *arrival)
{
	struct server *server = arrival->visitor.server;

	stop_waiting(arrival);
	if (arrival->deadline != 0)
		reactor_cancel(server->options.owner, arrival->deadline, NULL);
	TAILQ_REMOVE(&server->arrivals, arrival, link);
	server->parked--;
	arrival->over = true;
	reactor_defer(server->home.reactor, &arrival->deferred, forget);
}

/* What there is to do when one is parked no longer. */
static void
is_through(struct server *server, struct listener *listener)
{
	listener_unref(listener);
	server_wake(server);
	server_drain_check(server);
}

static void
end_parked(struct arrival *arrival, enum guard_reason reason)
{
	struct visitor *visitor = &arrival->visitor;

	visitor->reason = reason;
	unpark(arrival);
	refuse(visitor);
	is_through(visitor->server, visitor->listener);
}

static int
on_input(struct berth_handler *handler, int fd)
{
	(void)fd;
	arrival_judge(BASE_CONTAINER(handler, struct arrival, handler));
	return 0;
}

static int
on_deadline(struct berth_handler *handler, uint64_t now_ns, void *token)
{
	struct arrival *arrival = BASE_CONTAINER(
	    handler, struct arrival, handler);

	(void)now_ns;
	(void)token;
	arrival->deadline = 0;
	end_parked(arrival, GUARD_LATE);
	return 0;
}

/* The owner was revoked, or the reactor ends. */
static void
on_close(struct berth_handler *handler, int fd, unsigned mask)
{
	struct arrival *arrival = BASE_CONTAINER(
	    handler, struct arrival, handler);

	(void)fd;
	if ((mask & BERTH_TIMER) != 0 || arrival->over)
		return;
	arrival->watched = false;
	end_parked(arrival, GUARD_BROKEN);
}

static int
on_child(struct berth_handler *handler, int pid, int code, int status)
{
	struct arrival *arrival = BASE_CONTAINER(
	    handler, struct arrival, handler);

	(void)pid;
	wrapped_answer(arrival, code, status);
	arrival_judge(arrival);
	return 0;
}

static const struct berth_handler_type handler_type = {
    .input = on_input,
    .child = on_child,
    .timeout = on_deadline,
    .close = on_close,
};

static int
wait_for_stage(struct arrival *arrival)
{
	struct server *server = arrival->visitor.server;
	const struct arrival_stage *stage = stages_of(server)[arrival->stage];
	int result;

	if (stage->waits != NULL) {
		result = stage->waits(arrival);
	} else {
		result = reactor_add(server->options.owner, &arrival->handler,
		    arrival->visitor.fd, BERTH_READ);
		arrival->watched = result == 0;
	}
	arrival->waiting = result == 0;
	return result;
}

static int
begin_waiting(struct arrival *arrival)
{
	struct server *server = arrival->visitor.server;
	struct reactor_owner *owner = server->options.owner;
	uint32_t ms = stages_of(server)[arrival->stage]->patience_ms;
	int result = reactor_schedule(owner, &arrival->handler, NULL,
	    MONO_MS(ms != 0 ? ms : ARRIVAL_PATIENCE_MS), 0, &arrival->deadline);

	if (result < 0)
		return result;
	result = wait_for_stage(arrival);
	if (result < 0)
		reactor_cancel(owner, arrival->deadline, NULL);
	return result;
}

static int
park(const struct visitor *visitor, unsigned stage)
{
	struct server *server = visitor->server;
	struct arrival *arrival;
	int result;

	if (server->parked >= ARRIVALS_MAX)
		return -EBUSY;
	arrival = calloc(1, sizeof(*arrival));
	if (arrival == NULL)
		return -ENOMEM;
	arrival->visitor = *visitor;
	arrival->handler.type = &handler_type;
	arrival->stage = (uint8_t)stage;
	result = begin_waiting(arrival);
	if (result < 0) {
		free(arrival);
		return result;
	}
	listener_ref(visitor->listener);
	TAILQ_INSERT_TAIL(&server->arrivals, arrival, link);
	server->parked++;
	return 0;
}

/* --- the way ---------------------------------------------------------------*/

/* Of the stages that are left; the last of them is given back. */
static enum arrival_answer
judge(struct visitor *visitor, unsigned first, unsigned *ret_stage)
{
	const struct arrival_stage *const *stages = stages_of(visitor->server);
	uint32_t left = visitor->server->stages >> first << first;
	enum arrival_answer answer = ARRIVAL_GOES_ON;

	while (left != 0 && answer == ARRIVAL_GOES_ON) {
		*ret_stage = (unsigned)__builtin_ctz(left);
		left &= left - 1;
		answer = stages[*ret_stage]->judge(visitor);
	}
	return answer;
}

static int
accept_judged(struct visitor *visitor)
{
	unsigned stage = 0;
	int result;

	switch (judge(visitor, 0, &stage)) {
	case ARRIVAL_GOES_ON:
		return enter(visitor);
	case ARRIVAL_TAKEN:
		return 0;
	case ARRIVAL_WAITS:
		result = park(visitor, stage);
		if (result == 0)
			return 0;
		visitor->reason = GUARD_CROWDED;
		refuse(visitor);
		return result;
	case ARRIVAL_REFUSED:
		break;
	}
	refuse(visitor);
	return -ECONNREFUSED;
}

void
visitor_init(struct visitor *visitor, struct server *server,
    struct listener *listener, int fd)
{
	visitor->server = server;
	visitor->listener = listener;
	visitor->fd = fd;
	visitor->peer_size = 0;
	visitor->source = NULL;
	visitor->peer_replaced = false;
	visitor->way = VISITOR_DIRECT;
	visitor->local.ss_family = AF_UNSPEC;
	visitor->seen = 0;
	visitor->wrapped = WRAPPED_NOT_ASKED;
	visitor->reason = GUARD_SERVED;
}

int
server_welcome(struct visitor *visitor)
{
	reactor_charge(visitor->server->options.owner);
	return session_welcome(visitor);
}

int
arrival_begin(struct visitor *visitor)
{
	if (likely(visitor->server->stages == 0))
		return enter(visitor);
	return accept_judged(visitor);
}

int
arrival_accepted(
    struct listener_consumer *consumer, struct listener *listener, int fd)
{
	struct visitor visitor;

	visitor_init(&visitor, server_of(consumer), listener, fd);
	return arrival_begin(&visitor);
}

static void
wait_on(struct arrival *arrival, unsigned stage)
{
	if (stage == arrival->stage)
		return;
	stop_waiting(arrival);
	arrival->stage = (uint8_t)stage;
	if (wait_for_stage(arrival) < 0)
		end_parked(arrival, GUARD_CROWDED);
}

void
arrival_judge(struct arrival *arrival)
{
	struct visitor *visitor = &arrival->visitor;
	unsigned stage = arrival->stage;
	enum arrival_answer answer;

	if (arrival->over)
		return;
	answer = judge(visitor, stage, &stage);
	if (answer == ARRIVAL_WAITS) {
		wait_on(arrival, stage);
		return;
	}
	unpark(arrival);
	if (answer == ARRIVAL_GOES_ON)
		enter(visitor);
	else if (answer == ARRIVAL_REFUSED)
		refuse(visitor);
	is_through(visitor->server, visitor->listener);
}

void
arrival_end_all(struct server *server)
{
	struct arrival *arrival;

	while ((arrival = TAILQ_FIRST(&server->arrivals)) != NULL) {
		unpark(arrival);
		guard_leave(arrival->visitor.source);
		fd_close(&arrival->visitor.fd);
		listener_unref(arrival->visitor.listener);
	}
}
