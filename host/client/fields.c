/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fields: what the keys of the host's JSON mean to people.
 *
 * A key that has no row is shown by its form: X_ms is a duration, bytes_X are
 * bytes.  So what a newer host adds is shown, too.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "client/client_priv.h"

static const struct field fields[] = {
    {"name", NULL, FIELD_PLAIN, true, false},
    {"state", NULL, FIELD_STATE, false, false},
    {"generation", "GEN", FIELD_PLAIN, false, false},
    {"draining", "OLD", FIELD_PLAIN, false, true},
    {"endpoints", NULL, FIELD_PLAIN, true, false},
    {"peer", NULL, FIELD_PLAIN, true, false},
    {"info", NULL, FIELD_PLAIN, true, false},
    {"since_ms", NULL, FIELD_AGO, false, false},
    {"bytes_in", "IN", FIELD_BYTES, false, false},
    {"bytes_out", "OUT", FIELD_BYTES, false, false},
    {"pending", NULL, FIELD_BYTES, false, false},
    {"last_reload", NULL, FIELD_STATE, false, false},
};

static const struct {
	const char *state;
	enum paint paint;
} paints[] = {
    {"active", PAINT_GREEN},
    {"good", PAINT_GREEN},
    {"starting", PAINT_YELLOW},
    {"suspended", PAINT_YELLOW},
    {"paused", PAINT_YELLOW},
    {"draining", PAINT_YELLOW},
    {"failed", PAINT_RED},
    {"refused", PAINT_RED},
};

static bool
ends_with(const char *key, const char *end)
{
	size_t size = strlen(key), tail = strlen(end);

	return size > tail && strcmp(key + size - tail, end) == 0;
}

const struct field *
field_of(const char *key)
{
	static const struct field plain = {.kind = FIELD_PLAIN};
	static const struct field age = {.kind = FIELD_AGE};
	static const struct field bytes = {.kind = FIELD_BYTES};

	for (size_t i = 0; i < BASE_COUNT(fields); i++)
		if (strcmp(fields[i].key, key) == 0)
			return &fields[i];
	if (ends_with(key, "_ms"))
		return &age;
	return strncmp(key, "bytes_", 6) == 0 ? &bytes : &plain;
}

void
field_name(const char *key, char *name, size_t room)
{
	size_t size = strlen(key);

	if (ends_with(key, "_ms"))
		size -= 3;
	snprintf(name, room, "%.*s", (int)size, key);
	for (; *name != '\0'; name++)
		if (!isascii((unsigned char)*name) ||
		    iscntrl((unsigned char)*name))
			*name = '?';
}

static void
print_number(const struct field *field, json_int_t number, struct text *text)
{
	uint64_t amount = number < 0 ? 0 : (uint64_t)number;

	switch (field->kind) {
	case FIELD_AGE:
		format_age(amount, text);
		return;
	case FIELD_AGO:
		format_age(amount, text);
		text_printf(text, " ago");
		return;
	case FIELD_BYTES:
		format_bytes(amount, text);
		return;
	case FIELD_PLAIN:
	case FIELD_STATE:
		break;
	}
	text_printf(text, "%lld", (long long)number);
}

static void
print_array(const struct field *field, json_t *array, struct text *text)
{
	json_t *element;
	size_t i;

	json_array_foreach (array, i, element) {
		if (i > 0)
			text_add(text, " ", 1);
		if (json_is_array(element)) /* no deeper */
			json_line(element, text);
		else
			field_print(field, element, text);
	}
}

void
field_print(const struct field *field, json_t *value, struct text *text)
{
	if (value == NULL || json_is_null(value))
		return;
	if (json_is_string(value))
		text_add(
		    text, json_string_value(value), json_string_length(value));
	else if (json_is_integer(value))
		print_number(field, json_integer_value(value), text);
	else if (json_is_boolean(value))
		text_printf(text, "%s", json_is_true(value) ? "yes" : "no");
	else if (json_is_array(value))
		print_array(field, value, text);
	else
		json_line(value, text);
}

enum paint
field_paint(const struct field *field, json_t *value)
{
	const char *word = json_string_value(value);

	if (field->kind != FIELD_STATE || word == NULL)
		return PAINT_NONE;
	for (size_t i = 0; i < BASE_COUNT(paints); i++)
		if (strcmp(paints[i].state, word) == 0)
			return paints[i].paint;
	return PAINT_NONE;
}

static int
dump(const char *data, size_t size, void *context)
{
	return text_add(context, data, size) < 0 ? -1 : 0;
}

int
json_line(json_t *value, struct text *text)
{
	if (json_dump_callback(
		value, dump, text, JSON_COMPACT | JSON_ENCODE_ANY) < 0)
		return -ENOMEM;
	return 0;
}
