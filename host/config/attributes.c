/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * attributes: what is done with the table of attributes: find a row, set the
 * defaults, compare, print and copy values.
 */
#include "config/config_priv.h"

#include <errno.h>
#include <string.h>

const struct attribute *
attribute_find(enum attribute_scope scope, const char *name)
{
	const struct attribute *row = attributes(scope);

	while (row->name != NULL && strcmp(row->name, name) != 0)
		row++;
	return row->name != NULL ? row : NULL;
}

static void
set_defaults(enum attribute_scope scope, void *values)
{
	const struct attribute *row = attributes(scope);
	struct message message;

	for (; row->name != NULL; row++) {
		int result;

		/* No limit, as a rate, is zero. */
		if (row->initial[0] == '\0' || row->kind == VALUE_RATE)
			continue;
		result = value_type(row->kind)->read(
		    row, row->initial, (char *)values + row->offset, &message);
		BASE_ASSERT(result == 0);
	}
}

void
settings_init(struct settings *settings)
{
	memset(settings, 0, sizeof(*settings));
	set_defaults(ATTRIBUTE_SERVICE, settings);
}

void
host_settings_init(struct host_settings *settings)
{
	memset(settings, 0, sizeof(*settings));
	set_defaults(ATTRIBUTE_HOST, settings);
}

bool
attribute_equal(const struct attribute *attribute, const void *a, const void *b)
{
	const char *one = a, *two = b;

	if (attribute->kind == VALUE_PART)
		return true;
	return value_type(attribute->kind)
	    ->equal(one + attribute->offset, two + attribute->offset);
}

bool
settings_equal(const struct settings *a, const struct settings *b)
{
	const struct attribute *rows = attributes(ATTRIBUTE_SERVICE);
	struct given given = given_either(&a->given, &b->given);
	unsigned row = given_next(&given, 0);

	while (row < ATTRIBUTE_ROWS && attribute_equal(&rows[row], a, b))
		row = given_next(&given, row + 1);
	return row == ATTRIBUTE_ROWS;
}

int
attribute_print(
    const struct attribute *attribute, const void *settings, struct text *text)
{
	const char *start = settings;

	if (attribute->kind != VALUE_PART)
		value_type(attribute->kind)
		    ->print(attribute, start + attribute->offset, text);
	return text->failed ? -ENOMEM : 0;
}

/* --- places ----------------------------------------------------------------
 */

int
attribute_keep_place(struct reader *reader, const struct attribute *attribute,
    const struct place *place, struct settings *settings)
{
	struct given_place *given;

	if (attribute->kind != VALUE_WORD && attribute->kind != VALUE_PATH &&
	    attribute->kind != VALUE_WORDS && attribute->kind != VALUE_LOG_TYPE)
		return 0;
	given = arena_alloc(reader->tree->arena, sizeof(*given));
	if (given == NULL)
		return -ENOMEM;
	given->row = (unsigned)(attribute - attributes(ATTRIBUTE_SERVICE));
	given->place = *place;
	given->next = settings->places;
	settings->places = given;
	return 0;
}

const struct place *
settings_place(const struct settings *settings, const char *attribute)
{
	const struct attribute *row = attribute_find(
	    ATTRIBUTE_SERVICE, attribute);
	const struct given_place *given = settings->places;

	BASE_ASSERT(row != NULL);
	while (
	    given != NULL && attributes(ATTRIBUTE_SERVICE) + given->row != row)
		given = given->next;
	return given != NULL ? &given->place : NULL;
}

void
settings_leave_process(struct settings *settings)
{
	const struct attribute *row = attributes(ATTRIBUTE_SERVICE);
	/* Then it has no endpoint, and one session. */
	bool alone = settings->concurrency.kind == CONCURRENCY_PROCESS;

	for (unsigned i = 0; row[i].name != NULL; i++)
		if (row[i].of_process || row[i].of_fleet ||
		    row[i].programs_only ||
		    (alone && (row[i].kind == VALUE_CONCURRENCY ||
				  row[i].change == CHANGE_REBIND ||
				  row[i].kinds != 0)))
			settings->given.bits[i / 64] &= ~(
			    UINT64_C(1) << (i % 64));
}

/* --- copies ----------------------------------------------------------------
 */

/* 0 with a copy, or with NULL for NULL. */
static int
copy_string(struct arena *arena, const char *from, const char **ret_to)
{
	const char *copy = from == NULL ? NULL : arena_string(arena, from);

	if (from != NULL && copy == NULL)
		return -ENOMEM;
	*ret_to = copy;
	return 0;
}

static int
copy_endpoint(struct arena *arena, const struct endpoint_spec *from,
    struct endpoint_spec *ret_to)
{
	struct endpoint_spec to = {.kind = from->kind};

	if (copy_string(arena, from->host, &to.host) < 0 ||
	    copy_string(arena, from->port, &to.port) < 0 ||
	    copy_string(arena, from->path, &to.path) < 0 ||
	    copy_string(arena, from->text, &to.text) < 0)
		return -ENOMEM;
	*ret_to = to;
	return 0;
}

static int
copy_words(struct arena *arena, struct word_list *words)
{
	const char **to = arena_alloc(
	    arena, ((size_t)words->count + 1) * sizeof(*to));

	if (to == NULL)
		return -ENOMEM;
	for (unsigned i = 0; i < words->count; i++) {
		to[i] = arena_string(arena, words->word[i]);
		if (to[i] == NULL)
			return -ENOMEM;
	}
	words->word = to;
	return 0;
}

/* Strings and lists that the values still share with their origin; those of
 * defaults are the table's. */
static int
copy_texts(struct arena *arena, enum attribute_scope scope,
    const struct given *given, void *values)
{
	const struct attribute *rows = attributes(scope);
	unsigned i = given_next(given, 0);

	for (; i < ATTRIBUTE_ROWS; i = given_next(given, i + 1)) {
		const struct attribute *row = &rows[i];
		void *field = (char *)values + row->offset;
		const char **string = field;
		struct word_list *words = field;
		int result = 0;

		if (row->kind == VALUE_PATH || row->kind == VALUE_PATH_LIST ||
		    row->kind == VALUE_WORD)
			result = copy_string(arena, *string, string);
		else if ((row->kind == VALUE_WORDS ||
			     row->kind == VALUE_LOG_TYPE) &&
			 words->count > 0)
			result = copy_words(arena, words);
		if (result < 0)
			return result;
	}
	return 0;
}

int
settings_copy(
    struct arena *arena, const struct settings *from, struct settings *ret_to)
{
	struct settings to = *from;

	to.places = NULL;
	to.listen = arena_alloc(
	    arena, (size_t)from->listen_count * sizeof(*to.listen));
	if (to.listen == NULL)
		return -ENOMEM;
	for (unsigned i = 0; i < from->listen_count; i++) {
		int result = copy_endpoint(
		    arena, &from->listen[i], &to.listen[i]);

		if (result < 0)
			return result;
	}
	if (copy_texts(arena, ATTRIBUTE_SERVICE, &to.given, &to) < 0)
		return -ENOMEM;
	*ret_to = to;
	return 0;
}

int
host_settings_copy(struct arena *arena, const struct host_settings *from,
    struct host_settings *ret_to)
{
	struct host_settings to = *from;

	if (copy_texts(arena, ATTRIBUTE_HOST, &to.given, &to) < 0)
		return -ENOMEM;
	*ret_to = to;
	return 0;
}
