/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The command stats: counters of the host, summed over what runs now.
 */

#include "control/control_priv.h"

struct totals {
	struct server_counters sum;
	unsigned services;
	unsigned active;
	unsigned suspended;
	unsigned draining;
	unsigned images;
	struct show_fleets fleets;
};

static void
add_instance(struct totals *totals, const struct instance *instance)
{
	struct server_counters one;

	show_counters_of(instance, &one);
	show_count_workers(instance, &totals->fleets);
	totals->sum.sessions_active += one.sessions_active;
	totals->sum.sessions_total += one.sessions_total;
	totals->sum.sessions_failed += one.sessions_failed;
	totals->sum.datagrams += one.datagrams;
	totals->sum.datagrams_refused += one.datagrams_refused;
	for (unsigned i = 0; i < GUARD_REASONS; i++)
		totals->sum.refused[i] += one.refused[i];
	totals->sum.bytes_in += one.bytes_in;
	totals->sum.bytes_out += one.bytes_out;
}

static void
add_record(struct totals *totals, const struct record *record)
{
	const struct instance *old = record_first_draining(record);

	totals->services++;
	totals->active += record_state(record) == SERVICE_ACTIVE;
	totals->suspended += record_state(record) == SERVICE_SUSPENDED;
	totals->draining += show_draining_count(record);
	if (record_current(record) != NULL)
		add_instance(totals, record_current(record));
	for (; old != NULL; old = instance_next_draining(old))
		add_instance(totals, old);
}

static void
count_image(void *context, struct image *image)
{
	struct totals *totals = context;

	(void)image;
	totals->images++;
}

enum command_status
command_stats(
    struct host *host, const struct request *request, struct text *text)
{
	bool json = (request->flags & COMMAND_JSON) != 0;
	struct record *record = repository_first(host->repository);
	struct totals totals = {.services = 0};
	struct mono now = reactor_now(host->reactor);

	for (; record != NULL; record = record_next(record))
		add_record(&totals, record);
	plugins_each(host->plugins, count_image, &totals);
	if (json)
		show_put(text, "{");
	show_number(
	    text, json, "uptime_ms", (now.ns - host->started.ns) / MONO_MS(1));
	show_number(text, json, "services", totals.services);
	show_number(text, json, "active", totals.active);
	show_number(text, json, "suspended", totals.suspended);
	show_number(text, json, "draining", totals.draining);
	show_number(text, json, "images", totals.images);
	show_number(text, json, "workers", totals.fleets.workers);
	show_number(text, json, "restarts", totals.fleets.restarts);
	show_number(text, json, "worker_memory", totals.fleets.memory_bytes);
	show_number(text, json, "reloads", host->reloads);
	show_number(text, json, "refused", host->reloads_refused);
	show_fact(
	    text, json, "last_reload", host->last_refused ? "refused" : "good");
	show_number(text, json, "sessions", totals.sum.sessions_active);
	show_number(text, json, "served", totals.sum.sessions_total);
	show_number(text, json, "failed", totals.sum.sessions_failed);
	show_number(text, json, "datagrams", totals.sum.datagrams);
	show_number(text, json, "bytes_in", totals.sum.bytes_in);
	show_number(text, json, "bytes_out", totals.sum.bytes_out);
	show_refusals(&totals.sum, "clients_refused", text, json);
	if (json)
		show_put(text, "}");
	return COMMAND_OK;
}
