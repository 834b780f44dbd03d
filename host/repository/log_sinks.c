/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sinks of the log that services have.
 *
 * A sink is active while its instance is the one that serves: one that is
 * prepared is not asked yet, one that was replaced no more.  At the end of the
 * host it goes on until its service ends, so that it has the last lines as
 * well.  No thread is in its code when fini is called.
 */
#include <errno.h>
#include <stdlib.h>

#include "repository/repository_priv.h"

#define SINK_MAGIC 0x4c4f4753u

struct berth_log_sink {
	struct log_tap tap;
	uint32_t magic;
	struct instance *instance;
	LIST_ENTRY(berth_log_sink) link;
};

static bool
shall_be_active(const struct instance *instance)
{
	return instance->state == SERVICE_ACTIVE ||
	       (instance->state == SERVICE_DRAINING &&
		   instance->repository->stopping);
}

void
sinks_follow(struct instance *instance)
{
	bool active = shall_be_active(instance);
	struct berth_log_sink *sink;

	LIST_FOREACH (sink, &instance->sinks, link)
		log_tap_activate(instance->repository->log, &sink->tap, active);
}

void
sinks_stop(struct instance *instance)
{
	struct berth_log_sink *sink;

	LIST_FOREACH (sink, &instance->sinks, link)
		log_tap_remove(instance->repository->log, &sink->tap);
}

static void
sink_free(struct berth_log_sink *sink)
{
	log_tap_remove(sink->instance->repository->log, &sink->tap);
	LIST_REMOVE(sink, link);
	sink->magic = 0;
	free(sink);
}

void
sinks_free(struct instance *instance)
{
	struct berth_log_sink *sink;

	while ((sink = LIST_FIRST(&instance->sinks)) != NULL)
		sink_free(sink);
}

int
sinks_add(struct berth_service *service, berth_log_fn *fn, void *arg,
    struct berth_log_sink **ret_sink)
{
	struct instance *instance = instance_of(service);
	struct berth_log_sink *sink;

	if (!instance_is_here(instance))
		return -EPERM;
	if (instance->phase != PHASE_RUNS)
		return -ESHUTDOWN;
	sink = calloc(1, sizeof(*sink));
	if (sink == NULL)
		return -ENOMEM;
	sink->magic = SINK_MAGIC;
	sink->instance = instance;
	sink->tap.fn = fn;
	sink->tap.arg = arg;
	sink->tap.who = service->name;
	log_tap_add(instance->repository->log, &sink->tap);
	log_tap_activate(
	    instance->repository->log, &sink->tap, shall_be_active(instance));
	LIST_INSERT_HEAD(&instance->sinks, sink, link);
	*ret_sink = sink;
	return 0;
}

void
sinks_remove(struct berth_service *service, struct berth_log_sink *sink)
{
	BASE_ASSERT(instance_is_here(instance_of(service)));
	if (sink == NULL)
		return;
	BASE_ASSERT(sink->magic == SINK_MAGIC);
	sink_free(sink);
}
