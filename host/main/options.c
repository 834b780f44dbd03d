/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * options: reads the command line by a table of options.
 *
 * Mistakes are told in words, not printed: the caller knows where to.  The
 * first mistake ends the reading; so do --help and --version, as everywhere.
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <string.h>

#include "main/options.h"

/* getopt's value of the long form of row n, where there is no letter. */
#define LONG_ONLY 0x100

static void
print_row(const struct option_table *table, const struct option_row *row,
    struct text *text)
{
	const char *argument = row->argument == NULL ? "" : row->argument;
	int width = 24 - (int)strlen(row->name) + (table->one_dash ? 1 : 0);

	if (row->letter != 0)
		text_printf(text, "  -%c%s ", row->letter,
		    row->name[0] != '\0' ? "," : "");
	else
		text_printf(text, "      ");
	if (row->name[0] != '\0')
		text_printf(
		    text, "%s%s ", table->one_dash ? "-" : "--", row->name);
	else
		width = 28;
	text_printf(text, "%-*s%s%s\n", width, argument,
	    row->take == NULL ? "nothing: " : "", row->help);
}

void
options_help(const struct option_table *table, struct text *text)
{
	const struct option_row *row;

	text_printf(text, "usage: %s [OPTION ...]%s\n%s\n\n", table->program,
	    table->operand != NULL ? " [FILE ...]" : "", table->about);
	for (row = table->rows; row->name != NULL; row++)
		print_row(table, row, text);
	text_printf(text, "\n%s", table->end);
}

/* The forms of the table that getopt_long(3) wants. */
struct forms {
	char letters[2 * OPTIONS_ROWS + 2];
	struct option longs[OPTIONS_ROWS + 1];
};

static void
make_forms(const struct option_row *rows, struct forms *forms)
{
	char *letter = forms->letters;
	struct option *form = forms->longs;

	memset(forms, 0, sizeof(*forms));
	*letter++ = ':'; /* tell a missing value from an unknown option */
	for (int i = 0; rows[i].name != NULL; i++) {
		BASE_ASSERT(i < OPTIONS_ROWS);
		if (rows[i].letter != 0) {
			*letter++ = (char)rows[i].letter;
			if (rows[i].argument != NULL)
				*letter++ = ':';
		}
		if (rows[i].name[0] == '\0')
			continue;
		form->name = rows[i].name;
		form->has_arg = rows[i].argument != NULL ? required_argument
							 : no_argument;
		form->val = rows[i].letter != 0 ? rows[i].letter
						: LONG_ONLY + i;
		form++;
	}
}

static const struct option_row *
find_row(const struct option_row *rows, int value)
{
	for (int i = 0; rows[i].name != NULL; i++)
		if (value == LONG_ONLY + i ||
		    (rows[i].letter != 0 && value == rows[i].letter))
			return &rows[i];
	return NULL;
}

/* As it is typed. */
static void
print_name(const struct option_table *table, const struct option_row *row,
    struct text *message)
{
	if (row->name[0] == '\0')
		text_printf(message, "option '-%c'", row->letter);
	else
		text_printf(message, "option '%s%s'",
		    table->one_dash ? "-" : "--", row->name);
}

static int
unknown_option(
    const struct option_table *table, const char *word, struct text *message)
{
	const struct option_row *row = find_row(table->rows, optopt);
	struct suggestion suggestion;

	if (optopt != 0 && row != NULL) {
		print_name(table, row, message);
		text_printf(message, " takes no value");
	} else if (optopt != 0) {
		text_printf(message, "there is no option '-%c'", optopt);
	} else {
		text_printf(message, "there is no option '%s'", word);
		suggestion_init(&suggestion, word + strspn(word, "-"));
		for (row = table->rows; row->name != NULL; row++)
			suggestion_offer(&suggestion, row->name);
		if (suggestion.best != NULL)
			text_printf(message, "; did you mean '%s%s'?",
			    table->one_dash ? "-" : "--", suggestion.best);
	}
	return OPTIONS_E_USAGE;
}

static int
take_value(struct options *options, int value, struct text *message)
{
	const struct option_row *row = find_row(options->table->rows, value);

	BASE_ASSERT(row != NULL);
	if (row->argument != NULL && *optarg == '\0') {
		print_name(options->table, row, message);
		text_printf(message, ": the %s is empty", row->argument);
		return OPTIONS_E_USAGE;
	}
	if (row->take != NULL)
		return row->take(options, optarg, message);
	options->notes[options->note_count++] = row;
	return 0;
}

static int
missing_value(const struct options *options, struct text *message)
{
	const struct option_row *row = find_row(options->table->rows, optopt);

	BASE_ASSERT(row != NULL);
	print_name(options->table, row, message);
	text_printf(message, " needs a %s", row->argument);
	return OPTIONS_E_USAGE;
}

static int
take_operands(
    int argc, char **argv, struct options *options, struct text *message)
{
	const struct option_table *table = options->table;
	int result = 0;

	for (; result == 0 && optind < argc; optind++) {
		if (table->operand == NULL) {
			text_printf(message, "'%s' is no option", argv[optind]);
			return OPTIONS_E_USAGE;
		}
		result = table->operand(options, argv[optind], message);
	}
	if (result == 0 && table->end_of_words != NULL)
		result = table->end_of_words(options, message);
	return result;
}

static int
take_all(int argc, char **argv, struct options *options, struct text *message)
{
	const struct option_table *table = options->table;
	struct forms forms;
	int value, result = 0;

	make_forms(table->rows, &forms);
	optind = 0; /* the C library's sign for a new command line */
	opterr = 0;
	while (result == 0 && options->action != OPTIONS_HELP &&
	       options->action != OPTIONS_VERSION) {
		value = (table->one_dash ? getopt_long_only : getopt_long)(
		    argc, argv, forms.letters, forms.longs, NULL);
		if (value == -1)
			break;
		if (value == ':')
			return missing_value(options, message);
		result = value == '?'
			     ? unknown_option(table, argv[optind - 1], message)
			     : take_value(options, value, message);
	}
	if (result != 0 || options->action >= OPTIONS_HELP)
		return result;
	return take_operands(argc, argv, options, message);
}

int
options_parse(
    int argc, char **argv, struct options *options, struct text *message)
{
	/* One more for a default. */
	size_t slots = (size_t)(argc > 0 ? argc : 1) + 1, notes = 1;
	int result;

	memset(options, 0, sizeof(*options));
	options->reload_signal = SIGHUP;
	options->table = options_table_of(argc > 0 ? argv[0] : NULL);
	options->arena = arena_new();
	if (options->arena == NULL)
		return -ENOMEM;
	options->files = arena_alloc(
	    options->arena, slots * sizeof(*options->files));
	options->directives = arena_alloc(
	    options->arena, slots * sizeof(*options->directives));
	/* A word may hold many letters, and each of them a note. */
	for (int i = 1; i < argc; i++)
		notes += strlen(argv[i]);
	options->notes = arena_alloc(
	    options->arena, notes * sizeof(const struct option_row *));
	if (options->files == NULL || options->directives == NULL ||
	    options->notes == NULL)
		return -ENOMEM;
	if (options->table->begin != NULL)
		options->table->begin(options);
	result = take_all(argc, argv, options, message);
	return result == 0 ? options_resolve(options, message) : result;
}

void
options_fini(struct options *options)
{
	options->arena = arena_free(options->arena);
}
