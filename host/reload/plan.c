/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Makes a plan: runs the directives of a tree, in order, on a copy of what the
 * repository says, and gives each service that is concerned its fate.
 * Nothing is opened, bound or called.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "reload/reload_priv.h"

const char *
fate_name(enum fate fate)
{
	static const char *const names[] = {
	    [FATE_KEEP] = "keep",
	    [FATE_UPDATE] = "update",
	    [FATE_REPLACE] = "replace",
	    [FATE_ADD] = "add",
	    [FATE_REMOVE] = "remove",
	    [FATE_SUSPEND] = "suspend",
	    [FATE_RESUME] = "resume",
	};

	return names[fate];
}

struct step *
plan_find(const struct plan *plan, const char *name)
{
	struct step *step = NULL;

	HASH_FIND_STR(plan->by_name, name, step);
	return step;
}

int
plan_need_step(struct plan *plan, const char *name, struct step **ret_step)
{
	struct step *step = plan_find(plan, name);
	struct instance *running;

	if (step != NULL) {
		*ret_step = step;
		return 0;
	}
	step = arena_alloc(plan->arena, sizeof(*step));
	if (step == NULL)
		return -ENOMEM;
	step->name = name;
	step->reason = "";
	step->record = repository_find(plan->options.repository, name);
	if (step->record != NULL)
		record_mark(step->record, plan->walk);
	running = step_running(step);
	step->present = running != NULL;
	step->suspended = running != NULL && instance_is_down(running);
	HASH_ADD_KEYPTR(
	    hh, plan->by_name, step->name, strlen(step->name), step);
	if (step->hash_failed)
		return -ENOMEM;
	TAILQ_INSERT_TAIL(&plan->steps, step, link);
	*ret_step = step;
	return 0;
}

/* --- plugins: each file is judged once a plan --- */

/* Of what comes from no file. */
static const struct plugin_identity no_plugin;

static int
check_new_location(struct plan *plan, const struct directive *directive,
    const struct plugin_identity **ret_identity)
{
	struct plugin_location where = {
	    .path = directive->path,
	    .symbol = directive->symbol,
	    .factory = directive->factory,
	    .kind = directive->type,
	};
	struct checked *checked = NULL;
	const char *key;
	int result;

	key = arena_printf(plan->arena, "%s:%s:%d:%u",
	    directive->path == NULL ? "" : directive->path, directive->symbol,
	    directive->factory, directive->type);
	if (key == NULL)
		return -ENOMEM;
	HASH_FIND_STR(plan->checked, key, checked);
	if (checked != NULL) {
		*ret_identity = &checked->identity;
		return 0;
	}
	checked = arena_alloc(plan->arena, sizeof(*checked));
	if (checked == NULL)
		return -ENOMEM;
	result = plugin_check(plan->options.plugins, &where,
	    &directive->location_place, plan->options.errors,
	    &checked->identity);
	if (result < 0)
		return result;
	checked->key = key;
	HASH_ADD_KEYPTR(hh, plan->checked, checked->key, strlen(key), checked);
	*ret_identity = &checked->identity;
	return checked->hash_failed ? -ENOMEM : 0;
}

static int
check_location(struct plan *plan, const struct directive *directive,
    const struct plugin_identity **ret_identity)
{
	const struct directive *last = plan->last_checked;
	int result;

	if (last == NULL || last->type != directive->type ||
	    last->factory != directive->factory ||
	    !plan_same_string(last->path, directive->path) ||
	    !plan_same_string(last->symbol, directive->symbol)) {
		result = check_new_location(
		    plan, directive, &plan->last_identity);
		plan->last_checked = result == 0 ? directive : NULL;
		if (result != 0)
			return result;
	}
	*ret_identity = plan->last_identity;
	return 0;
}

static int
check_static(struct plan *plan, const struct directive *directive)
{
	struct suggestion suggestion;

	if (plugin_static(plan->options.plugins, directive->name) != NULL)
		return 0;
	suggestion_init(&suggestion, directive->name);
	plugin_suggest_static(plan->options.plugins, &suggestion);
	errors_add(plan->options.errors, SEVERITY_ERROR, -ENOENT,
	    &directive->name_place, "no static service named '%s'%s%s%s",
	    directive->name, suggestion.best ? "; did you mean '" : "",
	    suggestion.best ? suggestion.best : "",
	    suggestion.best ? "'?" : "");
	return -ENOENT;
}

/* What only a process of its own has: who gives it to a service inside the
 * host is told so. */
static void
warn_of_process_words(struct plan *plan, const struct directive *directive)
{
	const struct attribute *row = attributes(ATTRIBUTE_SERVICE);
	const struct given *given = &directive->settings->given;
	bool workers = definition_has_workers(
	    directive->settings, directive->type);
	unsigned i = given_next(given, 0);

	for (; i < ATTRIBUTE_ROWS; i = given_next(given, i + 1)) {
		if (row[i].programs_only)
			errors_add(plan->options.errors, SEVERITY_WARNING, 0,
			    &directive->name_place,
			    "'%s' is for programs: '%s' is served by the host "
			    "itself, which does not apply it",
			    row[i].name, directive->name);
		else if (row[i].of_process && !workers)
			errors_add(plan->options.errors, SEVERITY_WARNING, 0,
			    &directive->name_place,
			    "'%s' is for programs and workers: '%s' is served "
			    "inside the host, which does not apply it",
			    row[i].name, directive->name);
	}
}

static int
check_code(struct plan *plan, const struct directive *directive,
    const struct plugin_identity **ret_identity)
{
	int result;

	*ret_identity = &no_plugin;
	if (directive->type == CONFIG_KIND_PROGRAM)
		return external_check(plan->arena,
		    repository_groups(plan->options.repository), directive,
		    plan->options.errors);
	if (directive->kind == DIRECTIVE_STATIC) {
		result = check_static(plan, directive);
	} else {
		warn_of_process_words(plan, directive);
		result = check_location(plan, directive, ret_identity);
	}
	if (result < 0)
		return result;
	return repository_check_workers(plan->options.repository, plan->arena,
	    directive, plan->options.errors);
}

/* Of its type, as far as they are known by now. */
static uint32_t
flags_of(const struct plan *plan, const struct directive *directive,
    const struct plugin_identity *identity)
{
	const struct berth_service_type *type =
	    directive->kind == DIRECTIVE_STATIC
		? plugin_static(plan->options.plugins, directive->name)->make()
		: NULL;

	if (type != NULL)
		return type->flags;
	return identity->flags_known ? identity->flags : BERTH_CONCURRENT;
}

static int
check_definition(struct plan *plan, const struct directive *directive,
    const struct plugin_identity **ret_identity)
{
	int result = check_code(plan, directive, ret_identity);

	if (result < 0)
		return result;
	return repository_check_concurrency(directive,
	    flags_of(plan, directive, *ret_identity), plan->options.errors);
}

/* --- the directives --- */

static int
run_define(struct plan *plan, const struct directive *directive)
{
	const struct plugin_identity *identity;
	struct step *step;
	int result;

	result = check_definition(plan, directive, &identity);
	if (result < 0)
		return result;
	result = plan_need_step(plan, directive->name, &step);
	if (result < 0)
		return result;
	step->definition = directive;
	step->place = directive->name_place;
	step->identity = identity;
	step->present = true;
	step->state_given = false;
	/* The last definition gives the place in the order. */
	TAILQ_REMOVE(&plan->steps, step, link);
	TAILQ_INSERT_TAIL(&plan->steps, step, link);
	return 0;
}

static void
suggest_services(struct plan *plan, struct suggestion *suggestion)
{
	struct record *record;
	struct step *step;

	TAILQ_FOREACH (step, &plan->steps, link)
		if (step->present)
			suggestion_offer(suggestion, step->name);
	record = repository_first(plan->options.repository);
	for (; record != NULL; record = record_next(record))
		if (plan_find(plan, record_name(record)) == NULL)
			suggestion_offer(suggestion, record_name(record));
}

static int
no_such_service(struct plan *plan, const struct directive *directive)
{
	struct suggestion suggestion;

	suggestion_init(&suggestion, directive->name);
	suggest_services(plan, &suggestion);
	errors_add(plan->options.errors, SEVERITY_ERROR, -ENOENT,
	    &directive->name_place,
	    directive->kind == DIRECTIVE_STREAM
		? "no %2$s named '%1$s'%3$s%4$s%5$s"
		: "no service named '%s' to %s%s%s%s",
	    directive->name, directive_kind_name(directive->kind),
	    suggestion.best ? "; did you mean '" : "",
	    suggestion.best ? suggestion.best : "",
	    suggestion.best ? "'?" : "");
	return -ENOENT;
}

int
plan_need_present(struct plan *plan, const struct directive *directive,
    struct step **ret_step)
{
	struct step *step = plan_find(plan, directive->name);
	struct record *record;

	if (step == NULL) {
		record = repository_find(
		    plan->options.repository, directive->name);
		if (record == NULL || record_current(record) == NULL)
			return no_such_service(plan, directive);
	} else if (!step->present) {
		return no_such_service(plan, directive);
	}
	return plan_need_step(plan, directive->name, ret_step);
}

static int
run_remove(struct plan *plan, const struct directive *directive)
{
	struct step *step;
	int result = plan_need_present(plan, directive, &step);

	if (result == 0)
		result = plan_remove_modules(plan, step);
	if (result < 0)
		return result;
	step->present = false;
	step->definition = NULL;
	step->was_removed = true;
	step->place = directive->name_place;
	return 0;
}

static int
run_state(struct plan *plan, const struct directive *directive)
{
	bool suspend = directive->kind == DIRECTIVE_SUSPEND;
	struct step *step;
	int result = plan_need_present(plan, directive, &step);

	if (result < 0)
		return result;
	if (plan->options.command && step->suspended == suspend)
		errors_add(plan->options.errors, SEVERITY_NOTE, 0,
		    &directive->name_place, "'%s' is already %s",
		    directive->name, suspend ? "suspended" : "active");
	step->suspended = suspend;
	step->state_given = true;
	step->place = directive->name_place;
	return plan_state_modules(plan, step);
}

int
plan_run(struct plan *plan, const struct directive *directive)
{
	switch (directive->kind) {
	case DIRECTIVE_DYNAMIC:
	case DIRECTIVE_STATIC:
		return run_define(plan, directive);
	case DIRECTIVE_REMOVE:
		return run_remove(plan, directive);
	case DIRECTIVE_SUSPEND:
	case DIRECTIVE_RESUME:
		return run_state(plan, directive);
	case DIRECTIVE_STREAM:
		break;
	}
	return plan_run_stream(plan, directive);
}

/* Services from files that an exact file does not mention any more. */
static int
run_exact(struct plan *plan)
{
	struct record *record = repository_first(plan->options.repository);

	for (; record != NULL; record = record_next(record)) {
		struct step *step;
		int result;

		if (record_current(record) == NULL ||
		    record_origin(record) != ORIGIN_FILE ||
		    record_is_marked(record, plan->walk))
			continue;
		result = plan_need_step(plan, record_name(record), &step);
		if (result < 0)
			return result;
		step->present = false;
		step->reason = "no longer in the files";
	}
	return 0;
}

static int
build(struct plan *plan)
{
	struct directive *directive;
	struct step *step;
	int result;

	TAILQ_FOREACH (directive, &plan->options.tree->directives, link) {
		if (plan->options.files_only &&
		    !directive->place.source->is_file)
			continue;
		result = plan_run(plan, directive);
		/* Everything else is told in the errors, and goes on. */
		if (result == -ENOMEM)
			return result;
	}
	if (plan->options.exact) {
		result = run_exact(plan);
		if (result < 0)
			return result;
	}
	TAILQ_FOREACH (step, &plan->steps, link) {
		result = step_compare(plan, step);
		if (result < 0)
			return result;
	}
	plan_check_around(plan);
	result = plan_compare_streams(plan);
	return result == 0 ? plan_renew_workers(plan) : result;
}

int
plan_new(const struct plan_options *options, struct plan **ret_plan)
{
	struct plan *plan = calloc(1, sizeof(*plan));
	int result;

	if (plan == NULL)
		return -ENOMEM;
	plan->options = *options;
	TAILQ_INIT(&plan->steps);
	plan->walk = repository_begin_walk(options->repository);
	plan->arena = arena_new();
	result = plan->arena == NULL ? -ENOMEM : build(plan);
	if (result < 0) {
		plan_free(plan);
		return result;
	}
	*ret_plan = plan;
	return 0;
}

struct plan *
plan_free(struct plan *plan)
{
	if (plan == NULL)
		return NULL;
	if (plan->prepared && !plan->committed)
		plan_abandon(plan);
	HASH_CLEAR(hh, plan->by_name);
	HASH_CLEAR(hh, plan->checked);
	arena_free(plan->arena);
	free(plan);
	return NULL;
}
