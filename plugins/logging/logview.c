/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * berth-logview: prints the files of logging_server.  The manual is
 * berth-logview(1).
 *
 * A file is read in pieces; the buffer grows to the longest entry, and a file
 * that is damaged is told with the offset of the entry that is.
 *
 * Exit status: 0, 1 when a file could not be read to its end, 2 for a mistake
 * in the words.
 */
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "entry.h"

#define ROOM_FIRST 65536u
#define RECORD_LONGEST (64u << 20)

struct view {
	const char *separator;
	int json;
	const char *host; /* a pattern; NULL: any */
	const char *text; /* to be found in the text */
	int severity;	  /* the least serious that is shown */
	long pid;	  /* -1: any */
};

struct input {
	const char *name;
	int fd;
	char *data;
	size_t room, size, at; /* of data: held, and used up */
	uint64_t offset;       /* of data + at in the file */
};

static int
is_wanted(const struct view *view, const struct entry *entry)
{
	const struct record *record = &entry->record;

	if (view->host != NULL && fnmatch(view->host, entry->host, 0) != 0)
		return 0;
	if (view->pid >= 0 && record->pid != view->pid)
		return 0;
	if (record_severity(record->type) > view->severity)
		return 0;
	return view->text == NULL || memmem(record->text, record->text_size,
					 view->text, strlen(view->text));
}

static void
show(struct view *view, const struct entry *entry)
{
	if (!is_wanted(view, entry))
		return;
	if (view->json)
		entry_print_json(entry, stdout);
	else
		entry_print(entry, view->separator, stdout);
}

/* --- files --- */

static int
complain(const struct input *input, const char *why)
{
	fprintf(stderr, "berth-logview: %s: at %llu: %s\n", input->name,
	    (unsigned long long)input->offset, why);
	return 1;
}

/* Reads more, behind what is held.  How much, 0 at the end, or a negative
 * errno. */
static ssize_t
fill(struct input *input)
{
	ssize_t got;

	memmove(input->data, input->data + input->at, input->size - input->at);
	input->size -= input->at;
	input->at = 0;
	if (input->size == input->room) {
		char *more = realloc(input->data, 2 * input->room);

		if (more == NULL)
			return -ENOMEM;
		input->data = more;
		input->room *= 2;
	}
	got = read(
	    input->fd, input->data + input->size, input->room - input->size);
	if (got < 0)
		return -errno;
	input->size += (size_t)got;
	return got;
}

/* Shows the whole entries that are held.  RECORD_E_MORE or a negative errno. */
static int
show_held(struct view *view, struct input *input)
{
	struct entry entry;
	int result;

	for (;;) {
		result = entry_decode(input->data + input->at,
		    input->size - input->at, RECORD_LONGEST, &entry);
		if (result != 0)
			return result;
		show(view, &entry);
		input->at += entry.size;
		input->offset += entry.size;
	}
}

static int
show_all(struct view *view, struct input *input)
{
	ssize_t got;

	while ((got = fill(input)) > 0)
		if (show_held(view, input) != RECORD_E_MORE)
			return complain(input, "this is no entry of a log");
	if (got < 0)
		return complain(input, strerror((int)-got));
	if (input->size > input->at)
		return complain(input, "the file ends within this entry");
	return 0;
}

static int
show_file(struct view *view, const char *name)
{
	struct input input = {.name = name, .room = ROOM_FIRST};
	int result;

	input.data = malloc(input.room);
	if (input.data == NULL)
		return complain(&input, strerror(ENOMEM));
	if (strcmp(name, "-") == 0)
		input.fd = dup(STDIN_FILENO);
	else
		input.fd = open(name, O_RDONLY | O_CLOEXEC);
	if (input.fd < 0)
		result = complain(&input, strerror(errno));
	else
		result = show_all(view, &input);
	if (input.fd >= 0)
		close(input.fd);
	free(input.data);
	return result;
}

/* --- the words --- */

static int
take_priority(struct view *view, const char *word)
{
	uint32_t type = 0;

	if (record_type_of(word, &type) != 0) {
		fprintf(stderr,
		    "berth-logview: '%s' is no priority such as ERROR\n", word);
		return 2;
	}
	view->severity = record_severity(type);
	return 0;
}

static int
take_option(struct view *view, int letter)
{
	switch (letter) {
	case 'H':
		view->host = optarg;
		return 0;
	case 'g':
		view->text = optarg;
		return 0;
	case 'i':
		view->pid = strtol(optarg, NULL, 10);
		return 0;
	case 'j':
		view->json = 1;
		return 0;
	case 'p':
		return take_priority(view, optarg);
	case 's':
		view->separator = optarg;
		return 0;
	case '?':
	default:
		fputs("usage: berth-logview [-j] [-g TEXT] [-H HOST] [-i PID]"
		      " [-p PRIORITY] [-s SEPARATOR] [FILE ...]\n",
		    stderr);
		return 2;
	}
}

int
main(int argc, char **argv)
{
	static const struct option longs[] = {
	    {"json", no_argument, NULL, 'j'},
	    {"host", required_argument, NULL, 'H'},
	    {"grep", required_argument, NULL, 'g'},
	    {"pid", required_argument, NULL, 'i'},
	    {"priority", required_argument, NULL, 'p'},
	    {"separator", required_argument, NULL, 's'},
	    {NULL, 0, NULL, 0},
	};
	struct view view = {.separator = "|", .severity = 7, .pid = -1};
	int letter, result = 0;

	while ((letter = getopt_long(argc, argv, "H:g:i:jp:s:", longs, NULL)) !=
	       -1) {
		result = take_option(&view, letter);
		if (result != 0)
			return result;
	}
	if (argv[optind] == NULL)
		result = show_file(&view, "-");
	for (; argv[optind] != NULL; optind++)
		result |= show_file(&view, argv[optind]);
	if (fflush(stdout) != 0 || ferror(stdout)) {
		fprintf(stderr, "berth-logview: %s\n", strerror(errno));
		return 1;
	}
	return result;
}
