/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * make: directives of the tree, made from the words of another language.
 *
 * What is made is what svc.conf would have made, and prints as such: every
 * value goes through the same table and the same checks.
 */
#include "config/config_formats.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

static const char *const statics[] = {
    "echo", "discard", "daytime", "time", "chargen", "tcpmux"};

bool
make_is_static(const char *name)
{
	for (size_t i = 0; i < BASE_COUNT(statics); i++)
		if (strcmp(statics[i], name) == 0)
			return true;
	return false;
}

void
make_suggest_static(struct suggestion *suggestion)
{
	for (size_t i = 0; i < BASE_COUNT(statics); i++)
		suggestion_offer(suggestion, statics[i]);
}

struct value
make_value(struct reader *reader, const struct place *place, const char *data,
    size_t size)
{
	struct value value = {.place = *place};

	value.text = arena_copy(reader->tree->arena, data, size);
	return value;
}

static bool
is_keyword(const char *name)
{
	const struct token word = {
	    .kind = TOKEN_WORD, .text = name, .size = strlen(name)};

	return keyword_begins(&word) || parser_is_reserved(&word);
}

const char *
make_name(struct reader *reader, const char *from)
{
	char *name = arena_printf(reader->tree->arena, "%s", from);

	if (name == NULL)
		return NULL;
	for (char *at = name; *at != '\0'; at++)
		if (!isalnum((unsigned char)*at) && *at != '-' && *at != '_' &&
		    *at != '.' && *at != '+' && (unsigned char)*at < 0x80)
			*at = '-';
	if (name[0] == '\0' || is_keyword(name))
		return arena_printf(reader->tree->arena, "%s-service", name);
	return name;
}

struct directive *
make_directive(
    struct reader *reader, enum directive_kind kind, const struct value *name)
{
	struct directive *directive = tree_add(
	    reader->tree, kind, &name->place);

	if (directive == NULL)
		return NULL;
	directive->name = name->text;
	directive->name_place = name->place;
	directive->settings = arena_alloc(
	    reader->tree->arena, sizeof(*directive->settings));
	if (directive->settings == NULL)
		return NULL;
	*directive->settings = reader->defaults;
	return make_arguments(reader, directive, NULL, 0) < 0 ? NULL
							      : directive;
}

struct directive *
make_static(struct reader *reader, const struct value *name)
{
	return make_directive(reader, DIRECTIVE_STATIC, name);
}

struct directive *
make_program(
    struct reader *reader, const struct value *name, const struct value *path)
{
	struct directive *directive = make_directive(
	    reader, DIRECTIVE_DYNAMIC, name);

	if (directive == NULL)
		return NULL;
	directive->type = CONFIG_KIND_PROGRAM;
	directive->path = path->text;
	directive->location_place = path->place;
	return directive;
}

int
make_instance(
    struct reader *reader, struct directive *directive, const char *of)
{
	directive->kind = DIRECTIVE_DYNAMIC;
	directive->type = BERTH_KIND_SERVICE;
	directive->symbol = arena_string(reader->tree->arena, of);
	directive->factory = true;
	directive->location_place = directive->name_place;
	return directive->symbol == NULL ? -ENOMEM : 0;
}

/* --- attributes ------------------------------------------------------------
 */

static int
set_one(struct reader *reader, const struct attribute *row,
    const struct making_values *given, void *field)
{
	const struct value *values = given->values;
	struct message message;
	int result;

	BASE_ASSERT(value_type(row->kind)->read != NULL);
	if (given->count != 1)
		return reader_tell(reader,
		    given->count == 0 ? given->place : &values[1].place,
		    "'%s' takes one value", row->name);
	result = value_type(row->kind)->read(
	    row, values[0].text, field, &message);
	if (result != -EINVAL)
		return result;
	return reader_tell(reader, &values[0].place, "%s", message.text);
}

int
make_change(struct reader *reader, struct settings *settings,
    const char *attribute, const struct making_values *given)
{
	const struct attribute *row = attribute_find(
	    ATTRIBUTE_SERVICE, attribute);
	void *field;
	int result;

	BASE_ASSERT(row != NULL);
	field = (char *)settings + row->offset;
	result = attribute_check(reader, row, given->place);
	if (result != 0)
		return result;
	if (row->kind == VALUE_ENDPOINTS)
		result = endpoints_assign(
		    reader, TOKEN_ADD, given->values, given->count, settings);
	else if (list_takes(row))
		result = list_assign(reader, row, given->how, given->values,
		    given->count, given->place, field);
	else
		result = set_one(reader, row, given, field);
	if (result == 0)
		result = attribute_keep_place(reader, row,
		    given->count > 0 ? &given->values[0].place : given->place,
		    settings);
	if (result == 0)
		given_add(&settings->given,
		    (unsigned)(row - attributes(ATTRIBUTE_SERVICE)));
	return result;
}

int
make_set(struct reader *reader, struct settings *settings,
    const char *attribute, const struct value *values, unsigned count,
    const struct place *place)
{
	const struct making_values given = {values, count, TOKEN_ASSIGN, place};

	return make_change(reader, settings, attribute, &given);
}

int
make_set_word(struct reader *reader, struct settings *settings,
    const char *attribute, const char *word, const struct place *place)
{
	const struct value value = {word, *place};

	return word == NULL
		   ? -ENOMEM
		   : make_set(reader, settings, attribute, &value, 1, place);
}

int
make_listen(struct reader *reader, struct settings *settings,
    const char *endpoint, const struct place *place)
{
	return make_set_word(reader, settings, "listen", endpoint, place);
}

/* --- arguments -------------------------------------------------------------
 */

void
make_quote(const char *word, struct text *text)
{
	bool plain = word[0] != '\0' && strpbrk(word, " \t\"'\\$") == NULL;

	for (const char *at = word; plain && *at != '\0'; at++)
		plain = (unsigned char)*at >= 0x20 && *at != 0x7f;
	if (plain) {
		text_printf(text, "%s", word);
		return;
	}
	text_add(text, "'", 1);
	for (; *word != '\0'; word++) {
		unsigned char byte = (unsigned char)*word;

		if (byte < 0x20 || byte == 0x7f)
			text_printf(text, "\\x%02x", byte);
		else if (strchr("\"'\\$", byte) != NULL)
			text_printf(text, "\\%c", byte);
		else
			text_add(text, word, 1);
	}
	text_add(text, "'", 1);
}

int
arguments_print(int argc, char *const *argv, struct text *text)
{
	for (int i = 1; i < argc; i++) {
		if (i > 1)
			text_add(text, " ", 1);
		make_quote(argv[i], text);
	}
	return text->failed ? -ENOMEM : 0;
}

int
make_arguments(struct reader *reader, struct directive *directive,
    const struct value *words, unsigned count)
{
	struct arena *arena = reader->tree->arena;
	char **argv = arena_alloc(arena, ((size_t)count + 2) * sizeof(*argv));
	struct text *text = &reader->scratch;

	if (argv == NULL)
		return -ENOMEM;
	text_reset(text);
	argv[0] = arena_string(arena, directive->name);
	for (unsigned i = 0; i < count; i++) {
		argv[i + 1] = arena_string(arena, words[i].text);
		if (argv[i + 1] == NULL)
			return -ENOMEM;
		text_printf(text, i == 0 ? "" : " ");
		make_quote(words[i].text, text);
	}
	directive->argc = (int)count + 1;
	directive->argv = argv;
	directive->arguments = arena_string(arena, text_string(text));
	if (count > 0)
		directive->arguments_place = words[0].place;
	return argv[0] == NULL || directive->arguments == NULL || text->failed
		   ? -ENOMEM
		   : 0;
}
