/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * spawn_child: what spawn.c and its child share.  They share their memory too,
 * while the host waits.
 */
#ifndef WORKER_SPAWN_CHILD_H
#define WORKER_SPAWN_CHILD_H

#include "worker/sandbox.h"

/* Of the deepest of its functions, unoptimised, with much to spare. */
#define SPAWN_STACK_BYTES 16384u
/* Of the kernel: as large as its set of signals. */
#define KERNEL_SIGNALS 64
#define KERNEL_SIGSET_BYTES ((size_t)KERNEL_SIGNALS / 8)
/* Of its struct sigaction, with room; the handler comes first. */
#define KERNEL_SIGACTION_WORDS 8

struct spawn_job {
	const struct spawn *spawn;
	struct spawn_host host;
	enum spawn_step step; /* that failed */
	int error;	      /* 0: it runs */
};

/* What clone(2) calls, with a job. */
int spawn_child(void *arg);

#endif
