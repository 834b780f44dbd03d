/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * access_file: an access list in a file of its own, `file:/path`.
 *
 * One entry a line; what follows a # is a comment.  The file is judged as one
 * of the configuration is, since it says as much.  All of its mistakes are
 * told, not the first alone.
 *
 * While a configuration is read, each file is read once, however many services
 * name it; its stamp stands in the list of words, so that another content is
 * another value.
 */
#include "config/config_access.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/config_priv.h"

#define WORD_MAX_BYTES 300u

struct reading {
	struct errors *errors;
	struct source source;
	const struct place *from;
	access_each_fn *each;
	void *context;
	unsigned mistakes;
};

/* The file as a whole cannot be had. */
static int
tell_file(const struct reading *reading, const char *what)
{
	if (reading->errors != NULL)
		errors_add(reading->errors, SEVERITY_ERROR, 0, reading->from,
		    "cannot read '%s': %s", reading->source.name, what);
	return ACCESS_E_MISTAKE;
}

static void
tell_word(struct reading *reading, unsigned line, const char *word, size_t size,
    const char *what)
{
	const char *start = word;
	struct place place = {
	    .source = &reading->source, .line = line, .length = (unsigned)size};

	reading->mistakes++;
	if (reading->errors == NULL)
		return;
	while (start > reading->source.data && start[-1] != '\n')
		start--;
	place.column = (unsigned)(word - start) + 1;
	errors_add(reading->errors, SEVERITY_ERROR, 0, &place, "'%.*s': %s",
	    size > 60 ? 60 : (int)size, word, what);
}

static int
take_word(struct reading *reading, unsigned line, const char *word, size_t size)
{
	char copy[WORD_MAX_BYTES + 1];
	struct access_entry entry;
	const char *reason;

	if (size > WORD_MAX_BYTES || memchr(word, '\0', size) != NULL) {
		tell_word(reading, line, word, size,
		    "no address, no network and no name");
		return 0;
	}
	memcpy(copy, word, size);
	copy[size] = '\0';
	reason = access_parse(copy, &entry);
	if (reason == NULL && entry.kind == ACCESS_FILE)
		reason = "a file does not name another";
	if (reason != NULL) {
		tell_word(reading, line, word, size, reason);
		return 0;
	}
	return reading->each == NULL ? 0
				     : reading->each(reading->context, &entry);
}

static bool
is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* The first word of what is left of a line. */
static const char *
find_word(const char *at, const char *end, size_t *ret_size)
{
	const char *start;

	while (at < end && is_blank(*at))
		at++;
	start = at;
	while (at < end && *at != '#' && !is_blank(*at))
		at++;
	*ret_size = (size_t)(at - start);
	return start;
}

static int
take_line(
    struct reading *reading, unsigned line, const char *at, const char *end)
{
	size_t size, more;
	const char *word = find_word(at, end, &size), *next;
	int result;

	if (size == 0)
		return 0;
	result = take_word(reading, line, word, size);
	next = find_word(word + size, end, &more);
	if (result == 0 && more > 0)
		tell_word(reading, line, next, more, "one entry stands a line");
	return result;
}

static int
take_lines(struct reading *reading)
{
	const char *at = reading->source.data;
	const char *end = at + reading->source.size;
	unsigned line = 0;
	int result = 0;

	while (at < end && result == 0) {
		const char *stop = memchr(at, '\n', (size_t)(end - at));

		if (stop == NULL)
			stop = end;
		result = take_line(reading, ++line, at, stop);
		at = stop + 1;
	}
	if (result == 0 && reading->mistakes > 0)
		return ACCESS_E_MISTAKE;
	return result;
}

/* Not against enemies, who cannot write the file: against coincidence. */
static uint64_t
stamp(const char *data, size_t size)
{
	uint64_t sum = UINT64_C(0xcbf29ce484222325) ^ size;

	while (size > 0) {
		size_t part = size < 8 ? size : 8;
		uint64_t word = 0;

		memcpy(&word, data, part);
		sum = (sum ^ word) * UINT64_C(0x100000001b3);
		sum ^= sum >> 29;
		data += part;
		size -= part;
	}
	return sum;
}

static int
open_file(const struct reading *reading, int *ret_fd)
{
	AUTO_FD fd = open(
	    reading->source.name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat status;
	const char *reason;

	if (fd < 0 || fstat(fd, &status) < 0)
		return errno == ENOMEM ? -ENOMEM
				       : tell_file(reading, strerror(errno));
	reason = S_ISREG(status.st_mode) ? source_distrust(&status)
					 : "it is not a regular file";
	if (reason != NULL)
		return tell_file(reading, reason);
	*ret_fd = base_take_fd(&fd);
	return 0;
}

int
access_file_read(const char *path, const struct place *from,
    struct errors *errors, access_each_fn *each, void *context,
    uint64_t *ret_stamp)
{
	struct reading reading = {.errors = errors,
	    .source = {.name = path, .is_file = true},
	    .from = from,
	    .each = each,
	    .context = context};
	AUTO_TEXT text = {0};
	AUTO_FD fd = -1;
	int result = open_file(&reading, &fd);

	if (result == 0)
		result = fd_read_all(fd, SOURCE_LIMIT_BYTES, &text);
	if (result < 0 && result != -ENOMEM)
		result = tell_file(&reading, result == -EFBIG
						 ? "it is larger than 64 MiB"
						 : strerror(-result));
	if (result != 0)
		return result;
	reading.source.data = text_string(&text);
	reading.source.size = text.size;
	result = take_lines(&reading);
	if (result == 0)
		*ret_stamp = stamp(text_string(&text), text.size);
	return result;
}

/* --- within a reading ------------------------------------------------------
 */

static const struct tree_list *
find_list(const struct tree *tree, const char *path)
{
	const struct tree_list *list = tree->lists;

	while (list != NULL && strcmp(list->path, path) != 0)
		list = list->next;
	return list;
}

static int
add_list(struct reader *reader, const char *path, const struct place *place)
{
	struct tree *tree = reader->tree;
	struct tree_list *list = arena_alloc(tree->arena, sizeof(*list));
	struct errors *errors = reader->quiet > 0 ? NULL : reader->errors;
	int result;

	if (list == NULL || reader_remember(reader, path, false) < 0)
		return -ENOMEM;
	if (reader->at != NULL)
		place = reader->at;
	result = access_file_read(
	    path, place, errors, NULL, NULL, &list->stamp);
	if (result < 0)
		return result;
	list->path = path;
	list->bad = result != 0;
	reader->mistakes += list->bad ? 1 : 0;
	list->next = tree->lists;
	tree->lists = list;
	return list->bad ? CONFIG_E_MISTAKE : 0;
}

int
access_file_check(struct reader *reader, const struct value *value)
{
	const struct tree_list *list;
	struct access_entry entry;

	if (access_parse(value->text, &entry) != NULL ||
	    entry.kind != ACCESS_FILE ||
	    (reader->options != NULL && reader->options->convert))
		return 0;
	list = find_list(reader->tree, entry.name);
	if (list == NULL)
		return add_list(reader, entry.name, &value->place);
	return list->bad ? CONFIG_E_MISTAKE : 0;
}

uint64_t
access_files_stamp(
    const struct tree *tree, const char *const *words, unsigned count)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < count && tree->lists != NULL; i++) {
		const struct tree_list *list = NULL;

		if (strncmp(words[i], "file:", 5) == 0)
			list = find_list(tree, words[i] + 5);
		if (list != NULL)
			sum = (sum ^ list->stamp) *
			      UINT64_C(0x9e3779b97f4a7c15);
	}
	return sum;
}
