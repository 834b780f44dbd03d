/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * log_taps: those who are offered the lines of the log before its own place.
 *
 * A line is offered to all that are active, by the thread that logs it, one
 * line at a time.  The log's own place has it when nobody took it, when a tap
 * asks for that, and when one fails; that a tap fails, and that it is well
 * again, is said there once.  What a tap logs itself, and what is logged while
 * none is active, goes there straight: without taps a line costs the reading
 * of one number.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/base.h"

static uintptr_t
self(void)
{
	return (uintptr_t)pthread_self();
}

/* Is this thread in a tap?  Only itself can have said so. */
static bool
is_inside(struct log_taps *taps)
{
	return __atomic_load_n(&taps->holder, __ATOMIC_RELAXED) == self();
}

static void
lock(struct log_taps *taps)
{
	BASE_ASSERT(!is_inside(taps));
	pthread_mutex_lock(&taps->lock);
	__atomic_store_n(&taps->holder, self(), __ATOMIC_RELAXED);
}

static void
unlock(struct log_taps *taps)
{
	__atomic_store_n(&taps->holder, 0, __ATOMIC_RELAXED);
	pthread_mutex_unlock(&taps->lock);
}

/* Straight to the log's own place. */
BASE_PRINTF(4, 5)
static void
tell(struct log *log, struct log_tap *tap, int level, const char *format, ...)
{
	char line[200];
	va_list ap;

	va_start(ap, format);
	vsnprintf(line, sizeof(line), format, ap);
	va_end(ap);
	log->write(log, level, tap->who, line, strlen(line));
}

/* Whether the log's own place shall have the record because of this one. */
static bool
offer(struct log *log, struct log_tap *tap,
    const struct berth_log_record *record, bool *taken)
{
	int result = tap->fn(tap->arg, record);

	if (result >= 0) {
		if (tap->failed)
			tell(log, tap, BERTH_NOTICE,
			    "takes the lines of the log again");
		tap->failed = false;
		*taken = true;
		return result > 0;
	}
	if (!tap->failed)
		tell(log, tap, BERTH_ERROR,
		    "can't take the lines of the log, which stay here: %s",
		    strerror(-result));
	tap->failed = true;
	return true;
}

void
log_put(
    struct log *log, int level, const char *who, const char *line, size_t size)
{
	struct log_taps *taps = &log->taps;
	struct berth_log_record record = {
	    .size = sizeof(record),
	    .level = level,
	    .service = who,
	    .text = berth_bytes(line, size),
	};
	bool taken = false, own = false;
	struct timespec now;
	struct log_tap *tap;

	if (__atomic_load_n(&taps->active, __ATOMIC_RELAXED) == 0 ||
	    is_inside(taps)) {
		log->write(log, level, who, line, size);
		return;
	}
	record.thread = (uint32_t)syscall(SYS_gettid);
	lock(taps);
	/* Within the lock, so that times don't run backwards. */
	clock_gettime(CLOCK_REALTIME, &now);
	record.seconds = now.tv_sec;
	record.nanoseconds = (uint32_t)now.tv_nsec;
	LIST_FOREACH (tap, &taps->all, link)
		if (tap->active && offer(log, tap, &record, &taken))
			own = true;
	if (own || !taken)
		log->write(log, level, who, line, size);
	unlock(taps);
}

void
log_tap_add(struct log *log, struct log_tap *tap)
{
	tap->active = tap->failed = false;
	if (log == NULL)
		return;
	lock(&log->taps);
	LIST_INSERT_HEAD(&log->taps.all, tap, link);
	unlock(&log->taps);
}

void
log_tap_activate(struct log *log, struct log_tap *tap, bool active)
{
	struct log_taps *taps;

	if (log == NULL || tap->fn == NULL)
		return;
	taps = &log->taps;
	lock(taps);
	if (active && !tap->active)
		__atomic_add_fetch(&taps->active, 1, __ATOMIC_RELAXED);
	if (!active && tap->active)
		__atomic_sub_fetch(&taps->active, 1, __ATOMIC_RELAXED);
	tap->active = active;
	unlock(taps);
}

void
log_tap_remove(struct log *log, struct log_tap *tap)
{
	if (log == NULL || tap->fn == NULL)
		return;
	log_tap_activate(log, tap, false);
	lock(&log->taps);
	LIST_REMOVE(tap, link);
	tap->fn = NULL;
	unlock(&log->taps);
}
