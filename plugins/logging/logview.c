/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * berth-logview: prints the files of logging_server.  The manual is
 * berth-logview(1).
 *
 * It does at once what the modules of display_logfile do in a stream, with the
 * same code.  A file that is damaged is told with the offset of the entry that
 * is.
 *
 * Exit status: 0, 1 when a file could not be read to its end, 2 for a mistake
 * in the words.
 */
#include <errno.h>
#include <getopt.h>
#include <string.h>

#include "input.h"
#include "wanted.h"

struct view {
	struct wanted wanted;
	const char *separator;
	int json;
};

static void
show(const struct view *view, const struct entry *entry)
{
	if (!is_wanted(&view->wanted, entry))
		return;
	if (view->json)
		entry_print_json(entry, stdout);
	else
		entry_print(entry, view->separator, stdout);
}

/* --- files --- */

static int
complain(const char *name, uint64_t offset, const char *why)
{
	fprintf(stderr, "berth-logview: %s: at %llu: %s\n", name,
	    (unsigned long long)offset, why);
	return 1;
}

static const char *
reason(int result)
{
	if (result == INPUT_E_WITHIN)
		return "the file ends within this entry";
	if (result == -EPROTO || result == -EMSGSIZE)
		return "this is no entry of a log";
	return strerror(-result);
}

static int
show_file(const struct view *view, const char *name)
{
	struct input input;
	struct entry entry;
	int result = input_open(&input, name);

	if (result != 0)
		return complain(name, 0, strerror(-result));
	while ((result = input_next(&input, &entry)) == 0)
		show(view, &entry);
	result = result == INPUT_E_END
		     ? 0
		     : complain(name, input.offset, reason(result));
	input_close(&input);
	return result;
}

/* --- the words --- */

static int
take_option(struct view *view, int letter)
{
	switch (letter) {
	case 'j':
		view->json = 1;
		return 0;
	case 's':
		view->separator = optarg;
		return 0;
	case '?':
		fputs("usage: berth-logview [-j] [-g TEXT] [-H HOST] [-i PID]"
		      " [-p PRIORITY] [-s SEPARATOR] [FILE ...]\n",
		    stderr);
		return 2;
	default:
		if (wanted_option(&view->wanted, letter, optarg) == 0)
			return 0;
		fprintf(stderr,
		    "berth-logview: '%s' is no priority such as ERROR\n",
		    optarg);
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
	struct view view = {.wanted = WANTED_ALL, .separator = "|"};
	int letter, result = 0;

	while ((letter = getopt_long(
		    argc, argv, WANTED_OPTIONS "js:", longs, NULL)) != -1) {
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
