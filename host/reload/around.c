/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Streams around connections, in a plan: whether each service that names one
 * will find it, made of modules that can stand there.
 *
 * It is the outcome that counts, so this comes when all directives have been
 * gone through.  A service that the plan does not mention is told of at the
 * stream's place, where the reason is.
 */
#include <errno.h>
#include <string.h>

#include "reload/reload_priv.h"

/* One service with what it names. */
struct around {
	struct plan *plan;
	const char *service;
	const char *stream;
	const struct place *place;
};

static void
tell(struct around *around, const char *name, const char *why)
{
	errors_add(around->plan->options.errors, SEVERITY_ERROR, -EINVAL,
	    around->place, "'%s' has '%s' around its connections: %s%s%s",
	    around->service, around->stream, name, name[0] != '\0' ? " " : "",
	    why);
}

/* --- what the stream will be made of ---------------------------------------*/

static void
check_module(struct around *around, const char *name, bool is_filter)
{
	if (!is_filter)
		tell(around, name,
		    "can't stand there, it is no filter; see berth_filter(3)");
}

/* Those that run, but are not defined anew here. */
static unsigned
check_running(struct around *around, struct instance *stream)
{
	unsigned count = 0, places = instance_place_count(stream), i;

	for (i = 0; i < places; i++) {
		const char *name = instance_place_name(stream, i);
		struct step *step = plan_find(around->plan, name);
		struct record *record;

		if (step != NULL &&
		    (!step->present || step->definition != NULL))
			continue;
		record = repository_find(
		    around->plan->options.repository, name);
		if (record == NULL || record_current(record) == NULL)
			continue;
		check_module(
		    around, name, instance_is_filter(record_current(record)));
		count++;
	}
	return count;
}

static unsigned
check_planned(struct around *around)
{
	struct step *step;
	unsigned count = 0;

	TAILQ_FOREACH (step, &around->plan->steps, link) {
		if (!step->present || step->definition == NULL ||
		    !name_is_of_stream(step->name, around->stream))
			continue;
		check_module(around, step->name, step->identity->is_filter);
		count++;
	}
	return count;
}

static void
check_stream(struct around *around)
{
	struct step *step = plan_find(around->plan, around->stream);
	struct record *record = repository_find(
	    around->plan->options.repository, around->stream);
	struct instance *running = record != NULL ? record_current(record)
						  : NULL;
	unsigned count;
	bool is_stream = step != NULL
			     ? step->present &&
				   step_is_stream(around->plan, step)
			     : running != NULL && instance_is_stream(running);

	if (!is_stream) {
		tell(around, "", "there is no stream of that name");
		return;
	}
	count = check_planned(around);
	if (running != NULL && instance_is_stream(running))
		count += check_running(around, running);
	if (count > CHAIN_MODULES_MAX)
		tell(around, "", "it has more than 16 modules");
}

/* --- the services ----------------------------------------------------------*/

static void
check_endpoints(struct around *around, const struct settings *settings)
{
	for (unsigned i = 0; i < settings->listen_count; i++) {
		const struct endpoint_spec *spec = &settings->listen[i];

		if (endpoint_is_datagram(spec->kind) ||
		    spec->kind == ENDPOINT_UNIX_SEQPACKET)
			tell(around, spec->text,
			    "has no connections of bytes that a stream could "
			    "stand around");
	}
}

static void
check_definition(struct plan *plan, struct step *step)
{
	const struct directive *definition = step->definition;
	struct around around = {plan, step->name, definition->settings->stream,
	    &definition->name_place};

	if (around.stream == NULL || around.stream[0] == '\0')
		return;
	if (definition->type == CONFIG_KIND_PROGRAM &&
	    definition->settings->wait)
		tell(&around, "",
		    "with wait = yes the program accepts its clients itself; "
		    "it can't have "
		    "stream");
	else
		check_stream(&around);
	check_endpoints(&around, definition->settings);
}

/* Only what the plan is about can take something from it. */
static void
check_other(struct plan *plan, struct record *record)
{
	struct instance *running = record_current(record);
	struct step *step, *about = NULL;
	struct around around = {plan, record_name(record), NULL, NULL};

	if (running == NULL)
		return;
	around.stream = instance_definition(running)->settings->stream;
	if (around.stream == NULL || around.stream[0] == '\0')
		return;
	step = plan_find(plan, around.service);
	if (step != NULL && (!step->present || step->definition != NULL))
		return;
	TAILQ_FOREACH (step, &plan->steps, link) {
		if (strcmp(step->name, around.stream) == 0 ||
		    name_is_of_stream(step->name, around.stream))
			about = step;
	}
	if (about == NULL)
		return;
	around.place = &about->place;
	check_stream(&around);
}

/* All mistakes are told; they count as the errors that they are. */
void
plan_check_around(struct plan *plan)
{
	struct record *record = repository_first(plan->options.repository);
	struct step *step;

	TAILQ_FOREACH (step, &plan->steps, link) {
		if (step->present && step->definition != NULL)
			check_definition(plan, step);
	}
	for (; record != NULL; record = record_next(record))
		check_other(plan, record);
}
