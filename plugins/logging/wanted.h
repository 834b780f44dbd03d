/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * wanted: which records are to be seen.
 */
#ifndef LOGGING_WANTED_H
#define LOGGING_WANTED_H

#include "entry.h"

struct wanted {
	const char *host; /* a pattern; NULL: any */
	const char *text; /* to be found in the text */
	int severity;	  /* the least serious */
	long pid;	  /* -1: any */
};

#define WANTED_ALL                                                             \
	{                                                                      \
		NULL, NULL, 7, -1                                              \
	}
#define WANTED_OPTIONS "H:g:i:p:"

/* One of those options.  0, or -EINVAL for a priority that there is not. */
int wanted_option(struct wanted *wanted, int letter, const char *value);
int is_wanted(const struct wanted *wanted, const struct entry *entry);

#endif
