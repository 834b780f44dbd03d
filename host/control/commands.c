/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The command table: what can be said at every door, with the text of its own
 * help.  A directive is a command like any other.
 */

#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "config.h"
#include "control/control_priv.h"

static void
add_string(struct text *text, const char *string)
{
	text_add(text, string, strlen(string));
}

enum command_status
command_answer(const struct request *request, struct text *text,
    enum command_status status, const char *format, ...)
{
	AUTO_TEXT message;
	va_list ap;

	text_init(&message);
	va_start(ap, format);
	text_vprintf(&message, format, ap);
	va_end(ap);
	if (request->flags & COMMAND_JSON) {
		text_json(text, text_string(&message), message.size);
	} else {
		text_add(text, text_string(&message), message.size);
		text_add(text, "\n", 1);
	}
	return status;
}

struct record *
command_service(
    struct host *host, const struct request *request, struct text *text)
{
	struct suggestion suggestion;
	struct record *record;

	record = repository_find(host->repository, request->arguments);
	if (record != NULL)
		return record;
	suggestion_init(&suggestion, request->arguments);
	record = repository_first(host->repository);
	for (; record != NULL; record = record_next(record))
		suggestion_offer(&suggestion, record_name(record));
	command_answer(request, text, COMMAND_REFUSED,
	    "no service named '%s'%s%s%s", request->arguments,
	    suggestion.best ? "; did you mean '" : "",
	    suggestion.best ? suggestion.best : "",
	    suggestion.best ? "'?" : "");
	return NULL;
}

/* --- commands --- */

static void
help_row(const struct command *row, unsigned flags, struct text *text)
{
	if (flags & COMMAND_JSON) {
		add_string(text, "{\"name\":");
		text_json(text, row->name, strlen(row->name));
		add_string(text, ",\"syntax\":");
		text_json(text, row->syntax, strlen(row->syntax));
		add_string(text, ",\"help\":");
		text_json(text, row->help, strlen(row->help));
		add_string(text, "}");
		return;
	}
	text_printf(text, "%-11s %-22s %s%s\n", row->name, row->syntax,
	    row->help, row->flags & COMMAND_CONTROL ? " *" : "");
}

static const struct command *
find_command(const char *word, size_t size, struct suggestion *suggestion)
{
	const struct command *row = host_commands();

	suggestion_init(suggestion, word);
	for (; row->name != NULL; row++) {
		if (strlen(row->name) == size &&
		    strncasecmp(row->name, word, size) == 0)
			return row;
		suggestion_offer(suggestion, row->name);
	}
	return NULL;
}

static enum command_status
unknown_command(const struct request *request, const char *word,
    const struct suggestion *suggestion, struct text *text)
{
	return command_answer(request, text, COMMAND_USAGE,
	    "no command '%s'%s%s%s", word,
	    suggestion->best ? "; did you mean '" : "; try help",
	    suggestion->best ? suggestion->best : "",
	    suggestion->best ? "'?" : "");
}

static enum command_status
command_help(
    struct host *host, const struct request *request, struct text *text)
{
	const char *word = request->arguments;
	const struct command *row = NULL;
	bool json = (request->flags & COMMAND_JSON) != 0;
	struct suggestion suggestion;

	(void)host;
	if (word[0] != '\0') {
		row = find_command(word, strlen(word), &suggestion);
		if (row == NULL)
			return unknown_command(
			    request, word, &suggestion, text);
	}
	if (json)
		add_string(text, "[");
	if (row != NULL)
		help_row(row, request->flags, text);
	for (row = row == NULL ? host_commands() : NULL;
	     row != NULL && row->name != NULL; row++) {
		if (json && row != host_commands())
			add_string(text, ",");
		help_row(row, request->flags, text);
	}
	if (json)
		add_string(text, "]");
	else if (word[0] == '\0')
		add_string(text, "* changes things: needs control\n");
	return COMMAND_OK;
}

static void
add_report(const struct report *report, const struct request *request,
    struct text *text)
{
	const struct text *from = request->flags & COMMAND_JSON ? &report->json
								: &report->text;

	text_add(text, text_string(from), from->size);
}

static enum command_status
apply(struct host *host, enum apply_mode mode, const char *directives,
    struct report *report)
{
	struct errors *errors = errors_new(ERRORS_A_FILE);
	int result;

	if (errors == NULL)
		return COMMAND_REFUSED;
	result = host_apply(host, mode, directives, errors, report);
	errors_free(errors);
	return result == 0 ? COMMAND_OK : COMMAND_REFUSED;
}

static enum command_status
command_plan(
    struct host *host, const struct request *request, struct text *text)
{
	enum command_status status;
	struct report report;

	report_init(&report);
	status = apply(host, APPLY_PLAN, NULL, &report);
	add_report(&report, request, text);
	report_fini(&report);
	return status;
}

enum command_status
host_directive(struct host *host, const char *directives, const char *who,
    struct report *report)
{
	enum command_status status = apply(
	    host, APPLY_COMMAND, directives, report);

	/* The first of them names what was asked for. */
	log_printf(host->log, BERTH_NOTICE, NULL, "%s: %.*s: %s", who,
	    (int)strcspn(directives, "\n"), directives,
	    status == COMMAND_OK ? "done" : "refused");
	return status;
}

enum command_status
host_directive_reply(struct host *host, const struct request *request,
    const char *directives, struct text *text)
{
	enum command_status status;
	struct report report;

	report_init(&report);
	status = host_directive(host, directives, "command", &report);
	add_report(&report, request, text);
	report_fini(&report);
	return status;
}

static enum command_status
command_directive(
    struct host *host, const struct request *request, struct text *text)
{
	AUTO_TEXT line;

	text_init(&line);
	text_printf(&line, "%s %s", request->command->name, request->arguments);
	if (line.failed)
		return command_answer(
		    request, text, COMMAND_REFUSED, "no memory");
	return host_directive_reply(host, request, line.data, text);
}

static enum command_status
command_reconfigure(
    struct host *host, const struct request *request, struct text *text)
{
	struct report report;
	int result;

	report_init(&report);
	result = host_reload_now(host, &report);
	add_report(&report, request, text);
	report_fini(&report);
	return result == 0 ? COMMAND_OK : COMMAND_REFUSED;
}

static enum command_status
command_log(struct host *host, const struct request *request, struct text *text)
{
	int level = log_level_parse(request->arguments);

	if (strcasecmp(request->arguments, "reopen") == 0) {
		host_reopen_logs(host);
		return command_answer(
		    request, text, COMMAND_OK, "log files are open anew");
	}
	if (level < 0)
		return command_answer(request, text, COMMAND_USAGE,
		    "log takes error, warning, notice, info or debug, or "
		    "reopen");
	__atomic_store_n(&host->log->level, level, __ATOMIC_RELAXED);
	return command_answer(request, text, COMMAND_OK, "log level is %s",
	    log_level_name(level));
}

static enum command_status
command_version(
    struct host *host, const struct request *request, struct text *text)
{
	(void)host;
	return command_answer(request, text, COMMAND_OK,
	    "berthd %s, plugin interface %d.%d", PACKAGE_VERSION,
	    BERTH_ABI_MAJOR, BERTH_ABI_MINOR);
}

static void
stop_soon(void *context)
{
	host_stop(context);
}

static enum command_status
command_shutdown(
    struct host *host, const struct request *request, struct text *text)
{
	/* The reply goes out first. */
	if (reactor_post(&host->owner, stop_soon, host) < 0)
		return command_answer(
		    request, text, COMMAND_REFUSED, "no memory");
	return command_answer(request, text, COMMAND_OK, "shutting down");
}

/* --- the table --- */

static const struct command table[] = {
    {"help", "[COMMAND]", "the commands", 0, command_help},
    {"list", "", "all services, a line each", 0, command_list},
    {"show", "NAME", "all about a service", 0, command_show},
    {"sessions", "NAME", "the sessions of a service", 0, command_sessions},
    {"stats", "", "counters of the host", 0, command_stats},
    {"report", "", "services as ACE's manager lists them", 0, command_report},
    {"check", "", "read and judge the files, change nothing", 0, command_plan},
    {"plan", "", "what a reload would change", 0, command_plan},
    {"version", "", "of the host and its plugin interface", 0, command_version},
    {"reconfigure", "", "read the files again and apply them", COMMAND_CONTROL,
	command_reconfigure},
    {"reload", "", "the same", COMMAND_CONTROL, command_reconfigure},
    {"dynamic", "NAME TYPE LOCATION ...", "add or change a service",
	COMMAND_CONTROL, command_directive},
    {"static", "NAME ...", "add or change a built-in service", COMMAND_CONTROL,
	command_directive},
    {"remove", "NAME", "drain a service and unload it", COMMAND_CONTROL,
	command_directive},
    {"suspend", "NAME|all [for TIME]", "let new clients wait", COMMAND_CONTROL,
	command_suspend},
    {"resume", "NAME|all", "serve them", COMMAND_CONTROL, command_suspend},
    {"stream", "NAME { ... }", "work on a stream", COMMAND_CONTROL,
	command_directive},
    {"log", "LEVEL|reopen", "what is logged; open the log files anew",
	COMMAND_CONTROL, command_log},
    {"shutdown", "", "end the host in order", COMMAND_CONTROL,
	command_shutdown},
    {NULL, NULL, NULL, 0, NULL},
};

const struct command *
host_commands(void)
{
	return table;
}

static enum command_status
run_row(struct host *host, struct request *request, struct text *text)
{
	const struct command *row = request->command;

	if (row->flags & ~request->flags & COMMAND_CONTROL)
		return command_answer(request, text, COMMAND_DENIED,
		    "'%s' changes things: not allowed here", row->name);
	if ((row->flags & COMMAND_CONTROL) && host->stopping)
		return command_answer(request, text, COMMAND_REFUSED,
		    "the host is ending: '%s' comes too late", row->name);
	if (row->syntax[0] == '\0' && request->arguments[0] != '\0')
		return command_answer(request, text, COMMAND_USAGE,
		    "'%s' takes no words", row->name);
	if (row->syntax[0] != '\0' && row->syntax[0] != '[' &&
	    request->arguments[0] == '\0')
		return command_answer(request, text, COMMAND_USAGE,
		    "usage: %s %s", row->name, row->syntax);
	return row->run(host, request, text);
}

enum command_status
host_command(
    struct host *host, const char *line, unsigned flags, struct text *text)
{
	struct request request = {.flags = flags};
	struct suggestion suggestion;
	AUTO_TEXT copy;
	char *word, *end;

	text_init(&copy);
	while (isspace((unsigned char)*line))
		line++;
	add_string(&copy, line);
	if (copy.failed)
		return command_answer(
		    &request, text, COMMAND_REFUSED, "no memory");
	if (copy.size == 0)
		return COMMAND_OK;
	while (
	    copy.size > 0 && isspace((unsigned char)copy.data[copy.size - 1]))
		copy.data[--copy.size] = '\0';
	word = copy.data;
	end = word + strcspn(word, " \t");
	request.arguments = end + strspn(end, " \t");
	*end = '\0';
	request.command = find_command(word, (size_t)(end - word), &suggestion);
	if (request.command == NULL)
		return unknown_command(&request, word, &suggestion, text);
	return run_row(host, &request, text);
}
