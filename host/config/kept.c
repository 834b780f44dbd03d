/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kept: settings that outlive the tree they were read into.  They are never
 * changed, so that many services can share one object; each of them holds a
 * reference.
 */
#include "config/config_settings.h"

#include <errno.h>

struct kept {
	struct arena *arena; /* it lies in */
	unsigned references;
	struct settings settings;
};

/* What settings_keep() made is not const by itself. */
static struct kept *
kept_of(const struct settings *settings)
{
	return (struct kept *)((uintptr_t)settings -
			       offsetof(struct kept, settings));
}

int
settings_keep(const struct settings *from, const struct settings **ret_kept)
{
	/* Its endpoint and a few words; seldom more. */
	struct arena *arena = arena_new_sized(
	    sizeof(struct kept) + (from->listen_count > 0 ? 256 : 32));
	struct kept *kept = NULL;

	if (arena != NULL)
		kept = arena_alloc(arena, sizeof(*kept));
	if (kept == NULL || settings_copy(arena, from, &kept->settings) < 0) {
		arena_free(arena);
		return -ENOMEM;
	}
	kept->arena = arena;
	kept->references = 1;
	*ret_kept = &kept->settings;
	return 0;
}

const struct settings *
settings_ref(const struct settings *kept)
{
	kept_of(kept)->references++;
	return kept;
}

const struct settings *
settings_unref(const struct settings *kept)
{
	struct kept *own;

	if (kept == NULL)
		return NULL;
	own = kept_of(kept);
	BASE_ASSERT(own->references > 0);
	if (--own->references == 0)
		arena_free(own->arena);
	return NULL;
}
