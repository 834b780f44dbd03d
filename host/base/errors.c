/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * errors: the list of mistakes of one reading.
 *
 * Everything that is printed later is copied into the list's arena when it is
 * added, so that sources may go.  Of each file at most `limit` errors are
 * kept, and as many warnings; a note goes with the message before it.  What
 * is not kept is counted, also when there is no memory for it: no failure is
 * reported here, and errors_count() is right in any case.
 */
#include "base/base_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ERRORS_MAGIC 0x45525253u
#define ROOM_MIN 16u
/* A longer line is not shown: nobody would find the caret. */
#define LINE_MAX_BYTES 400u

/* How much of one file is kept; a name of NULL stands for no place. */
struct tally {
	SLIST_ENTRY(tally) link;
	const char *file;
	unsigned errors;
	unsigned warnings;
};

struct errors *
errors_new(unsigned limit_per_file)
{
	struct errors *errors = calloc(1, sizeof(*errors));

	if (errors == NULL)
		return NULL;
	errors->magic = ERRORS_MAGIC;
	errors->limit = limit_per_file;
	SLIST_INIT(&errors->tallies);
	return errors;
}

struct errors *
errors_free(struct errors *errors)
{
	if (errors == NULL)
		return NULL;
	errors_reset(errors);
	errors->magic = 0;
	free(errors);
	return NULL;
}

void
errors_reset(struct errors *errors)
{
	BASE_ASSERT(errors->magic == ERRORS_MAGIC);
	errors->arena = arena_free(errors->arena);
	free(errors->list);
	errors->list = NULL;
	errors->room = 0;
	errors->kept = 0;
	errors->errors = 0;
	errors->errors_dropped = 0;
	errors->warnings_dropped = 0;
	errors->last_dropped = false;
	SLIST_INIT(&errors->tallies);
}

void
errors_add(struct errors *errors, enum severity severity, int code,
    const struct place *place, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	errors_vadd(errors, severity, code, place, format, ap);
	va_end(ap);
}

static bool
same_file(const char *a, const char *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	return strcmp(a, b) == 0;
}

/* The tally of a file, made when it is its first message; or NULL. */
static struct tally *
find_tally(struct errors *errors, const char *file)
{
	struct tally *tally;

	SLIST_FOREACH (tally, &errors->tallies, link) {
		if (same_file(tally->file, file))
			return tally;
	}
	tally = arena_alloc(errors->arena, sizeof(*tally));
	if (tally == NULL)
		return NULL;
	if (file != NULL) {
		tally->file = arena_string(errors->arena, file);
		if (tally->file == NULL)
			return NULL;
	}
	SLIST_INSERT_HEAD(&errors->tallies, tally, link);
	return tally;
}

/* Counts the message; whether the limit lets it in. */
static bool
admit(struct errors *errors, struct tally *tally, enum severity severity)
{
	unsigned *count;

	if (severity == SEVERITY_NOTE)
		return !errors->last_dropped;
	count = severity == SEVERITY_ERROR ? &tally->errors : &tally->warnings;
	if (errors->limit != 0 && *count >= errors->limit)
		return false;
	++*count;
	return true;
}

static int
grow_list(struct errors *errors)
{
	unsigned room = errors->room == 0 ? ROOM_MIN : errors->room * 2;
	struct error *list;

	if (errors->kept < errors->room)
		return 0;
	list = reallocarray(errors->list, room, sizeof(*list));
	if (list == NULL)
		return -ENOMEM;
	errors->list = list;
	errors->room = room;
	return 0;
}

/* The line that a place is in, as start and length; 0 when there is none. */
static int
find_line(const struct place *place, const char **ret_line, size_t *ret_size)
{
	const char *line = place->source->data, *end;
	size_t left = place->source->size;

	if (line == NULL || place->line == 0)
		return -ENOENT;
	for (unsigned n = 1; n < place->line; n++) {
		end = memchr(line, '\n', left);
		if (end == NULL)
			return -ENOENT;
		left -= (size_t)(end + 1 - line);
		line = end + 1;
	}
	end = memchr(line, '\n', left);
	if (end != NULL)
		left = (size_t)(end - line);
	if (left > 0 && line[left - 1] == '\r')
		left--;
	*ret_line = line;
	*ret_size = left;
	return 0;
}

/* file and line_text; without them the message is still good. */
static int
copy_place(struct errors *errors, const struct tally *tally,
    const struct place *place, struct error *error)
{
	const char *line;
	size_t size;

	if (place == NULL || place->source == NULL)
		return 0;
	error->place = *place;
	error->place.source = NULL;
	error->file = tally->file;
	if (find_line(place, &line, &size) < 0 || size > LINE_MAX_BYTES)
		return 0;
	error->line_text = arena_copy(errors->arena, line, size);
	return error->line_text == NULL ? -ENOMEM : 0;
}

static int
keep(struct errors *errors, const struct tally *tally, struct error *error,
    const struct place *place)
{
	int result;

	if (error->text == NULL)
		return -ENOMEM;
	result = copy_place(errors, tally, place, error);
	if (result < 0)
		return result;
	result = grow_list(errors);
	if (result < 0)
		return result;
	errors->list[errors->kept++] = *error;
	return 0;
}

/* 0, or -ENOMEM, or -E2BIG when the file has had its share. */
BASE_PRINTF(4, 0)
static int
add(struct errors *errors, struct error *error, const struct place *place,
    const char *format, va_list ap)
{
	AUTO_TEXT text = {0};
	bool placed = place != NULL && place->source != NULL;
	struct tally *tally;

	if (errors->arena == NULL)
		errors->arena = arena_new();
	if (errors->arena == NULL)
		return -ENOMEM;
	tally = find_tally(errors, placed ? place->source->name : NULL);
	if (tally == NULL)
		return -ENOMEM;
	if (!admit(errors, tally, error->severity))
		return -E2BIG;
	if (text_vprintf(&text, format, ap) < 0)
		return -ENOMEM;
	error->text = arena_copy(errors->arena, text_string(&text), text.size);
	return keep(errors, tally, error, place);
}

void
errors_vadd(struct errors *errors, enum severity severity, int code,
    const struct place *place, const char *format, va_list ap)
{
	struct error error = {.severity = severity, .code = code};
	bool dropped;

	BASE_ASSERT(errors->magic == ERRORS_MAGIC);
	dropped = add(errors, &error, place, format, ap) < 0;
	errors->last_dropped = dropped;
	if (severity == SEVERITY_ERROR) {
		errors->errors++;
		errors->errors_dropped += dropped ? 1 : 0;
	} else if (severity == SEVERITY_WARNING) {
		errors->warnings_dropped += dropped ? 1 : 0;
	}
}

unsigned
errors_count(const struct errors *errors)
{
	return errors->errors;
}

unsigned
errors_kept(const struct errors *errors)
{
	return errors->kept;
}

const struct error *
errors_get(const struct errors *errors, unsigned index)
{
	BASE_ASSERT(index < errors->kept);
	return &errors->list[index];
}
