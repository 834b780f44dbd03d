/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bucket: so many in each span of time.
 *
 * A bucket of `count` tokens that fills evenly is known by the time at which
 * it will be full; a token moves that time by its share of the span, and none
 * is left when the next would move it further ahead than the span is long.
 * One number, no timer, and nothing to do while nobody comes.
 *
 * A time that lies further ahead than that is of an older rate, or of a clock
 * that went back, and counts for nothing: nobody waits longer than the rate of
 * today says.
 */
#include "guard/guard_priv.h"

static uint64_t
span_ns(const struct rate *rate)
{
	return MONO_MS(rate->per_ms);
}

static uint64_t
share_ns(const struct rate *rate)
{
	uint64_t share = span_ns(rate) / rate->count;

	return share > 0 ? share : 1;
}

static uint64_t
ahead(uint64_t then_ns, uint64_t now_ns, uint64_t most_ns)
{
	uint64_t distance = then_ns > now_ns ? then_ns - now_ns : 0;

	return distance <= most_ns ? distance : 0;
}

uint64_t
bucket_wait(
    const struct bucket *bucket, const struct rate *rate, uint64_t now_ns)
{
	uint64_t span = span_ns(rate);
	uint64_t taken = ahead(bucket->full_ns, now_ns, span);
	uint64_t pause = ahead(
	    bucket->paused_ns, now_ns, MONO_MS(rate->pause_ms));
	uint64_t wait = 0;

	if (taken + share_ns(rate) > span)
		wait = taken + share_ns(rate) - span;
	return wait > pause ? wait : pause;
}

void
bucket_take(struct bucket *bucket, const struct rate *rate, uint64_t now_ns)
{
	uint64_t taken = ahead(bucket->full_ns, now_ns, span_ns(rate));

	bucket->full_ns = now_ns + taken + share_ns(rate);
}

void
bucket_overrun(struct bucket *bucket, const struct rate *rate, uint64_t now_ns)
{
	if (ahead(bucket->paused_ns, now_ns, MONO_MS(rate->pause_ms)) == 0)
		bucket->paused_ns = now_ns + MONO_MS(rate->pause_ms);
}

bool
bucket_is_full(const struct bucket *bucket, uint64_t now_ns)
{
	return bucket->full_ns <= now_ns && bucket->paused_ns <= now_ns;
}
