/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * loops: the threads of `host { reactors = N }`.
 *
 * A thread does nothing but to run its loop, and never wakes up without a
 * reason.  It is not cancelled: it ends when its loop is stopped, and that is
 * when no lane is on it any more.
 */
#include "session/loops.h"

#include <berth/host.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "session/session_loops.h"
#include "session/session_spread.h"

/* How long a hook may take to return when the host ends. */
#define JOIN_MS 1000u

/* --- one loop --------------------------------------------------------------*/

static void *
run(void *arg)
{
	struct loop *loop = arg;
	struct reactor *reactor = loop->reactor;

	reactor_adopt(reactor);
	reactor_run(reactor);
	return NULL;
}

static int
create(struct loop *loop)
{
	int result = thread_start(run, loop, &loop->thread);

	if (result == 0)
		pthread_setname_np(loop->thread, loop->name);
	return result;
}

static void
overrun(void *context, const char *owner, uint64_t busy_ms)
{
	struct loop *loop = context;

	loop->loops->overrun(loop->loops->context, owner, busy_ms,
	    reactor_thread(loop->reactor));
}

static void
watch(struct loop *loop)
{
	struct loops *loops = loop->loops;

	reactor_watchdog_stop(loop->reactor);
	if (loops->limit_ms > 0 && reactor_watchdog_start(loop->reactor,
				       loops->limit_ms, overrun, loop) < 0)
		log_printf(loops->log, BERTH_WARNING, NULL,
		    "no thread for the watchdog of loop %u", loop->number);
}

static void
loop_free(struct loop *loop)
{
	reactor_free(loop->reactor);
	free(loop->shared.buffer);
	free(loop);
}

static int
loop_new(struct loops *loops, unsigned number, struct loop **ret_loop)
{
	struct reactor_options options = {.log = loops->log};
	struct loop *loop = calloc(1, sizeof(*loop));
	int result = -ENOMEM;

	if (loop == NULL)
		return result;
	loop->loops = loops;
	loop->number = number;
	LIST_INIT(&loop->lanes);
	snprintf(loop->name, sizeof(loop->name), "loop/%u", number);
	loop->shared.buffer = malloc(LISTENERS_BUFFER_BYTES);
	if (loop->shared.buffer != NULL)
		result = reactor_new(&options, &loop->reactor);
	if (result == 0)
		result = create(loop);
	if (result < 0) {
		loop_free(loop);
		return result;
	}
	watch(loop);
	*ret_loop = loop;
	return 0;
}

/*
 * Its thread has ended: what it was still told is done here.  Sessions that
 * were left to it as orphans stay as they are.
 */
static void
bury(struct loop *loop)
{
	struct loops *loops = loop->loops;
	struct spread_lane *own, *next;

	reactor_adopt(loop->reactor);
	while (reactor_turn(loop->reactor, 0) > 0)
		continue;
	for (own = LIST_FIRST(&loop->lanes); own != NULL; own = next) {
		next = LIST_NEXT(own, link);
		if (own->spread == NULL)
			spread_lane_free(own);
	}
	loops->of[loop->number] = NULL;
	if (!LIST_EMPTY(&loop->lanes))
		return;
	loop_free(loop);
}

void
loop_end_if_done(struct loop *loop)
{
	if (loop->number < loop->loops->count || !LIST_EMPTY(&loop->lanes))
		return;
	reactor_stop(loop->reactor);
	pthread_join(loop->thread, NULL);
	bury(loop);
}

/* --- all -------------------------------------------------------------------*/

int
loops_new(struct reactor *home, struct log *log, struct loops **ret_loops)
{
	struct loops *loops = calloc(1, sizeof(*loops));

	if (loops == NULL)
		return -ENOMEM;
	loops->home = home;
	loops->log = log;
	loops->count = 1;
	*ret_loops = loops;
	return 0;
}

static bool
join(struct loop *loop)
{
	uint64_t end = mono_now().ns + MONO_MS(JOIN_MS);
	int error;

	while ((error = pthread_tryjoin_np(loop->thread, NULL)) == EBUSY &&
	       mono_now().ns < end)
		poll(NULL, 0, 1);
	return error == 0;
}

struct loops *
loops_free(struct loops *loops)
{
	unsigned i;

	if (loops == NULL)
		return NULL;
	for (i = 1; i < LOOPS_MAX; i++)
		if (loops->of[i] != NULL)
			reactor_stop(loops->of[i]->reactor);
	for (i = 1; i < LOOPS_MAX; i++) {
		if (loops->of[i] == NULL)
			continue;
		reactor_watchdog_stop(loops->of[i]->reactor);
		if (join(loops->of[i]))
			bury(loops->of[i]);
		else
			log_printf(loops->log, BERTH_ERROR, NULL,
			    "loop %u does not end; it is left as it is", i);
	}
	free(loops);
	return NULL;
}

int
loops_start(struct loops *loops, unsigned count)
{
	int result = 0;

	BASE_ASSERT(count >= 1 && count <= LOOPS_MAX);
	for (unsigned i = 1; result == 0 && i < count; i++)
		if (loops->of[i] == NULL)
			result = loop_new(loops, i, &loops->of[i]);
	return result;
}

void
loops_use(struct loops *loops, unsigned count)
{
	unsigned i;

	BASE_ASSERT(count >= 1 && count <= LOOPS_MAX);
	loops->count = count;
	for (i = 1; i < LOOPS_MAX; i++) {
		BASE_ASSERT(i >= count || loops->of[i] != NULL);
		if (i < count || loops->of[i] == NULL)
			continue;
		spread_leave_idle(loops->of[i]);
		loop_end_if_done(loops->of[i]);
	}
}

void
loops_watch(struct loops *loops, uint64_t limit_ms,
    loops_overrun_fn *overrun_fn, void *context)
{
	loops->limit_ms = limit_ms;
	loops->overrun = overrun_fn;
	loops->context = context;
	for (unsigned i = 1; i < LOOPS_MAX; i++)
		if (loops->of[i] != NULL)
			watch(loops->of[i]);
}

unsigned
loops_count(const struct loops *loops)
{
	return loops->count;
}

const char *
loops_busy_name(const struct loops *loops)
{
	const struct loop *loop;

	for (unsigned i = 1; i < LOOPS_MAX; i++) {
		loop = loops->of[i];
		if (loop != NULL && reactor_is_here(loop->reactor))
			return reactor_busy_name(loop->reactor);
	}
	return NULL;
}
