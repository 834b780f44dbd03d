/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * xinetd: lines of xinetd.conf and of the files that it includes.
 *
 *	service NAME | defaults
 *	{
 *		KEY = | += | -= VALUE …
 *	}
 *	include PATH
 *	includedir PATH
 *
 * A section's braces stand alone on their lines, operators between blanks,
 * and `#` begins a comment at the start of a line only, all as in xinetd;
 * where it would go on with something else than was meant, a mistake is told.
 * Keywords and keys are understood in any case.  What sections mean is
 * looked at when all files are read.
 */
#include "config/config_xinetd.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <strings.h>

struct lines {
	struct reader *reader;
	struct line line;
	unsigned count; /* words of the line, in reader->values */
};

/* The words of the next line that has any.  false: there is none. */
static int
next_words(struct lines *lines, bool *ret_found)
{
	struct reader *reader = lines->reader;
	const char *at;
	struct place place;
	int result = 0;

	*ret_found = false;
	do {
		if (!line_next(&lines->line))
			return 0;
		at = lines->line.begin;
		place = line_word(&lines->line, &at);
	} while (place.length == 0 || at[-(long)place.length] == '#');
	*ret_found = true;
	for (lines->count = 0; place.length > 0 && result == 0;
	     place = line_word(&lines->line, &at)) {
		struct value value = make_value(
		    reader, &place, at - place.length, place.length);

		if (value.text == NULL)
			return -ENOMEM;
		if (strlen(value.text) != place.length)
			result = reader_tell(reader, &place, "a NUL byte");
		else
			result = reader_add_value(
			    reader, lines->count++, &value);
	}
	return result;
}

static bool
is_alone(const struct lines *lines, const char *word)
{
	return lines->count == 1 &&
	       strcmp(lines->reader->values[0].text, word) == 0;
}

/* --- lines of a section ----------------------------------------------------
 */

static int
find_operator(const struct value *value, enum token_kind *ret_how)
{
	static const struct {
		const char *word;
		enum token_kind how;
	} operators[] = {
	    {"=", TOKEN_ASSIGN}, {"+=", TOKEN_ADD}, {"-=", TOKEN_TAKE}};

	for (size_t i = 0; i < BASE_COUNT(operators); i++)
		if (strcmp(operators[i].word, value->text) == 0) {
			*ret_how = operators[i].how;
			return 0;
		}
	return -EINVAL;
}

static int
no_operator(struct lines *lines)
{
	const struct value *values = lines->reader->values;

	if (strchr(values[0].text, '=') != NULL)
		return reader_tell(lines->reader, &values[0].place,
		    "blanks are expected around the operator: 'key = value'");
	return reader_tell(lines->reader,
	    &values[lines->count > 1 ? 1 : 0].place,
	    "expected '=', '+=' or '-=' behind '%.60s'", values[0].text);
}

/* A comment that became values. */
static int
check_comment(struct lines *lines)
{
	const struct value *values = lines->reader->values;

	for (unsigned i = 2; i < lines->count; i++)
		if (values[i].text[0] == '#')
			return reader_tell(lines->reader, &values[i].place,
			    "a comment begins its line; here it would be a "
			    "value");
	return 0;
}

static int
take_line(struct lines *lines, struct xinetd_section *section)
{
	struct reader *reader = lines->reader;
	struct arena *arena = reader->tree->arena;
	struct xinetd_line *line = arena_alloc(arena, sizeof(*line));
	struct value *values;
	char *key;
	int result;

	if (line == NULL)
		return -ENOMEM;
	if (lines->count < 2 ||
	    find_operator(&reader->values[1], &line->how) < 0)
		return no_operator(lines);
	result = check_comment(lines);
	if (result != 0)
		return result;
	values = arena_alloc(arena, lines->count * sizeof(*values));
	key = arena_string(arena, reader->values[0].text);
	if (values == NULL || key == NULL)
		return -ENOMEM;
	for (char *at = key; *at != '\0'; at++)
		*at = (char)tolower((unsigned char)*at);
	line->count = lines->count - 2;
	if (line->count > 0)
		memcpy(
		    values, &reader->values[2], line->count * sizeof(*values));
	line->values = values;
	line->key = (struct value){key, reader->values[0].place};
	line->how_place = reader->values[1].place;
	TAILQ_INSERT_TAIL(&section->lines, line, link);
	return 0;
}

static int
take_lines(struct lines *lines, struct xinetd_section *section,
    const struct place *opened)
{
	bool found;
	int result = 0;

	for (;;) {
		int answer = next_words(lines, &found);

		if (answer == 0 && !found)
			return reader_tell(lines->reader, opened,
			    "this section is never closed");
		if (answer == 0 && is_alone(lines, "}"))
			return result;
		if (answer == 0)
			answer = take_line(lines, section);
		if (answer < 0)
			return answer;
		result = answer > 0 ? answer : result;
	}
}

/* --- sections --------------------------------------------------------------
 */

static int
open_brace(struct lines *lines, const struct value *name)
{
	struct reader *reader = lines->reader;
	const struct value last = reader->values[lines->count - 1];
	bool found;
	int result;

	if (strcmp(last.text, "{") == 0)
		return reader_tell(
		    reader, &last.place, "'{' stands alone on the next line");
	result = next_words(lines, &found);
	if (result == 0 && (!found || !is_alone(lines, "{")))
		return reader_tell(reader, &name->place,
		    "expected '{', alone on the next line, behind '%.60s'",
		    name->text);
	return result;
}

static struct xinetd_section *
new_section(struct reader *reader)
{
	struct xinetd_section *section = arena_alloc(
	    reader->tree->arena, sizeof(*section));

	if (section != NULL)
		TAILQ_INIT(&section->lines);
	return section;
}

static int
take_service(struct lines *lines)
{
	struct reader *reader = lines->reader;
	struct xinetd_section *section = new_section(reader);
	struct value name = reader->values[0];
	int result;

	if (section == NULL)
		return -ENOMEM;
	if (lines->count == 1)
		return reader_tell(
		    reader, &name.place, "expected a name behind 'service'");
	name = reader->values[1];
	result = open_brace(lines, &name);
	/* The lines below are read, for their mistakes. */
	if (result < 0)
		return result;
	if (result == 0 || is_alone(lines, "{") ||
	    strcmp(reader->values[lines->count - 1].text, "{") == 0) {
		int answer = take_lines(lines, section, &name.place);

		result = answer != 0 ? answer : result;
	}
	section->name = name;
	if (result == 0)
		TAILQ_INSERT_TAIL(&reader->xinetd->services, section, link);
	return result;
}

static int
take_defaults(struct lines *lines)
{
	struct reader *reader = lines->reader;
	struct xinetd *xinetd = reader->xinetd;
	struct xinetd_section *section = new_section(reader);
	struct value name = reader->values[0];
	int result;

	if (section == NULL)
		return -ENOMEM;
	section->name = name;
	result = open_brace(lines, &name);
	if (result != 0)
		return result;
	result = take_lines(lines, section, &name.place);
	if (result != 0)
		return result;
	if (xinetd->defaults != NULL)
		return reader_tell(reader, &name.place,
		    "a second 'defaults'; the first is at %s:%u",
		    xinetd->defaults->name.place.source->name,
		    xinetd->defaults->name.place.line);
	xinetd->defaults = section;
	return 0;
}

static int
take_path(struct lines *lines, struct value *ret_path)
{
	struct reader *reader = lines->reader;

	if (lines->count != 2)
		return reader_tell(reader, &reader->values[0].place,
		    "'%s' takes one path", reader->values[0].text);
	*ret_path = reader->values[1];
	ret_path->text = source_relative(
	    reader, &ret_path->place, ret_path->text);
	return ret_path->text == NULL ? -ENOMEM : 0;
}

static int
take_include(struct lines *lines)
{
	struct value path;
	int result = take_path(lines, &path);

	return result != 0
		   ? result
		   : include_file(lines->reader, path.text, true, &path.place);
}

static int
take_includedir(struct lines *lines)
{
	struct value path;
	int result = take_path(lines, &path);

	return result != 0
		   ? result
		   : include_folder(lines->reader, path.text, &path.place);
}

static int
take_section(struct lines *lines)
{
	static const struct {
		const char *word;
		int (*take)(struct lines *lines);
	} words[] = {{"service", take_service}, {"defaults", take_defaults},
	    {"include", take_include}, {"includedir", take_includedir}};
	const struct value *first = &lines->reader->values[0];
	struct suggestion suggestion;
	struct hint near;

	suggestion_init(&suggestion, first->text);
	for (size_t i = 0; i < BASE_COUNT(words); i++) {
		if (strcasecmp(words[i].word, first->text) == 0)
			return words[i].take(lines);
		suggestion_offer(&suggestion, words[i].word);
	}
	return reader_tell(lines->reader, &first->place,
	    "expected 'service', 'defaults', 'include' or 'includedir', not "
	    "'%.60s'%s",
	    first->text, hint(&suggestion, &near));
}

static int
read_sections(struct reader *reader, const struct source *source)
{
	struct lines lines = {.reader = reader, .line = {.source = source}};
	unsigned before = reader->mistakes;
	bool found = true;
	int result = 0;

	while (result >= 0 && found) {
		result = next_words(&lines, &found);
		if (result == 0 && found)
			result = take_section(&lines);
	}
	if (result < 0)
		return result;
	return reader->mistakes != before ? CONFIG_E_MISTAKE : 0;
}

int
xinetd_read(struct reader *reader, const struct source *source)
{
	struct xinetd xinetd = {.defaults = NULL};
	int result, answer;

	if (reader->xinetd != NULL)
		return read_sections(reader, source);
	TAILQ_INIT(&xinetd.services);
	reader->xinetd = &xinetd;
	result = read_sections(reader, source);
	answer = result >= 0 ? xinetd_finish(reader) : result;
	reader->xinetd = NULL;
	return answer != 0 ? answer : result;
}
