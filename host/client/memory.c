/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * memory: whether the JSON library ever ran out of it.
 *
 * Its parser does not look at all of its allocations, and gives a shortened
 * text where one failed.  So they are watched: an answer of the host's is
 * shown whole or not at all.  The library's allocator belongs to the process,
 * and so does what is noted here; nobody but berthctl uses either.
 */
#include <stdlib.h>

#include <jansson.h>

#include "client/client_priv.h"

static bool failed;

static void *
allocate(size_t size)
{
	void *memory = malloc(size);

	if (memory == NULL)
		failed = true;
	return memory;
}

void
json_memory_watch(void)
{
	failed = false;
	json_set_alloc_funcs(allocate, free);
}

bool
json_memory_failed(void)
{
	return failed;
}
