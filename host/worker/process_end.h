/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * process_end: how a process ended.
 */
#ifndef WORKER_PROCESS_END_H
#define WORKER_PROCESS_END_H

#include "worker/fleet_priv.h"

#define PROCESS_END_BYTES 160u

struct process_end {
	int code, status; /* as of the reactor's child hook */
	const struct spawn_sandbox *sandbox; /* NULL: none */
	bool starved;		   /* the kernel ended it for memory_max */
	const struct lines *lines; /* NULL: they are not known */
};

/* "exit status 3", "signal 9 (Killed)"; room for PROCESS_END_BYTES. */
void process_end_print(const struct process_end *end, char *how, size_t room);

#endif
