/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * text: a growing buffer of bytes with a NUL behind them.
 *
 * Invariant: data is NULL and room 0, or size < room and data[size] is NUL.
 * The first failure sets `failed`, keeps what was there, and makes additions
 * do nothing until text_reset().  Results: 0 or -ENOMEM.
 */
#include "base/base.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROOM_MIN 64u

void
text_init(struct text *text)
{
	memset(text, 0, sizeof(*text));
}

void
text_fini(struct text *text)
{
	free(text->data);
	text_init(text);
}

void
text_reset(struct text *text)
{
	text->size = 0;
	text->failed = false;
	if (text->data != NULL)
		text->data[0] = '\0';
}

static int
fail(struct text *text)
{
	text->failed = true;
	return -ENOMEM;
}

/* Room for so many more bytes and the NUL. */
static int
grow(struct text *text, size_t more)
{
	size_t room = text->room == 0 ? ROOM_MIN : text->room;
	char *data;

	if (text->failed || more >= SIZE_MAX / 4 - text->size)
		return fail(text);
	while (room <= text->size + more)
		room *= 2;
	if (room == text->room)
		return 0;
	data = realloc(text->data, room);
	if (data == NULL)
		return fail(text);
	data[text->size] = '\0';
	text->data = data;
	text->room = room;
	return 0;
}

int
text_add(struct text *text, const char *data, size_t size)
{
	int result = grow(text, size);

	if (result < 0)
		return result;
	if (size != 0)
		memcpy(text->data + text->size, data, size);
	text->size += size;
	text->data[text->size] = '\0';
	return 0;
}

int
text_printf(struct text *text, const char *format, ...)
{
	va_list ap;
	int result;

	va_start(ap, format);
	result = text_vprintf(text, format, ap);
	va_end(ap);
	return result;
}

int
text_vprintf(struct text *text, const char *format, va_list ap)
{
	size_t spare = text->room - text->size;
	char *end = spare > 0 ? text->data + text->size : NULL;
	va_list again;
	int length;

	if (text->failed)
		return -ENOMEM;
	va_copy(again, ap);
	length = vsnprintf(end, spare, format, again);
	va_end(again);
	if (length >= 0 && (size_t)length < spare) {
		text->size += (size_t)length;
		return 0;
	}
	/* It did not fit: the attempt is undone, then made with room. */
	if (end != NULL)
		*end = '\0';
	if (length < 0)
		return fail(text);
	if (grow(text, (size_t)length) < 0)
		return -ENOMEM;
	vsnprintf(text->data + text->size, (size_t)length + 1, format, ap);
	text->size += (size_t)length;
	return 0;
}

const char *
text_string(const struct text *text)
{
	return text->data != NULL ? text->data : "";
}
