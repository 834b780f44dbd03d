/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An instance: its making, its live settings, what it tells of itself.
 *
 * Nothing here calls the service; hooks.c does.  Whatever was done with an
 * instance, instance_retire() undoes it.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "repository/repository_priv.h"

const char *
service_state_name(enum service_state state)
{
	static const char *const names[] = {
	    [SERVICE_DECLARED] = "declared",
	    [SERVICE_STARTING] = "starting",
	    [SERVICE_ACTIVE] = "active",
	    [SERVICE_SUSPENDED] = "suspended",
	    [SERVICE_DRAINING] = "draining",
	    [SERVICE_FAILED] = "failed",
	};

	return names[state];
}

void
instance_set_state(struct instance *instance, enum service_state state)
{
	instance->state = state;
	instance->since = reactor_now(instance->repository->reactor);
	sinks_follow(instance);
	if (instance->stream != NULL)
		watches_look(instance->repository);
}

struct instance *
instance_free(struct instance *instance)
{
	if (instance == NULL)
		return NULL;
	instance->server = server_free(instance->server);
	instance->program = external_free(instance->program);
	instance->guard = guard_unref(instance->guard);
	places_free(instance);
	instance->fleet = fleet_free(instance->fleet);
	connectors_fini(&instance->connectors);
	sinks_free(instance);
	watches_free(instance);
	if (instance->owner.reactor != NULL)
		reactor_owner_fini(&instance->owner);
	fd_close(&instance->stop_fd);
	if (instance->definition != instance->first_definition)
		definition_free(instance->definition);
	definition_free(instance->first_definition);
	free(instance->copied);
	free(instance->around_text);
	free(instance->own_type);
	free(instance->public.state);
	instance->magic = 0;
	free(instance);
	return NULL;
}

/* For hosts_access(5), unless its settings name it. */
static const char *
daemon_of(const struct definition *definition)
{
	const char *slash = NULL;

	if (definition->type == CONFIG_KIND_PROGRAM)
		slash = strrchr(definition->path, '/');
	return slash != NULL ? slash + 1 : definition->name;
}

int
instance_make_server(struct instance *instance, struct server **ret_server)
{
	struct server_options options = {
	    .owner = &instance->owner,
	    .service = &instance->public,
	    .type = &instance->type->session,
	    .peeks = (instance->type->flags & BERTH_PEEKS) != 0,
	    .settings = instance->definition->settings,
	    .listeners = instance->repository->listeners,
	    .log = instance->repository->log,
	    .ledger = instance->definition->ledger,
	    .wrapper = instance->repository->wrapper,
	    .daemon = daemon_of(instance->definition),
	    .around = instance_find_around,
	    .drained = instance_drained,
	    .stuck = instance_stuck,
	    .context = instance,
	};

	int result = 0;

	if ((instance->type->flags & BERTH_CONCURRENT) != 0)
		options.loops = instance->repository->loops;
	if (definition_has_workers(
		instance->definition->settings, instance->definition->type)) {
		if (instance->fleet == NULL)
			result = placement_new(instance, &options);
		if (result < 0)
			return result;
		options.units = instance->fleet;
		options.strategy = fleet_strategy_of(instance->fleet);
		return server_new(&options, ret_server);
	}
	if (instance->definition->type != CONFIG_KIND_PROGRAM)
		return server_new(&options, ret_server);
	if (instance->program == NULL)
		result = external_new(&options, instance->repository->processes,
		    NULL, &instance->program);
	if (result < 0)
		return result;
	if (instance->type == &external_relay_type) {
		*(struct external **)instance->public.state = instance->program;
		return server_new(&options, ret_server);
	}
	options.units = instance->program;
	options.strategy = instance->definition->settings->wait
			       ? &external_wait_strategy
			       : &external_strategy;
	return server_new(&options, ret_server);
}

void
instance_set_server(struct instance *instance, struct server *server)
{
	instance->server = server;
	server_set_guard(server, instance->guard, instance->definition->rules);
	if (instance->program != NULL)
		external_set_server(instance->program, server);
	if (instance->fleet != NULL)
		fleet_set_server(instance->fleet, server);
}

/* Of its type, which may be none. */
static int
make_state(struct instance *instance)
{
	size_t size = instance->type->state_size;

	if (size == 0)
		return 0;
	instance->public.state = calloc(1, size);
	return instance->public.state == NULL ? -ENOMEM : 0;
}

static int
make_parts(struct instance *instance, const struct directive *directive,
    const struct image *image)
{
	struct server *server;
	int result;

	result = definition_new(instance->repository, directive,
	    directive->settings, image, &instance->definition);
	if (result < 0)
		return result;
	instance->first_definition = instance->definition;
	instance->argv = definition_own_words(instance->definition);
	instance->public.name = instance->definition->name;
	instance->public.host = &repository_host_table;
	result = instance_make_parts_of_stream(instance, instance->type);
	if (result < 0)
		return result;
	result = make_state(instance);
	if (result < 0)
		return result;
	result = reactor_owner_init(&instance->owner,
	    instance->repository->reactor, instance->public.name);
	if (result < 0)
		return result;
	connectors_init(&instance->connectors, &instance->owner,
	    guards_names(instance->repository->guards));
	result = instance_make_server(instance, &server);
	if (result == 0)
		instance_set_server(instance, server);
	return result;
}

int
instance_new(struct repository *repository, const struct directive *directive,
    struct image *image, const struct berth_service_type *type,
    struct instance **ret_instance)
{
	struct instance *instance = calloc(1, sizeof(*instance));
	int result = -ENOMEM;

	if (instance != NULL) {
		instance->magic = INSTANCE_MAGIC;
		instance->repository = repository;
		instance->type = type;
		instance->stop_fd = -1;
		LIST_INIT(&instance->threads);
		LIST_INIT(&instance->sinks);
		result = make_parts(instance, directive, image);
	}
	if (result < 0) {
		instance_free(instance);
		if (image != NULL)
			image_unref(image);
		return result;
	}
	instance->image = image;
	instance_set_state(instance, SERVICE_DECLARED);
	*ret_instance = instance;
	return 0;
}

int
instance_resolve(struct instance *instance, struct definition *prepared,
    const struct directive *directive, struct errors *errors)
{
	struct definition *definition = prepared != NULL ? prepared
							 : instance->definition;
	int result = definition_resolve(
	    definition, instance->repository, directive, errors);

	if (result == 0 && definition->rules != NULL && instance->guard == NULL)
		result = guard_acquire(instance->repository->guards,
		    instance->public.name, &instance->guard);
	/* A new one is described once its endpoints are bound. */
	if (result == 0 && prepared != NULL && instance->fleet != NULL)
		result = placement_describe(
		    instance, prepared, &directive->name_place, errors);
	if (result < 0 || prepared != NULL)
		return result;
	server_set_guard(instance->server, instance->guard, definition->rules);
	server_set_ledger(instance->server, definition->ledger);
	if (instance->program != NULL)
		external_update(instance->program, definition->program);
	return 0;
}

/* --- live settings --- */

int
instance_prepare_settings(struct instance *instance,
    const struct settings *settings, struct definition **ret_definition)
{
	struct definition *now = instance->definition;
	struct directive directive;
	int result;

	definition_directive(now, NULL, &directive);
	result = definition_new(instance->repository, &directive, settings,
	    instance->image, ret_definition);
	if (result == 0 && instance->copied != NULL)
		(*ret_definition)->identity = instance->copied;
	return result;
}

/* No thread of the service looks at it any more. */
static void
forget_definition(struct server_retired *retired)
{
	definition_free(BASE_CONTAINER(retired, struct definition, retired));
}

void
instance_commit_settings(
    struct instance *instance, struct definition *definition)
{
	struct definition *before = instance->definition;

	server_set_guard(instance->server, instance->guard, definition->rules);
	server_update(instance->server, definition->settings);
	if (instance->program != NULL)
		external_update(instance->program, definition->program);
	server_set_ledger(instance->server, definition->ledger);
	instance->definition->ledger = ledger_unref(
	    instance->definition->ledger);
	instance->definition = definition;
	if (instance->fleet != NULL)
		placement_update(instance);
	/* The words that init was handed lie in the first definition, and live
	 * as long as the instance; every later one is only read. */
	if (before == instance->first_definition)
		return;
	before->retired.fn = forget_definition;
	server_retire(instance->server, &before->retired);
}

void
instance_set_inactive(struct instance *instance, bool inactive)
{
	instance->definition->inactive = inactive;
}

/* --- what it tells --- */

const struct definition *
instance_definition(const struct instance *instance)
{
	return instance->definition;
}

struct server *
instance_server(const struct instance *instance)
{
	return instance->server;
}

enum service_state
instance_state(const struct instance *instance)
{
	return instance->state;
}

bool
instance_is_down(const struct instance *instance)
{
	return instance->state == SERVICE_SUSPENDED ||
	       instance->state == SERVICE_FAILED;
}

unsigned
instance_generation(const struct instance *instance)
{
	return instance->generation;
}

const struct berth_service_type *
instance_type(const struct instance *instance)
{
	return instance->type;
}

uint64_t
instance_age_ms(const struct instance *instance)
{
	struct mono now = reactor_now(instance->repository->reactor);

	return (now.ns - instance->since.ns) / MONO_MS(1);
}

static void
add_holder(struct text *text, uint64_t count, const char *noun)
{
	if (count == 0)
		return;
	text_printf(text, "%s%llu %s%s", text->size > 0 ? ", " : "",
	    (unsigned long long)count, noun, count == 1 ? "" : "s");
}

void
instance_holders(struct instance *instance, struct text *text)
{
	struct server_counters counters = {.sessions_active = 0};
	struct berth_thread *thread;
	struct text holders;

	text_init(&holders);
	if (instance->server != NULL)
		server_counters(instance->server, &counters);
	add_holder(&holders, counters.sessions_active, "session");
	LIST_FOREACH (thread, &instance->threads, link)
		text_printf(&holders, "%sthread '%s'",
		    holders.size > 0 ? ", " : "", thread->name);
	add_holder(&holders, instance->owner.timers, "timer");
	if (instance->owner.descriptors > counters.sessions_active)
		add_holder(&holders,
		    instance->owner.descriptors - counters.sessions_active,
		    "descriptor");
	add_holder(&holders, instance->owner.posts, "post");
	add_holder(&holders, instance->places,
	    instance->stream != NULL ? "user" : "place in a stream");
	text_add(text, text_string(&holders), holders.size);
	text_fini(&holders);
}

uint64_t
instance_starved(const struct instance *instance)
{
	if (instance->fleet != NULL)
		return fleet_starved(instance->fleet);
	return instance->program != NULL ? external_starved(instance->program)
					 : 0;
}
