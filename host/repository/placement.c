/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * placement: an instance whose code runs in workers.
 *
 * What the host's own process applies to workers from outside stays here; the
 * rest of the definition is what a worker is handed, as one directive, with
 * the endpoints as they are bound, a port that the kernel chose included.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "repository/repository_priv.h"

static void
fleet_has_failed(void *context, const char *why)
{
	struct instance *instance = context;

	(void)why;
	if (instance->phase != PHASE_RUNS)
		return;
	server_accept(instance->server, false);
	instance_set_state(instance, SERVICE_FAILED);
}

int
placement_new(struct instance *instance, const struct server_options *options)
{
	struct fleet_options fleet = {
	    .server = *options,
	    .host = instance->repository->processes,
	    .failed = fleet_has_failed,
	    .context = instance,
	};

	return fleet_new(&fleet, &instance->fleet);
}

struct fleet *
instance_fleet(const struct instance *instance)
{
	return instance->fleet;
}

int
instance_set_plugin(
    struct instance *instance, int fd, const struct plugin_identity *identity)
{
	instance->copied = malloc(sizeof(*instance->copied));
	if (instance->copied == NULL) {
		fd_close(&fd);
		return -ENOMEM;
	}
	*instance->copied = *identity;
	instance->definition->identity = instance->copied;
	return fleet_set_plugin(
	    instance->fleet, instance->definition->path, fd);
}

int
instance_set_around(struct instance *instance, const char *directives)
{
	free(instance->around_text);
	instance->around_text = strdup(directives);
	return instance->around_text == NULL ? -ENOMEM : 0;
}

const char *
instance_around(const struct instance *instance)
{
	return instance->around_text;
}

int
instance_add_plugin(struct instance *instance, const char *path, int fd)
{
	return fleet_add_plugin(instance->fleet, path, fd);
}

/* --- the text of the directive ---------------------------------------------
 */

static int
bound_endpoints(const struct instance *instance, struct arena *arena,
    struct settings *settings)
{
	const struct server *server = instance->server;
	unsigned count = fleet_is_per_client(instance->fleet)
			     ? 0
			     : server_listener_count(server);

	settings->listen = arena_alloc(
	    arena, ((size_t)count + 1) * sizeof(*settings->listen));
	if (settings->listen == NULL)
		return -ENOMEM;
	for (unsigned i = 0; i < count; i++) {
		settings->listen[i].text = arena_string(
		    arena, listener_text(server_listener(server, i)));
		if (settings->listen[i].text == NULL)
			return -ENOMEM;
	}
	settings->listen_count = count;
	return 0;
}

static int
print(const struct definition *definition, const struct settings *settings,
    struct text *text)
{
	struct directive directive;
	struct settings copy = *settings;
	AUTO_TEXT words;

	text_init(&words);
	arguments_print(definition->argc, definition->argv, &words);
	if (words.failed)
		return -ENOMEM;
	definition_directive(definition, &copy, &directive);
	directive.arguments = text_string(&words);
	directive.inactive = false; /* whatever its instance here is */
	return directive_print(&directive, text);
}

int
placement_describe(struct instance *instance, struct definition *definition,
    const struct place *place, struct errors *errors)
{
	struct settings settings = *definition->settings;
	AUTO_TEXT text;
	int result;

	text_init(&text);
	if (instance->around_text != NULL)
		text_printf(&text, "%s\n", instance->around_text);
	settings_leave_process(&settings);
	result = bound_endpoints(instance, definition->arena, &settings);
	if (result == 0)
		result = print(definition, &settings, &text);
	if (result < 0)
		return result;
	if (text.size > FLEET_DIRECTIVE_MAX) {
		errors_add(errors, SEVERITY_ERROR, -EMSGSIZE, place,
		    "'%s' has %zu bytes of arguments and attributes: too much "
		    "to hand to a worker, at most %u",
		    definition->name, text.size, FLEET_DIRECTIVE_MAX);
		return -EMSGSIZE;
	}
	definition->work = arena_string(definition->arena, text_string(&text));
	return definition->work == NULL ? -ENOMEM : 0;
}

/* --- the fleet --------------------------------------------------------------
 */

void
placement_update(struct instance *instance)
{
	const struct definition *definition = instance->definition;

	fleet_update(instance->fleet, definition->settings, definition->program,
	    definition->work);
}

int
placement_start(
    struct instance *instance, const struct place *place, struct errors *errors)
{
	int result = placement_describe(
	    instance, instance->definition, place, errors);

	if (result < 0)
		return result;
	placement_update(instance);
	return fleet_start(instance->fleet, place, errors);
}
