/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * session_loops: the loops of a host as the servers see them.
 */
#ifndef SESSION_SESSION_LOOPS_H
#define SESSION_SESSION_LOOPS_H

#include <pthread.h>

#include "net/net.h"
#include "session/loops.h"

struct spread_lane;

struct loop {
	struct loops *loops;
	struct reactor *reactor;
	struct listeners_shared shared; /* of all lanes on it */
	unsigned number;		/* from 1 */
	LIST_HEAD(, spread_lane) lanes; /* home's; those that leave, too */
	pthread_t thread;
	char name[16]; /* as ps(1) shows it */
};

struct loops {
	struct reactor *home;
	struct log *log;
	unsigned count;	   /* that get sessions, home included */
	unsigned next;	   /* the first that is looked at */
	uint64_t limit_ms; /* of the watchdogs; 0: none */
	loops_overrun_fn *overrun;
	void *context;		    /* its */
	struct loop *of[LOOPS_MAX]; /* of[0] is NULL: home */
};

/* One that gets no more sessions and has none left ends. */
void loop_end_if_done(struct loop *loop);

#endif
