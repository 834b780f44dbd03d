/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Compares what a service is with what it shall be, and says why they differ.
 *
 * Identity is: kind, type, location, plugin file, words, and those attributes
 * whose class is CHANGE_REPLACE.  All other attributes change live.
 */

#include <errno.h>
#include <string.h>

#include "reload/reload_priv.h"

static bool
same_location(const struct definition *now, const struct directive *then)
{
	return now->kind == then->kind && now->type == then->type &&
	       now->factory == then->factory &&
	       plan_same_string(now->path, then->path) &&
	       plan_same_string(now->symbol, then->symbol);
}

static bool
same_words(const struct definition *now, const struct directive *then)
{
	if (now->argc != then->argc)
		return false;
	for (int i = 0; i < now->argc; i++)
		if (strcmp(now->argv[i], then->argv[i]) != 0)
			return false;
	return true;
}

/* Adds "name" to the list of what changed. */
static void
add_reason(struct text *text, const char *what)
{
	text_printf(text, "%s%s", text->size > 0 ? ", " : "", what);
}

static void
add_file_reason(struct text *text, const struct plugin_identity *now,
    const struct plugin_identity *then)
{
	if (now->build_id[0] == '\0' || then->build_id[0] == '\0' ||
	    strcmp(now->build_id, then->build_id) == 0)
		add_reason(text, "plugin file changed");
	else
		text_printf(text,
		    "%splugin file changed: build-id %.8s to %.8s",
		    text->size > 0 ? ", " : "", now->build_id, then->build_id);
}

/* Which attributes differ, and the dearest class among them. */
static void
compare_settings(struct step *step, const struct settings *now,
    const struct settings *then, struct text *text, bool *ret_replace)
{
	/* Of running processes the sockets and the user stay. */
	bool workers = definition_has_workers(then, step->definition->type);
	struct given given = given_either(&now->given, &then->given);
	unsigned i = given_next(&given, 0);

	if (workers != definition_has_workers(now, step->definition->type))
		*ret_replace = true;
	/* A program has its connections, or the host has them for it. */
	if (step->definition->type == CONFIG_KIND_PROGRAM &&
	    external_type_of(then) != external_type_of(now))
		*ret_replace = true;
	for (; i < ATTRIBUTE_ROWS; i = given_next(&given, i + 1)) {
		const struct attribute *row = &attributes(ATTRIBUTE_SERVICE)[i];

		if (row->synonym_of != NULL || attribute_equal(row, now, then))
			continue;
		add_reason(text, row->name);
		if (row->change == CHANGE_REPLACE ||
		    (workers &&
			(row->of_process || row->change == CHANGE_REBIND)))
			*ret_replace = true;
		else
			step->fate = FATE_UPDATE;
		if (row->change == CHANGE_REBIND)
			step->rebind = true;
	}
}

static void
compare_definition(
    struct step *step, struct instance *running, struct text *text)
{
	const struct definition *now = instance_definition(running);
	const struct directive *then = step->definition;
	bool replace = false;

	if (!same_location(now, then)) {
		add_reason(text, "location changed");
		replace = true;
	} else if (now->identity != step->identity &&
		   !plugin_identity_equal(now->identity, step->identity)) {
		add_file_reason(text, now->identity, step->identity);
		replace = true;
	}
	if (!same_words(now, then)) {
		add_reason(text, "args changed");
		replace = true;
	}
	compare_settings(step, now->settings, then->settings, text, &replace);
	if (step->was_removed && text->size == 0)
		add_reason(text, "removed and defined again");
	if (replace || step->was_removed)
		step->fate = FATE_REPLACE;
}

/* A state that nobody named stays; a changed `inactive` counts as named. */
static void
decide_state(struct step *step, struct instance *running)
{
	bool was_suspended = instance_is_down(running);

	if (!step->state_given)
		step->suspended = was_suspended;
	if (!step->state_given && step->definition != NULL &&
	    (step->was_removed || step->definition->inactive !=
				      instance_definition(running)->inactive))
		step->suspended = step->definition->inactive;
	step->to_suspended = step->suspended && !was_suspended;
	step->to_active = !step->suspended && was_suspended;
}

static void
compare_running(struct step *step, struct instance *running, struct text *text)
{
	step->fate = FATE_KEEP;
	if (!step->present) {
		step->fate = FATE_REMOVE;
		add_reason(text, step->reason);
		return;
	}
	if (step->definition != NULL)
		compare_definition(step, running, text);
	decide_state(step, running);
	if (step->to_suspended)
		add_reason(text, "suspended");
	if (step->to_active)
		add_reason(text, "resumed");
	if (step->fate == FATE_KEEP && step->to_suspended)
		step->fate = FATE_SUSPEND;
	if (step->fate == FATE_KEEP && step->to_active)
		step->fate = FATE_RESUME;
}

/* Names of hosts, ports and services: mistakes of the file, told before
 * anything is bound. */
static void
check_endpoints(const struct plan *plan, const struct step *step)
{
	const struct settings *settings = step->definition->settings;
	struct address address;

	for (unsigned i = 0; i < settings->listen_count; i++)
		address_resolve(
		    &settings->listen[i], plan->options.errors, &address);
}

int
step_compare(struct plan *plan, struct step *step)
{
	struct instance *running = step_running(step);
	AUTO_TEXT text;

	text_init(&text);
	if (running != NULL) {
		compare_running(step, running, &text);
	} else if (step->present) {
		step->fate = FATE_ADD;
		if (!step->state_given)
			step->suspended = step->definition->inactive;
		if (step->suspended)
			add_reason(&text, "suspended");
	} else {
		/* Defined and removed in one tree. */
		step->fate = FATE_KEEP;
	}
	if (step->definition != NULL &&
	    (step->fate == FATE_ADD || step->fate == FATE_REPLACE ||
		step->rebind))
		check_endpoints(plan, step);
	/* Most go on as they are, and have none. */
	step->reason = "";
	if (text.size > 0)
		step->reason = arena_string(plan->arena, text_string(&text));
	return step->reason == NULL || text.failed ? -ENOMEM : 0;
}
