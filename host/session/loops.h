/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * loops: the loops of a host beside its own, `host { reactors = N }`.
 *
 * Loop 0 is the host's own, home: there everything is accepted, judged and
 * decided.  The others are threads with a loop each, on which sessions of those
 * services run that may (see spread.c).  They are the host's, and live as long
 * as they are asked for.
 *
 * All calls are made at home.
 */
#ifndef SESSION_LOOPS_H
#define SESSION_LOOPS_H

#include "reactor/reactor.h"

#define LOOPS_MAX 64u /* home included */

struct loops;

/* Home alone.  The log may be NULL. */
int loops_new(struct reactor *home, struct log *log, struct loops **ret_loops);
/* No server is left but orphans; joins all threads but those that do not
 * return from a hook, which are left with their loops.  Takes NULL; gives
 * NULL. */
struct loops *loops_free(struct loops *loops);

/* Begins the threads of so many loops that are not there yet; sessions go to
 * them after loops_use().  -EAGAIN, -ENOMEM, -EMFILE, … */
int loops_start(struct loops *loops, unsigned count);
/* Sessions that come from now on run on this many, all of them started; the
 * others end with the last of their sessions. */
void loops_use(struct loops *loops, unsigned count);
unsigned loops_count(const struct loops *loops); /* that are used */
/* A watchdog for each of them, reactor_watchdog_start(); 0: none.  One that
 * can't be had is told in the log. */
typedef void(loops_overrun_fn)(
    void *context, const char *owner, uint64_t busy_ms, pthread_t thread);
void loops_watch(struct loops *loops, uint64_t limit_ms,
    loops_overrun_fn *overrun, void *context);
/* Whose hook runs in this thread; NULL: nobody's, or it is none of them.  For
 * the handler of a signal that ends the process. */
const char *loops_busy_name(const struct loops *loops);

#endif
