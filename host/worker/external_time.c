/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * max_session of programs: one for a connection that has run so long is asked
 * to end (SIGTERM), and killed when it has not some seconds later.  One sweep
 * finds them, twenty times in max_session; there is none while no program
 * runs.  A program that was handed a socket serves many, and is left alone.
 */
#include <signal.h>

#include "worker/worker_priv.h"

#define STEP_MAX_NS MONO_MS(1000)

static void
look_at(struct external_child *child, uint64_t now_ns, uint64_t most_ns)
{
	if (child->listener != NULL)
		return;
	if (child->expired_ns == 0) {
		if (now_ns - child->born_ns < most_ns)
			return;
		child->expired_ns = now_ns;
		child->asked = true;
		kill(-child->pid, SIGTERM);
	} else if (now_ns - child->expired_ns >= MONO_MS(PROGRAM_TERM_MS)) {
		kill(-child->pid, SIGKILL);
	}
}

static int
look(struct berth_handler *handler, uint64_t now_ns, void *token)
{
	struct external *program = BASE_CONTAINER(
	    handler, struct external, clock);
	uint64_t most_ns = MONO_MS(program->template->max_session_ms);
	struct external_child *child;

	(void)token;
	if (LIST_EMPTY(&program->children))
		external_end_looking(program);
	/* Nobody leaves the list before he was reaped. */
	LIST_FOREACH (child, &program->children, link)
		look_at(child, now_ns, most_ns);
	return 0;
}

const struct berth_handler_type external_clock_type = {
    .timeout = look,
};

void
external_begin_looking(struct external *program)
{
	uint64_t step_ns;

	if (program->look != 0 || program->template == NULL ||
	    program->template->max_session_ms == 0 ||
	    LIST_EMPTY(&program->children))
		return;
	step_ns = MONO_MS(program->template->max_session_ms) / 20;
	if (step_ns > STEP_MAX_NS)
		step_ns = STEP_MAX_NS;
	/* Without memory the next program tries again. */
	reactor_schedule(program->options.owner, &program->clock, NULL, step_ns,
	    step_ns, &program->look);
}

void
external_end_looking(struct external *program)
{
	if (program->look != 0)
		reactor_cancel(program->options.owner, program->look, NULL);
	program->look = 0;
}
