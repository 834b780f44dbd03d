/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The workers of a service, in `show` and `stats`.
 */

#include "control/control_priv.h"

struct worker_list {
	struct text *text;
	bool json;
	bool first;
};

static void
put_line(struct text *text, const struct fleet_info *info)
{
	text_printf(text,
	    "worker %-7u pid %d, %s, age %llu ms, sessions %llu, served %llu, "
	    "memory %llu\n",
	    info->slot, info->pid, info->state,
	    (unsigned long long)info->age_ms,
	    (unsigned long long)info->sessions_active,
	    (unsigned long long)info->sessions_total,
	    (unsigned long long)info->memory_bytes);
}

static void
put_worker(void *context, const struct fleet_info *info)
{
	struct worker_list *list = context;
	struct text *text = list->text;

	if (!list->json) {
		put_line(text, info);
		return;
	}
	if (!list->first)
		show_put(text, ",");
	list->first = false;
	show_put(text, "{");
	show_count(text, "slot", info->slot);
	show_count(text, "pid", (uint64_t)info->pid);
	show_field(text, "state", info->state);
	show_count(text, "age_ms", info->age_ms);
	show_count(text, "sessions", info->sessions_active);
	show_count(text, "served", info->sessions_total);
	show_count(text, "memory", info->memory_bytes);
	show_put(text, "}");
}

void
show_workers(const struct instance *instance, struct text *text, bool json)
{
	struct fleet *fleet = instance_fleet(instance);
	struct worker_list list = {text, json, true};

	if (fleet == NULL)
		return;
	show_number(text, json, "restarts", fleet_restarts(fleet));
	show_fact(text, json, "failure", fleet_failure(fleet));
	if (json) {
		show_key(text, "fleet");
		show_put(text, "[");
	}
	fleet_each(fleet, put_worker, &list);
	if (json)
		show_put(text, "]");
}

static void
count_worker(void *context, const struct fleet_info *info)
{
	struct show_fleets *fleets = context;

	fleets->workers++;
	fleets->memory_bytes += info->memory_bytes;
}

void
show_count_workers(const struct instance *instance, struct show_fleets *fleets)
{
	struct fleet *fleet = instance_fleet(instance);

	if (fleet == NULL)
		return;
	fleets->restarts += fleet_restarts(fleet);
	fleet_each(fleet, count_worker, fleets);
}
