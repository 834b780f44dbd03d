/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lines: texts whose lines count, as words with blanks between them.
 */
#include "config/config_formats.h"

#include <string.h>

bool
line_next(struct line *line)
{
	const struct source *source = line->source;
	const char *stop = source->data + source->size, *end;
	const char *from = source->data;

	if (line->number > 0) {
		from = memchr(line->end, '\n', (size_t)(stop - line->end));
		if (from == NULL)
			return false;
		from++;
	}
	if (from == stop)
		return false;
	end = memchr(from, '\n', (size_t)(stop - from));
	end = end != NULL ? end : stop;
	line->number++;
	line->begin = from;
	line->end = end;
	return true;
}

/* The carriage return of a foreign file is a blank. */
static bool
is_blank(char byte)
{
	return byte == ' ' || byte == '\t' || byte == '\r';
}

struct place
line_word(const struct line *line, const char **at)
{
	struct place place = {.source = line->source, .line = line->number};
	const char *from = *at, *end;

	while (from < line->end && is_blank(*from))
		from++;
	for (end = from; end < line->end && !is_blank(*end); end++)
		;
	place.column = (unsigned)(from - line->begin) + 1;
	place.length = (unsigned)(end - from);
	*at = end;
	return place;
}
