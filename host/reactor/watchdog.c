/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The watchdog: a thread that names the owner of a hook that lasts too long.
 *
 * The loop stores, before each hook, whose it is and how many were called; and
 * that nobody's is, before it waits.  The thread looks twice in the limit: when
 * both are as they were, the same hook still runs.  What it measures is the
 * time since it first saw the hook, so a report comes between one and one and
 * a half limits.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "reactor/reactor_priv.h"

enum { NAME_SIZE = 256 };

struct watchdog {
	struct reactor *reactor;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool stop;
	uint64_t limit_ns;
	reactor_overrun_fn *overrun;
	void *context;
};

/* What was seen of the hook that runs. */
struct sight {
	uint64_t calls;
	uint64_t since_ns;
	bool running;
	bool told;
};

/* The owner may go: its name is copied under the lock. */
static bool
copy_name(struct reactor *r, char name[NAME_SIZE])
{
	struct reactor_owner *owner = NULL;
	uint32_t index;

	lock(r);
	index = atomic_load_explicit(&r->busy, memory_order_relaxed);
	if (index != 0 && index < r->owner_count)
		owner = r->owners[index].owner;
	if (owner != NULL)
		(void)snprintf(name, NAME_SIZE, "%s", owner->name);
	unlock(r);
	return owner != NULL;
}

static void
look(struct watchdog *w, struct sight *sight)
{
	struct reactor *r = w->reactor;
	uint64_t calls = atomic_load_explicit(&r->calls, memory_order_relaxed);
	bool running = atomic_load_explicit(&r->busy, memory_order_relaxed) !=
		       0;
	uint64_t now = mono_now().ns;
	char name[NAME_SIZE];

	if (!running || !sight->running || calls != sight->calls) {
		*sight = (struct sight){calls, now, running, false};
		return;
	}
	if (sight->told || now - sight->since_ns < w->limit_ns)
		return;
	if (!copy_name(r, name))
		return;
	sight->told = true;
	w->overrun(w->context, name, (now - sight->since_ns) / 1000000u);
}

static void *
watch(void *arg)
{
	struct watchdog *w = arg;
	struct sight sight = {.running = false};
	struct timespec next;

	(void)pthread_mutex_lock(&w->lock);
	while (!w->stop) {
		uint64_t at = mono_now().ns + w->limit_ns / 2;

		next.tv_sec = (time_t)(at / 1000000000u);
		next.tv_nsec = (long)(at % 1000000000u);
		(void)pthread_cond_timedwait(&w->changed, &w->lock, &next);
		if (w->stop)
			break;
		(void)pthread_mutex_unlock(&w->lock);
		look(w, &sight);
		(void)pthread_mutex_lock(&w->lock);
	}
	(void)pthread_mutex_unlock(&w->lock);
	return NULL;
}

static int
init_sync(struct watchdog *w)
{
	pthread_condattr_t attributes;
	int result = pthread_condattr_init(&attributes);

	if (result != 0)
		return -result;
	(void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	result = pthread_cond_init(&w->changed, &attributes);
	(void)pthread_condattr_destroy(&attributes);
	if (result != 0)
		return -result;
	result = pthread_mutex_init(&w->lock, NULL);
	if (result != 0)
		(void)pthread_cond_destroy(&w->changed);
	return -result;
}

static struct watchdog *
watchdog_free(struct watchdog *w)
{
	(void)pthread_cond_destroy(&w->changed);
	(void)pthread_mutex_destroy(&w->lock);
	free(w);
	return NULL;
}

/* Signals are the loop's business: the thread blocks all. */
static int
start_thread(struct watchdog *w)
{
	sigset_t all, before;
	int result;

	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	result = pthread_create(&w->thread, NULL, watch, w);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	return -result;
}

const char *
reactor_busy_name(const struct reactor *r)
{
	uint32_t index = atomic_load_explicit(&r->busy, memory_order_relaxed);

	if (index == 0 || index >= r->owner_count ||
	    r->owners[index].owner == NULL)
		return NULL;
	return r->owners[index].owner->name;
}

pthread_t
reactor_thread(const struct reactor *r)
{
	return atomic_load_explicit(&r->thread, memory_order_relaxed);
}

void
reactor_charge(struct reactor_owner *owner)
{
	if (owner->reactor->depth > 0)
		mark_call(owner->reactor, owner->index);
}

int
reactor_watchdog_start(struct reactor *r, uint64_t limit_ms,
    reactor_overrun_fn *overrun, void *context)
{
	struct watchdog *w;
	int result;

	if (limit_ms == 0 || limit_ms > UINT64_MAX / 2000000u ||
	    overrun == NULL)
		return -EINVAL;
	if (r->watchdog != NULL)
		return -EBUSY;
	w = calloc(1, sizeof(*w));
	if (w == NULL)
		return -ENOMEM;
	w->reactor = r;
	w->limit_ns = MONO_MS(limit_ms);
	w->overrun = overrun;
	w->context = context;
	result = init_sync(w);
	if (result < 0) {
		free(w);
		return result;
	}
	result = start_thread(w);
	if (result < 0) {
		watchdog_free(w);
		return result;
	}
	r->watchdog = w;
	return 0;
}

void
reactor_watchdog_stop(struct reactor *r)
{
	struct watchdog *w = r->watchdog;

	if (w == NULL)
		return;
	(void)pthread_mutex_lock(&w->lock);
	w->stop = true;
	(void)pthread_cond_signal(&w->changed);
	(void)pthread_mutex_unlock(&w->lock);
	(void)pthread_join(w->thread, NULL);
	r->watchdog = watchdog_free(w);
}
