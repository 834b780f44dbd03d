/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How processes end that do not end by themselves: SIGTERM at the deadline,
 * SIGKILL some seconds later, each to the whole process group, which is the
 * program's own.  What was killed is not waited for; the reactor reaps it.
 */
#include <signal.h>
#include <sys/wait.h>

#include "worker/worker_priv.h"

/* Before it is reaped, its number is nobody else's. */
static void
send_signal(const struct external_child *child, int signum)
{
	kill(-child->pid, signum);
}

static void
ask_all(struct external *program)
{
	struct external_child *child;

	LIST_FOREACH (child, &program->children, link) {
		send_signal(child, SIGTERM);
		child->asked = true;
	}
}

static void
let_go(struct external *program, int signum)
{
	struct external_child *child, *next;

	for (child = LIST_FIRST(&program->children); child != NULL;
	     child = next) {
		next = LIST_NEXT(child, link);
		send_signal(child, signum);
		if (signum == SIGKILL)
			log_printf(program->options.log, BERTH_WARNING,
			    program->options.service->name,
			    "process %d for %s was asked to end, did not, and "
			    "was killed",
			    child->pid, child->peer);
		if (signum == SIGKILL)
			external_tell_end(child, CLD_KILLED, SIGKILL, NULL);
		else
			external_tell_end(
			    child, 0, 0, "asked to end, not waited for");
		reactor_unchild(program->options.owner, child->pid);
		external_child_end(child, true);
	}
}

/* Another service may have the socket from now on, and it expects what it
 * made: a read that does not wait. */
static void
give_sockets_back(struct external *program)
{
	struct external_child *child;

	LIST_FOREACH (child, &program->children, link)
		if (child->listener != NULL)
			listener_restore(child->listener);
}

void
external_leave(struct external *program)
{
	let_go(program, SIGTERM);
}

void
external_end_all(void *units, enum server_ending how)
{
	struct external *program = units;

	external_stop_pause(program);
	switch (how) {
	case SERVER_END_DRAINING:
		give_sockets_back(program);
		break;
	case SERVER_END_ASKED:
		ask_all(program);
		break;
	case SERVER_END_FORCED:
		let_go(program, SIGKILL);
		break;
	case SERVER_END_LEFT:
		let_go(program, SIGTERM);
		break;
	}
}
