/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Says what a plan does: one line a change and a summary for people, one JSON
 * object for programs, from the same facts.
 */

#include "reload/reload_priv.h"

static char
sign(enum fate fate)
{
	switch (fate) {
	case FATE_ADD:
		return '+';
	case FATE_REPLACE:
		return '>';
	case FATE_REMOVE:
		return '-';
	case FATE_UPDATE:
	case FATE_SUSPEND:
	case FATE_RESUME:
		return '~';
	case FATE_KEEP:
		break;
	}
	return '=';
}

unsigned
plan_changes(const struct plan *plan)
{
	struct step *step;
	unsigned count = 0;

	TAILQ_FOREACH (step, &plan->steps, link)
		if (step->fate != FATE_KEEP)
			count++;
	return count;
}

/* Those that were there before and go on as they are: all that run, less those
 * that the plan is about. */
static unsigned
unchanged(const struct plan *plan)
{
	struct record *record = repository_first(plan->options.repository);
	const struct step *step;
	unsigned count = 0;

	for (; record != NULL; record = record_next(record))
		count += record_current(record) != NULL;
	TAILQ_FOREACH (step, &plan->steps, link) {
		if (step->fate == FATE_ADD)
			count -= plan->committed;
		else if (step->fate != FATE_KEEP && step_running(step) != NULL)
			count--;
	}
	return count;
}

void
plan_report(const struct plan *plan, struct text *text)
{
	unsigned errors = errors_count(plan->options.errors);
	unsigned kept = unchanged(plan);
	struct step *step;

	if (errors > 0) {
		text_printf(text, "! nothing changed: %u error%s\n", errors,
		    errors == 1 ? "" : "s");
		return;
	}
	TAILQ_FOREACH (step, &plan->steps, link) {
		if (step->fate == FATE_KEEP)
			continue;
		text_printf(text, "%c %s", sign(step->fate), step->name);
		if (step->reason[0] != '\0')
			text_printf(text, " (%s)", step->reason);
		text_add(text, "\n", 1);
	}
	if (kept > 0 || plan_changes(plan) == 0)
		text_printf(text, "= %u unchanged\n", kept);
}

static void
json_string(struct text *text, const char *string)
{
	text_json(text, string, strlen(string));
}

/* Those that a change may concern. */
static unsigned long long
sessions_of(const struct step *step)
{
	struct server_counters counters = {.sessions_active = 0};
	const struct instance *running = step_running(step);

	if (running != NULL && instance_server(running) != NULL)
		server_counters(instance_server(running), &counters);
	return counters.sessions_active;
}

void
plan_report_json(const struct plan *plan, struct text *text)
{
	unsigned errors = errors_count(plan->options.errors);
	const char *comma = "";
	struct step *step;

	text_printf(text, "{\"changed\":%s,\"changes\":[",
	    errors == 0 && plan_changes(plan) > 0 ? "true" : "false");
	TAILQ_FOREACH (step, &plan->steps, link) {
		if (step->fate == FATE_KEEP || errors > 0)
			continue;
		text_printf(text, "%s{\"service\":", comma);
		json_string(text, step->name);
		text_printf(text,
		    ",\"fate\":\"%s\",\"reason\":", fate_name(step->fate));
		json_string(text, step->reason);
		text_printf(text, ",\"sessions\":%llu", sessions_of(step));
		text_add(text, "}", 1);
		comma = ",";
	}
	text_printf(text, "],\"unchanged\":%u,\"errors\":", unchanged(plan));
	errors_print_json(plan->options.errors, text);
	text_add(text, "}", 1);
}
