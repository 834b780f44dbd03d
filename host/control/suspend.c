/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The commands suspend and resume: of one service or of all, and `suspend NAME
 * for TIME`, which resumes by itself.
 *
 * They become directives like any other; only the time is kept here.  A timed
 * suspension survives reloads; saying suspend or resume again ends it.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "control/control_priv.h"

struct timed {
	LIST_ENTRY(timed) link;
	struct berth_handler handler;
	struct host *host;
	char *name; /* NULL: all services */
};

static void
timed_free(struct timed *timed)
{
	LIST_REMOVE(timed, link);
	free(timed->name);
	free(timed);
}

void
suspend_forget_all(struct host *host)
{
	struct timed *timed;

	while ((timed = LIST_FIRST(&host->timed)) != NULL)
		timed_free(timed);
}

/* NULL: those of all services. */
static void
forget(struct host *host, const char *name)
{
	struct timed *timed = LIST_FIRST(&host->timed);

	while (timed != NULL) {
		struct timed *next = LIST_NEXT(timed, link);

		if (name == NULL ||
		    (timed->name != NULL && strcmp(timed->name, name) == 0)) {
			reactor_cancel_all(&host->owner, &timed->handler);
			timed_free(timed);
		}
		timed = next;
	}
}

/* --- the directives of a word --- */

static void
add_directive(
    struct text *text, enum directive_kind kind, const struct record *record)
{
	enum service_state state = record_state(record);
	bool suspended = state == SERVICE_SUSPENDED || state == SERVICE_FAILED;

	if (record_current(record) != NULL &&
	    suspended == (kind == DIRECTIVE_RESUME))
		text_printf(text, "%s %s\n", directive_kind_name(kind),
		    record_name(record));
}

/* name NULL: all that are in the other state. */
static void
write_directives(struct host *host, enum directive_kind kind, const char *name,
    struct text *text)
{
	struct record *record = repository_first(host->repository);

	if (name != NULL) {
		text_printf(text, "%s %s", directive_kind_name(kind), name);
		return;
	}
	for (; record != NULL; record = record_next(record))
		add_directive(text, kind, record);
}

#define AGAIN_NS MONO_MS(20)

static int
time_over(struct berth_handler *handler, uint64_t now_ns, void *token)
{
	struct timed *timed = BASE_CONTAINER(handler, struct timed, handler);
	struct host *host = timed->host;
	struct record *record = NULL;
	struct report report;
	AUTO_TEXT directives;

	(void)now_ns;
	(void)token;
	/* Something else is being applied: a little later, then. */
	if (host->applying && reactor_schedule(&host->owner, handler, NULL,
				  AGAIN_NS, 0, NULL) == 0)
		return 0;
	text_init(&directives);
	if (timed->name != NULL)
		record = repository_find(host->repository, timed->name);
	if (timed->name == NULL)
		write_directives(host, DIRECTIVE_RESUME, NULL, &directives);
	else if (record != NULL)
		add_directive(&directives, DIRECTIVE_RESUME, record);
	timed_free(timed);
	report_init(&report);
	if (directives.size > 0 && host_directive(host, directives.data,
				       "time is over", &report) != COMMAND_OK)
		host_log_lines(host, BERTH_ERROR, text_string(&report.text));
	report_fini(&report);
	return 0;
}

static const struct berth_handler_type timed_type = {
    .timeout = time_over,
};

static int
remember(struct host *host, const char *name, uint64_t ms)
{
	struct timed *timed = calloc(1, sizeof(*timed));
	int result = -ENOMEM;

	if (timed == NULL)
		return -ENOMEM;
	LIST_INSERT_HEAD(&host->timed, timed, link);
	timed->host = host;
	timed->handler.type = &timed_type;
	if (name != NULL)
		timed->name = strdup(name);
	if (name == NULL || timed->name != NULL)
		result = reactor_schedule(
		    &host->owner, &timed->handler, NULL, MONO_MS(ms), 0, NULL);
	if (result < 0)
		timed_free(timed);
	return result;
}

/* --- the commands --- */

struct wish {
	char *name; /* within the copy; NULL: all */
	bool timed;
	uint64_t ms;
};

/* "NAME", "all", "NAME for TIME"; -EINVAL when it is none of them. */
static int
parse(char *arguments, struct wish *ret_wish)
{
	struct wish wish = {.timed = false};
	char *rest = arguments;
	char *word;

	wish.name = strsep(&rest, " \t");
	while ((word = strsep(&rest, " \t")) != NULL && *word == '\0')
		continue;
	if (word != NULL) {
		if (strcasecmp(word, "for") != 0 || rest == NULL ||
		    config_time(rest + strspn(rest, " \t"), &wish.ms) < 0)
			return -EINVAL;
		wish.timed = true;
	}
	if (strcmp(wish.name, "all") == 0)
		wish.name = NULL;
	*ret_wish = wish;
	return 0;
}

enum command_status
command_suspend(
    struct host *host, const struct request *request, struct text *text)
{
	bool resume = strcmp(request->command->name, "resume") == 0;
	enum command_status status;
	AUTO_FREE char *copy = strdup(request->arguments);
	AUTO_TEXT directives;
	struct wish wish;

	text_init(&directives);
	if (copy == NULL)
		return command_answer(
		    request, text, COMMAND_REFUSED, "no memory");
	if (parse(copy, &wish) < 0 || (resume && wish.timed))
		return command_answer(request, text, COMMAND_USAGE,
		    "usage: %s %s", request->command->name,
		    request->command->syntax);
	write_directives(host, resume ? DIRECTIVE_RESUME : DIRECTIVE_SUSPEND,
	    wish.name, &directives);
	status = host_directive_reply(
	    host, request, text_string(&directives), text);
	if (status != COMMAND_OK)
		return status;
	forget(host, wish.name);
	if (wish.timed && remember(host, wish.name, wish.ms) < 0)
		return command_answer(request, text, COMMAND_REFUSED,
		    "no memory for the timer: it stays suspended");
	return COMMAND_OK;
}
