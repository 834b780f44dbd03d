/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * inetd_pairs: NetBSD's statement of keys and values.
 *
 *	[ADDRESS:]SERVICE on|off KEY = VALUE [VALUE …], … ;
 *
 * It may stretch over lines; values may be quoted, with \\ \n \t \r \' \"
 * and \xXX in them; `#` begins a comment.  A service that is off is left out.
 */
#include "config/config_inetd.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { WORD, STRING, MARK, END };

struct token_pairs {
	int kind;
	char mark;
	struct value value;
};

struct pairs {
	struct reader *reader;
	struct cursor at;
	struct token_pairs token;
	struct inetd_entry entry;
	unsigned seen;
	struct value bind;
	struct value socktype;
};

static void
skip_blanks(struct cursor *at)
{
	int byte;

	while ((byte = cursor_peek(at, 0)) != -1) {
		if (byte == '#')
			while (cursor_peek(at, 0) != -1 &&
			       cursor_peek(at, 0) != '\n')
				cursor_step(at);
		else if (strchr(" \t\r\n", byte) != NULL)
			cursor_step(at);
		else
			return;
	}
}

static int
hex(int byte)
{
	const char *digits = "0123456789abcdef", *found;

	if (byte <= 0)
		return -1;
	found = strchr(digits, byte | 0x20);
	return found != NULL ? (int)(found - digits) : -1;
}

/* What a backslash and the byte behind it mean; -1: nothing. */
static int
escaped(struct cursor *at)
{
	static const char from[] = "\\ntr'\"", to[] = "\\\n\t\r'\"";
	int byte = cursor_peek(at, 0), high, low;
	const char *found = byte > 0 ? strchr(from, byte) : NULL;

	if (found != NULL) {
		cursor_step(at);
		return to[found - from];
	}
	if (byte != 'x')
		return -1;
	high = hex(cursor_peek(at, 1));
	low = hex(cursor_peek(at, 2));
	if (high < 0 || low < 0 || high * 16 + low == 0)
		return -1;
	at->offset += 3;
	return high * 16 + low;
}

static int
read_string(struct pairs *pairs)
{
	struct cursor *at = &pairs->at, start = *at;
	struct text *text = &pairs->reader->scratch;
	int quote = cursor_peek(at, 0), byte;
	struct place place = cursor_place(&start, 1);

	text_reset(text);
	cursor_step(at);
	while ((byte = cursor_peek(at, 0)) != quote) {
		char one;

		if (byte == -1 || byte == '\n' || byte == 0)
			return reader_tell(
			    pairs->reader, &place, "the quote is not closed");
		cursor_step(at);
		if (byte == '\\')
			byte = escaped(at);
		if (byte < 0)
			return reader_tell(pairs->reader, &place,
			    "a backslash that means nothing; \\\\ is one");
		one = (char)byte;
		text_add(text, &one, 1);
	}
	cursor_step(at);
	place = cursor_place(&start, at->offset - start.offset);
	pairs->token.kind = STRING;
	pairs->token.value = make_value(
	    pairs->reader, &place, text_string(text), text->size);
	return pairs->token.value.text == NULL || text->failed ? -ENOMEM : 0;
}

static int
advance(struct pairs *pairs)
{
	struct cursor *at = &pairs->at, start;
	struct place place;
	int byte;

	skip_blanks(at);
	start = *at;
	byte = cursor_peek(at, 0);
	pairs->token = (struct token_pairs){.kind = END};
	pairs->token.value.place = cursor_place(&start, 1);
	if (byte == -1)
		return 0;
	if (byte == '"' || byte == '\'')
		return read_string(pairs);
	if (byte == '=' || byte == ',' || byte == ';') {
		cursor_step(at);
		pairs->token.kind = MARK;
		pairs->token.mark = (char)byte;
		return 0;
	}
	while ((byte = cursor_peek(at, 0)) > 0 &&
	       strchr(" \t\r\n=,;", byte) == NULL)
		cursor_step(at);
	if (at->offset == start.offset)
		return reader_tell(
		    pairs->reader, &pairs->token.value.place, "a NUL byte");
	place = cursor_place(&start, at->offset - start.offset);
	pairs->token.kind = WORD;
	pairs->token.value = make_value(pairs->reader, &place,
	    cursor_text(&start), at->offset - start.offset);
	return pairs->token.value.text == NULL ? -ENOMEM : 0;
}

static bool
is_mark(const struct pairs *pairs, char mark)
{
	return pairs->token.kind == MARK && pairs->token.mark == mark;
}

static int
expected(struct pairs *pairs, const char *what)
{
	return reader_tell(
	    pairs->reader, &pairs->token.value.place, "expected %s", what);
}

/* --- keys ------------------------------------------------------------------
 */

/* An attribute of ours, with what is put behind the value. */
static int
add_extra(struct pairs *pairs, const char *attribute, const struct value *key,
    const struct value *value)
{
	struct inetd_entry *entry = &pairs->entry;
	struct value *grown = arena_alloc(pairs->reader->tree->arena,
	    (2 * (size_t)entry->extra_count + 2) * sizeof(*grown));

	if (grown == NULL)
		return -ENOMEM;
	if (entry->extra_count > 0)
		memcpy(grown, entry->extra,
		    2 * (size_t)entry->extra_count * sizeof(*grown));
	grown[2 * entry->extra_count] = (struct value){attribute, key->place};
	grown[2 * entry->extra_count + 1] = *value;
	entry->extra = grown;
	entry->extra_count++;
	return 0;
}

static int
set_filter(struct pairs *pairs, const char *attribute, const struct value *key,
    const struct value *value)
{
	struct value time = inetd_accept_filter(pairs->reader, value);

	return add_extra(pairs, attribute, key, &time);
}

static int
set_rate(struct pairs *pairs, const char *attribute, const struct value *key,
    const struct value *value)
{
	uint64_t count = 0;

	if (config_count(value->text, &count) < 0)
		return reader_tell(pairs->reader, &value->place,
		    "expected a number, not '%.60s'", value->text);
	if (count == 0)
		return reader_tell(pairs->reader, &value->place,
		    "%s: 0 serves nobody; say 'off' instead of 'on'",
		    key->text);
	return add_extra(pairs, attribute, key, value);
}

enum action { FIELD, ARGS, EXTRA, RATE, FILTER, LOST };

static const struct key {
	const char *name;
	enum action action;
	size_t offset;	       /* FIELD, of struct pairs */
	const char *attribute; /* EXTRA and RATE */
} keys[] = {
    {"bind", FIELD, offsetof(struct pairs, bind), NULL},
    {"socktype", FIELD, offsetof(struct pairs, entry.type), NULL},
    {"protocol", FIELD, offsetof(struct pairs, entry.protocol), NULL},
    {"wait", FIELD, offsetof(struct pairs, entry.wait), NULL},
    {"user", FIELD, offsetof(struct pairs, entry.user), NULL},
    {"group", FIELD, offsetof(struct pairs, entry.group), NULL},
    {"exec", FIELD, offsetof(struct pairs, entry.program), NULL},
    {"args", ARGS, 0, NULL},
    {"accept_max", EXTRA, 0, "instances"},
    {"sndbuf", EXTRA, 0, "send_buffer"},
    {"recvbuf", EXTRA, 0, "receive_buffer"},
    {"service_max", RATE, 0, "cps"},
    {"ip_max", RATE, 0, "source_cps"},
    {"acceptfilter", FILTER, 0, "defer_accept"},
    {"ipsec", LOST, 0, NULL},
};

static const struct key *
find_key(struct pairs *pairs, const struct value *name)
{
	struct suggestion suggestion;
	struct hint near;

	suggestion_init(&suggestion, name->text);
	for (size_t i = 0; i < BASE_COUNT(keys); i++) {
		if (strcmp(keys[i].name, name->text) == 0)
			return &keys[i];
		suggestion_offer(&suggestion, keys[i].name);
	}
	reader_tell(pairs->reader, &name->place, "unknown option '%.60s'%s",
	    name->text, hint(&suggestion, &near));
	return NULL;
}

static int
set_args(struct pairs *pairs, unsigned count)
{
	struct reader *reader = pairs->reader;
	struct value *words = arena_alloc(
	    reader->tree->arena, count * sizeof(*words));

	if (words == NULL)
		return -ENOMEM;
	memcpy(words, reader->values, count * sizeof(*words));
	pairs->entry.words = words;
	pairs->entry.word_count = count;
	return 0;
}

static int
set_attribute(struct pairs *pairs, const struct key *key,
    const struct value *name, const struct value *value)
{
	if (key->action == RATE)
		return set_rate(pairs, key->attribute, name, value);
	if (key->action == FILTER)
		return set_filter(pairs, key->attribute, name, value);
	return add_extra(pairs, key->attribute, name, value);
}

/* The values are in reader->values. */
static int
set_key(struct pairs *pairs, const struct value *name, unsigned count)
{
	struct reader *reader = pairs->reader;
	const struct key *key = find_key(pairs, name);
	unsigned bit;

	if (key == NULL)
		return CONFIG_E_MISTAKE;
	bit = 1u << (key - keys);
	if ((pairs->seen & bit) != 0)
		return reader_tell(
		    reader, &name->place, "'%s' is set twice", name->text);
	pairs->seen |= bit;
	if (count == 0)
		return reader_tell(
		    reader, &name->place, "'%s' needs a value", name->text);
	if (key->action == ARGS)
		return set_args(pairs, count);
	if (count > 1)
		return reader_tell(reader, &reader->values[1].place,
		    "'%s' takes one value", name->text);
	if (key->action == LOST)
		reader_warn(reader, &name->place, true, "'%s' is not carried",
		    name->text);
	else if (key->action == FIELD)
		*(struct value *)(void *)((char *)pairs +
					  key->offset) = reader->values[0];
	else
		return set_attribute(pairs, key, name, &reader->values[0]);
	return 0;
}

/* KEY = VALUE … up to a comma or the end. */
static int
read_pair(struct pairs *pairs)
{
	struct value name = pairs->token.value;
	unsigned count = 0;
	int result;

	if (pairs->token.kind != WORD)
		return expected(pairs, "an option, or ';'");
	result = advance(pairs);
	if (result == 0 && !is_mark(pairs, '='))
		return expected(pairs, "'=' behind the option");
	if (result == 0)
		result = advance(pairs);
	while (result == 0 &&
	       (pairs->token.kind == WORD || pairs->token.kind == STRING)) {
		result = reader_add_value(
		    pairs->reader, count, &pairs->token.value);
		count++;
		if (result == 0)
			result = advance(pairs);
	}
	return result != 0 ? result : set_key(pairs, &name, count);
}

static int
read_pairs(struct pairs *pairs)
{
	int result = advance(pairs);

	while (result == 0 && !is_mark(pairs, ';')) {
		if (pairs->token.kind == END)
			return expected(pairs, "';' at the end of the service");
		result = read_pair(pairs);
		if (result != 0)
			return result;
		if (is_mark(pairs, ','))
			result = advance(pairs);
		else if (!is_mark(pairs, ';'))
			return expected(pairs, "',' or ';'");
	}
	return result;
}

/* --- the service -----------------------------------------------------------
 */

static void
set_default(struct value *field, const char *text, const struct place *place)
{
	if (field->text == NULL)
		*field = (struct value){text, *place};
}

static int
complete(struct pairs *pairs)
{
	struct inetd_entry *entry = &pairs->entry;
	const struct place *place = &entry->service.place;
	bool datagram, local = entry->service.text[0] == '/';

	if (entry->type.text == NULL && entry->protocol.text == NULL)
		return reader_tell(
		    pairs->reader, place, "'socktype' is missing");
	set_default(&entry->type,
	    entry->protocol.text != NULL && entry->protocol.text[0] == 'u' &&
		    strcmp(entry->protocol.text, "unix") != 0
		? "dgram"
		: "stream",
	    place);
	datagram = strcmp(entry->type.text, "dgram") == 0;
	set_default(&entry->protocol,
	    local      ? "unix"
	    : datagram ? "udp"
		       : "tcp",
	    place);
	set_default(&entry->program, "internal", place);
	set_default(&entry->wait, datagram ? "yes" : "no", place);
	if (strcmp(entry->wait.text, "yes") == 0)
		entry->wait.text = "wait";
	else if (strcmp(entry->wait.text, "no") == 0)
		entry->wait.text = "nowait";
	else
		return reader_tell(pairs->reader, &entry->wait.place,
		    "expected 'yes' or 'no', not '%.60s'", entry->wait.text);
	if (entry->user.text == NULL &&
	    strcmp(entry->program.text, "internal") != 0)
		return reader_tell(pairs->reader, place, "'user' is missing");
	return 0;
}

static int
finish(struct pairs *pairs, bool on)
{
	struct reader *reader = pairs->reader;
	int result = complete(pairs);

	if (result == 0 && pairs->bind.text != NULL)
		result = inetd_addresses(reader, &pairs->bind,
		    &pairs->entry.addresses, &pairs->entry.address_count);
	if (result != 0 || !on)
		return result;
	return inetd_entry(reader, &pairs->entry);
}

/* The line where the cursor is; behind a mistake, the one with the ';'. */
static void
move_line(struct pairs *pairs, struct line *line, bool mistake)
{
	struct cursor *at = &pairs->at;
	int byte;

	while (mistake && !is_mark(pairs, ';') &&
	       (byte = cursor_peek(at, 0)) != -1) {
		cursor_step(at);
		if (byte == ';')
			break;
	}
	while (line->number < at->line && line_next(line))
		;
}

int
inetd_pairs(
    struct reader *reader, struct line *line, const struct inetd_entry *begun)
{
	struct pairs pairs = {.reader = reader, .entry = *begun};
	const struct value *state = &reader->values[1];
	bool on = strcmp(state->text, "on") == 0;
	size_t behind = state->place.column - 1 + state->place.length;
	int result;

	pairs.at = (struct cursor){.source = line->source,
	    .line = line->number,
	    .line_offset = (size_t)(line->begin - line->source->data)};
	pairs.at.offset = pairs.at.line_offset + behind;
	result = read_pairs(&pairs);
	move_line(&pairs, line, result != 0);
	return result != 0 ? result : finish(&pairs, on);
}
