/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * facts: what was read from a file, reference-counted.
 */
#include "plugin/plugin_priv.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Times of files go in the kernel's ticks; ten milliseconds is the longest. */
#define TICK_NS 20000000

static bool
is_fresh(const struct plugin_identity *identity)
{
	struct timespec now;
	int64_t age_ns;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	age_ns = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec -
		 identity->ctime_ns;
	return age_ns < TICK_NS;
}

struct facts *
facts_new(const struct plugin_identity *identity)
{
	struct facts *facts = calloc(1, sizeof(*facts));

	if (!facts)
		return NULL;
	facts->references = 1;
	facts->identity = *identity;
	facts->fresh = is_fresh(identity);
	return facts;
}

struct facts *
facts_ref(struct facts *facts)
{
	facts->references++;
	return facts;
}

struct facts *
facts_unref(struct facts *facts)
{
	if (!facts || --facts->references > 0)
		return NULL;
	BASE_ASSERT(!facts->cached && !facts->image);
	free(facts->offers);
	free(facts);
	return NULL;
}

void
facts_offer_words(const struct facts *facts, const char *symbol,
    struct plugin_identity *identity)
{
	for (unsigned i = 0; i < facts->offer_count; i++) {
		const struct offer *offer = &facts->offers[i];

		if (strcmp(offer->descriptor.symbol, symbol) != 0)
			continue;
		identity->is_filter = offer->descriptor.form ==
				      BERTH_FORM_FILTER;
		identity->flags_known = offer->flags_known;
		identity->flags = offer->flags;
		return;
	}
}
