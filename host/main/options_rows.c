/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * options_rows: the options of berthd under its own name, and what each does.
 * The letters are those of the ACE Service Configurator; every option has a
 * long form too.
 */
#include <signal.h>
#include <string.h>

#include "main/main.h"
#include "main/options.h"

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

/* NAME is for ps(1); the rest is said over the channel. */
static int
take_worker(struct options *options, const char *value, struct text *message)
{
	(void)value, (void)message;
	options->action = OPTIONS_WORKER;
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
    {0, "worker", "NAME", "be a worker of the host on descriptor 3",
	take_worker},
    {'V', "version", NULL, "print the version", take_version},
    {'h', "help", NULL, "print this help", take_help},
    {0, NULL, NULL, NULL, NULL},
};

static const struct option_table table = {
    .program = "berthd",
    .about = "Host services as svc.conf says.",
    .end = "Without -f and -S, ./svc.conf is read.  Exit status: 0 good, "
	   "1 refused to\nstart, 2 usage, 3 failure at run time.  "
	   "See berthd(8).\n",
    .rows = rows,
};

const struct option_row *
options_table(void)
{
	return rows;
}

/* "openbsd-inetd" is inetd, too. */
const struct option_table *
options_table_of(const char *program)
{
	const char *name = program == NULL ? NULL : strrchr(program, '/');
	const char *kind;

	name = name != NULL ? name + 1 : program;
	kind = name == NULL ? NULL : strrchr(name, '-');
	kind = kind != NULL ? kind + 1 : name;
	if (kind != NULL && strcmp(kind, "inetd") == 0)
		return options_of_inetd();
	if (kind != NULL && strcmp(kind, "xinetd") == 0)
		return options_of_xinetd();
	return &table;
}
