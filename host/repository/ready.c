/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The trial of a new instance: it serves, and is asked until it says that it
 * is ready; until then the instance before it stands by.  When it says no, or
 * nothing within ready_timeout, the one before takes over again; without one
 * the service fails and its clients wait.
 */

#include <errno.h>

#include "repository/repository_priv.h"

static void
schedule(struct instance *instance)
{
	struct repository *repository = instance->repository;

	if (reactor_schedule(&repository->owner, &instance->poller, NULL,
		MONO_MS(instance->ready_in_ms), 0, NULL) < 0)
		log_printf(repository->log, BERTH_ERROR, instance->public.name,
		    "no memory to ask it again whether it is ready");
}

static void
give_up(struct instance *instance, struct errors *errors)
{
	struct repository *repository = instance->repository;
	AUTO_TEXT text;

	text_init(&text);
	if (errors_count(errors) == 0)
		errors_add(errors, SEVERITY_ERROR, -ETIMEDOUT, NULL,
		    "'%s' was not ready within its ready_timeout",
		    instance->public.name);
	record_roll_back(instance->record, errors);
	errors_print(errors, &text);
	log_printf(repository->log, BERTH_ERROR, instance->public.name, "%.*s",
	    (int)(text.size > 0 ? text.size - 1 : 0), text_string(&text));
}

static int
ask_again(struct berth_handler *handler, uint64_t now_ns, void *token)
{
	struct instance *instance = BASE_CONTAINER(
	    handler, struct instance, poller);
	struct errors *errors = errors_new(0);
	int result;

	(void)token;
	if (errors == NULL) {
		schedule(instance);
		return 0;
	}
	result = instance_ask_ready_again(instance, errors);
	if (result < 0 ||
	    (instance->ready_in_ms > 0 && now_ns >= instance->ready_until.ns))
		give_up(instance, errors);
	else if (instance->ready_in_ms > 0)
		schedule(instance);
	else
		record_settle(instance->record);
	errors_free(errors);
	return 0;
}

static const struct berth_handler_type poller_type = {
    .timeout = ask_again,
};

/* It was made current. */
void
ready_begin(struct instance *instance)
{
	if (instance->ready_in_ms == 0)
		return;
	instance->poller.type = &poller_type;
	instance->ready_until.ns =
	    instance->since.ns +
	    MONO_MS(instance->definition->settings->ready_timeout_ms);
	schedule(instance);
}

void
ready_end(struct instance *instance)
{
	if (instance->ready_in_ms > 0)
		reactor_cancel_all(
		    &instance->repository->owner, &instance->poller);
	instance->ready_in_ms = 0;
}
