/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A definition: the copy of a directive that an instance keeps, so that the
 * tree may go and a later reload can tell what changed.
 */

#include <errno.h>
#include <stdlib.h>

#include "repository/repository_priv.h"

struct definition *
definition_free(struct definition *definition)
{
	if (definition == NULL)
		return NULL;
	guard_rules_free(definition->rules);
	ledger_unref(definition->ledger);
	/* The definition lies in its own arena. */
	arena_free(definition->arena);
	return NULL;
}

static int
copy_string(struct arena *arena, const char *from, const char **ret_copy)
{
	const char *copy = NULL;

	if (from != NULL) {
		copy = arena_string(arena, from);
		if (copy == NULL)
			return -ENOMEM;
	}
	*ret_copy = copy;
	return 0;
}

static int
copy_words(struct arena *arena, int argc, char *const *argv, char ***ret_argv)
{
	char **words = arena_alloc(arena, ((size_t)argc + 1) * sizeof(*words));

	if (words == NULL)
		return -ENOMEM;
	for (int i = 0; i < argc; i++) {
		words[i] = arena_string(arena, argv[i]);
		if (words[i] == NULL)
			return -ENOMEM;
	}
	*ret_argv = words;
	return 0;
}

static int
fill(struct definition *definition, const struct directive *directive)
{
	struct arena *arena = definition->arena;
	int result;

	definition->kind = directive->kind;
	definition->type = directive->type;
	definition->factory = directive->factory;
	definition->inactive = directive->inactive;
	definition->argc = directive->argc;
	result = copy_string(arena, directive->name, &definition->name);
	if (result == 0)
		result = copy_string(arena, directive->path, &definition->path);
	if (result == 0)
		result = copy_string(
		    arena, directive->symbol, &definition->symbol);
	if (result == 0)
		result = copy_words(
		    arena, directive->argc, directive->argv, &definition->argv);
	if (result == 0)
		result = settings_copy(
		    arena, directive->settings, &definition->settings);
	return result;
}

int
definition_new(const struct directive *directive,
    const struct plugin_identity *identity, struct definition **ret_definition)
{
	/* A definition, its name and a few words; seldom more. */
	struct arena *arena = arena_new_sized(sizeof(struct definition) + 128);
	struct definition *definition;
	int result;

	if (arena == NULL)
		return -ENOMEM;
	definition = arena_alloc(arena, sizeof(*definition));
	if (definition == NULL) {
		arena_free(arena);
		return -ENOMEM;
	}
	definition->arena = arena;
	definition->identity = *identity;
	result = fill(definition, directive);
	if (result < 0) {
		arena_free(arena);
		return result;
	}
	*ret_definition = definition;
	return 0;
}

/* A program that accepts its clients itself asks nobody about them. */
static int
check_list(const struct definition *definition, const struct place *place,
    struct errors *errors)
{
	const struct settings *settings = &definition->settings;

	if (definition->type != CONFIG_KIND_PROGRAM || !settings->wait ||
	    (!settings->only_from.is_set && settings->no_access.count == 0))
		return 0;
	for (unsigned i = 0; i < settings->listen_count; i++)
		if (!endpoint_is_datagram(settings->listen[i].kind)) {
			errors_add(errors, SEVERITY_ERROR, -EINVAL, place,
			    "only_from and no_access cannot be kept at '%s': "
			    "with 'wait = yes' the program accepts its clients "
			    "itself",
			    settings->listen[i].text);
			return -EINVAL;
		}
	return 0;
}

int
definition_resolve(struct definition *definition, struct ledgers *ledgers,
    const struct directive *directive, struct errors *errors)
{
	const struct spawn_request request = {
	    .name = definition->name,
	    .path = definition->path,
	    .argc = definition->argc,
	    .argv = definition->argv,
	    .settings = &definition->settings,
	};

	int result = check_list(definition, &directive->name_place, errors);
	int lines = 0;

	if (result == 0)
		result = guard_rules_new(&definition->settings,
		    &directive->name_place, errors, &definition->rules);
	if (result < 0)
		return result;
	/* Either may tell its mistakes. */
	if (definition->type == CONFIG_KIND_PROGRAM)
		result = template_new(definition->arena, &request,
		    &directive->name_place, errors, &definition->program);
	if (ledgers != NULL && result != -ENOMEM)
		lines = ledger_new(ledgers, definition->name,
		    directive->settings, errors, &definition->ledger);
	return result != 0 ? result : lines;
}
