/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * session: the life of one connection.
 *
 * One allocation holds it and the service's state.  It is registered with the
 * reactor only if it survives its open hook, so that a service that answers
 * and closes costs no epoll_ctl(2).
 *
 * Whatever a hook or a call does to a session is noted first and acted upon in
 * settle(), the one place that changes interest, goes on with closing, and
 * frees.
 */
#include "session/session_priv.h"

#include <berth/host.h>
#include <errno.h>
#include <inttypes.h>
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

static struct session *
of_handler(struct berth_handler *handler)
{
	return BASE_CONTAINER(handler, struct session, handler);
}

static const struct berth_session_type *
type_of(const struct session *session)
{
	return session->lane->server->options.type;
}

/* --- its end ---------------------------------------------------------------*/

const char *
session_reason_text(int reason)
{
	static const char *const texts[] = {
	    [BERTH_CLOSED_ORDERLY] = "closed in order",
	    [BERTH_CLOSED_IDLE] = "idle for too long",
	    [BERTH_CLOSED_DRAINED] = "the service ended",
	    [BERTH_CLOSED_ABORTED] = "aborted by the service",
	    [BERTH_CLOSED_OVERFLOW] = "input_limit reached",
	    [BERTH_CLOSED_EXPIRED] = "max_session reached",
	};

	return reason < 0 ? strerror(-reason) : texts[reason];
}

bool
session_is_failure(int reason)
{
	return reason < 0 || reason == BERTH_CLOSED_OVERFLOW;
}

static __attribute__((noinline)) void
log_peer(struct session *session, int level, const char *what)
{
	struct server *server = session->lane->server;
	char peer[SESSION_ADDRESS_MAX];

	if (session_peer(&session->public, peer, sizeof(peer)) < 0)
		strcpy(peer, "an unknown address");
	log_printf(server->options.log, level, server->options.service->name,
	    "session %" PRIu64 " from %s: %s", session->id, peer, what);
}

static inline bool
is_logged(const struct session *session, int level)
{
	const struct log *log = session->lane->server->options.log;

	/* The peer is asked for when wanted only: it is a system call. */
	return log != NULL &&
	       level <= __atomic_load_n(&log->level, __ATOMIC_RELAXED);
}

/* A filter's own words, or what its number says. */
static const char *
why(const struct session *session)
{
	const char *failure = NULL;

	if (session_is_chained(session))
		failure = chain_failure(session);
	return failure != NULL ? failure : session_reason_text(session->reason);
}

static void
end(struct session *session)
{
	struct lane *lane = session->lane;
	const struct berth_session_type *type = type_of(session);
	struct guard_source *source = session->source;
	int reason = session->reason;
	int level = session_is_failure(reason) ? BERTH_INFO : BERTH_DEBUG;

	if (is_logged(session, level))
		log_peer(session, level, why(session));
	if (unlikely(lane->ledger != NULL))
		session_tell_end(session);
	if ((session->flags & SESSION_OPENED) != 0 && type->closed != NULL)
		type->closed(&session->public, reason);
	LIST_REMOVE(session, link);
	if (session_is_chained(session))
		session->chain = chain_free(session->chain, reason);
	if (lane->kind != NULL && lane->kind->lets_go != NULL)
		lane->kind->lets_go(lane);
	fd_close(&session->fd);
	if (session->input != NULL)
		buffer_drop(&session->input);
	if (session->output != NULL)
		buffer_drop(&session->output);
	if (session->name != NULL)
		free(session->name);
	lane_give_memory(lane, session);
	lane_session_gone(lane, source, session_is_failure(reason));
}

static void
end_of_turn(struct reactor_deferred *node)
{
	struct session *session = BASE_CONTAINER(
	    node, struct session, deferred);

	session->flags &= (uint16_t)~SESSION_QUEUED;
	reactor_charge(session->lane->owner);
	if (session->phase == PHASE_DOOMED) {
		end(session);
		return;
	}
	session_enter(session);
	session_offer_again(session);
	serve_notice(session);
	session_leave(session);
}

void
session_defer(struct session *session)
{
	if ((session->flags & SESSION_QUEUED) != 0)
		return;
	session->flags |= SESSION_QUEUED;
	reactor_defer(session->lane->reactor, &session->deferred, end_of_turn);
}

static void
unwatch(struct session *session)
{
	if ((session->flags & SESSION_WATCHED) == 0)
		return;
	session->flags &= (uint16_t)~SESSION_WATCHED;
	reactor_remove(session->lane->owner, session->fd,
	    BERTH_IO_EVENTS | BERTH_DONT_CALL);
}

void
session_doom(struct session *session, int reason)
{
	if (session->phase == PHASE_DOOMED)
		return;
	session->phase = PHASE_DOOMED;
	session->reason = (int16_t)reason;
	session_cancel_timer(session);
	unwatch(session);
	if (session->depth == 0)
		session_defer(session);
}

void
session_end_now(struct session *session, int reason)
{
	if (session->depth > 0 || (session->flags & SESSION_QUEUED) != 0) {
		session_doom(session, reason);
		return;
	}
	session_enter(session);
	session_doom(session, reason);
	session_leave(session);
}

/* --- interest --------------------------------------------------------------*/

static unsigned
wanted_interest(const struct session *session)
{
	unsigned wanted = session_is_reading(session) ? BERTH_READ : 0;

	/* What filters keep is no matter of the kernel's. */
	if (session->output != NULL ||
	    (session->flags & (SESSION_SHORT | SESSION_CHAINED)) ==
		SESSION_SHORT)
		wanted |= BERTH_WRITE;
	return wanted;
}

static void
watch(struct session *session)
{
	struct reactor_owner *owner = session->lane->owner;
	unsigned wanted = wanted_interest(session);
	int result = 0;

	if ((session->flags & SESSION_WATCHED) == 0) {
		result = reactor_add(
		    owner, &session->handler, session->fd, wanted);
		if (result == 0)
			session->flags |= SESSION_WATCHED;
	} else if (wanted != session->interest) {
		result = reactor_mask(owner, session->fd,
		    session->interest & ~wanted, wanted & ~session->interest);
	}
	session->interest = (uint8_t)wanted;
	if (result != 0)
		session_doom(session, result);
}

/* Acts on what was noted; the depth is still that of whoever called. */
static void
settle(struct session *session)
{
	if (session_is_chained(session) && session->depth == 1)
		chain_step(session);
	if (session->phase == PHASE_FLUSHING)
		session_shut_step(session);
	else if (unlikely((session->flags & SESSION_HALF) != 0))
		session_half_step(session);
	session_uncork(session);
	if (session->phase != PHASE_DOOMED)
		watch(session);
}

void
session_enter(struct session *session)
{
	session->depth++;
	if (session->phase == PHASE_OPEN)
		session->spent = 0;
}

bool
session_leave(struct session *session)
{
	if (session->depth == 1) {
		settle(session);
		if (session->phase == PHASE_DOOMED) {
			if ((session->flags & SESSION_QUEUED) == 0)
				end(session);
			else
				session->depth = 0;
			return false;
		}
	}
	session->depth--;
	return true;
}

void
session_touch(struct session *session)
{
	if (session->depth > 0 || session->phase == PHASE_DOOMED)
		return;
	/* Filters have hooks, and theirs are not called from within a call
	 * that they, or the service, make outside of one. */
	if (session_is_chained(session))
		session_defer(session);
	else
		settle(session);
}

/* --- events ----------------------------------------------------------------*/

void
session_drained(struct session *session)
{
	const struct berth_session_type *type = type_of(session);

	if (session->phase != PHASE_OPEN || !session_output_low(session))
		return;
	if ((session->flags & SESSION_SHORT) != 0) {
		session->flags &= (uint16_t)~SESSION_SHORT;
		if (type->output_ready != NULL &&
		    type->output_ready(&session->public) < 0)
			session_doom(session, BERTH_CLOSED_ABORTED);
	}
	session_offer_again(session);
}

static int
on_output(struct berth_handler *handler, int fd)
{
	struct session *session = of_handler(handler);
	uint64_t before = session->bytes_out;

	(void)fd;
	if (session->depth > 0)
		return 0;
	session_enter(session);
	session_flush(session);
	session_drained(session);
	if (session->bytes_out != before)
		session->active_ns = reactor_now(session->lane->reactor).ns;
	session_leave(session);
	return 0;
}

static int
on_timeout(struct berth_handler *handler, uint64_t now_ns, void *token)
{
	struct session *session = of_handler(handler);
	const struct berth_session_type *type = type_of(session);
	uint64_t before = session->bytes_out;

	(void)token;
	session->timer = 0;
	session_enter(session);
	if (session->phase != PHASE_OPEN)
		session_linger_over(session);
	else if (type->timeout != NULL && type->timeout(&session->public) < 0)
		session_doom(session, BERTH_CLOSED_ABORTED);
	if (session->bytes_out != before)
		session->active_ns = now_ns;
	session_leave(session);
	return 0;
}

/* The owner was revoked, or the reactor ends. */
static void
on_close(struct berth_handler *handler, int fd, unsigned mask)
{
	struct session *session = of_handler(handler);

	(void)fd;
	if ((mask & BERTH_TIMER) != 0)
		return;
	session->flags &= (uint16_t)~SESSION_WATCHED;
	session_doom(session, BERTH_CLOSED_ABORTED);
}

const struct berth_handler_type session_handler_type = {
    .input = session_input,
    .output = on_output,
    .timeout = on_timeout,
    .close = on_close,
};

/* One with filters around it. */
static const struct berth_handler_type chained_type = {
    .input = chain_input,
    .output = on_output,
    .timeout = on_timeout,
    .close = on_close,
};

/* --- its beginning ---------------------------------------------------------*/

/* Takes the connection's name and plan, and with it the memory that failed. */
static int
put_filters(struct session *session, const struct connection *connection)
{
	int result = chain_new(
	    session, connection->around, connection->name, &session->chain);

	if (result == 0) {
		session->flags |= SESSION_CHAINED;
		session->handler.type = &chained_type;
	}
	return result;
}

static struct session *
session_new(struct lane *lane, const struct connection *connection)
{
	struct server *server = lane->server;
	size_t size = sizeof(struct session) + server->options.type->state_size;
	struct session *session = lane_take_memory(lane, size);

	if (session == NULL)
		return NULL;
	memset(session, 0, size);
	session->public.service = server->options.service;
	session->public.state = session + 1;
	session->handler.type = &session_handler_type;
	session->lane = lane;
	session->id = connection->id;
	session->born_ns = reactor_now(lane->reactor).ns;
	session->active_ns = session->born_ns;
	session->fd = connection->fd;
	session->flags = connection->flags;
	session->name = connection->name;
	if (unlikely(connection->around != NULL) &&
	    put_filters(session, connection) < 0) {
		lane_give_memory(lane, session);
		return NULL;
	}
	session->source = connection->source;
	LIST_INSERT_HEAD(&lane->sessions, session, link);
	return session;
}

_Static_assert(sizeof(struct session) % alignof(max_align_t) == 0,
    "the service's state follows");

void
session_open_service(struct session *session)
{
	const struct berth_session_type *type = type_of(session);
	int result = type->open != NULL ? type->open(&session->public) : 0;

	if (result >= 0)
		session->flags |= SESSION_OPENED;
	else
		session_doom(session, result);
}

/* Calls the first hook; with filters, that is the first one's. */
static void
call_open(struct session *session)
{
	if (is_logged(session, BERTH_DEBUG))
		log_peer(session, BERTH_DEBUG, "opened");
	if (unlikely(session->lane->ledger != NULL))
		session_tell_begin(session);
	reactor_charge(session->lane->owner);
	session_enter(session);
	if (!session_is_chained(session))
		session_open_service(session);
	session_leave(session);
}

int
session_begin(struct lane *lane, const struct connection *connection)
{
	struct session *session = NULL;
	int fd = connection->fd;
	int result = lane_session_begins(lane);

	if (result == 0) {
		session = session_new(lane, connection);
		result = -ENOMEM;
	}
	if (session == NULL) {
		lane_count(&lane->failed, 1);
		if (lane->kind == NULL)
			guard_leave(connection->source);
		chain_plan_unref(connection->around);
		free(connection->name);
		fd_close(&fd);
		return result;
	}
	if (lane->kind == NULL)
		server_counts_session(lane->server);
	call_open(session);
	return 0;
}

/* What the client is called, when its socket says something else. */
static int
make_name(const struct visitor *visitor, struct session_name **ret_name)
{
	struct session_name *name = malloc(sizeof(*name));

	if (name == NULL)
		return -ENOMEM;
	memcpy(&name->peer, &visitor->peer, visitor->peer_size);
	memcpy(&name->local, &visitor->local, sizeof(name->local));
	name->size = visitor->peer_size;
	*ret_name = name;
	return 0;
}

static int
socket_option(int fd, int option)
{
	int value = 0;
	socklen_t size = sizeof(value);

	getsockopt(fd, SOL_SOCKET, option, &value, &size);
	return value;
}

/* A socket from elsewhere is asked itself. */
static uint16_t
flags_of(const struct server *server, const struct visitor *visitor)
{
	const struct listener *listener = visitor->listener;
	uint16_t flags = server->options.peeks ? SESSION_PEEKS : 0;
	bool tcp = listener != NULL
		       ? listener_is_tcp(listener)
		       : socket_option(visitor->fd, SO_DOMAIN) != AF_UNIX;
	int type;

	if (tcp)
		return flags | SESSION_CORKED;
	type = listener != NULL ? listener_socket_type(listener)
				: socket_option(visitor->fd, SO_TYPE);
	return type == SOCK_SEQPACKET ? flags | SESSION_RECORDS : flags;
}

/* What stands around it from now on. */
static int
find_filters(struct server *server, struct chain_plan **ret_plan)
{
	const char *stream = server_settings(server)->stream;

	if (likely(stream == NULL || stream[0] == '\0') ||
	    server->options.around == NULL)
		return 0;
	return server->options.around(server->options.context, ret_plan);
}

int
session_welcome(struct visitor *visitor)
{
	struct server *server = visitor->server;
	struct connection connection = {
	    .fd = visitor->fd,
	    .flags = flags_of(server, visitor),
	    .id = listeners_next_id(server->options.listeners),
	    .source = visitor->source,
	};
	int result = find_filters(server, &connection.around);

	if (result == 0 && unlikely(visitor->peer_replaced))
		result = make_name(visitor, &connection.name);
	if (result < 0) {
		chain_plan_unref(connection.around);
		lane_count(&server->home.failed, 1);
		guard_leave(visitor->source);
		fd_close(&visitor->fd);
		return result;
	}
	if (unlikely(away_is_used(server)) &&
	    away_begin(server, &connection, &result))
		return result;
	return session_begin(&server->home, &connection);
}
