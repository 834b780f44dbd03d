/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * guard: admission.  Who is served, how many at once, how often and when; and
 * the count of those who were not, by reason.
 */
#ifndef GUARD_GUARD_H
#define GUARD_GUARD_H

#include "net/net.h"

/* --- refusals: refusal.c ---------------------------------------------------*/

/* Why somebody is not served. */
enum guard_reason {
	GUARD_SERVED, /* is */
	GUARD_INSTANCES,
	GUARD_CROWDED, /* too many wait to be judged */
	GUARD_LATE,    /* what was needed to judge did not come in time */
	GUARD_BROKEN,  /* the connection was gone, or said nonsense */
	GUARD_PROXY,   /* no proxy that is believed, or no header of one */
	GUARD_REASONS
};

/* One word, as the counters are called: "instances". */
const char *guard_reason_name(enum guard_reason reason);
/* For people, behind a client's address: "the service has all its …". */
const char *guard_reason_text(enum guard_reason reason);

/* Counted, and told at most once a minute for each reason. */
struct guard_refusals {
	uint64_t count[GUARD_REASONS];
	uint32_t untold[GUARD_REASONS];
	uint32_t told_s[GUARD_REASONS]; /* 0: never */
};

/* How many are to be told of now, this one among them; 0: none. */
unsigned guard_refused(
    struct guard_refusals *refusals, enum guard_reason reason, struct mono now);
uint64_t guard_refusals_total(const struct guard_refusals *refusals);

#endif
