/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * options_xinetd: the options of xinetd, long ones behind one dash, for a
 * berthd that is called so.
 *
 * An option that means nothing here is taken and noted in the log.
 */
#include <unistd.h>

#include "main/options.h"

#define XINETD_CONF "/etc/xinetd.conf"
#define INETD_CONF "/etc/inetd.conf"

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
take_file(struct options *options, const char *value, struct text *message)
{
	(void)message;
	options->files[options->file_count].path = value;
	options->files[options->file_count++].format = CONFIG_AUTO;
	return 0;
}

static int
take_pid_file(struct options *options, const char *value, struct text *message)
{
	(void)message;
	options->pid_file = value;
	return 0;
}

/* Where it is missing, xinetd goes on, too. */
static int
take_inetd_compat(
    struct options *options, const char *value, struct text *message)
{
	(void)value, (void)message;
	options->inetd_compat = access(INETD_CONF, F_OK) == 0;
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
    {'d', "", NULL, "log everything, stay in the foreground", take_debug},
    {'f', "", "FILE", "read FILE, not " XINETD_CONF, take_file},
    {0, "dontfork", NULL, "stay in the foreground", take_foreground},
    {0, "pidfile", "FILE", "write the process id to FILE", take_pid_file},
    {0, "inetd_compat", NULL, "read " INETD_CONF " as well", take_inetd_compat},
    {0, "stayalive", NULL, "it stays without services anyway", NULL},
    {0, "inetd_ipv6", NULL, "all addresses are of both families", NULL},
    {0, "syslog", "FACILITY", "the host's facility is daemon", NULL},
    {0, "filelog", "FILE", "the host logs to syslog; see log_type", NULL},
    {0, "limit", "NUMBER", "instances limits each service", NULL},
    {0, "logprocs", "NUMBER", "there are no processes that log", NULL},
    {0, "cc", "SECONDS", "there is nothing to check", NULL},
    {0, "version", NULL, "print the version", take_version},
    {0, "help", NULL, "print this help", take_help},
    {0, NULL, NULL, NULL, NULL},
};

static void
begin(struct options *options)
{
	options->daemon = true;
}

static int
end_of_words(struct options *options, struct text *message)
{
	if (options->file_count == 0)
		take_file(options, XINETD_CONF, message);
	if (!options->inetd_compat)
		return 0;
	options->files[options->file_count].path = INETD_CONF;
	options->files[options->file_count++].format = CONFIG_AUTO;
	return 0;
}

static const struct option_table table = {
    .program = "xinetd",
    .about = "This is berthd, called as xinetd.",
    .end = "Without -f, " XINETD_CONF " is read.  See berth-from-xinetd(7).\n",
    .rows = rows,
    .one_dash = true,
    .begin = begin,
    .end_of_words = end_of_words,
};

const struct option_table *
options_of_xinetd(void)
{
	return &table;
}
