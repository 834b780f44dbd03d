/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * refusal: the reasons for which somebody is not served, their names, and how
 * often each has come.
 *
 * An attack fills counters, not logs: of each reason the first is told, and
 * then once a minute how many there were since.
 */
#include "guard/guard.h"

#define TELL_EVERY_S 60u

struct reason {
	const char *name;
	const char *text;
};

static const struct reason reasons[GUARD_REASONS] = {
    [GUARD_SERVED] = {"served", "is served"},
    [GUARD_INSTANCES] = {"instances",
	"there are as many sessions as `instances` allows"},
    [GUARD_PER_SOURCE] = {"per_source",
	"its source has as many sessions as `per_source` allows"},
    [GUARD_CPS] = {"cps", "sessions begin more often than `cps` allows"},
    [GUARD_SOURCE_CPS] = {"source_cps",
	"its source comes more often than `source_cps` allows"},
    [GUARD_ADDRESS] = {"address",
	"`only_from` and `no_access` do not serve it"},
    [GUARD_USER] = {"user", "`only_users` and `only_groups` do not have it"},
    [GUARD_TIME] = {"time", "it is none of the `access_times`"},
    [GUARD_LOAD] = {"load", "the load has reached `max_load`"},
    [GUARD_LIBWRAP] = {"libwrap", "hosts.allow and hosts.deny refuse it"},
    [GUARD_CROWDED] = {"crowded",
	"too many clients wait to be judged, or memory is short"},
    [GUARD_LATE] = {"late", "what it had to say first did not come in time"},
    [GUARD_PROXY] = {"proxy", "it is not in `proxy_from`, or did not send the "
			      "header that `proxy_protocol` asks for"},
    [GUARD_BROKEN] = {"broken", "its connection broke before it was served"},
};

const char *
guard_reason_name(enum guard_reason reason)
{
	return reasons[reason].name;
}

const char *
guard_reason_text(enum guard_reason reason)
{
	return reasons[reason].text;
}

unsigned
guard_refused(
    struct guard_refusals *refusals, enum guard_reason reason, struct mono now)
{
	/* From 1 on: 0 is never. */
	uint32_t now_s = (uint32_t)(now.ns / MONO_MS(1000)) + 1;
	uint32_t told_s = refusals->told_s[reason];
	unsigned untold;

	refusals->count[reason]++;
	if (refusals->untold[reason] < UINT32_MAX)
		refusals->untold[reason]++;
	if (told_s != 0 && now_s - told_s < TELL_EVERY_S)
		return 0;
	untold = refusals->untold[reason];
	refusals->untold[reason] = 0;
	refusals->told_s[reason] = now_s;
	return untold;
}

enum limit_policy
guard_policy(const struct settings *settings, enum guard_reason reason)
{
	switch (reason) {
	case GUARD_INSTANCES:
		return settings->on_instances;
	case GUARD_CPS:
		return settings->on_cps;
	case GUARD_LOAD:
		return settings->on_max_load;
	case GUARD_TIME:
		return settings->on_access_times;
	case GUARD_PER_SOURCE:
		return settings->on_per_source;
	case GUARD_SOURCE_CPS:
		return settings->on_source_cps;
	case GUARD_ADDRESS:
	case GUARD_USER:
	case GUARD_LIBWRAP:
		return settings->on_access;
	default:
		return POLICY_REJECT;
	}
}
