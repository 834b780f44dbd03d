/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mono: the monotonic clock in nanoseconds.  It does not jump when somebody
 * sets the date, and it stands still while the machine sleeps.
 */
#include "base/base.h"

#include <time.h>

struct mono
mono_now(void)
{
	struct timespec now;

	/* Fails for an unknown clock only, and this one is always there. */
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (struct mono){
	    (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec};
}
