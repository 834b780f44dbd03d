/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Commands that services ask for, berth_command(): queued, run one at a time
 * from a post, when no hook is on the stack, and answered once unless they
 * were cancelled or their service has ended.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control/control_priv.h"

struct berth_command {
	TAILQ_ENTRY(berth_command) link;
	struct host *host;
	struct berth_service *service;
	char *line;
	unsigned flags;
	berth_reply_fn *reply; /* NULL: cancelled while it runs */
	void *arg;
};

static void
job_free(struct berth_command *job)
{
	free(job->line);
	free(job);
}

static void run_next(void *context);

static void
post_queue(struct host *host)
{
	if (host->queue_posted || host->applying || TAILQ_EMPTY(&host->queue))
		return;
	host->queue_posted = reactor_post(&host->owner, run_next, host) == 0;
}

static void
run_next(void *context)
{
	struct host *host = context;
	struct berth_command *job = TAILQ_FIRST(&host->queue);
	AUTO_TEXT text;

	text_init(&text);
	host->queue_posted = false;
	if (job == NULL || host->applying)
		return;
	TAILQ_REMOVE(&host->queue, job, link);
	host->running = job;
	int status = (int)host_command(host, job->line, job->flags, &text);
	host->running = NULL;
	if (job->reply != NULL)
		job->reply(job->arg, status,
		    berth_bytes(text_string(&text), text.size));
	job_free(job);
	post_queue(host);
}

void
jobs_go_on(struct host *host)
{
	post_queue(host);
}

static int
door_command(void *context, struct berth_service *service, const char *line,
    unsigned flags, berth_reply_fn *reply, void *arg,
    struct berth_command **ret_command)
{
	struct host *host = context;
	struct berth_command *job;

	/* A worker is led by its host alone. */
	if (host->options.is_worker)
		return -EPERM;
	job = calloc(1, sizeof(*job));
	if (job == NULL)
		return -ENOMEM;
	job->host = host;
	job->service = service;
	job->flags = flags;
	job->reply = reply;
	job->arg = arg;
	job->line = strdup(line);
	if (job->line == NULL) {
		job_free(job);
		return -ENOMEM;
	}
	TAILQ_INSERT_TAIL(&host->queue, job, link);
	post_queue(host);
	if (!host->queue_posted && !host->applying) {
		TAILQ_REMOVE(&host->queue, job, link);
		job_free(job);
		return -ENOMEM;
	}
	if (ret_command != NULL)
		*ret_command = job;
	return 0;
}

static void
door_cancel(void *context, struct berth_command *job)
{
	struct host *host = context;

	if (job == host->running) {
		job->reply = NULL;
		return;
	}
	TAILQ_REMOVE(&host->queue, job, link);
	job_free(job);
}

/* NULL: of all services. */
static void
drop(struct host *host, const struct berth_service *service)
{
	struct berth_command *job = TAILQ_FIRST(&host->queue);

	if (host->running != NULL &&
	    (service == NULL || host->running->service == service))
		host->running->reply = NULL;
	while (job != NULL) {
		struct berth_command *next = TAILQ_NEXT(job, link);

		if (service == NULL || job->service == service) {
			TAILQ_REMOVE(&host->queue, job, link);
			job_free(job);
		}
		job = next;
	}
}

static void
door_forget(void *context, struct berth_service *service)
{
	drop(context, service);
}

void
jobs_drop_all(struct host *host)
{
	drop(host, NULL);
}

static void
stop_posted(void *context)
{
	host_stop(context);
}

static void
door_shutdown(void *context)
{
	struct host *host = context;

	if (reactor_post(&host->owner, stop_posted, host) < 0)
		log_printf(host->log, BERTH_ERROR, NULL,
		    "no memory to begin the shutdown that was asked for");
}

static void
door_stopped(void *context)
{
	struct host *host = context;

	reactor_stop(host->reactor);
}

void
jobs_bind(struct host *host, struct repository_doors *doors)
{
	TAILQ_INIT(&host->queue);
	doors->command = door_command;
	doors->command_cancel = door_cancel;
	doors->forget = door_forget;
	doors->shutdown = door_shutdown;
	doors->stopped = door_stopped;
	doors->context = host;
}
