/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * text_escape: foreign bytes made harmless, for JSON, for logs, for people.
 *
 * All three let valid UTF-8 through (RFC 3629: no overlong form, no
 * surrogate, nothing above U+10FFFF) and differ in what they do with the
 * rest.  Control characters are C0, DEL and C1, the last because terminals
 * obey them too.  Results: 0 or -ENOMEM, as text_add().
 */
#include "base/base.h"

#include <stdio.h>
#include <string.h>

/* One character or one bad byte of the input. */
struct piece {
	const unsigned char *data;
	size_t size;
	uint32_t code;
	bool valid;
};

/* The first byte's ranges and the smallest code they may hold. */
static const struct lead {
	unsigned char first, last;
	unsigned char size;
	unsigned char mask;
	uint32_t least;
} leads[] = {
    {0x00, 0x7f, 1, 0x7f, 0x0},
    {0xc2, 0xdf, 2, 0x1f, 0x80},
    {0xe0, 0xef, 3, 0x0f, 0x800},
    {0xf0, 0xf4, 4, 0x07, 0x10000},
};

static const struct lead *
find_lead(unsigned char byte)
{
	for (size_t i = 0; i < BASE_COUNT(leads); i++)
		if (byte >= leads[i].first && byte <= leads[i].last)
			return &leads[i];
	return NULL;
}

static struct piece
next_piece(const unsigned char *data, size_t size)
{
	struct piece piece = {data, 1, data[0], false};
	const struct lead *lead = find_lead(data[0]);
	uint32_t code;

	if (lead == NULL || lead->size > size)
		return piece;
	code = data[0] & lead->mask;
	for (size_t i = 1; i < lead->size; i++) {
		if ((data[i] & 0xc0) != 0x80)
			return piece;
		code = code << 6 | (data[i] & 0x3fu);
	}
	if (code < lead->least || code > 0x10ffff ||
	    (code >= 0xd800 && code <= 0xdfff))
		return piece;
	piece.size = lead->size;
	piece.code = code;
	piece.valid = true;
	return piece;
}

static bool
is_control(const struct piece *piece)
{
	return piece->code < 0x20 ||
	       (piece->code >= 0x7f && piece->code < 0xa0);
}

static int
add_raw(struct text *text, const struct piece *piece)
{
	return text_add(text, (const char *)piece->data, piece->size);
}

static int
add_hex(struct text *text, const struct piece *piece)
{
	int result = 0;

	for (size_t i = 0; i < piece->size; i++)
		result = text_printf(text, "\\x%02x", piece->data[i]);
	return result;
}

/* The letter after the backslash, where C and JSON agree; or 0. */
static char
short_escape(uint32_t code)
{
	switch (code) {
	case '\n':
		return 'n';
	case '\t':
		return 't';
	case '\r':
		return 'r';
	case '\\':
		return '\\';
	default:
		return 0;
	}
}

static int
add_json(struct text *text, const struct piece *piece)
{
	char letter = piece->code == '"' ? '"' : short_escape(piece->code);

	if (!piece->valid)
		return text_add(text, "\xef\xbf\xbd", 3);
	if (letter != 0)
		return text_printf(text, "\\%c", letter);
	if (is_control(piece))
		return text_printf(text, "\\u%04x", (unsigned)piece->code);
	return add_raw(text, piece);
}

static int
add_escaped(struct text *text, const struct piece *piece)
{
	char letter = short_escape(piece->code);

	if (!piece->valid || (letter == 0 && is_control(piece)))
		return add_hex(text, piece);
	if (letter != 0)
		return text_printf(text, "\\%c", letter);
	return add_raw(text, piece);
}

static int
add_printable(struct text *text, const struct piece *piece)
{
	if (!piece->valid || (piece->code != '\t' && is_control(piece)))
		return add_hex(text, piece);
	return add_raw(text, piece);
}

static int
add_all(struct text *text, const char *data, size_t size,
    int (*add)(struct text *, const struct piece *))
{
	const unsigned char *at = (const unsigned char *)data;
	size_t done = 0;
	int result = text_add(text, NULL, 0);

	while (done < size && result == 0) {
		struct piece piece = next_piece(at + done, size - done);

		result = add(text, &piece);
		done += piece.size;
	}
	return result;
}

int
text_json(struct text *text, const char *data, size_t size)
{
	text_add(text, "\"", 1);
	add_all(text, data, size, add_json);
	return text_add(text, "\"", 1);
}

int
text_escape(struct text *text, const char *data, size_t size)
{
	return add_all(text, data, size, add_escaped);
}

int
text_printable(struct text *text, const char *data, size_t size)
{
	return add_all(text, data, size, add_printable);
}
