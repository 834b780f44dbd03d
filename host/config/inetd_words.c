/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * inetd_words: what single fields of inetd.conf mean.
 *
 *	wait[.RATE] wait[:RATE] wait[/CHILDREN[/RATE[/CHILDREN]]]
 *	USER[:GROUP | .GROUP][/CLASS]
 *	PROTOCOL[,sndbuf=SIZE][,rcvbuf=SIZE]
 *
 * Rates are those of a minute, and stop the service for ten; FreeBSD's are
 * of one client's address.
 */
#include "config/config_inetd.h"

#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* The part of a field's text. */
static struct value
part(struct reader *reader, const struct value *value, const char *from,
    size_t size)
{
	struct place place = value->place;

	place.column += (unsigned)(from - value->text);
	place.length = size > 0 ? (unsigned)size : 1;
	return make_value(reader, &place, from, size);
}

/* --- wait ------------------------------------------------------------------
 */

static int
set_number(struct reader *reader, struct settings *settings,
    const char *attribute, const char *form, const struct value *number)
{
	uint64_t count = 0;
	const char *word;
	char *pause, *text;
	struct value values[2] = {*number, *number};

	if (number->text == NULL)
		return -ENOMEM;
	if (config_count(number->text, &count) < 0)
		return reader_tell(reader, &number->place,
		    "expected a number, not '%.60s'", number->text);
	if (count == 0)
		return 0; /* no limit */
	word = arena_printf(reader->tree->arena, "%s%s", number->text, form);
	if (word == NULL)
		return -ENOMEM;
	values[0].text = word;
	pause = strchr(word, ' ');
	if (pause == NULL)
		return make_set(
		    reader, settings, attribute, values, 1, &number->place);
	text = arena_copy(reader->tree->arena, word, (size_t)(pause - word));
	values[0].text = text;
	values[1].text = pause + 1;
	return text == NULL ? -ENOMEM
			    : make_set(reader, settings, attribute, values, 2,
				  &number->place);
}

int
inetd_rate(struct reader *reader, struct settings *settings,
    const char *attribute, const struct value *number)
{
	bool pauses = strcmp(attribute, "cps") == 0;

	return set_number(
	    reader, settings, attribute, pauses ? "/1m 10m" : "/1m", number);
}

/* FreeBSD's three numbers, each of which may be missing. */
static int
set_children(struct reader *reader, const struct value *value, const char *at,
    struct settings *settings)
{
	static const struct {
		const char *attribute, *form;
	} rows[] = {
	    {"instances", ""}, {"source_cps", "/1m"}, {"per_source", ""}};
	int result = 0;

	for (size_t i = 0; result == 0 && *at != '\0'; i++) {
		size_t size = strcspn(++at, "/");
		struct value number = part(reader, value, at, size);

		if (i == BASE_COUNT(rows))
			return reader_tell(
			    reader, &number.place, "more than three numbers");
		if (size > 0)
			result = set_number(reader, settings, rows[i].attribute,
			    rows[i].form, &number);
		at += size;
	}
	return result;
}

int
inetd_wait(struct reader *reader, const struct value *value,
    struct settings *settings, bool internal)
{
	size_t size = strcspn(value->text, ".:/");
	const char *rest = value->text + size;
	struct value number;
	int result = 0;

	if (size == 4 && memcmp(value->text, "wait", size) == 0)
		result = internal ? 0
				  : make_set_word(reader, settings, "wait",
					"yes", &value->place);
	else if (size != 6 || memcmp(value->text, "nowait", size) != 0)
		return reader_tell(reader, &value->place,
		    "expected 'wait' or 'nowait', not '%.60s'", value->text);
	if (result != 0 || *rest == '\0')
		return result;
	if (*rest == '/')
		return set_children(reader, value, rest, settings);
	number = part(reader, value, rest + 1, strlen(rest + 1));
	return inetd_rate(reader, settings, "cps", &number);
}

/* --- user ------------------------------------------------------------------
 */

static bool
user_exists(struct reader *reader, const char *name)
{
	const struct config_options *options = reader->options;
	struct passwd entry, *found = NULL;
	char room[4096];

	if (options != NULL && options->user_exists != NULL)
		return options->user_exists(options->environment_context, name);
	if (getpwnam_r(name, &entry, room, sizeof(room), &found) != 0)
		return false;
	return found != NULL;
}

/* Where the group begins: behind a colon, or behind a dot if the whole is no
 * user's name. */
static const char *
find_group(struct reader *reader, const char *name)
{
	const char *colon = strchr(name, ':'), *dot;

	if (colon != NULL)
		return colon;
	dot = strrchr(name, '.');
	if (dot == NULL || dot == name || dot[1] == '\0' ||
	    user_exists(reader, name))
		return NULL;
	return dot;
}

static int
set_part(struct reader *reader, struct settings *settings,
    const char *attribute, const struct value *value)
{
	return value->text == NULL ? -ENOMEM
				   : make_set(reader, settings, attribute,
					 value, 1, &value->place);
}

int
inetd_user(struct reader *reader, const struct inetd_entry *entry,
    struct settings *settings)
{
	const struct value *field = &entry->user;
	size_t size = strcspn(field->text, "/");
	struct value name = part(reader, field, field->text, size), piece;
	const char *group;
	int result;

	if (name.text == NULL)
		return -ENOMEM;
	if (field->text[size] == '/') {
		piece = part(reader, field, field->text + size + 1,
		    strlen(field->text + size + 1));
		reader_warn(reader, &piece.place, true,
		    "login class '%s' is not carried",
		    piece.text != NULL ? piece.text : "");
	}
	group = find_group(reader, name.text);
	piece = group != NULL ? part(reader, &name, name.text,
				    (size_t)(group - name.text))
			      : name;
	result = set_part(reader, settings, "user", &piece);
	if (result == 0 && group != NULL) {
		piece = part(reader, &name, group + 1, strlen(group + 1));
		result = set_part(reader, settings, "group", &piece);
	} else if (result == 0 && entry->group.text != NULL) {
		result = set_part(reader, settings, "group", &entry->group);
	}
	return result;
}

/* --- protocol --------------------------------------------------------------
 */

static int
set_buffer(
    struct reader *reader, const struct value *value, struct settings *settings)
{
	static const char *const names[][2] = {
	    {"sndbuf=", "send_buffer"}, {"rcvbuf=", "receive_buffer"}};

	for (size_t i = 0; i < BASE_COUNT(names); i++) {
		size_t size = strlen(names[i][0]);
		struct value bytes;

		if (strncmp(value->text, names[i][0], size) != 0)
			continue;
		bytes = part(reader, value, value->text + size,
		    strlen(value->text + size));
		return set_part(reader, settings, names[i][1], &bytes);
	}
	return reader_tell(reader, &value->place,
	    "expected 'sndbuf=SIZE' or 'rcvbuf=SIZE', not '%.60s'",
	    value->text);
}

int
inetd_buffers(struct reader *reader, const struct value *protocol,
    struct settings *settings)
{
	const char *at = strchr(protocol->text, ',');
	int result = 0;

	while (at != NULL && result == 0) {
		size_t size = strcspn(++at, ",");
		struct value option = part(reader, protocol, at, size);

		result = option.text == NULL
			     ? -ENOMEM
			     : set_buffer(reader, &option, settings);
		at = strchr(at, ',');
	}
	return result;
}

/* --- accept filters --------------------------------------------------------
 */

struct value
inetd_accept_filter(struct reader *reader, const struct value *filter)
{
	/* They wait for ever; the kernel here needs an end. */
	const struct value time = {.text = "30s", .place = filter->place};

	if (strcmp(filter->text, "dataready") != 0)
		reader_warn(reader, &filter->place, true,
		    "accept filter '%.60s' becomes defer_accept, which waits "
		    "for the first byte only",
		    filter->text);
	return time;
}
