/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One session of the manager: lines in, replies out.
 *
 * One command of a session is on its way at a time.  While it is, and while
 * its reply waits for the client to read, the session is paused: a client
 * that sends without reading stops itself and nobody else.  Sessions know
 * nothing of each other but the budget of their outboxes.
 *
 * The end: after `last` is set nothing more is read, and the session closes
 * when nothing is on its way any more.  A client that has only ended its side
 * gets its reply first.
 */
#include "services_priv.h"

#include <errno.h>
#include <limits.h>
#include <unistd.h>

static bool
busy(const struct console *console)
{
	return console->command != NULL || outbox_pending(&console->outbox);
}

int
console_answer(struct berth_session *session, int status, const char *words)
{
	struct console *console = session->state;
	int result;

	result = reply_add_own(&console->outbox, console->form, status, words);
	if (result < 0)
		return result;
	return outbox_flush(&console->outbox, session);
}

/* Go on reading, wait, or end.  The last thing that a hook does. */
static void
settle(struct berth_session *session)
{
	struct console *console = session->state;

	if (busy(console))
		berth_pause(session, 1);
	else if (console->last)
		berth_close(session);
	else
		berth_pause(session, 0);
}

void
console_replied(void *arg, int status, struct berth_bytes text)
{
	struct berth_session *session = arg;
	struct console *console = session->state;
	int result;

	console->command = NULL;
	line_reset(&console->line);
	result = reply_add(&console->outbox, console->form, status, text);
	if (result == 0)
		result = outbox_flush(&console->outbox, session);
	if (result < 0)
		berth_abort(session);
	else
		settle(session);
}

/* A line is there, or one is too long: what line_feed() and line_end() say. */
static int
run(struct berth_session *session, int what)
{
	const struct manager *manager = session->service->state;
	struct console *console = session->state;
	int result;

	if (what == LINE_E_LONG) {
		console->last = manager->legacy;
		return console_answer(session, E2BIG, "line too long");
	}
	result = console_run(session);
	/* The host may want the line until it has carried it out. */
	if (console->command == NULL)
		line_reset(&console->line);
	return result;
}

/* Whoever the host belongs to may steer it, and the kernel says who that is;
 * only over a Unix socket.  Others log in. */
static bool
is_owner(struct berth_session *session)
{
	uint32_t uid, gid;

	return berth_peer_user(session, &uid, &gid) == 0 &&
	       (uid == 0 || uid == geteuid());
}

int
console_open(struct berth_session *session)
{
	struct manager *manager = session->service->state;
	struct console *console = session->state;

	outbox_init(&console->outbox, &manager->budget);
	console->control = manager->control && is_owner(session);
	if (manager->legacy)
		console->form = REPLY_ACE_NOTHING;
	if (manager->idle_ms == 0)
		return 0;
	return berth_session_timeout(session, manager->idle_ms);
}

int
console_input(struct berth_session *session, struct berth_bytes in)
{
	struct console *console = session->state;
	size_t left = in.size, taken;
	int result;

	if (left > INT_MAX)
		left = INT_MAX;
	in.size = left;
	while (in.size > 0 && !busy(console) && !console->last) {
		result = line_feed(&console->line, in, &taken);
		if (result < 0)
			return result;
		in = berth_bytes(
		    (const char *)in.data + taken, in.size - taken);
		if (result > 0)
			result = run(session, result);
		if (result < 0)
			return result;
	}
	if (console->last) /* nobody reads on */
		in.size = 0;
	if (busy(console) || console->last)
		settle(session);
	return (int)(left - in.size);
}

int
console_output_ready(struct berth_session *session)
{
	const struct manager *manager = session->service->state;
	struct console *console = session->state;
	int result;

	result = outbox_flush(&console->outbox, session);
	if (result == 0 && manager->idle_ms != 0)
		result = berth_session_timeout(session, manager->idle_ms);
	if (result == 0)
		settle(session);
	return result;
}

/* The host calls it only when all input is taken: nothing is on its way. */
int
console_eof(struct berth_session *session, struct berth_bytes rest)
{
	struct console *console = session->state;
	int result;

	(void)rest;
	if (console->last)
		return 0;
	result = line_end(&console->line);
	if (result > 0)
		result = run(session, result);
	if (result < 0)
		return result;
	console->last = true;
	settle(session);
	return 0;
}

int
console_timeout(struct berth_session *session)
{
	const struct manager *manager = session->service->state;
	struct console *console = session->state;
	int result;

	if (console->command != NULL) /* the host is slow, not the client */
		return berth_session_timeout(session, manager->idle_ms);
	if (outbox_pending(&console->outbox))
		return -ETIMEDOUT;
	console->last = true;
	result = console_answer(session, ETIMEDOUT, "idle for too long");
	if (result == 0)
		settle(session);
	return result;
}

void
console_closed(struct berth_session *session, int reason)
{
	struct console *console = session->state;

	(void)reason;
	if (console->command != NULL)
		berth_command_cancel(session->service, console->command);
	line_reset(&console->line);
	outbox_fini(&console->outbox);
}
