/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * inetd: lines of inetd.conf, of all dialects.
 *
 *	[ADDRESS,…:]SERVICE TYPE PROTOCOL WAIT USER PROGRAM [ARGV0 ARGUMENT …]
 *	ADDRESS,…:             for the lines that follow
 *	SERVICE on|off KEY = VALUE, … ;
 *	.include GLOB
 *
 * A line that begins with a blank goes on with the one before it; `#` begins
 * a comment at the start of a line, and is a word elsewhere.  A mistake costs
 * its line.
 */
#include "config/config_inetd.h"

#include <errno.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>

#define FIELDS 6u

/* One line with its continuations, as words in reader->values. */
struct statement {
	struct reader *reader;
	struct line *line;
	unsigned count;
};

static bool
is_blank(const struct line *line, const char *at)
{
	return at < line->end && (*at == ' ' || *at == '\t');
}

static int
add(struct statement *statement, const struct place *place, const char *data,
    size_t size)
{
	struct reader *reader = statement->reader;
	struct value value = make_value(reader, place, data, size);
	int result;

	if (value.text == NULL)
		return -ENOMEM;
	if (memchr(data, '\0', size) != NULL)
		return reader_tell(reader, place, "a NUL byte");
	result = reader_add_value(reader, statement->count, &value);
	if (result == 0)
		statement->count++;
	return result;
}

static int
quoted(struct statement *statement, const char **at)
{
	const struct line *line = statement->line;
	const char *from = *at, *end;
	struct place place = {
	    line->source, line->number, (unsigned)(from - line->begin) + 1, 1};

	end = memchr(from + 1, *from, (size_t)(line->end - from - 1));
	if (end == NULL)
		return reader_tell(
		    statement->reader, &place, "the quote is not closed");
	place.length = (unsigned)(end - from) + 1;
	*at = end + 1;
	return add(statement, &place, from + 1, (size_t)(end - from - 1));
}

static int
take_words(struct statement *statement, const char *at)
{
	const struct line *line = statement->line;
	bool quotes = statement->reader->inetd->quotes;
	int result = 0;

	while (result == 0) {
		struct place place;

		while (is_blank(line, at))
			at++;
		if (quotes && at < line->end && (*at == '"' || *at == '\'')) {
			result = quoted(statement, &at);
			continue;
		}
		place = line_word(line, &at);
		if (place.length == 0)
			break;
		if (at[-(long)place.length] == '"' ||
		    at[-(long)place.length] == '\'')
			reader_warn(statement->reader, &place, false,
			    "quotes mean nothing here, and are handed on; "
			    "in NetBSD's form they would group words");
		result = add(
		    statement, &place, at - place.length, place.length);
	}
	return result;
}

/* Is the line behind this one part of it? */
static bool
goes_on(const struct line *line)
{
	struct line ahead = *line;
	const char *at;
	struct place word;

	if (!line_next(&ahead) || !is_blank(&ahead, ahead.begin))
		return false;
	at = ahead.begin;
	word = line_word(&ahead, &at);
	return word.length > 0 && at[-(long)word.length] != '#';
}

/* --- statements ------------------------------------------------------------
 */

int
inetd_addresses(struct reader *reader, const struct value *value,
    const struct value **ret_list, unsigned *ret_count)
{
	const char *at = value->text;
	struct value *list;
	unsigned count = 1;

	for (const char *comma = at; *comma != '\0'; comma++)
		count += *comma == ',' ? 1 : 0;
	list = arena_alloc(reader->tree->arena, count * sizeof(*list));
	if (list == NULL)
		return -ENOMEM;
	for (unsigned i = 0; i < count; i++) {
		size_t size = strcspn(at, ",");
		struct place place = value->place;

		place.column += (unsigned)(at - value->text);
		place.length = size > 0 ? (unsigned)size : 1;
		if (size == 0)
			return reader_tell(
			    reader, &place, "an address is missing");
		list[i] = make_value(reader, &place, at, size);
		if (list[i].text == NULL)
			return -ENOMEM;
		at += size + (at[size] == ',' ? 1 : 0);
	}
	*ret_list = list;
	*ret_count = count;
	return 0;
}

/* "ADDRESS,…:SERVICE" in two; a path and `:user:group:mode:/path` stay. */
static int
split_service(struct reader *reader, struct inetd_entry *entry)
{
	struct value *service = &entry->service, list = *service;
	const char *colon = strrchr(service->text, ':');
	size_t size;

	entry->addresses = reader->inetd->addresses;
	entry->address_count = reader->inetd->address_count;
	if (colon == NULL || service->text[0] == '/' ||
	    (service->text[0] == ':' && strstr(service->text, ":/") != NULL))
		return 0;
	size = (size_t)(colon - service->text);
	list = make_value(reader, &service->place, service->text, size);
	if (list.text == NULL)
		return -ENOMEM;
	list.place.length = size > 0 ? (unsigned)size : 1;
	service->text = colon + 1;
	service->place.column += (unsigned)size + 1;
	service->place.length -= (unsigned)size + 1;
	return inetd_addresses(
	    reader, &list, &entry->addresses, &entry->address_count);
}

static int
default_address(struct reader *reader, const struct value *word)
{
	struct value list = make_value(
	    reader, &word->place, word->text, strlen(word->text) - 1);
	struct inetd *inetd = reader->inetd;

	if (list.text == NULL)
		return -ENOMEM;
	if (strcmp(list.text, "*") == 0) {
		inetd->address_count = 0;
		return 0;
	}
	return inetd_addresses(
	    reader, &list, &inetd->addresses, &inetd->address_count);
}

static int
include(struct statement *statement)
{
	struct reader *reader = statement->reader;
	struct value pattern = reader->values[statement->count > 1 ? 1 : 0];
	struct inetd before = *reader->inetd;
	glob_t found;
	int result = 0;

	if (statement->count != 2)
		return reader_tell(reader, &pattern.place,
		    "'.include' takes one path, which may be a pattern");
	pattern.text = source_relative(reader, &pattern.place, pattern.text);
	if (pattern.text == NULL)
		return -ENOMEM;
	if (glob(pattern.text, GLOB_NOCHECK, NULL, &found) != 0)
		return reader_tell(
		    reader, &pattern.place, "cannot read '%s'", pattern.text);
	for (size_t i = 0; i < found.gl_pathc && result >= 0; i++)
		result = include_file(
		    reader, found.gl_pathv[i], true, &pattern.place);
	globfree(&found);
	/* What it said of addresses was for its own lines. */
	reader->inetd->addresses = before.addresses;
	reader->inetd->address_count = before.address_count;
	return result;
}

static int
missing_fields(struct statement *statement)
{
	static const char *const names[FIELDS] = {"a service",
	    "a socket type (stream, dgram)", "a protocol (tcp, udp)",
	    "'wait' or 'nowait'", "a user", "a program or 'internal'"};
	struct reader *reader = statement->reader;

	return reader_tell(reader, &reader->values[statement->count - 1].place,
	    "expected %s behind '%.60s'", names[statement->count],
	    reader->values[statement->count - 1].text);
}

static int
check_argv0(struct reader *reader, const struct inetd_entry *entry)
{
	if (entry->word_count > 0 && entry->words[0].text[0] == '-')
		reader_warn(reader, &entry->words[0].place, false,
		    "the first word behind the program is its own name, not "
		    "an argument");
	return 0;
}

static int
service_line(struct statement *statement)
{
	struct reader *reader = statement->reader;
	const struct value *values = reader->values;
	struct inetd_entry entry = {.service = values[0]};
	int result = split_service(reader, &entry);

	if (result != 0)
		return result;
	if (statement->count > 1 && (strcmp(values[1].text, "on") == 0 ||
					strcmp(values[1].text, "off") == 0))
		return inetd_pairs(reader, statement->line, &entry);
	if (statement->count < FIELDS)
		return missing_fields(statement);
	entry.type = values[1];
	entry.protocol = values[2];
	entry.wait = values[3];
	entry.user = values[4];
	entry.program = values[5];
	entry.words = &values[FIELDS];
	entry.word_count = statement->count - FIELDS;
	result = check_argv0(reader, &entry);
	return result != 0 ? result : inetd_entry(reader, &entry);
}

static int
policy(struct reader *reader, const struct line *line)
{
	const char *at = line->begin;
	struct place place = line_word(line, &at);

	if (place.length == 2 && line_word(line, &at).length == 0)
		return 0; /* none, from here on */
	reader_warn(reader, &place, true,
	    "IPsec policies are not carried: the services below go without");
	return 0;
}

/* Words of one line that may go on; its first is not a comment. */
static int
collect(struct statement *statement)
{
	const struct value *values;
	bool pairs;
	int result = take_words(statement, statement->line->begin);

	values = statement->reader->values;
	pairs = result == 0 && statement->count > 1 &&
		(strcmp(values[1].text, "on") == 0 ||
		    strcmp(values[1].text, "off") == 0);
	while (result >= 0 && !pairs && goes_on(statement->line)) {
		int answer;

		line_next(statement->line);
		answer = result == 0
			     ? take_words(statement, statement->line->begin)
			     : 0;
		result = answer != 0 ? answer : result;
	}
	return result;
}

static int
read_line(struct reader *reader, struct line *line)
{
	struct statement statement = {.reader = reader, .line = line};
	const char *at = line->begin, *first;
	struct place word = line_word(line, &at);
	int result;

	first = at - word.length;
	if (word.length == 0)
		return 0;
	if (first[0] == '#')
		return word.length > 1 && first[1] == '@' ? policy(reader, line)
							  : 0;
	result = collect(&statement);
	if (result != 0)
		return result;
	first = reader->values[0].text;
	if (strcmp(first, ".include") == 0)
		return include(&statement);
	if (statement.count == 1 && first[0] != '\0' &&
	    first[strlen(first) - 1] == ':')
		return default_address(reader, &reader->values[0]);
	return service_line(&statement);
}

/* Quotes group words in NetBSD's; a file that has its statements is one. */
static bool
has_quotes(struct reader *reader, const struct source *source)
{
	struct line line = {.source = source};

	if (reader->format != CONFIG_INETD)
		return reader->format == CONFIG_INETD_NETBSD;
	while (line_next(&line)) {
		const char *at = line.begin;
		struct place word = line_word(&line, &at);
		const char *first = at - word.length;

		if (word.length == 8 && memcmp(first, ".include", 8) == 0)
			return true;
		if (word.length == 0 || first[0] == '#')
			continue;
		word = line_word(&line, &at);
		if ((word.length == 2 && memcmp(at - 2, "on", 2) == 0) ||
		    (word.length == 3 && memcmp(at - 3, "off", 3) == 0))
			return true;
	}
	return false;
}

static int
read_lines(struct reader *reader, const struct source *source)
{
	struct line line = {.source = source};
	unsigned before = reader->mistakes;
	int result = 0;

	while (result >= 0 && line_next(&line))
		result = read_line(reader, &line);
	if (result < 0)
		return result;
	return reader->mistakes != before ? CONFIG_E_MISTAKE : 0;
}

/* The address that whoever reads the file gives to lines without one. */
static int
given_address(struct reader *reader)
{
	struct place nowhere = {.source = NULL};
	struct value list;

	if (reader->address == NULL)
		return 0;
	list = make_value(
	    reader, &nowhere, reader->address, strlen(reader->address));
	if (list.text == NULL)
		return -ENOMEM;
	return inetd_addresses(reader, &list, &reader->inetd->addresses,
	    &reader->inetd->address_count);
}

int
inetd_read(struct reader *reader, const struct source *source)
{
	struct inetd inetd = {.quotes = has_quotes(reader, source)};
	int result;

	if (reader->inetd != NULL)
		return read_lines(reader, source);
	reader->inetd = &inetd;
	result = given_address(reader);
	if (result == 0)
		result = read_lines(reader, source);
	reader->inetd = NULL;
	inetd_names_free(&inetd);
	return result;
}
