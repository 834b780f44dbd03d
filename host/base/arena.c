/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * arena: many small allocations that are freed whole.
 *
 * Memory comes in chunks that double up to CHUNK_MAX; what does not fit in a
 * fresh chunk gets one of its own.  Chunks are zeroed when they are made and
 * never reused, so what arena_alloc() hands out is zero.
 *
 * Results: NULL when there is no memory; the arena stays as it was.  Not for
 * two threads at once.
 */
#include "base/base.h"

#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_MIN 2048u
#define CHUNK_MAX 65536u
#define ARENA_MAGIC 0x41524e41u

struct chunk {
	SLIST_ENTRY(chunk) link;
	size_t used; /* of data */
	size_t size;
	alignas(max_align_t) char data[];
};

struct arena {
	uint32_t magic;
	size_t next_size; /* of the next chunk's data */
	/* The first one is filled; those behind it are full or large. */
	SLIST_HEAD(, chunk) chunks;
};

struct arena *
arena_new(void)
{
	return arena_new_sized(CHUNK_MIN);
}

struct arena *
arena_new_sized(size_t first_bytes)
{
	struct arena *arena = calloc(1, sizeof(*arena));

	if (arena == NULL)
		return NULL;
	arena->magic = ARENA_MAGIC;
	arena->next_size = first_bytes;
	SLIST_INIT(&arena->chunks);
	return arena;
}

struct arena *
arena_free(struct arena *arena)
{
	struct chunk *chunk;

	if (arena == NULL)
		return NULL;
	BASE_ASSERT(arena->magic == ARENA_MAGIC);
	while ((chunk = SLIST_FIRST(&arena->chunks)) != NULL) {
		SLIST_REMOVE_HEAD(&arena->chunks, link);
		free(chunk);
	}
	arena->magic = 0;
	free(arena);
	return NULL;
}

static struct chunk *
add_chunk(struct arena *arena, size_t size)
{
	struct chunk *first = SLIST_FIRST(&arena->chunks);
	bool large = size > arena->next_size;
	size_t room = large ? size : arena->next_size;
	struct chunk *chunk = calloc(1, sizeof(*chunk) + room);

	if (chunk == NULL)
		return NULL;
	chunk->size = room;
	/* A large one must not hide what is left in the present chunk. */
	if (large && first != NULL) {
		SLIST_INSERT_AFTER(first, chunk, link);
		return chunk;
	}
	SLIST_INSERT_HEAD(&arena->chunks, chunk, link);
	if (arena->next_size < CHUNK_MAX)
		arena->next_size *= 2;
	return chunk;
}

void *
arena_alloc(struct arena *arena, size_t size)
{
	const size_t unit = alignof(max_align_t);
	struct chunk *chunk;
	void *memory;

	BASE_ASSERT(arena->magic == ARENA_MAGIC);
	if (size > SIZE_MAX / 2)
		return NULL;
	size = size == 0 ? unit : (size + unit - 1) / unit * unit;
	chunk = SLIST_FIRST(&arena->chunks);
	if (chunk == NULL || chunk->size - chunk->used < size)
		chunk = add_chunk(arena, size);
	if (chunk == NULL)
		return NULL;
	memory = chunk->data + chunk->used;
	chunk->used += size;
	return memory;
}

char *
arena_copy(struct arena *arena, const char *from, size_t size)
{
	char *copy;

	if (size == SIZE_MAX)
		return NULL;
	copy = arena_alloc(arena, size + 1);
	if (copy != NULL && size != 0)
		memcpy(copy, from, size);
	return copy;
}

char *
arena_string(struct arena *arena, const char *from)
{
	return arena_copy(arena, from, strlen(from));
}

char *
arena_printf(struct arena *arena, const char *format, ...)
{
	AUTO_TEXT text;
	va_list ap;
	int result;

	text_init(&text);
	va_start(ap, format);
	result = text_vprintf(&text, format, ap);
	va_end(ap);
	if (result < 0)
		return NULL;
	return arena_copy(arena, text_string(&text), text.size);
}
