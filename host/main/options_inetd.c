/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * options_inetd: the options of inetd, as FreeBSD, NetBSD, OpenBSD, Debian,
 * GNU and BusyBox have them, for a berthd that is called so.
 *
 * What they say of all services becomes `defaults` before the files, so that
 * a line's own limits count more.  An option that means nothing here is taken
 * and noted in the log; none is taken in silence.
 */
#include <errno.h>
#include <stdlib.h>

#include "main/options.h"

#define INETD_CONF "/etc/inetd.conf"
#define INETD_PID "/run/inetd.pid"
#define NUMBER_MOST 1000000ul

static int
take_foreground(
    struct options *options, const char *value, struct text *message)
{
	(void)value, (void)message;
	options->daemon = false;
	return 0;
}

static int
take_debug(struct options *options, const char *value, struct text *message)
{
	options->debug = true;
	return take_foreground(options, value, message);
}

static int
take_pid_file(struct options *options, const char *value, struct text *message)
{
	(void)message;
	options->pid_file = value;
	return 0;
}

static int
take_address(struct options *options, const char *value, struct text *message)
{
	(void)message;
	options->address = value;
	return 0;
}

/* Adds "BEFORE n AFTER" to the attributes of all services; 0 is no limit. */
static int
add_limit(struct options *options, const char *value, const char *const form[2],
    struct text *message)
{
	const char *before = options->defaults == NULL ? "" : options->defaults;
	char *end;
	unsigned long number;

	errno = 0;
	number = strtoul(value, &end, 10);
	if (errno != 0 || *end != '\0' || *value < '0' || *value > '9' ||
	    number > NUMBER_MOST) {
		text_printf(
		    message, "'%s' is no number up to %lu", value, NUMBER_MOST);
		return OPTIONS_E_USAGE;
	}
	options->defaults = number == 0
				? arena_printf(options->arena,
				      "%s %s = unlimited;", before, form[0])
				: arena_printf(options->arena, "%s %s = %lu%s;",
				      before, form[0], number, form[1]);
	return options->defaults == NULL ? -ENOMEM : 0;
}

static int
take_rate(struct options *options, const char *value, struct text *message)
{
	static const char *const form[] = {"cps", "/1m 10m"};

	return add_limit(options, value, form, message);
}

static int
take_children(struct options *options, const char *value, struct text *message)
{
	static const char *const form[] = {"instances", ""};

	return add_limit(options, value, form, message);
}

static int
take_source_rate(
    struct options *options, const char *value, struct text *message)
{
	static const char *const form[] = {"source_cps", "/1m 0"};

	return add_limit(options, value, form, message);
}

static int
take_source_children(
    struct options *options, const char *value, struct text *message)
{
	static const char *const form[] = {"per_source", ""};

	return add_limit(options, value, form, message);
}

static int
take_backlog(struct options *options, const char *value, struct text *message)
{
	static const char *const form[] = {"backlog", ""};

	return add_limit(options, value, form, message);
}

/* Where inetd is FreeBSD's, -l logs; to ask once too often harms nobody who was
 * to be served. */
static int
take_wrap(struct options *options, const char *value, struct text *message)
{
	const char *before = options->defaults == NULL ? "" : options->defaults;

	(void)value, (void)message;
	options->defaults = arena_printf(
	    options->arena, "%s libwrap = auto;", before);
	return options->defaults == NULL ? -ENOMEM : 0;
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
    {'d', "debug", NULL, "log everything, stay in the foreground", take_debug},
    {'i', "", NULL, "stay in the foreground", take_foreground},
    {'f', "", NULL, "stay in the foreground", take_foreground},
    {'p', "pidfile", "FILE", "write the process id to FILE", take_pid_file},
    {'R', "rate", "NUMBER", "cps: clients of a service in a minute", take_rate},
    {'c', "", "NUMBER", "instances: clients of a service at once",
	take_children},
    {'C', "", "NUMBER", "source_cps: of an address in a minute",
	take_source_rate},
    {'s', "", "NUMBER", "per_source: of an address at once",
	take_source_children},
    {'a', "", "ADDRESS", "where lines without an address listen", take_address},
    {'q', "", "NUMBER", "backlog", take_backlog},
    {'E', "", NULL, "programs get a clean environment; see passenv", NULL},
    {'e', "", NULL, "errors go to the log", NULL},
    {'l', "", NULL, "libwrap = auto", take_wrap},
    {'w', "", NULL, "libwrap = auto", take_wrap},
    {'W', "", NULL, "libwrap = auto", take_wrap},
    {0, "environment", NULL, "programs have these variables anyway", NULL},
    {0, "resolve", NULL, "addresses are not looked up", NULL},
    {'V', "version", NULL, "print the version", take_version},
    {'h', "help", NULL, "print this help", take_help},
    {0, NULL, NULL, NULL, NULL},
};

static void
begin(struct options *options)
{
	options->daemon = true;
}

static int
take_operand(struct options *options, const char *value, struct text *message)
{
	(void)message;
	options->files[options->file_count].path = value;
	options->files[options->file_count++].format = CONFIG_AUTO;
	return 0;
}

static int
end_of_words(struct options *options, struct text *message)
{
	if (options->file_count == 0)
		take_operand(options, INETD_CONF, message);
	if (options->pid_file == NULL && options->daemon)
		options->pid_file = INETD_PID;
	if (options->defaults == NULL)
		return 0;
	options->defaults = arena_printf(
	    options->arena, "defaults {%s }", options->defaults);
	return options->defaults == NULL ? -ENOMEM : 0;
}

static const struct option_table table = {
    .program = "inetd",
    .about = "This is berthd, called as inetd.",
    .end = "Without FILE, " INETD_CONF " is read.  See berth-from-inetd(7).\n",
    .rows = rows,
    .begin = begin,
    .operand = take_operand,
    .end_of_words = end_of_words,
};

const struct option_table *
options_of_inetd(void)
{
	return &table;
}
