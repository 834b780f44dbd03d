/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * external: a service whose sessions are processes of another program, as inetd
 * runs them.  wait = no: one for each connection, which is its 0, 1 and 2, or,
 * with modules around it, one end of a relay's pair (relay.c).
 * wait = yes: see socket.c.
 *
 * The server counts the processes as its sessions, so that limits, suspension
 * and draining are those of all services.  A process is known from its start
 * until it was reaped; its memory is one record.
 *
 * A start that fails is told with the step and its errno, and the client's
 * connection is closed.  When several come to nothing in a row, the service
 * pauses: clients wait in the backlog, longer each time, until a start is good
 * again.
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "worker/process_end.h"

/* The first failures cost nothing but themselves. */
#define FAILURES_FREE 4u
#define PAUSE_FIRST_MS 100u
#define PAUSE_LAST_MS 10000u

const struct berth_service_type external_type = {
    .summary = "external program",
};

/* --- failures ----------------------------------------------------------------
 */

static int
pause_over(struct berth_handler *handler, uint64_t now_ns, void *token)
{
	struct external *program = BASE_CONTAINER(
	    handler, struct external, handler);

	(void)now_ns;
	(void)token;
	program->pause = 0;
	server_wake(program->server);
	return 0;
}

static const struct berth_handler_type external_handler_type = {
    .timeout = pause_over,
};

bool
external_pauses(const struct external *program)
{
	return program->pause != 0;
}

void
external_stop_pause(struct external *program)
{
	if (program->pause != 0)
		reactor_cancel(program->options.owner, program->pause, NULL);
	program->pause = 0;
}

void
external_failed(struct external *program)
{
	uint64_t ms = PAUSE_FIRST_MS;

	program->failures++;
	if (program->failures <= FAILURES_FREE || program->pause != 0 ||
	    !server_accepting(program->server))
		return;
	for (unsigned i = FAILURES_FREE + 1;
	     i < program->failures && ms < PAUSE_LAST_MS; i++)
		ms *= 2;
	if (ms > PAUSE_LAST_MS)
		ms = PAUSE_LAST_MS;
	/* Without memory for the timer there is no pause. */
	if (reactor_schedule(program->options.owner, &program->handler, NULL,
		MONO_MS(ms), 0, &program->pause) != 0)
		return;
	log_printf(program->options.log, BERTH_WARNING,
	    program->options.service->name,
	    "%u starts in a row came to nothing: clients wait for %" PRIu64
	    " ms",
	    program->failures, ms);
}

/* --- children
 * ------------------------------------------------------------------
 */

void
external_child_end(struct external_child *child, bool failed)
{
	struct server *server = child->program->server;

	bool is_unit = !child->is_relayed;

	LIST_REMOVE(child, link);
	guard_leave(child->source);
	child->listener = listener_unref(child->listener);
	child->group = group_unref(child->group);
	free(child);
	if (is_unit)
		server_unit_ends(server, failed);
}

static void
tell_end(const struct external_child *child, int code, int status, bool starved)
{
	const struct external *program = child->program;
	uint64_t ms = (reactor_now(program->reactor).ns - child->born_ns) /
		      MONO_MS(1);
	bool failed = code != 0 && (code != CLD_EXITED || status != 0);
	int level = starved ? BERTH_WARNING : failed ? BERTH_INFO : BERTH_DEBUG;
	const struct process_end end = {
	    .code = code,
	    .status = status,
	    .sandbox = program->template->sandbox,
	    .starved = starved,
	};
	char how[PROCESS_END_BYTES];

	if (program->options.log == NULL || level > program->options.log->level)
		return;
	process_end_print(&end, how, sizeof(how));
	log_printf(program->options.log, level, program->options.service->name,
	    "process %d for %s ended after %" PRIu64 " ms: %s", child->pid,
	    child->peer, ms, how);
}

static int
child_ended(struct berth_handler *handler, int pid, int code, int status)
{
	struct external_child *child = BASE_CONTAINER(
	    handler, struct external_child, handler);
	/* 0: somebody else has reaped it. */
	bool failed = code != 0 && (code != CLD_EXITED || status != 0);
	bool starved = group_has_killed(child->group, code, status);

	(void)pid;
	child->program->starved += starved;
	tell_end(child, code, status, starved);
	external_tell_end(child, code, status, "not known");
	if (child->listener != NULL)
		external_take_back(child, failed);
	if (child->relay != NULL)
		relay_lost_child(child->relay);
	external_child_end(child, failed);
	return 0;
}

static const struct berth_handler_type child_type = {
    .child = child_ended,
};

struct external_child *
external_child_new(struct external *program)
{
	struct external_child *child = malloc(sizeof(*child));

	if (child == NULL)
		return NULL;
	child->handler.type = &child_type;
	child->program = program;
	child->listener = NULL;
	child->source = NULL;
	child->group = NULL;
	child->expired_ns = 0;
	child->asked = false;
	child->is_relayed = false;
	child->relay = NULL;
	return child;
}

static int
tell_failure(struct external *program, const struct description *description,
    const char *what, int error)
{
	struct ledger *ledger = server_ledger(program->server);
	const char *peer = description->peer;

	if (ledger != NULL)
		ledger_refused_peer(
		    ledger, "fork", description->peer_known ? peer : NULL);
	log_printf(program->options.log, BERTH_ERROR,
	    program->options.service->name, "cannot start '%s' for %s: %s: %s",
	    program->template->path, peer, what, strerror(-error));
	return error;
}

/* Nobody would learn of its end: it ends at once, before a client can tell. */
static void
disown(pid_t pid)
{
	kill(-pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		continue;
}

int
external_start(struct external *program, struct description *description,
    struct spawn *start, struct external_child *child)
{
	enum spawn_step step;
	int result;

	start->template = program->template;
	start->pid_text = description->pid_text;
	start->host = program->host;
	child->pid = spawn(start, &step);
	if (child->pid < 0)
		return tell_failure(
		    program, description, spawn_step_text(step), child->pid);
	result = reactor_child(
	    program->options.owner, &child->handler, child->pid);
	if (result < 0) {
		disown(child->pid);
		return tell_failure(program, description,
		    "its end could not be noticed", result);
	}
	child->group = group_ref(template_group(program->template));
	child->id = listeners_next_id(program->options.listeners);
	child->born_ns = reactor_now(program->reactor).ns;
	memcpy(child->peer, description->peer, sizeof(child->peer));
	child->peer_known = description->peer_known;
	LIST_INSERT_HEAD(&program->children, child, link);
	external_begin_looking(program);
	if (!child->is_relayed)
		server_unit_begins(program->server);
	external_tell_begin(child);
	log_printf(program->options.log, BERTH_DEBUG,
	    program->options.service->name, "process %d started for %s",
	    child->pid, child->peer);
	return 0;
}

/* --- wait = no ---------------------------------------------------------------
 */

static int
accepted(void *units, struct visitor *visitor)
{
	struct external *program = units;
	struct external_child *child = external_child_new(program);
	int fd = visitor->fd;
	struct spawn start = {.fds = {fd, fd, fd}, .listen_fd = -1};
	struct description description;
	int result = -ENOMEM;

	if (child != NULL) {
		describe_connection(&description, program->template, visitor);
		result = external_start(program, &description, &start, child);
	}
	/* The process has copies of its own. */
	fd_close(&fd);
	if (result == 0) {
		child->source = visitor->source;
		program->failures = 0;
		return 1; /* after others had their turn */
	}
	guard_leave(visitor->source);
	free(child);
	server_unit_begins(program->server);
	external_failed(program);
	server_unit_ends(program->server, true);
	return result;
}

/* --- what is common
 * -----------------------------------------------------------
 */

static bool
serves_connections(void *units, bool datagram)
{
	(void)units;
	return !datagram;
}

static bool
serves_all(void *units, bool datagram)
{
	(void)units;
	(void)datagram;
	return true;
}

static bool
ready(void *units)
{
	return !external_pauses(units);
}

static void
each(void *units, server_session_fn *fn, void *context)
{
	struct external *program = units;
	uint64_t now = reactor_now(program->reactor).ns;
	struct external_child *child;

	LIST_FOREACH (child, &program->children, link) {
		const struct session_info info = {
		    .id = child->id,
		    .peer = child->peer,
		    .age_ms = (now - child->born_ns) / MONO_MS(1),
		    .state = child->asked ? "ending" : "running",
		    .pid = child->pid,
		};

		fn(context, &info);
	}
}

const struct server_strategy external_strategy = {
    .serves = serves_connections,
    .ready = ready,
    .accepted = accepted,
    .end_all = external_end_all,
    .each = each,
    .asked_ms = PROGRAM_TERM_MS,
};

const struct server_strategy external_wait_strategy = {
    .serves = serves_all,
    .ready = ready,
    .readable = external_hand_over,
    .end_all = external_end_all,
    .each = each,
    .asked_ms = PROGRAM_TERM_MS,
};

int
external_new(const struct server_options *options, struct spawn_host *host,
    const struct spawn_template *template, struct external **ret_program)
{
	struct external *program = calloc(1, sizeof(*program));

	if (program == NULL)
		return -ENOMEM;
	program->options = *options;
	program->reactor = options->owner->reactor;
	program->template = template;
	program->host = host;
	program->handler.type = &external_handler_type;
	program->clock.type = &external_clock_type;
	LIST_INIT(&program->children);
	*ret_program = program;
	return 0;
}

void
external_set_server(struct external *program, struct server *server)
{
	program->server = server;
}

void
external_update(struct external *program, const struct spawn_template *template)
{
	program->template = template;
	external_end_looking(program);
	external_begin_looking(program);
}

uint64_t
external_starved(const struct external *program)
{
	return program->starved;
}

struct external *
external_free(struct external *program)
{
	if (program == NULL)
		return NULL;
	BASE_ASSERT(LIST_EMPTY(&program->children));
	external_stop_pause(program);
	external_end_looking(program);
	free(program);
	return NULL;
}
