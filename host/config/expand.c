/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * expand: what stands in a string or a bare value becomes its bytes: escapes,
 * joined lines, and $NAME, ${NAME}, ${NAME:-default} from the environment.
 *
 * A bare word knows variables only; one with a quote or a backslash in it is
 * a mistake, since nobody can tell what was meant.  The rules for arguments,
 * where more than one value comes out, stand in arguments.c.
 */
#include "config/config_priv.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define NAME_ROOM 256u

static int
peek(const struct expansion *expansion, size_t ahead)
{
	if (expansion->at.offset + ahead >= expansion->end)
		return -1;
	return cursor_peek(&expansion->at, ahead);
}

static int
put(struct expansion *expansion, char byte)
{
	return text_add(expansion->out, &byte, 1);
}

/* The next byte as it stands. */
static int
copy(struct expansion *expansion)
{
	char byte = (char)peek(expansion, 0);

	cursor_step(&expansion->at);
	return put(expansion, byte);
}

static int
hexadecimal(int byte)
{
	if (byte >= '0' && byte <= '9')
		return byte - '0';
	byte = byte == -1 ? -1 : tolower(byte);
	return byte >= 'a' && byte <= 'f' ? byte - 'a' + 10 : -1;
}

/* \xHH; a NUL would end the word for whoever reads it. */
static int
expand_byte(struct expansion *expansion)
{
	int high = hexadecimal(peek(expansion, 2));
	int low = high < 0 ? -1 : hexadecimal(peek(expansion, 3));
	struct place place = cursor_place(&expansion->at, low < 0 ? 2 : 4);

	if (low < 0)
		return reader_tell(expansion->reader, &place,
		    "'\\x' needs two hexadecimal digits behind it");
	if (high == 0 && low == 0)
		return reader_tell(expansion->reader, &place,
		    "a NUL byte cannot stand in a string");
	for (unsigned i = 0; i < 4; i++)
		cursor_step(&expansion->at);
	return put(expansion, (char)(high * 16 + low));
}

static int
skip(struct expansion *expansion, size_t count)
{
	while (count-- > 0)
		cursor_step(&expansion->at);
	return 0;
}

/* The byte that an escape of two bytes stands for, or -1. */
static int
escaped(int byte)
{
	switch (byte) {
	case 'n':
		return '\n';
	case 't':
		return '\t';
	case '"':
	case '\'':
	case '$':
	case '\\':
		return byte;
	default:
		return -1;
	}
}

int
expand_escape(struct expansion *expansion, bool pairs)
{
	int byte = peek(expansion, 1);
	size_t newline = cursor_newline(&expansion->at, 1);

	if (byte != -1 && newline > 0)
		return skip(expansion, 1 + newline);
	if (byte == 'x')
		return expand_byte(expansion);
	if (escaped(byte) == -1)
		return copy(expansion);
	if (byte == '\\' && pairs)
		copy(expansion);
	else
		cursor_step(&expansion->at);
	cursor_step(&expansion->at);
	return put(expansion, (char)escaped(byte));
}

/* --- variables -------------------------------------------------------------
 */

static bool
is_name(int byte, size_t at)
{
	return byte == '_' || (byte >= 'A' && byte <= 'Z') ||
	       (byte >= 'a' && byte <= 'z') ||
	       (at > 0 && byte >= '0' && byte <= '9');
}

static size_t
name_size(const struct expansion *expansion, size_t ahead)
{
	size_t size = 0;

	while (is_name(peek(expansion, ahead + size), size))
		size++;
	return size;
}

/* NULL: not set.  A name too long for anybody's environment is not set. */
static const char *
look_up(const struct expansion *expansion, const char *from, size_t size)
{
	const struct config_options *options = expansion->reader->options;
	char name[NAME_ROOM];

	if (size >= sizeof(name))
		return NULL;
	memcpy(name, from, size);
	name[size] = '\0';
	if (options != NULL && options->environment != NULL)
		return options->environment(options->environment_context, name);
	return getenv(name);
}

static int
undefined(struct expansion *expansion, const struct place *place, size_t size,
    const char *text)
{
	if (expansion->strict)
		return reader_tell(expansion->reader, place,
		    "'%.*s' is not in the environment; ${NAME:-default} "
		    "gives a default",
		    size > 64 ? 64 : (int)size, text);
	return text_add(expansion->out, text, size);
}

static int
expand_plain(struct expansion *expansion, size_t size)
{
	const char *text = cursor_text(&expansion->at);
	struct place place = cursor_place(&expansion->at, size + 1);
	const char *value = look_up(expansion, text + 1, size);

	skip(expansion, size + 1);
	if (value == NULL)
		return undefined(expansion, &place, size + 1, text);
	return text_add(expansion->out, value, strlen(value));
}

/* Behind :- up to the brace; 0 with the brace taken. */
static int
expand_default(struct expansion *expansion)
{
	for (;;) {
		int byte = peek(expansion, 0), result;

		if (byte == -1)
			return CONFIG_E_MISTAKE;
		if (byte == '}') {
			cursor_step(&expansion->at);
			return 0;
		}
		result = byte == '\\' ? expand_escape(expansion, false)
				      : copy(expansion);
		if (result != 0)
			return result;
	}
}

static int
expand_with_default(struct expansion *expansion, const char *value)
{
	struct text *out = expansion->out;
	size_t before = out->size;
	int result = expand_default(expansion);

	if (result != 0 || value == NULL || value[0] == '\0')
		return result;
	/* The default was read for its mistakes and its end only. */
	out->size = before;
	return text_add(out, value, strlen(value));
}

static int
expand_braced(struct expansion *expansion)
{
	const struct cursor start = expansion->at;
	const char *text = cursor_text(&start);
	size_t size = name_size(expansion, 2);
	struct place place = cursor_place(&start, size + 2);
	unsigned before = expansion->reader->mistakes;
	const char *value = look_up(expansion, text + 2, size);
	int result = CONFIG_E_MISTAKE;

	if (size > 0 && peek(expansion, size + 2) == '}') {
		place.length++;
		skip(expansion, size + 3);
		if (value == NULL)
			return undefined(expansion, &place, size + 3, text);
		return text_add(expansion->out, value, strlen(value));
	}
	if (size > 0 && peek(expansion, size + 2) == ':' &&
	    peek(expansion, size + 3) == '-') {
		skip(expansion, size + 4);
		result = expand_with_default(expansion, value);
	}
	if (result <= 0 || expansion->reader->mistakes != before)
		return result;
	return reader_tell(expansion->reader, &place,
	    "expected ${NAME} or ${NAME:-default}; '\\$' is a dollar");
}

int
expand_variable(struct expansion *expansion)
{
	size_t size = name_size(expansion, 1);

	if (peek(expansion, 1) == '{')
		return expand_braced(expansion);
	return size > 0 ? expand_plain(expansion, size) : copy(expansion);
}

/* --- a whole token ---------------------------------------------------------
 */

static int
bare_mistake(struct expansion *expansion)
{
	struct place place = cursor_place(&expansion->at, 1);

	return reader_tell(expansion->reader, &place,
	    "a value with a quote or a backslash in it stands in quotes");
}

static int
expand_piece(struct expansion *expansion, bool bare)
{
	int byte = peek(expansion, 0);

	if (byte == '$')
		return expand_variable(expansion);
	if (bare && (byte == '"' || byte == '\'' || byte == '\\'))
		return bare_mistake(expansion);
	if (byte == '\\')
		return expand_escape(expansion, false);
	return copy(expansion);
}

/* Does every byte stand for itself? */
static bool
is_plain(const struct token *token)
{
	bool bare = token->kind == TOKEN_WORD;

	for (size_t i = 0; i < token->size; i++) {
		char byte = token->text[i];

		if (byte == '$' || byte == '\\' ||
		    (bare && (byte == '"' || byte == '\'')))
			return false;
	}
	return true;
}

static int
expand_all(struct expansion *expansion, bool bare)
{
	int result = 0;

	text_reset(expansion->out);
	while (result == 0 && peek(expansion, 0) != -1)
		result = expand_piece(expansion, bare);
	return result;
}

int
expand_token(
    struct reader *reader, const struct token *token, const char **ret_text)
{
	struct expansion expansion = {.reader = reader,
	    .at = token->inside,
	    .end = token->inside.offset + token->size,
	    .strict = true,
	    .out = &reader->scratch};
	const char *text = token->text;
	size_t size = token->size;
	int result;

	if (!is_plain(token)) {
		result = expand_all(&expansion, token->kind == TOKEN_WORD);
		if (result != 0)
			return result;
		text = text_string(expansion.out);
		size = expansion.out->size;
	}
	text = arena_copy(reader->tree->arena, text, size);
	if (text == NULL)
		return -ENOMEM;
	*ret_text = text;
	return 0;
}
