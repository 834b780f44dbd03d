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
    [GUARD_CROWDED] = {"crowded", "too many clients wait to be judged"},
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

uint64_t
guard_refusals_total(const struct guard_refusals *refusals)
{
	uint64_t total = 0;

	for (unsigned i = GUARD_SERVED + 1; i < GUARD_REASONS; i++)
		total += refusals->count[i];
	return total;
}
