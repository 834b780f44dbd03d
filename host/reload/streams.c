/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Streams in a plan.  A module is a service like any other, whose name is
 * STREAM/MODULE, so that it is planned, replaced, suspended and shown as such;
 * what is particular is its place in the order of its stream.
 *
 * A stream that goes on is changed in place: what leaves is made still and what
 * comes is opened in the preparation, and the commit exchanges them.  One that
 * is replaced is built anew with all of its modules.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "reload/reload_priv.h"

bool
step_is_stream(const struct plan *plan, const struct step *step)
{
	const struct directive *definition = step->definition;
	const struct berth_static_service *service;
	struct instance *running = step_running(step);

	if (definition == NULL)
		return running != NULL && instance_is_stream(running);
	if (definition->kind == DIRECTIVE_DYNAMIC)
		return definition->type == BERTH_KIND_STREAM;
	service = plugin_static(plan->options.plugins, definition->name);
	return service != NULL &&
	       service->make()->header.kind == BERTH_KIND_STREAM;
}

/* --- the directives --- */

static int
run_module(
    struct plan *plan, struct step *stream, const struct directive *directive)
{
	struct directive *module = arena_alloc(plan->arena, sizeof(*module));
	struct step *step;
	int result;

	if (module == NULL)
		return -ENOMEM;
	*module = *directive;
	module->name = arena_printf(
	    plan->arena, "%s/%s", stream->name, directive->name);
	if (module->name == NULL)
		return -ENOMEM;
	if (directive->kind == DIRECTIVE_STATIC) {
		errors_add(plan->options.errors, SEVERITY_ERROR, -EINVAL,
		    &directive->name_place,
		    "no static module named '%s': a module is loaded by "
		    "dynamic",
		    directive->name);
		return -EINVAL;
	}
	result = plan_run(plan, module);
	if (result != 0)
		return result;
	step = plan_find(plan, module->name);
	if (step != NULL && directive->kind == DIRECTIVE_DYNAMIC)
		step->listed = true;
	return 0;
}

/* The places of a stream that runs, as steps. */
static int
each_place(struct plan *plan, struct step *stream,
    int (*fn)(struct plan *plan, struct step *step, struct step *stream))
{
	struct instance *running = step_running(stream);
	unsigned count, i;

	if (running == NULL || !instance_is_stream(running))
		return 0;
	count = instance_place_count(running);
	for (i = 0; i < count; i++) {
		struct step *step;
		int result = plan_need_step(
		    plan, instance_place_name(running, i), &step);

		if (result == 0)
			result = fn(plan, step, stream);
		if (result != 0)
			return result;
	}
	return 0;
}

/* What its definition's block does not list any more is gone from it. */
static int
drop_unlisted(struct plan *plan, struct step *step, struct step *stream)
{
	(void)plan;
	if (step->listed || record_origin(step->record) != ORIGIN_FILE)
		return 0;
	step->present = false;
	step->definition = NULL;
	step->place = stream->place;
	step->reason = "no longer in its stream";
	return 0;
}

static int
run_block(
    struct plan *plan, struct step *stream, const struct directive *directive)
{
	struct directive *module;
	int first = 0;

	TAILQ_FOREACH (module, &directive->modules, link) {
		int result = run_module(plan, stream, module);

		if (result == -ENOMEM)
			return result;
		if (first == 0)
			first = result;
	}
	return first;
}

static int
run_definition(struct plan *plan, const struct directive *directive)
{
	struct step *stream;
	int result = plan_run(plan, directive->defines);

	if (result != 0)
		return result;
	stream = plan_find(plan, directive->name);
	if (!step_is_stream(plan, stream)) {
		errors_add(plan->options.errors, SEVERITY_ERROR, -EINVAL,
		    &directive->name_place, "'%s' is no stream",
		    directive->name);
		return -EINVAL;
	}
	result = run_block(plan, stream, directive);
	if (result == 0 && directive->has_block)
		result = each_place(plan, stream, drop_unlisted);
	return result;
}

int
plan_run_stream(struct plan *plan, const struct directive *directive)
{
	struct step *stream;
	int result;

	if (directive->defines != NULL)
		return run_definition(plan, directive);
	result = plan_need_present(plan, directive, &stream);
	if (result != 0)
		return result;
	if (step_is_stream(plan, stream))
		return run_block(plan, stream, directive);
	errors_add(plan->options.errors, SEVERITY_ERROR, -EINVAL,
	    &directive->name_place, "'%s' is no stream", directive->name);
	return -EINVAL;
}

/* --- what a stream takes along --- */

/* The stream of a module's name, if this plan is about it. */
static struct step *
stream_of(const struct plan *plan, const struct step *module)
{
	const char *slash = strrchr(module->name, '/');
	struct step *step = NULL;

	if (slash == NULL)
		return NULL;
	HASH_FIND(hh, plan->by_name, module->name,
	    (size_t)(slash - module->name), step);
	return step != NULL && step_is_stream(plan, step) ? step : NULL;
}

static int
remove_place(struct plan *plan, struct step *step, struct step *stream)
{
	(void)plan;
	step->present = false;
	step->definition = NULL;
	step->was_removed = true;
	step->place = stream->place;
	return 0;
}

static int
set_place_state(struct plan *plan, struct step *step, struct step *stream)
{
	(void)plan;
	step->suspended = stream->suspended;
	step->state_given = true;
	step->place = stream->place;
	return 0;
}

/* Those that were only defined in this tree, too. */
static int
each_module(struct plan *plan, struct step *stream,
    int (*fn)(struct plan *plan, struct step *step, struct step *stream))
{
	struct step *step;
	int result = each_place(plan, stream, fn);

	if (result != 0 || !step_is_stream(plan, stream))
		return result;
	TAILQ_FOREACH (step, &plan->steps, link) {
		if (step != stream && stream_of(plan, step) == stream)
			fn(plan, step, stream);
	}
	return 0;
}

int
plan_remove_modules(struct plan *plan, struct step *stream)
{
	return each_module(plan, stream, remove_place);
}

int
plan_state_modules(struct plan *plan, struct step *stream)
{
	return each_module(plan, stream, set_place_state);
}

/* --- fates --- */

/* With its stream; one that no file defines cannot be made again. */
static int
renew(struct plan *plan, struct step *step, struct step *stream)
{
	(void)plan;
	if (step->fate != FATE_KEEP && step->fate != FATE_UPDATE)
		return 0;
	step->fate = step->definition != NULL ? FATE_REPLACE : FATE_REMOVE;
	step->present = step->definition != NULL;
	step->place = stream->place;
	step->reason = "its stream is replaced";
	return 0;
}

static int
reorder(struct plan *plan, struct step *step, struct step *stream)
{
	(void)plan;
	(void)stream;
	if (step->fate != FATE_KEEP && step->fate != FATE_UPDATE)
		return 0;
	if (step->definition == NULL)
		return 0;
	step->fate = FATE_REPLACE;
	step->moves = true;
	step->reason = "another order";
	return 0;
}

/* Steps stand in the order of their definitions, places from the head on. */
static bool
is_in_order(const struct plan *plan, const struct step *stream)
{
	struct instance *running = step_running(stream);
	unsigned place = instance_place_count(running);
	struct step *step;

	TAILQ_FOREACH (step, &plan->steps, link) {
		if (!step->listed || step_running(step) == NULL ||
		    stream_of(plan, step) != stream)
			continue;
		do {
			if (place == 0)
				return false;
			place--;
		} while (strcmp(instance_place_name(running, place),
			     step->name) != 0);
	}
	return true;
}

static int
compare_stream(struct plan *plan, struct step *stream)
{
	struct instance *running = step_running(stream);

	if (running == NULL || !instance_is_stream(running) ||
	    stream->fate == FATE_REMOVE)
		return 0;
	if (stream->fate == FATE_REPLACE)
		return each_place(plan, stream, renew);
	if (is_in_order(plan, stream))
		return 0;
	return each_place(plan, stream, reorder);
}

int
plan_compare_streams(struct plan *plan)
{
	struct step *step;

	TAILQ_FOREACH (step, &plan->steps, link) {
		int result = compare_stream(plan, step);

		if (result != 0)
			return result;
	}
	return 0;
}

/* --- prepare --- */

static struct instance *
instance_of_step(const struct step *step)
{
	return step->fresh != NULL ? step->fresh : step_running(step);
}

static int
prepare_old(struct plan *plan, struct step *step, struct step *stream)
{
	struct instance *running = step_running(step);
	int result;

	if (stream->fresh != NULL || running == NULL ||
	    (step->fate != FATE_REPLACE && step->fate != FATE_REMOVE))
		return 0;
	step->old_layer = place_find(step_running(stream), running);
	if (step->old_layer == NULL)
		return 0;
	result = place_still(
	    step->old_layer, &step->place, plan->options.errors);
	if (result != 0)
		step->old_layer = NULL;
	return result;
}

static int
prepare_module(struct plan *plan, struct step *step)
{
	struct step *stream = stream_of(plan, step);
	int result = 0;

	if (stream == NULL || !stream->present)
		return 0;
	if (step->fresh != NULL)
		result = place_open(instance_of_step(stream), step->fresh,
		    &step->place, plan->options.errors, &step->layer);
	return result == 0 ? prepare_old(plan, step, stream) : result;
}

int
plan_prepare_streams(struct plan *plan)
{
	struct step *step;

	TAILQ_FOREACH (step, &plan->steps, link) {
		int result = prepare_module(plan, step);

		if (result != 0)
			return result;
	}
	return 0;
}

void
plan_abandon_streams(struct plan *plan)
{
	struct step *step;

	TAILQ_FOREACH (step, &plan->steps, link) {
		if (step->old_layer != NULL)
			place_free(step->old_layer);
		step->old_layer = NULL;
		step->layer = place_close(step->layer);
	}
}

/* --- commit --- */

static struct layer *
layer_of(const struct step *step, const struct step *stream)
{
	struct instance *running = step_running(step);

	return running == NULL || stream->fresh != NULL
		   ? NULL
		   : place_find(step_running(stream), running);
}

/* The one that is listed next is nearer to the head. */
static void
insert(struct plan *plan, struct step *step, struct step *stream)
{
	struct layer *after = NULL;
	struct step *next = step;

	while (after == NULL && (next = TAILQ_NEXT(next, link)) != NULL) {
		if (next->listed && stream_of(plan, next) == stream)
			after = next->settled != NULL ? next->settled
						      : layer_of(next, stream);
	}
	place_insert(after, step->layer);
}

static void
commit_old(struct step *step)
{
	if (step->old_layer == NULL)
		return;
	if (step->layer == NULL || step->moves) {
		place_remove(step->old_layer);
	} else {
		place_replace(step->old_layer, step->layer);
		step->settled = step->layer;
		step->layer = NULL;
	}
	step->old_layer = NULL;
}

static void
commit_new(struct plan *plan, struct step *step)
{
	if (step->layer == NULL)
		return;
	insert(plan, step, stream_of(plan, step));
	step->settled = step->layer;
	step->layer = NULL;
}

static void
each_stream(struct plan *plan, void (*fn)(struct instance *stream))
{
	struct step *step;

	TAILQ_FOREACH (step, &plan->steps, link) {
		if (step->present && step_is_stream(plan, step))
			fn(instance_of_step(step));
	}
}

void
plan_commit_streams(struct plan *plan)
{
	struct step *step;

	each_stream(plan, places_begin_change);
	TAILQ_FOREACH (step, &plan->steps, link)
		commit_old(step);
	/* From the head on, each behind the one before. */
	TAILQ_FOREACH_REVERSE(step, &plan->steps, step_list, link)
	commit_new(plan, step);
	each_stream(plan, places_end_change);
}
