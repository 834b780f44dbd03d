/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The calls of a service's hooks, and what is said when one fails.
 *
 * A failing hook tells its reason by berth_fail(); when it does not, and no
 * call that it made has told the cause either, the errno is told.
 */

#include <errno.h>
#include <string.h>

#include "repository/repository_priv.h"

void
instance_hook_begins(struct instance *instance, struct hook_call *call,
    const struct place *place, struct errors *errors)
{
	text_init(&call->failure);
	call->errors = errors;
	call->place = place;
	call->told_before = errors_count(errors);
	call->outer = instance->call;
	instance->call = call;
}

int
instance_hook_ends(struct instance *instance, const char *hook, int result)
{
	struct hook_call *call = instance->call;
	const char *words = text_string(&call->failure);
	bool told = errors_count(call->errors) > call->told_before;

	if (result != 0 && (words[0] != '\0' || !told)) {
		if (words[0] == '\0')
			words = result < 0
				    ? strerror(-result)
				    : "a positive result counts as a failure";
		errors_add(call->errors, SEVERITY_ERROR,
		    result < 0 ? result : 0, call->place,
		    "%s of '%s' failed: %s", hook, instance->public.name,
		    words);
	}
	text_fini(&call->failure);
	instance->call = call->outer;
	return result > 0 ? -EPROTO : result;
}

static int
call_init(
    struct instance *instance, const struct place *place, struct errors *errors)
{
	const struct berth_service_type *type = instance->type;
	struct hook_call call;
	int result = 0;

	instance_hook_begins(instance, &call, place, errors);
	instance->in_init = true;
	if (instance->fleet != NULL)
		result = placement_start(instance, place, errors);
	else if (type->init != NULL)
		result = type->init(&instance->public,
		    instance->definition->argc, instance->argv);
	instance->in_init = false;
	instance->initialised = result == 0;
	return instance_hook_ends(instance, "init", result);
}

static bool
hands_over(const struct instance *from, const struct instance *to)
{
	return from != NULL && from->initialised && from->type->save != NULL &&
	       to->type->restore != NULL;
}

static int
call_save(struct instance *instance, const struct place *place,
    struct errors *errors, struct text *state)
{
	struct hook_call call;
	int result;

	instance_hook_begins(instance, &call, place, errors);
	state->public.host = &repository_host_table;
	result = instance->type->save(&instance->public, &state->public);
	if (result >= 0)
		result = state->failed ? -ENOMEM : 0;
	return instance_hook_ends(instance, "save", result);
}

static int
call_restore(struct instance *instance, const struct instance *from,
    const struct place *place, struct errors *errors, const struct text *state)
{
	struct hook_call call;

	instance_hook_begins(instance, &call, place, errors);
	return instance_hook_ends(instance, "restore",
	    instance->type->restore(&instance->public,
		from->type->state_version,
		berth_bytes(text_string(state), state->size)));
}

/* 0, or negative and told; a positive answer is kept for later. */
static int
ask_ready(
    struct instance *instance, const struct place *place, struct errors *errors)
{
	struct hook_call call;
	int result;

	instance->ready_in_ms = 0;
	if (instance->type->ready == NULL)
		return 0;
	instance_hook_begins(instance, &call, place, errors);
	result = instance->type->ready(&instance->public);
	if (result > 0)
		instance->ready_in_ms = (uint32_t)result;
	return instance_hook_ends(instance, "ready", result > 0 ? 0 : result);
}

/* In this order: the old one's state, its end if only one can be up, init,
 * the state, the first question. */
static int
start(struct instance *instance, struct instance *before,
    const struct place *place, struct errors *errors)
{
	bool over = hands_over(before, instance);
	AUTO_TEXT state;
	int result = 0;

	text_init(&state);
	if (over)
		result = call_save(before, place, errors, &state);
	if (result == 0 && before != NULL &&
	    instance_must_alternate(instance, before))
		result = instance_halt(before, place, errors);
	if (result == 0)
		result = call_init(instance, place, errors);
	if (result == 0 && over)
		result = call_restore(instance, before, place, errors, &state);
	if (result == 0)
		result = ask_ready(instance, place, errors);
	return result;
}

int
instance_init(struct instance *instance, struct instance *before,
    const struct place *place, struct errors *errors)
{
	int result;

	instance_set_state(instance, SERVICE_STARTING);
	result = start(instance, before, place, errors);
	if (result < 0)
		instance_set_state(instance, SERVICE_DECLARED);
	return result;
}

int
instance_ask_ready_again(struct instance *instance, struct errors *errors)
{
	return ask_ready(instance, NULL, errors);
}

int
instance_try_resume(
    struct instance *instance, const struct place *place, struct errors *errors)
{
	struct hook_call call;
	int result = 0;

	/* One that failed to start again starts by being resumed. */
	if (!instance->initialised)
		return instance_init(instance, NULL, place, errors);
	instance_hook_begins(instance, &call, place, errors);
	if (instance->fleet != NULL)
		result = fleet_resume(instance->fleet, place, errors);
	else if (instance->type->resume != NULL)
		result = instance->type->resume(&instance->public);
	return instance_hook_ends(instance, "resume", result);
}

void
instance_undo_resume(struct instance *instance)
{
	if (instance->fleet != NULL)
		fleet_suspend(instance->fleet);
	else if (instance->type->suspend != NULL && instance->initialised)
		instance->type->suspend(&instance->public);
}

void
instance_fini(struct instance *instance)
{
	if (instance->fleet != NULL)
		fleet_rest(instance->fleet);
	sinks_stop(instance);
	if (instance->initialised && instance->type->fini != NULL)
		instance->type->fini(&instance->public);
	instance->initialised = false;
	connectors_fini(&instance->connectors);
	sinks_free(instance);
	watches_free(instance);
}

void
instance_info(struct instance *instance, struct text *text)
{
	if (instance->type->info == NULL && instance->stream != NULL) {
		places_tell(instance, text);
		return;
	}
	if (instance->type->info == NULL) {
		if (instance->type->summary != NULL)
			text_printf(text, "%s", instance->type->summary);
		return;
	}
	if (!instance->initialised)
		return;
	text->public.host = &repository_host_table;
	instance->type->info(&instance->public, &text->public);
	text->public.host = NULL;
}
