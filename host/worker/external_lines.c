/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the ledger is told of a program: its start, and its end with what it
 * has used where the kernel said so.  Of one with modules around its connection
 * the session tells.
 */
#include <sys/wait.h>

#include "worker/worker_priv.h"

static struct ledger_visit
visit_of(const struct external_child *child)
{
	return (struct ledger_visit){
	    .session = child->id,
	    .pid = child->pid,
	    .peer = child->peer_known ? child->peer : NULL,
	};
}

void
external_tell_begin(const struct external_child *child)
{
	struct ledger *ledger = server_ledger(child->program->server);
	const struct ledger_visit visit = visit_of(child);

	if (ledger != NULL && !child->is_relayed)
		ledger_began(ledger, &visit);
}

void
external_tell_end(const struct external_child *child, int code, int status,
    const char *reason)
{
	const struct external *program = child->program;
	struct ledger *ledger = server_ledger(program->server);
	const struct ledger_visit visit = visit_of(child);
	const struct ledger_end end = {
	    .code = code,
	    .status = status,
	    .failed = code != CLD_EXITED || status != 0,
	    .reason = reason,
	    .duration_ns = reactor_now(program->reactor).ns - child->born_ns,
	    .usage = reactor_child_usage(program->reactor),
	};

	if (ledger != NULL && !child->is_relayed)
		ledger_ended(ledger, &visit, &end);
}
