/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * options: reads the command line by the table below.
 *
 * Options may stand before the verb and after it.  But the words of a verb
 * that takes them as they are (`dynamic`), or that only the host knows, are
 * the host's: there, options stand before the verb.
 */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "client/client_priv.h"

/* getopt's value of the long form of row n, where there is no letter. */
#define LONG_ONLY 0x100
#define TIMEOUT_USUAL_S 60
#define TIMEOUT_MOST_S 1000000.0

static int
take_socket(struct options *options, const char *value, struct client *client)
{
	(void)client;
	options->socket = value;
	return 0;
}

static int
take_token(struct options *options, const char *value, struct client *client)
{
	(void)client;
	options->token_path = value;
	return 0;
}

static int
take_timeout(struct options *options, const char *value, struct client *client)
{
	char *end;
	double seconds = strtod(value, &end);

	if (*end != '\0' || !(seconds > 0 && seconds <= TIMEOUT_MOST_S)) {
		client_tell(client, "'%s' is no number of seconds", value);
		return CLIENT_USAGE;
	}
	options->timeout_ms = (uint64_t)(seconds * 1000);
	if (options->timeout_ms == 0)
		options->timeout_ms = 1;
	return 0;
}

static int
take_format(const char *value, struct client *client, enum config_format *field)
{
	struct suggestion suggestion;

	if (config_format_parse(value, field) == 0)
		return 0;
	suggestion_init(&suggestion, value);
	for (int i = CONFIG_SVC; config_format_name(i) != NULL; i++)
		suggestion_offer(&suggestion, config_format_name(i));
	client_tell(client, "no language '%s'%s%s%s", value,
	    suggestion.best != NULL ? "; did you mean '" : "",
	    suggestion.best != NULL ? suggestion.best : "",
	    suggestion.best != NULL ? "'?" : "; see berth-formats(5)");
	return CLIENT_USAGE;
}

static int
take_from(struct options *options, const char *value, struct client *client)
{
	return take_format(value, client, &options->from);
}

static int
take_to(struct options *options, const char *value, struct client *client)
{
	return take_format(value, client, &options->to);
}

static int
take_json(struct options *options, const char *value, struct client *client)
{
	(void)value, (void)client;
	options->json = true;
	return 0;
}

static int
take_no_colour(
    struct options *options, const char *value, struct client *client)
{
	(void)value, (void)client;
	options->no_colour = true;
	return 0;
}

static int
take_completion(
    struct options *options, const char *value, struct client *client)
{
	(void)client;
	options->action = OPTIONS_COMPLETION;
	options->shell = value;
	return 0;
}

static int
take_version(struct options *options, const char *value, struct client *client)
{
	(void)value, (void)client;
	options->action = OPTIONS_VERSION;
	return 0;
}

static int
take_help(struct options *options, const char *value, struct client *client)
{
	(void)value, (void)client;
	options->action = OPTIONS_HELP;
	return 0;
}

static const struct option_row rows[] = {
    {'s', "socket", "PATH", "where the host listens, or tcp:HOST:PORT",
	take_socket},
    {0, "token", "FILE", "log in with the first line of FILE", take_token},
    {0, "timeout", "SECONDS", "how long to wait for the host (60)",
	take_timeout},
    {0, "from", "FORMAT", "what convert reads, if not by its content",
	take_from},
    {0, "to", "FORMAT", "what convert prints (svc)", take_to},
    {'j', "json", NULL, "print the result as one line of JSON", take_json},
    {0, "no-color", NULL, "no colours on a terminal", take_no_colour},
    {0, "completion", "SHELL", "print the completion of bash or zsh",
	take_completion},
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

/* The forms of the table that getopt_long(3) wants. */
struct forms {
	char letters[2 * ROW_COUNT + 3];
	struct option longs[ROW_COUNT + 1];
};

static void
make_forms(struct forms *forms)
{
	char *letter = forms->letters;

	memset(forms, 0, sizeof(*forms));
	*letter++ = '+'; /* stop at the first word; skipped for permutation */
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
unknown_option(struct client *client, const char *word)
{
	struct suggestion suggestion;

	if (optopt != 0 && find_row(optopt) != NULL) {
		client_tell(client, "option '--%s' takes no value",
		    find_row(optopt)->name);
		return CLIENT_USAGE;
	}
	if (optopt != 0) {
		client_tell(client, "there is no option '-%c'", optopt);
		return CLIENT_USAGE;
	}
	suggestion_init(&suggestion, word + strspn(word, "-"));
	for (size_t i = 0; i < ROW_COUNT; i++)
		suggestion_offer(&suggestion, rows[i].name);
	client_tell(client, "there is no option '%s'%s%s%s", word,
	    suggestion.best != NULL ? "; did you mean '--" : "",
	    suggestion.best != NULL ? suggestion.best : "",
	    suggestion.best != NULL ? "'?" : "");
	return CLIENT_USAGE;
}

static int
take_one(
    struct client *client, struct options *options, int value, const char *word)
{
	const struct option_row *row = find_row(value == ':' ? optopt : value);

	if (value == '?')
		return unknown_option(client, word);
	BASE_ASSERT(row != NULL);
	if (value == ':' || (row->argument != NULL && *optarg == '\0')) {
		client_tell(client, "option '--%s' needs a %s", row->name,
		    row->argument);
		return CLIENT_USAGE;
	}
	return row->take(options, optarg, client);
}

static bool
ended(const struct options *options)
{
	return options->action == OPTIONS_HELP ||
	       options->action == OPTIONS_VERSION;
}

/* To the first word, or over all of them.  optind is the first word then. */
static int
take_all(struct client *client, int argc, char **argv, bool permute,
    struct options *options)
{
	struct forms forms;
	int value, result = 0;

	make_forms(&forms);
	optind = 0; /* the C library's sign for a new command line */
	opterr = 0;
	while (result == 0 && !ended(options)) {
		value = getopt_long(argc, argv,
		    permute ? forms.letters + 1 : forms.letters, forms.longs,
		    NULL);
		if (value == -1)
			break;
		result = take_one(client, options, value, argv[optind - 1]);
	}
	return result;
}

static void
set_defaults(struct options *options)
{
	const char *socket = getenv("BERTH_CONTROL");

	memset(options, 0, sizeof(*options));
	options->socket = socket != NULL && *socket != '\0' ? socket
							    : ADDRESS_DEFAULT;
	options->timeout_ms = TIMEOUT_USUAL_S * 1000;
	options->from = CONFIG_AUTO;
	options->to = CONFIG_SVC;
}

static int
judge_count(struct client *client, const struct options *options)
{
	const struct verb *verb = options->verb;

	if (verb == NULL ||
	    (options->count >= verb->least && options->count <= verb->most))
		return 0;
	client_tell(client, "usage: berthctl %s%s%s", verb->name,
	    verb->syntax[0] != '\0' ? " " : "", verb->syntax);
	return CLIENT_USAGE;
}

int
options_parse(
    struct client *client, int argc, char **argv, struct options *options)
{
	int result, at;

	set_defaults(options);
	result = take_all(client, argc, argv, false, options);
	if (result != 0 || options->action != OPTIONS_RUN)
		return result;
	at = optind;
	if (at >= argc) {
		client_tell(client, "which command? see berthctl --help");
		return CLIENT_USAGE;
	}
	options->name = argv[at];
	options->verb = verbs_find(options->name);
	if (options->verb != NULL && (options->verb->flags & VERB_RAW) == 0) {
		/* The verb stands for the program's name. */
		result = take_all(client, argc - at, argv + at, true, options);
		at += optind - 1;
	}
	options->words = argv + at + 1;
	options->count = (unsigned)(argc - at - 1);
	if (result != 0 || options->action != OPTIONS_RUN)
		return result;
	return judge_count(client, options);
}
