/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * buffer: bytes of one session that wait, in one block that exists only while
 * there are any.  What was consumed from the front is made use of before the
 * block grows.
 *
 * Results: 0 or -ENOMEM; nothing was added then.
 */
#include "session/session_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The smallest block, header included: a size that malloc(3) does not waste. */
#define BLOCK_MIN 1024u

struct buffer {
	size_t room;  /* of data */
	size_t start; /* consumed */
	size_t end;
	char data[];
};

size_t
buffer_size(const struct buffer *buffer)
{
	return buffer == NULL ? 0 : buffer->end - buffer->start;
}

void *
buffer_data(struct buffer *buffer)
{
	return buffer->data + buffer->start;
}

static struct buffer *
make_block(size_t size)
{
	size_t whole = BLOCK_MIN;
	struct buffer *block;

	if (size > SIZE_MAX / 4)
		return NULL;
	while (whole < size + sizeof(*block))
		whole *= 2;
	block = malloc(whole);
	if (block == NULL)
		return NULL;
	block->room = whole - sizeof(*block);
	block->start = 0;
	block->end = 0;
	return block;
}

static void
move_to_front(struct buffer *buffer)
{
	size_t size = buffer_size(buffer);

	memmove(buffer->data, buffer_data(buffer), size);
	buffer->start = 0;
	buffer->end = size;
}

int
buffer_reserve(struct buffer **buffer, size_t size, void **ret_room)
{
	struct buffer *old = *buffer, *block = old;
	size_t waiting = buffer_size(old);

	if (old == NULL || old->room - waiting < size) {
		block = make_block(waiting + size);
		if (block == NULL)
			return -ENOMEM;
		if (waiting > 0)
			memcpy(block->data, buffer_data(old), waiting);
		block->end = waiting;
		free(old);
		*buffer = block;
	} else if (old->room - old->end < size) {
		move_to_front(old);
	}
	*ret_room = block->data + block->end;
	return 0;
}

void
buffer_grow(struct buffer **buffer, size_t size)
{
	(*buffer)->end += size;
	if ((*buffer)->end == (*buffer)->start)
		buffer_drop(buffer);
}

int
buffer_append(struct buffer **buffer, const void *data, size_t size)
{
	void *room;
	int result;

	if (size == 0)
		return 0;
	result = buffer_reserve(buffer, size, &room);
	if (result != 0)
		return result;
	memcpy(room, data, size);
	buffer_grow(buffer, size);
	return 0;
}

int
buffer_replace(struct buffer **buffer, const void *data, size_t size)
{
	if (*buffer != NULL) {
		(*buffer)->start = 0;
		(*buffer)->end = 0;
	}
	if (size == 0) {
		buffer_drop(buffer);
		return 0;
	}
	return buffer_append(buffer, data, size);
}

void
buffer_consume(struct buffer **buffer, size_t size)
{
	if (*buffer == NULL)
		return;
	(*buffer)->start += size;
	if ((*buffer)->start == (*buffer)->end)
		buffer_drop(buffer);
}

void
buffer_drop(struct buffer **buffer)
{
	free(*buffer);
	*buffer = NULL;
}
