/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * options: reads the command line by the table below.  The letters are those
 * of the ACE Service Configurator; every option has a long form too.
 *
 * Mistakes are told in words, not printed: the caller knows where to.  The
 * first mistake ends the reading; so do --help and --version, as everywhere.
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <string.h>

#include "main/main.h"
#include "main/options.h"

/* getopt's value of the long form of row n, where there is no letter. */
#define LONG_ONLY 0x100

static int
take_daemon(struct options *options, const char *value, struct text *message)
{
	(void)value, (void)message;
	options->daemon = true;
	return 0;
}

static int
take_debug(struct options *options, const char *value, struct text *message)
{
	(void)value, (void)message;
	options->debug = true;
	return 0;
}

static int
take_file(struct options *options, const char *value, struct text *message)
{
	(void)message;
	options->files[options->file_count].path = value;
	options->files[options->file_count++].format = options->format;
	return 0;
}

static int
take_format(struct options *options, const char *value, struct text *message)
{
	struct suggestion suggestion;

	if (config_format_parse(value, &options->format) == 0)
		return 0;
	suggestion_init(&suggestion, value);
	for (int i = CONFIG_AUTO; config_format_name(i) != NULL; i++)
		suggestion_offer(&suggestion, config_format_name(i));
	text_printf(message, "--format: there is no language '%s'", value);
	if (suggestion.best != NULL)
		text_printf(message, "; did you mean '%s'?", suggestion.best);
	return OPTIONS_E_USAGE;
}

static int
take_no_static(struct options *options, const char *value, struct text *message)
{
	(void)value, (void)message;
	options->no_static = true;
	return 0;
}

static int
take_static(struct options *options, const char *value, struct text *message)
{
	(void)value, (void)message;
	options->no_static = false;
	return 0;
}

static int
take_pid_file(struct options *options, const char *value, struct text *message)
{
	(void)message;
	options->pid_file = value;
	return 0;
}

static int
take_signal(struct options *options, const char *value, struct text *message)
{
	int number = signal_parse(value);
	const char *refusal;

	if (number < 0) {
		text_printf(message, "-s: there is no signal '%s'", value);
		return OPTIONS_E_USAGE;
	}
	refusal = signal_refusal(number);
	if (refusal != NULL) {
		text_printf(message, "-s: '%s' cannot ask for a reload: %s",
		    value, refusal);
		return OPTIONS_E_USAGE;
	}
	options->reload_signal = number;
	return 0;
}

static int
take_directive(struct options *options, const char *value, struct text *message)
{
	(void)message;
	options->directives[options->directive_count++] = value;
	return 0;
}

static int
take_check(struct options *options, const char *value, struct text *message)
{
	(void)value, (void)message;
	options->action = OPTIONS_CHECK;
	return 0;
}

static int
take_print(struct options *options, const char *value, struct text *message)
{
	options->print = true;
	return take_check(options, value, message);
}

static int
take_no_dynamic(
    struct options *options, const char *value, struct text *message)
{
	(void)value, (void)message;
	options->no_dynamic = true;
	return 0;
}

static int
take_plugin_path(
    struct options *options, const char *value, struct text *message)
{
	(void)message;
	options->plugin_path = value;
	return 0;
}

static int
take_version(struct options *options, const char *value, struct text *message)
{
	(void)value, (void)message;
	options->action = OPTIONS_VERSION;
	return 0;
}

static int
take_help(struct options *options, const char *value, struct text *message)
{
	(void)value, (void)message;
	options->action = OPTIONS_HELP;
	return 0;
}

static const struct option_row rows[] = {
    {'b', "daemon", NULL, "go to the background once all is up", take_daemon},
    {'d', "debug", NULL, "log everything", take_debug},
    {'f', "file", "FILE", "read FILE, not ./svc.conf; repeatable", take_file},
    {0, "format", "FORMAT", "the language of files behind it", take_format},
    {'n', "no-static", NULL, "without static services", take_no_static},
    {'y', "static", NULL, "with static services (default)", take_static},
    {'p', "pid-file", "FILE", "write the process id to FILE", take_pid_file},
    {'s', "signal", "SIGNAL", "reload on SIGNAL, not SIGHUP", take_signal},
    {'S', "directive", "DIRECTIVE", "run DIRECTIVE; repeatable",
	take_directive},
    {'t', "check", NULL, "only check the configuration", take_check},
    {'T', "print", NULL, "check it and print it in canonical form", take_print},
    {0, "no-dynamic", NULL, "refuse to load plugins", take_no_dynamic},
    {0, "plugin-path", "DIR[:DIR]", "look for plugins there", take_plugin_path},
    {'V', "version", NULL, "print the version", take_version},
    {'h', "help", NULL, "print this help", take_help},
    {0, NULL, NULL, NULL, NULL},
};

#define ROW_COUNT (BASE_COUNT(rows) - 1)

const struct option_row *
options_table(void)
{
	return rows;
}

void
options_help(struct text *text)
{
	const struct option_row *row;
	int width;

	text_printf(text, "usage: berthd [OPTION ...]\n"
			  "Host services as svc.conf says.\n\n");
	for (row = rows; row->name != NULL; row++) {
		if (row->letter != 0)
			text_printf(text, "  -%c, ", row->letter);
		else
			text_printf(text, "      ");
		width = 24 - (int)strlen(row->name);
		text_printf(text, "--%s %-*s%s\n", row->name, width,
		    row->argument == NULL ? "" : row->argument, row->help);
	}
	text_printf(text,
	    "\nWithout -f and -S, ./svc.conf is read.  Exit status: 0 good, "
	    "1 refused to\nstart, 2 usage, 3 failure at run time.  "
	    "See berthd(8).\n");
}

/* The forms of the table that getopt_long(3) wants. */
struct forms {
	char letters[2 * ROW_COUNT + 2];
	struct option longs[ROW_COUNT + 1];
};

static void
make_forms(struct forms *forms)
{
	char *letter = forms->letters;

	memset(forms, 0, sizeof(*forms));
	*letter++ = ':'; /* tell a missing value from an unknown option */
	for (size_t i = 0; i < ROW_COUNT; i++) {
		forms->longs[i].name = rows[i].name;
		forms->longs[i].has_arg = rows[i].argument != NULL
					      ? required_argument
					      : no_argument;
		forms->longs[i].val = rows[i].letter != 0 ? rows[i].letter
							  : LONG_ONLY + (int)i;
		if (rows[i].letter == 0)
			continue;
		*letter++ = (char)rows[i].letter;
		if (rows[i].argument != NULL)
			*letter++ = ':';
	}
}

static const struct option_row *
find_row(int value)
{
	for (size_t i = 0; i < ROW_COUNT; i++)
		if (value == LONG_ONLY + (int)i ||
		    (rows[i].letter != 0 && value == rows[i].letter))
			return &rows[i];
	return NULL;
}

static int
unknown_option(const char *word, struct text *message)
{
	struct suggestion suggestion;

	if (optopt != 0 && find_row(optopt) != NULL) {
		text_printf(message, "option '--%s' takes no value",
		    find_row(optopt)->name);
	} else if (optopt != 0) {
		text_printf(message, "there is no option '-%c'", optopt);
	} else {
		text_printf(message, "there is no option '%s'", word);
		suggestion_init(&suggestion, word + strspn(word, "-"));
		for (size_t i = 0; i < ROW_COUNT; i++)
			suggestion_offer(&suggestion, rows[i].name);
		if (suggestion.best != NULL)
			text_printf(
			    message, "; did you mean '--%s'?", suggestion.best);
	}
	return OPTIONS_E_USAGE;
}

static int
take_value(struct options *options, int value, struct text *message)
{
	const struct option_row *row = find_row(value);

	BASE_ASSERT(row != NULL);
	if (row->argument != NULL && *optarg == '\0') {
		text_printf(message, "option '--%s': the %s is empty",
		    row->name, row->argument);
		return OPTIONS_E_USAGE;
	}
	return row->take(options, optarg, message);
}

static int
take_all(int argc, char **argv, struct options *options, struct text *message)
{
	struct forms forms;
	int value, result = 0;

	make_forms(&forms);
	optind = 0; /* the C library's sign for a new command line */
	opterr = 0;
	while (result == 0 && options->action != OPTIONS_HELP &&
	       options->action != OPTIONS_VERSION) {
		value = getopt_long(
		    argc, argv, forms.letters, forms.longs, NULL);
		if (value == -1)
			break;
		if (value == ':') {
			text_printf(message, "option '--%s' needs a %s",
			    find_row(optopt)->name, find_row(optopt)->argument);
			return OPTIONS_E_USAGE;
		}
		result = value == '?'
			     ? unknown_option(argv[optind - 1], message)
			     : take_value(options, value, message);
	}
	if (result == 0 && options->action < OPTIONS_HELP && optind < argc) {
		text_printf(message, "'%s' is no option", argv[optind]);
		return OPTIONS_E_USAGE;
	}
	return result;
}

int
options_parse(
    int argc, char **argv, struct options *options, struct text *message)
{
	size_t slots = argc > 0 ? (size_t)argc : 1;
	int result;

	memset(options, 0, sizeof(*options));
	options->reload_signal = SIGHUP;
	options->arena = arena_new();
	if (options->arena == NULL)
		return -ENOMEM;
	options->files = arena_alloc(
	    options->arena, slots * sizeof(*options->files));
	options->directives = arena_alloc(
	    options->arena, slots * sizeof(*options->directives));
	if (options->files == NULL || options->directives == NULL)
		return -ENOMEM;
	result = take_all(argc, argv, options, message);
	return result == 0 ? options_resolve(options, message) : result;
}

void
options_fini(struct options *options)
{
	options->arena = arena_free(options->arena);
}
