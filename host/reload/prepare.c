/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Carries a plan out.  prepare does all that can fail, on new objects that
 * nobody sees; commit only moves pointers and changes interest; abandon undoes
 * a preparation in reverse.
 */

#include <errno.h>
#include <string.h>

#include "reload/reload_priv.h"

static int
no_memory(struct plan *plan, const struct step *step)
{
	errors_add(plan->options.errors, SEVERITY_ERROR, -ENOMEM, &step->place,
	    "no memory for '%s'", step->name);
	return -ENOMEM;
}

/* --- prepare --- */

static int
open_code(struct plan *plan, struct step *step, struct image **ret_image,
    const struct berth_service_type **ret_type)
{
	const struct directive *directive = step->definition;
	bool is_static = directive->kind == DIRECTIVE_STATIC;
	struct plugin_identity identity;
	struct plugin_location where = {
	    .path = is_static ? NULL : directive->path,
	    .symbol = is_static ? directive->name : directive->symbol,
	    .factory = is_static || directive->factory,
	    .kind = directive->type,
	};

	if (is_static)
		where.kind = step_is_stream(plan, step) ? BERTH_KIND_STREAM
							: BERTH_KIND_SERVICE;
	if (directive->type == CONFIG_KIND_PROGRAM) {
		*ret_image = NULL;
		*ret_type = external_type_of(directive->settings);
		return 0;
	}
	return plugin_open(plan->options.plugins, &where,
	    is_static ? &directive->name_place : &directive->location_place,
	    plan->options.errors, ret_image, ret_type, &identity);
}

/* Workers run the code; here it is only copied. */
static int
open_copy(struct plan *plan, struct step *step, int *ret_fd,
    struct plugin_identity *ret_identity)
{
	const struct directive *directive = step->definition;
	bool is_static = directive->kind == DIRECTIVE_STATIC;
	struct plugin_location where = {
	    .path = is_static ? NULL : directive->path,
	    .symbol = is_static ? directive->name : directive->symbol,
	    .factory = is_static || directive->factory,
	    .kind = BERTH_KIND_SERVICE,
	};

	return plugin_copy(plan->options.plugins, &where,
	    is_static ? &directive->name_place : &directive->location_place,
	    plan->options.errors, ret_fd, ret_identity);
}

/* Threads of its own come with it. */
static int
make_in_host(struct plan *plan, struct step *step)
{
	const struct directive *directive = step->definition;
	const struct berth_service_type *type;
	struct image *image;
	int result = open_code(plan, step, &image, &type);

	if (result < 0)
		return result;
	result = repository_check_concurrency(
	    directive, type->flags, plan->options.errors);
	if (result < 0) {
		if (image != NULL)
			image_unref(image);
		return result;
	}
	return instance_new(
	    plan->options.repository, directive, image, type, &step->fresh);
}

/* What their code says only when it runs is theirs to judge. */
static int
make_in_workers(struct plan *plan, struct step *step)
{
	struct plugin_identity identity;
	int fd = -1;
	int result = open_copy(plan, step, &fd, &identity);

	if (result < 0)
		return result;
	result = instance_new(plan->options.repository, step->definition, NULL,
	    &fleet_type, &step->fresh);
	if (result < 0) {
		fd_close(&fd);
		return result;
	}
	result = instance_set_plugin(step->fresh, fd, &identity);
	return result == 0 ? plan_hand_stream(plan, step) : result;
}

static int
make_instance(struct plan *plan, struct step *step)
{
	const struct directive *directive = step->definition;
	unsigned before = errors_count(plan->options.errors);
	int result = definition_has_workers(
			 directive->settings, directive->type)
			 ? make_in_workers(plan, step)
			 : make_in_host(plan, step);

	if (result < 0 && result != -ENOMEM &&
	    errors_count(plan->options.errors) == before)
		errors_add(plan->options.errors, SEVERITY_ERROR, result,
		    &directive->name_place, "cannot make '%s': %s", step->name,
		    strerror(-result));
	return result;
}

static int
make_fresh(struct plan *plan, struct step *step)
{
	int result;

	if (repository_reserve(
		plan->options.repository, step->name, &step->reserved) < 0)
		return no_memory(plan, step);
	result = make_instance(plan, step);
	if (result == 0)
		record_announce(step->reserved, step->fresh);
	if (result == 0)
		result = instance_resolve(
		    step->fresh, NULL, step->definition, plan->options.errors);
	if (result == -ENOMEM)
		return no_memory(plan, step);
	if (result < 0)
		return result;
	return instance_bind(
	    step->fresh, step->definition->settings, plan->options.errors);
}

static int
make_settings(struct plan *plan, struct step *step)
{
	struct instance *running = step_running(step);
	int result;

	if (instance_prepare_settings(
		running, step->definition->settings, &step->settings) < 0)
		return no_memory(plan, step);
	result = instance_resolve(
	    running, step->settings, step->definition, plan->options.errors);
	if (result == -ENOMEM)
		return no_memory(plan, step);
	if (result < 0)
		return result;
	if (!step->rebind)
		return 0;
	return instance_prepare_endpoints(running, step->definition->settings,
	    plan->options.errors, &step->endpoints);
}

static int
make_objects(struct plan *plan, struct step *step)
{
	switch (step->fate) {
	case FATE_ADD:
	case FATE_REPLACE:
		return make_fresh(plan, step);
	case FATE_UPDATE:
		return make_settings(plan, step);
	case FATE_KEEP:
	case FATE_REMOVE:
	case FATE_SUSPEND:
	case FATE_RESUME:
		break;
	}
	return 0;
}

static int
start_fresh(struct plan *plan, struct step *step)
{
	const struct place *place = &step->place;

	if (step->definition->arguments != NULL)
		place = &step->definition->arguments_place;
	return instance_init(
	    step->fresh, step_running(step), place, plan->options.errors);
}

static int
call_hooks(struct plan *plan, struct step *step)
{
	struct instance *running = step_running(step);
	int result;

	if (step->fresh != NULL) {
		step->alternates = running != NULL && instance_must_alternate(
							  step->fresh, running);
		return step->alternates ? 0 : start_fresh(plan, step);
	}
	if (!step->to_active)
		return 0;
	result = instance_try_resume(
	    running, &step->place, plan->options.errors);
	step->resumed = result == 0;
	return result;
}

/* The only part of a preparation that clients may notice comes last. */
static int
alternate(struct plan *plan, struct step *step)
{
	return step->alternates ? start_fresh(plan, step) : 0;
}

/* All mistakes of one kind are told; code is run only when there are none
 * before it. */
static int
each_step(struct plan *plan, int (*fn)(struct plan *plan, struct step *step))
{
	struct step *step;
	int first = 0;

	TAILQ_FOREACH (step, &plan->steps, link) {
		int result = fn(plan, step);

		if (first == 0)
			first = result;
	}
	return first;
}

int
plan_prepare(struct plan *plan)
{
	int result;

	BASE_ASSERT(!plan->prepared);
	plan->prepared = true;
	/* A file that many services share is looked at once. */
	plugins_snapshot(plan->options.plugins, true);
	result = each_step(plan, make_objects);
	plugins_snapshot(plan->options.plugins, false);
	if (result == 0)
		result = each_step(plan, call_hooks);
	if (result == 0)
		result = plan_check_endpoints(plan);
	if (result == 0)
		result = plan_prepare_streams(plan);
	if (result == 0)
		result = each_step(plan, alternate);
	if (result == 0)
		result = plan_check_endpoints(plan);
	if (result < 0)
		plan_abandon(plan);
	return result;
}

static int
look_up(struct plan *plan, struct step *step)
{
	struct guard_rules *rules;
	int result;

	if (step->fate != FATE_ADD && step->fate != FATE_REPLACE &&
	    step->fate != FATE_UPDATE)
		return 0;
	result = repository_check_access(
	    step->definition, plan->options.errors);
	if (result < 0)
		return result;
	result = guard_rules_new(step->definition->settings,
	    &step->definition->name_place, plan->options.errors, &rules);
	if (result == 0)
		guard_rules_free(rules);
	return result == -ENOMEM ? no_memory(plan, step) : result;
}

int
plan_look_up(struct plan *plan)
{
	return each_step(plan, look_up);
}

/* --- abandon --- */

static void
undo_fresh(struct plan *plan, struct step *step)
{
	if (!step->alternates) {
		instance_retire(step->fresh, 0);
		return;
	}
	instance_end(step->fresh);
	instance_restart(
	    step_running(step), &step->place, plan->options.errors);
}

static void
undo_step(struct plan *plan, struct step *step)
{
	if (step->resumed)
		instance_undo_resume(step_running(step));
	step->resumed = false;
	endpoint_set_free(&step->endpoints);
	step->settings = definition_free(step->settings);
	if (step->fresh != NULL)
		undo_fresh(plan, step);
	step->fresh = NULL;
	if (step->reserved != NULL) {
		record_announce(step->reserved, NULL);
		repository_unreserve(step->reserved);
	}
	step->reserved = NULL;
}

void
plan_abandon(struct plan *plan)
{
	struct step *step;

	plan_abandon_streams(plan);
	TAILQ_FOREACH_REVERSE(step, &plan->steps, step_list, link)
	undo_step(plan, step);
	plan->prepared = false;
}

/* --- commit --- */

static enum service_origin
step_origin(const struct step *step)
{
	const struct source *source = step->definition->place.source;

	if (step->renewed)
		return record_origin(step->record);
	return source != NULL && source->is_file ? ORIGIN_FILE : ORIGIN_OTHER;
}

static void
commit_fresh(struct step *step)
{
	record_start(
	    step->reserved, step->fresh, step_origin(step), step->suspended);
	step->fresh = NULL;
	step->reserved = NULL;
}

static void
commit_running(struct step *step)
{
	struct instance *running = step_running(step);

	if (step->settings != NULL)
		instance_commit_settings(running, step->settings);
	step->settings = NULL;
	if (step->endpoints.listeners != NULL)
		instance_commit_endpoints(running, &step->endpoints);
	if (step->definition != NULL) {
		instance_set_inactive(running, step->definition->inactive);
		record_set_origin(step->record, step_origin(step));
	}
	if (step->to_suspended)
		record_suspend(step->record);
	if (step->resumed)
		record_resume(step->record);
}

void
plan_commit(struct plan *plan)
{
	struct step *step;

	BASE_ASSERT(plan->prepared);
	plan->committed = true;
	plan_commit_streams(plan);
	/* The new ones first, so that no endpoint is without a consumer. */
	TAILQ_FOREACH (step, &plan->steps, link) {
		if (step->fresh != NULL)
			commit_fresh(step);
		else if (step->fate != FATE_REMOVE &&
			 step_running(step) != NULL)
			commit_running(step);
	}
	TAILQ_FOREACH_REVERSE(step, &plan->steps, step_list, link)
	if (step->fate == FATE_REMOVE)
		record_retire(step->record);
}
