/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * message: blocks, and the memory that they share.
 *
 * A store is memory with a count of the blocks that look at it.  What a block
 * may write is what nobody else can see: a block that needs room and is not
 * alone moves to a store of its own, so that sharers never meet.
 *
 * Results: NULL or -ENOMEM without memory, and then nothing has changed.
 */
#include <errno.h>
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#include "stream/stream_priv.h"

struct store {
	atomic_uint sharers;
	unsigned char *memory;
	size_t size;
	bool lent;
	berth_lender_fn *lender;
	void *arg;
	alignas(max_align_t) unsigned char own[];
};

struct block {
	struct berth_message public; /* first */
	struct store *store;
};

static struct block *
block_of(struct berth_message *message)
{
	return BASE_CONTAINER(message, struct block, public);
}

static struct store *
store_of(const struct berth_message *message)
{
	const void *block = message;

	return ((const struct block *)block)->store;
}

/* --- stores ----------------------------------------------------------------*/

static struct store *
store_new(size_t size)
{
	struct store *store;

	if (size > SIZE_MAX - sizeof(*store))
		return NULL;
	store = malloc(sizeof(*store) + size);
	if (store == NULL)
		return NULL;
	memset(store, 0, sizeof(*store));
	atomic_init(&store->sharers, 1);
	store->memory = store->own;
	store->size = size;
	return store;
}

static struct store *
store_ref(struct store *store)
{
	atomic_fetch_add_explicit(&store->sharers, 1, memory_order_relaxed);
	return store;
}

static void
store_unref(struct store *store)
{
	if (atomic_fetch_sub_explicit(
		&store->sharers, 1, memory_order_acq_rel) != 1)
		return;
	if (store->lender != NULL)
		store->lender(store->arg, store->memory);
	free(store);
}

/* Is nobody else looking at the memory? */
static bool
is_alone(struct store *store)
{
	return !store->lent &&
	       atomic_load_explicit(&store->sharers, memory_order_acquire) == 1;
}

/* --- blocks ----------------------------------------------------------------*/

/* Takes the store, also when it fails. */
static struct berth_message *
block_new(struct store *store)
{
	struct block *block = store != NULL ? calloc(1, sizeof(*block)) : NULL;

	if (block == NULL) {
		if (store != NULL)
			store_unref(store);
		return NULL;
	}
	block->store = store;
	block->public.calls = &message_calls;
	block->public.type = BERTH_MB_DATA;
	block->public.base = store->memory;
	block->public.read = store->memory;
	block->public.write = store->memory;
	block->public.size = store->size;
	return &block->public;
}

struct berth_message *
message_make(size_t size)
{
	return block_new(store_new(size));
}

struct berth_message *
message_borrow(void *data, size_t size, berth_lender_fn *lender, void *arg)
{
	struct store *store = store_new(0);
	struct berth_message *message;

	if (store == NULL)
		return NULL;
	store->memory = data;
	store->size = size;
	store->lent = true;
	message = block_new(store);
	if (message == NULL)
		return NULL;
	store->lender = lender;
	store->arg = arg;
	message->write += size;
	return message;
}

static struct berth_message *
share_block(const struct berth_message *from)
{
	struct berth_message *message = block_new(store_ref(store_of(from)));

	if (message == NULL)
		return NULL;
	message->read = from->read;
	message->write = from->write;
	message->type = from->type;
	message->priority = from->priority;
	return message;
}

static struct berth_message *
copy_block(const struct berth_message *from)
{
	size_t length = berth_message_length(from);
	struct berth_message *message = message_make(length);

	if (message == NULL)
		return NULL;
	if (length > 0)
		memcpy(message->write, from->read, length);
	message->write += length;
	message->type = from->type;
	message->priority = from->priority;
	return message;
}

static struct berth_message *
repeat(const struct berth_message *from,
    struct berth_message *(*once_more)(const struct berth_message *))
{
	struct berth_message *first = NULL, **link = &first;

	for (; from != NULL; from = from->cont) {
		*link = once_more(from);
		if (*link == NULL) {
			message_release(first);
			return NULL;
		}
		link = &(*link)->cont;
	}
	return first;
}

struct berth_message *
message_duplicate(const struct berth_message *message)
{
	return repeat(message, share_block);
}

struct berth_message *
message_clone(const struct berth_message *message)
{
	return repeat(message, copy_block);
}

void
message_release(struct berth_message *message)
{
	struct berth_message *cont;

	for (; message != NULL; message = cont) {
		cont = message->cont;
		store_unref(store_of(message));
		free(block_of(message));
	}
}

/* --- room ------------------------------------------------------------------*/

/* Its bytes move to the front of memory, which may be the same. */
static void
move_window(struct berth_message *message, struct store *store)
{
	size_t length = berth_message_length(message);

	if (length > 0)
		memmove(store->memory, message->read, length);
	message->base = store->memory;
	message->read = store->memory;
	message->write = store->memory + length;
	message->size = store->size;
}

int
message_reserve(struct berth_message *message, size_t space)
{
	struct block *block = block_of(message);
	size_t length = berth_message_length(message);
	struct store *store = block->store;
	size_t size;

	if (is_alone(store) && berth_message_space(message) >= space)
		return 0;
	if (space > SIZE_MAX - length)
		return -ENOMEM;
	size = length + space;
	if (is_alone(store) && store->size >= size) {
		move_window(message, store);
		return 0;
	}
	/* Twice as much, so that adding byte after byte costs little. */
	if (is_alone(store) && size < store->size * 2)
		size = store->size * 2;
	store = store_new(size);
	if (store == NULL)
		return -ENOMEM;
	move_window(message, store);
	store_unref(block->store);
	block->store = store;
	return 0;
}
