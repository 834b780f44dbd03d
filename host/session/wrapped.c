/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * wrapped: hosts.allow and hosts.deny, which are asked in a process, one for
 * each client of a service that has `libwrap`, while the client waits.
 *
 * The process has the last word only if it ends by itself: one that is killed,
 * fails, or takes too long has not allowed anything.  Clients of Unix sockets
 * have no address, and are not asked about.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "session/session_priv.h"

/* The resolver and an ident server may both be slow. */
#define PATIENCE_MS 30000u
#define COMPLAINT_NS MONO_MS(60000)

static bool
is_wrapped(const struct server *server)
{
	return server_settings(server)->libwrap != NULL;
}

static enum arrival_answer
judge(struct visitor *visitor)
{
	const struct server_wrapper *wrapper = visitor->server->options.wrapper;
	const struct sockaddr *peer;
	socklen_t size;

	if (visitor->wrapped == WRAPPED_SERVED)
		return ARRIVAL_GOES_ON;
	visitor->reason = GUARD_LIBWRAP;
	if (visitor->wrapped == WRAPPED_REFUSED || wrapper == NULL)
		return ARRIVAL_REFUSED;
	peer = visitor_peer(visitor, &size);
	if (peer == NULL) {
		visitor->reason = GUARD_BROKEN;
		return ARRIVAL_REFUSED;
	}
	if (peer->sa_family == AF_UNIX ||
	    !wrapper->has_rules(wrapper->context)) {
		visitor->reason = GUARD_SERVED;
		return ARRIVAL_GOES_ON;
	}
	return ARRIVAL_WAITS;
}

/* Once a minute: refusals are told of anyway. */
static void
complain(struct server *server, const char *text)
{
	uint64_t now = reactor_now(server->home.reactor).ns;

	if (server->admission.complained_ns != 0 &&
	    now - server->admission.complained_ns < COMPLAINT_NS)
		return;
	server->admission.complained_ns = now;
	log_printf(server->options.log, BERTH_ERROR,
	    server->options.service->name,
	    "hosts.allow and hosts.deny cannot be asked, and so a client is "
	    "refused: %s",
	    text);
}

static void
end_asking(struct arrival *arrival)
{
	kill(-arrival->pid, SIGKILL);
	kill(arrival->pid, SIGKILL);
}

/* NULL: the settings have changed since the stage was judged. */
static const char *
daemon_of(const struct server *server)
{
	const char *name = server_settings(server)->libwrap;

	return name != NULL && strcmp(name, LIBWRAP_AUTO) == 0
		   ? server->options.daemon
		   : name;
}

static int
start_asking(struct arrival *arrival)
{
	struct server *server = arrival->visitor.server;
	const struct server_wrapper *wrapper = server->options.wrapper;
	const char *daemon = daemon_of(server);
	int result;
	pid_t pid;

	if (daemon == NULL)
		return -EAGAIN;
	pid = wrapper->ask(wrapper->context, daemon, &arrival->visitor);
	if (pid < 0) {
		complain(server, strerror(-pid));
		return pid;
	}
	arrival->pid = pid;
	result = reactor_child(server->options.owner, &arrival->handler, pid);
	if (result < 0) {
		end_asking(arrival);
		waitpid(pid, NULL, 0);
	}
	return result;
}

static void
stop_asking(struct arrival *arrival)
{
	if (arrival->pid == 0)
		return;
	end_asking(arrival);
	reactor_unchild(arrival->visitor.server->options.owner, arrival->pid);
	arrival->pid = 0;
}

void
wrapped_answer(struct arrival *arrival, int code, int status)
{
	enum visitor_wrapped answer = WRAPPED_REFUSED;

	arrival->pid = 0;
	if (code == CLD_EXITED && status == 0)
		answer = WRAPPED_SERVED;
	else if (code != CLD_EXITED || status != 1)
		complain(arrival->visitor.server,
		    "who asks has failed; see the system's log");
	arrival->visitor.wrapped = answer;
}

const struct arrival_stage wrapped_stage = {.applies = is_wrapped,
    .judge = judge,
    .waits = start_asking,
    .cancel = stop_asking,
    .patience_ms = PATIENCE_MS};
