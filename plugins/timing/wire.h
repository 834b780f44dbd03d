/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * wire: what time_server and time_clerk say to each other.
 *
 *	question  24 bytes  "BTSQ", number, clock of who asks, zero
 *	answer	  24 bytes  "BTSA", the same number and clock, time
 *
 * Numbers have 4 bytes, clocks and times 8, the most significant first; the
 * time is nanoseconds since 1970 UTC.  Both have one size, so that the server
 * is no amplifier, and different names, so that two servers can't talk.
 */
#ifndef TIMING_WIRE_H
#define TIMING_WIRE_H

#include <stdint.h>
#include <string.h>
#include <time.h>

#define WIRE_BYTES 24u
#define WIRE_QUESTION "BTSQ"
#define WIRE_ANSWER "BTSA"
#define WIRE_PORT "20009"

#define SECOND_NS 1000000000

static inline void
wire_put(unsigned char *at, uint64_t value, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		at[i] = (unsigned char)(value >> 8 * (bytes - 1 - i) & 0xff);
}

static inline uint64_t
wire_get(const unsigned char *at, unsigned bytes)
{
	uint64_t value = 0;

	for (unsigned i = 0; i < bytes; i++)
		value = value << 8 | at[i];
	return value;
}

static inline int64_t
clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (int64_t)now.tv_sec * SECOND_NS + now.tv_nsec;
}

#endif
