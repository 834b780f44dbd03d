/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * admission: the limits of a service, asked of those who arrive.
 *
 * A limit that lets clients wait is asked before a connection is accepted:
 * they stay in the backlog, and a timer looks again.  All others are asked
 * afterwards, and the client is told in the way that the limit's policy says.
 * Whether cps pauses is decided only when somebody is there: the last session
 * that a rate allows is not yet one too many.
 *
 * A program that takes whole sockets can turn nobody away, nor can we for it:
 * there all limits let clients wait.
 */
#include "session/admission.h"

#include <berth/host.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "session/session_priv.h"

/* What a client sent that is thrown away so that he reads why. */
#define DISCARD_BYTES 65536u

static bool
takes_sockets(const struct server *server)
{
	const struct server_strategy *strategy = server->options.strategy;

	return strategy != NULL && strategy->accepted == NULL;
}

static struct guard_question
ask(const struct server *server)
{
	return (struct guard_question){
	    .guard = server->admission.guard,
	    .rules = server->admission.rules,
	    .settings = server_settings(server),
	    .now = reactor_now(server->home.reactor),
	    .queues = takes_sockets(server),
	};
}

/* --- before a connection is accepted ---------------------------------------*/

static int
look_again(struct berth_handler *handler, uint64_t now_ns, void *token)
{
	struct server *server = BASE_CONTAINER(
	    handler, struct server, admission.handler);

	(void)now_ns;
	(void)token;
	server->admission.again = 0;
	server_wake(server);
	return 0;
}

static const struct berth_handler_type handler_type = {
    .timeout = look_again,
};

void
admission_init(struct admission *admission)
{
	admission->handler.type = &handler_type;
}

void
admission_rest(struct server *server)
{
	if (server->admission.again != 0)
		reactor_cancel(
		    server->options.owner, server->admission.again, NULL);
	server->admission.again = 0;
}

static bool
somebody_waits(const struct server *server)
{
	for (unsigned i = 0; i < server->listener_count; i++) {
		struct pollfd look = {
		    .fd = listener_fd(server->listeners[i]), .events = POLLIN};

		if (poll(&look, 1, 0) > 0)
			return true;
	}
	return false;
}

static bool
has_room_for_sessions(const struct server *server)
{
	const struct settings *settings = server_settings(server);
	uint64_t inside = server->counters.sessions_active + server->parked;

	return settings->instances == 0 || inside < settings->instances;
}

static bool
limits_ready(struct server *server)
{
	struct guard_question question = ask(server);
	enum guard_reason reason;
	uint64_t wait = guard_wait(&question, &reason);

	if (wait == 0)
		return true;
	if (reason == GUARD_CPS) {
		if (!somebody_waits(server))
			return true;
		guard_overrun(&question);
		wait = guard_wait(&question, &reason);
	}
	admission_rest(server);
	/* Without memory for the timer nobody would be woken. */
	return reactor_schedule(server->options.owner,
		   &server->admission.handler, NULL, wait, 0,
		   &server->admission.again) != 0;
}

bool
admission_ready(struct server *server)
{
	if (!has_room_for_sessions(server) &&
	    (takes_sockets(server) ||
		server_settings(server)->on_instances == POLICY_QUEUE))
		return false;
	if (likely(!guard_has_gate(server->admission.rules)))
		return true;
	return limits_ready(server);
}

void
admission_begins(struct server *server)
{
	struct guard_question question = ask(server);

	if (question.rules != NULL)
		guard_begins(&question);
}

/* --- refusals --------------------------------------------------------------*/

static void
tell(struct server *server, enum guard_reason reason, unsigned count,
    const char *what, const char *peer)
{
	log_printf(server->options.log, BERTH_NOTICE,
	    server->options.service->name,
	    "%u %s%s refused (%s), the last from %s: %s", count, what,
	    count == 1 ? "" : "s", guard_reason_name(reason), peer,
	    guard_reason_text(reason));
}

/* So many are to be told of.  One that there is no memory to count is refused
 * all the same. */
static unsigned
count_refusal(struct server *server, enum guard_reason reason)
{
	struct admission *admission = &server->admission;
	unsigned count;

	if (unlikely(admission->refusals == NULL)) {
		admission->refusals = calloc(1, sizeof(*admission->refusals));
		if (admission->refusals == NULL)
			return 0;
	}
	count = guard_refused(
	    admission->refusals, reason, reactor_now(server->home.reactor));
	if (server->options.log == NULL ||
	    server->options.log->level < BERTH_NOTICE)
		return 0;
	return count;
}

static void
count_and_tell(struct visitor *visitor)
{
	struct server *server = visitor->server;
	unsigned count = count_refusal(server, visitor->reason);
	char peer[SESSION_ADDRESS_MAX] = "a client that is gone";
	const struct sockaddr *address;
	socklen_t size;

	if (count == 0)
		return;
	address = visitor_peer(visitor, &size);
	if (address != NULL)
		address_print(address, size, peer, sizeof(peer));
	tell(server, visitor->reason, count, "connection", peer);
}

/* One attempt: a new connection has room for it. */
static bool
send_banner(struct visitor *visitor, enum guard_banner which)
{
	struct berth_bytes banner = guard_banner(
	    visitor->server->admission.rules, which);

	return banner.size > 0 && send(visitor->fd, banner.data, banner.size,
				      MSG_NOSIGNAL | MSG_DONTWAIT) >= 0;
}

/* Bytes that lie unread would make the kernel reset the connection, and the
 * client might never see what he was sent. */
static void
discard_input(struct visitor *visitor)
{
	if (listener_is_tcp(visitor->listener))
		recv(
		    visitor->fd, NULL, DISCARD_BYTES, MSG_TRUNC | MSG_DONTWAIT);
}

static void
make_reset(struct visitor *visitor)
{
	struct linger none = {.l_onoff = 1, .l_linger = 0};

	setsockopt(visitor->fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
}

void
admission_refuse(struct visitor *visitor)
{
	struct server *server = visitor->server;

	count_and_tell(visitor);
	if (unlikely(server->options.ledger != NULL))
		session_tell_refusal(visitor);
	if (guard_policy(server_settings(server), visitor->reason) ==
	    POLICY_RESET) {
		make_reset(visitor);
	} else if (send_banner(visitor, GUARD_BANNER_FAIL)) {
		shutdown(visitor->fd, SHUT_WR);
		discard_input(visitor);
	}
	guard_leave(visitor->source);
	visitor->source = NULL;
	fd_close(&visitor->fd);
}

bool
admission_refuses_datagram(
    struct server *server, const struct sockaddr *peer, socklen_t size)
{
	struct guard_question question = ask(server);
	char text[SESSION_ADDRESS_MAX];
	enum guard_reason reason;
	unsigned count;

	if (likely(question.rules == NULL))
		return false;
	reason = guard_datagram(&question, peer, size);
	if (reason == GUARD_SERVED)
		return false;
	count = count_refusal(server, reason);
	if (count == 0)
		return true;
	address_print(peer, size, text, sizeof(text));
	tell(server, reason, count, "datagram", text);
	return true;
}

/* --- stages ----------------------------------------------------------------*/

static enum arrival_answer
answer(struct visitor *visitor, enum guard_reason reason)
{
	visitor->reason = reason;
	return reason == GUARD_SERVED ? ARRIVAL_GOES_ON : ARRIVAL_REFUSED;
}

static bool
has_greeting(const struct server *server)
{
	return guard_banner(server->admission.rules, GUARD_BANNER).size > 0;
}

static enum arrival_answer
greet(struct visitor *visitor)
{
	send_banner(visitor, GUARD_BANNER);
	return ARRIVAL_GOES_ON;
}

static bool
has_gate(const struct server *server)
{
	const struct settings *settings = server_settings(server);

	return guard_has_gate(server->admission.rules) ||
	       (settings->instances != 0 &&
		   settings->on_instances != POLICY_QUEUE);
}

static enum arrival_answer
ask_gate(struct visitor *visitor)
{
	struct server *server = visitor->server;
	struct guard_question question = ask(server);

	if (question.settings->on_instances != POLICY_QUEUE &&
	    !has_room_for_sessions(server))
		return answer(visitor, GUARD_INSTANCES);
	if (question.rules == NULL)
		return ARRIVAL_GOES_ON;
	return answer(visitor, guard_gate(&question));
}

static bool
has_list(const struct server *server)
{
	return guard_acl(server->admission.rules) != NULL;
}

/* Negative: there is nobody to ask about any more. */
static int
ask_access(struct visitor *visitor, struct names_waiter *waiter,
    void (*fn)(struct names_waiter *waiter))
{
	struct guard_question question = ask(visitor->server);
	struct acl_peer peer;

	peer.address = visitor_peer(visitor, &peer.size);
	if (peer.address == NULL)
		return -ENOTCONN;
	return (int)guard_access(&question, &peer, waiter, fn);
}

static enum arrival_answer
ask_list(struct visitor *visitor)
{
	int access = ask_access(visitor, NULL, NULL);

	if (access == ACL_UNKNOWN)
		return ARRIVAL_WAITS;
	if (access < 0)
		return answer(visitor, GUARD_BROKEN);
	return answer(
	    visitor, access == ACL_DENIED ? GUARD_ADDRESS : GUARD_SERVED);
}

/* The next name may have to be asked for; the rules may be others now. */
static void
names_known(struct names_waiter *waiter)
{
	struct arrival *arrival = BASE_CONTAINER(waiter, struct arrival, names);

	if (ask_access(&arrival->visitor, waiter, names_known) != ACL_UNKNOWN)
		arrival_judge(arrival);
}

static int
wait_for_names(struct arrival *arrival)
{
	int access = ask_access(
	    &arrival->visitor, &arrival->names, names_known);

	return access == ACL_UNKNOWN ? 0 : -EAGAIN;
}

static void
forget_names(struct arrival *arrival)
{
	names_unwait(&arrival->names);
}

static bool
has_door(const struct server *server)
{
	return guard_has_door(server->admission.rules);
}

static enum arrival_answer
ask_door(struct visitor *visitor)
{
	struct guard_question question = ask(visitor->server);
	const struct sockaddr *peer;
	struct ucred user;
	socklen_t size, user_size = sizeof(user);
	bool is_local;

	peer = visitor_peer(visitor, &size);
	if (peer == NULL)
		return answer(visitor, GUARD_BROKEN);
	is_local = peer->sa_family == AF_UNIX &&
		   getsockopt(visitor->fd, SOL_SOCKET, SO_PEERCRED, &user,
		       &user_size) == 0;
	return answer(visitor, guard_door(&question, peer, size,
				   is_local ? &user : NULL, &visitor->source));
}

static bool
has_welcome(const struct server *server)
{
	return server->admission.rules != NULL;
}

static enum arrival_answer
welcome(struct visitor *visitor)
{
	admission_begins(visitor->server);
	send_banner(visitor, GUARD_BANNER_SUCCESS);
	return ARRIVAL_GOES_ON;
}

const struct arrival_stage admission_greet = {
    .applies = has_greeting, .judge = greet};
const struct arrival_stage admission_gate = {
    .applies = has_gate, .judge = ask_gate};
const struct arrival_stage admission_list = {.applies = has_list,
    .judge = ask_list,
    .waits = wait_for_names,
    .cancel = forget_names};
const struct arrival_stage admission_door = {
    .applies = has_door, .judge = ask_door};
const struct arrival_stage admission_welcome = {
    .applies = has_welcome, .judge = welcome};
