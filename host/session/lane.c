/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lane: one loop with sessions of one server on it.  Whatever is done to all
 * sessions of a lane is done here, on the thread of its loop.
 *
 * Idle sessions are found by a sweep four times in idle_timeout, so that a
 * message costs no timer; one lives at most a quarter longer than it should.
 * The same sweep finds those that reach max_session, twenty times in it.
 */
#include <stdlib.h>

#include "session/session_priv.h"

/* --- idleness --------------------------------------------------------------*/

/* 0: nobody is looked for. */
static uint64_t
sweep_step(const struct settings *settings)
{
	uint64_t idle_ns = MONO_MS(settings->idle_timeout_ms) / 4;
	uint64_t most_ns = MONO_MS(settings->max_session_ms) / 20;

	if (idle_ns == 0 || most_ns == 0)
		return idle_ns + most_ns;
	return idle_ns < most_ns ? idle_ns : most_ns;
}

static int
sweep_arm(struct lane *lane)
{
	uint64_t step_ns = sweep_step(lane->settings);

	if (step_ns == 0 || lane->sweep != 0)
		return 0;
	return reactor_schedule(
	    lane->owner, &lane->handler, NULL, step_ns, step_ns, &lane->sweep);
}

static void
sweep_disarm(struct lane *lane)
{
	if (lane->sweep != 0)
		reactor_cancel(lane->owner, lane->sweep, NULL);
	lane->sweep = 0;
}

static bool
is_over(uint64_t since_ns, uint64_t now_ns, uint64_t limit_ms)
{
	return limit_ms != 0 && now_ns > since_ns &&
	       now_ns - since_ns >= MONO_MS(limit_ms);
}

static int
sweep(struct berth_handler *handler, uint64_t now_ns, void *token)
{
	struct lane *lane = BASE_CONTAINER(handler, struct lane, handler);
	const struct settings *settings = lane->settings;
	struct session *session;

	(void)token;
	if (LIST_EMPTY(&lane->sessions)) {
		sweep_disarm(lane);
		return 0;
	}
	LIST_FOREACH (session, &lane->sessions, link) {
		/* Those that are closing have a timer of their own. */
		if (session->phase != PHASE_OPEN)
			continue;
		if (is_over(
			session->active_ns, now_ns, settings->idle_timeout_ms))
			session_doom(session, BERTH_CLOSED_IDLE);
		else if (is_over(session->born_ns, now_ns,
			     settings->max_session_ms))
			session_shut(session, BERTH_CLOSED_EXPIRED);
	}
	return 0;
}

static const struct berth_handler_type handler_type = {
    .timeout = sweep,
};

/* --- life ------------------------------------------------------------------*/

void
lane_init(struct lane *lane, struct server *server, struct reactor_owner *owner,
    struct listeners_shared *shared)
{
	lane->server = server;
	lane->owner = owner;
	lane->reactor = owner->reactor;
	lane->shared = shared;
	lane->input = server->options.type->input;
	if (lane->input == NULL)
		lane->input = session_take_all;
	lane->settings = server->options.settings;
	lane->read_bytes = session_read_bytes(lane->settings);
	lane->handler.type = &handler_type;
	lane->ledger = ledger_ref(server->options.ledger);
	LIST_INIT(&lane->sessions);
	stacks_init(&lane->stacks, (size_t)lane->settings->stack_bytes);
}

void
lane_fini(struct lane *lane)
{
	BASE_ASSERT(LIST_EMPTY(&lane->sessions));
	sweep_disarm(lane);
	stacks_fini(&lane->stacks);
	free(lane->spare);
	lane->spare = NULL;
	lane->ledger = ledger_unref(lane->ledger);
}

/* --- its sessions ----------------------------------------------------------*/

/* A service that answers and closes needs one session at a time. */
void *
lane_take_memory(struct lane *lane, size_t size)
{
	void *memory = lane->spare;

	lane->spare = NULL;
	return memory != NULL ? memory : malloc(size);
}

void
lane_give_memory(struct lane *lane, void *memory)
{
	if (lane->spare == NULL)
		lane->spare = memory;
	else
		free(memory);
}

int
lane_session_begins(struct lane *lane)
{
	return sweep_arm(lane);
}

void
lane_session_gone(struct lane *lane, struct guard_source *source, bool failed)
{
	if (failed)
		lane_count(&lane->failed, 1);
	if (lane->kind != NULL) {
		/* Nothing shall wake a thread that has nothing to do. */
		if (LIST_EMPTY(&lane->sessions))
			sweep_disarm(lane);
		lane->kind->gone(lane, source);
		return;
	}
	if (source != NULL)
		guard_leave(source);
	server_session_gone(lane->server);
}

void
lane_update(struct lane *lane, const struct settings *settings)
{
	lane->settings = settings;
	lane->read_bytes = session_read_bytes(settings);
	stacks_resize(&lane->stacks, (size_t)settings->stack_bytes);
	sweep_disarm(lane);
	if (!LIST_EMPTY(&lane->sessions))
		sweep_arm(lane);
}

void
lane_set_ledger(struct lane *lane, struct ledger *ledger)
{
	struct ledger *before = lane->ledger;

	lane->ledger = ledger_ref(ledger);
	ledger_unref(before);
}

void
lane_hold(struct lane *lane, bool hold)
{
	struct session *session;

	LIST_FOREACH (session, &lane->sessions, link)
		session_stop_reading(session, SESSION_HELD, hold);
}

void
lane_close_all(struct lane *lane, int reason)
{
	struct session *session;

	/* Their ends wait for the end of the turn: the list stays as it is. */
	LIST_FOREACH (session, &lane->sessions, link)
		session_shut(session, reason);
}

void
lane_abort_all(struct lane *lane, int reason)
{
	struct session *session, *next;

	for (session = LIST_FIRST(&lane->sessions); session != NULL;
	     session = next) {
		next = LIST_NEXT(session, link);
		session_end_now(session, reason);
	}
}

/* --- looking ---------------------------------------------------------------*/

static const char *
state_of(const struct session *session)
{
	static const char *const names[] = {
	    [PHASE_OPEN] = "open",
	    [PHASE_FLUSHING] = "closing",
	    [PHASE_LINGERING] = "lingering",
	    [PHASE_DOOMED] = "ended",
	};

	if (session->phase != PHASE_OPEN)
		return names[session->phase];
	if ((session->flags & (SESSION_EOF | SESSION_HALF)) != 0)
		return "half-closed";
	if ((session->flags & SESSION_STOPPED) != 0)
		return "paused";
	return (session->flags & SESSION_STALLED) != 0 ? "stalled" : "open";
}

void
lane_each(struct lane *lane, server_session_fn *fn, void *context)
{
	uint64_t now = reactor_now(lane->reactor).ns;
	char peer[SESSION_ADDRESS_MAX];
	struct session *session;
	struct session_info info = {.pid = 0};

	LIST_FOREACH (session, &lane->sessions, link) {
		if (session_peer(&session->public, peer, sizeof(peer)) < 0)
			peer[0] = '\0';
		info.id = session->id;
		info.peer = peer;
		info.age_ms = (now - session->born_ns) / MONO_MS(1);
		info.idle_ms = (now - session->active_ns) / MONO_MS(1);
		info.bytes_in = session->bytes_in;
		info.bytes_out = session->bytes_out;
		info.output_pending_bytes = buffer_size(session->output);
		info.state = state_of(session);
		info.identity = session_identity(session);
		info.loop = lane->number;
		fn(context, &info);
	}
}
