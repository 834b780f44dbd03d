/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * times: spans of the day, in local time.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "guard/guard_priv.h"

int
spans_new(const struct word_list *words, struct span **ret_spans)
{
	struct span *spans = calloc(words->count + 1, sizeof(*spans));

	if (spans == NULL)
		return -ENOMEM;
	for (unsigned i = 0; i < words->count; i++) {
		unsigned h1, m1, h2, m2;

		/* The reader has checked their form. */
		if (sscanf(words->word[i], "%2u:%2u-%2u:%2u", &h1, &m1, &h2,
			&m2) != 4)
			continue;
		spans[i].from = (uint16_t)(h1 * 60 + m1);
		spans[i].to = (uint16_t)(h2 * 60 + m2);
	}
	*ret_spans = spans;
	return 0;
}

bool
spans_have(const struct span *spans, unsigned count, time_t wall)
{
	struct tm local;
	unsigned minute;

	if (localtime_r(&wall, &local) == NULL)
		return false;
	minute = (unsigned)(local.tm_hour * 60 + local.tm_min);
	for (unsigned i = 0; i < count; i++)
		if (minute >= spans[i].from && minute < spans[i].to)
			return true;
	return false;
}
