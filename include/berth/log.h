/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * <berth/log.h>: a service that takes the lines of the host's log.
 * berth_log_sink(3) is the manual; the plugin logging_strategy is the model.
 *
 * While a service has a sink and is active, every line that the host, its
 * services and its workers log is offered to it before the host's own place.
 * That place gets it as well, or instead, when the sink asks for that or fails,
 * so that no line is lost by a sink.
 *
 * Since 1.3.
 */
#ifndef BERTH_LOG_H
#define BERTH_LOG_H

#include <berth/host.h>

/* A finished record; good for the call only. */
struct berth_log_record {
	uint32_t size;	 /* of this structure, bytes; more may follow */
	int level;	 /* enum berth_level, 0 to 7 */
	int64_t seconds; /* when: CLOCK_REALTIME */
	uint32_t nanoseconds;
	uint32_t thread;	 /* that logged it: gettid(2) */
	const char *service;	 /* whose line it is; NULL: the host's own */
	struct berth_bytes text; /* a line without its end, safe to print */
};

#define BERTH_LOG_PASS 1 /* the host's own place shall have it too */

/*
 * 0: it is taken, or not wanted; BERTH_LOG_PASS; or a negative errno: then the
 * host's own place has it, and is told once why.
 *
 * Called by the thread that logs, whichever that is, and never by two at once.
 * It may call berth_log(), whose lines go to the host's own place from here,
 * and what may be called from any thread; it must not wait for the loop.
 */
typedef int(berth_log_fn)(void *arg, const struct berth_log_record *record);

/*
 * Lines are offered from when the service is active; none while it is
 * suspended, or replaced.  Before fini the host ends the sinks that are left.
 * 0; -ENOMEM; -EPERM: not on the loop; -ESHUTDOWN: the service ends.
 */
static inline int
berth_log_sink_add(struct berth_service *s, berth_log_fn *fn, void *arg,
    struct berth_log_sink **ret_sink)
{
	return s->host->log_sink_add(s, fn, arg, ret_sink);
}

/*
 * Waits until fn has returned wherever it runs; then it is called no more.  Not
 * from within fn.  Takes NULL; a second time is not allowed.
 */
static inline void
berth_log_sink_remove(struct berth_service *s, struct berth_log_sink *sink)
{
	s->host->log_sink_remove(s, sink);
}

#endif
