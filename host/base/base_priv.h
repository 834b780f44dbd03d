/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * base_priv: the list of errors from inside, for those who add and those who
 * print.
 */
#ifndef BASE_BASE_PRIV_H
#define BASE_BASE_PRIV_H

#include "base/base.h"

struct tally;

/* Owner: who called errors_new().  The arena and list are its own. */
struct errors {
	uint32_t magic;
	unsigned limit; /* of errors kept for a file; 0: none */
	struct arena *arena;
	struct error *list;
	unsigned kept;
	unsigned room;
	unsigned errors; /* of severity error, kept or not */
	unsigned errors_dropped;
	unsigned warnings_dropped;
	bool last_dropped; /* so is a note on it */
	SLIST_HEAD(, tally) tallies;
};

#endif
