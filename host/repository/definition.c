/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A definition: the copy of a directive that an instance keeps, so that the
 * tree may go and a later reload can tell what changed.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "repository/repository_priv.h"

struct definition *
definition_free(struct definition *definition)
{
	if (definition == NULL)
		return NULL;
	guard_rules_free(definition->rules);
	template_release(definition->program);
	ledger_unref(definition->ledger);
	settings_unref(definition->settings);
	arena_free(definition->arena);
	free(definition);
	return NULL;
}

void
definition_directive(const struct definition *definition,
    struct settings *settings, struct directive *ret_directive)
{
	*ret_directive = (struct directive){
	    .kind = definition->kind,
	    .name = definition->name,
	    .type = definition->type,
	    .path = definition->path,
	    .symbol = definition->symbol,
	    .factory = definition->factory,
	    .inactive = definition->inactive,
	    .argc = definition->argc,
	    .argv = definition->argv,
	    .settings = settings,
	};
	TAILQ_INIT(&ret_directive->modules);
}

static size_t
string_size(const char *string)
{
	return string != NULL ? strlen(string) + 1 : 0;
}

/* Of pointers to the words, with the NULL behind them. */
static size_t
array_size(int argc)
{
	return ((size_t)argc + 1) * sizeof(char *);
}

/* Of all its words, behind two arrays that point to them. */
static size_t
words_size(const struct directive *directive)
{
	size_t size = string_size(directive->name) +
		      string_size(directive->path) +
		      string_size(directive->symbol);

	for (int i = 0; i < directive->argc; i++)
		size += string_size(directive->argv[i]);
	return size + 2 * array_size(directive->argc);
}

static char *
put_string(char **at, const char *from)
{
	size_t size = string_size(from);
	char *copy = *at;

	if (from == NULL)
		return NULL;
	memcpy(copy, from, size);
	*at += size;
	return copy;
}

char **
definition_own_words(const struct definition *definition)
{
	char **own = definition->argv + definition->argc + 1;

	memcpy(own, definition->argv, array_size(definition->argc));
	return own;
}

static void
fill(struct definition *definition, const struct directive *directive)
{
	void *behind = definition + 1;
	char **argv = behind;
	void *words = argv + 2 * (directive->argc + 1);
	char *at = words;

	definition->kind = directive->kind;
	definition->type = directive->type;
	definition->factory = directive->factory;
	definition->inactive = directive->inactive;
	definition->argc = directive->argc;
	definition->argv = argv;
	definition->name = put_string(&at, directive->name);
	definition->path = put_string(&at, directive->path);
	definition->symbol = put_string(&at, directive->symbol);
	for (int i = 0; i < directive->argc; i++)
		argv[i] = put_string(&at, directive->argv[i]);
}

static bool
same_settings(const struct settings *a, const struct settings *b)
{
	return a != NULL &&
	       memcmp(&a->given, &b->given, sizeof(a->given)) == 0 &&
	       settings_equal(a, b);
}

/* Two services never share an endpoint; others often have the same settings,
 * and then one object. */
static int
keep_settings(struct repository *repository, const struct settings *from,
    const struct settings **ret_kept)
{
	int result;

	if (from->listen_count > 0)
		return settings_keep(from, ret_kept);
	if (!same_settings(repository->common, from)) {
		const struct settings *kept;

		result = settings_keep(from, &kept);
		if (result < 0)
			return result;
		settings_unref(repository->common);
		repository->common = kept;
	}
	*ret_kept = settings_ref(repository->common);
	return 0;
}

static const struct plugin_identity no_plugin;

int
definition_new(struct repository *repository, const struct directive *directive,
    const struct settings *settings, const struct image *image,
    struct definition **ret_definition)
{
	struct definition *definition = calloc(
	    1, sizeof(*definition) + words_size(directive));
	int result;

	if (definition == NULL)
		return -ENOMEM;
	result = keep_settings(repository, settings, &definition->settings);
	if (result < 0) {
		free(definition);
		return result;
	}
	definition->identity = image != NULL ? image_identity(image)
					     : &no_plugin;
	fill(definition, directive);
	*ret_definition = definition;
	return 0;
}

bool
definition_has_workers(const struct settings *settings, uint32_t type)
{
	return (settings->workers.most > 0 ||
		   settings->concurrency.kind == CONCURRENCY_PROCESS) &&
	       type != CONFIG_KIND_PROGRAM && type != BERTH_KIND_MODULE &&
	       type != BERTH_KIND_STREAM;
}

/* A program that accepts its clients itself asks nobody about them. */
static bool
accepts_itself(const struct directive *directive, unsigned index)
{
	return directive->type == CONFIG_KIND_PROGRAM &&
	       directive->settings->wait &&
	       !endpoint_is_datagram(directive->settings->listen[index].kind);
}

/* Why nobody can be judged there by these; NULL: he can. */
static const char *
why_not(const struct directive *directive, unsigned index, bool wrapped)
{
	if (accepts_itself(directive, index))
		return "with 'wait = yes' the program accepts its clients "
		       "itself";
	if (wrapped &&
	    endpoint_is_datagram(directive->settings->listen[index].kind))
		return "hosts.allow and hosts.deny are asked about "
		       "connections, not about datagrams; only_from can be";
	return NULL;
}

static int
check_kept(const struct directive *directive, const char *what, bool wrapped,
    struct errors *errors)
{
	const struct settings *settings = directive->settings;

	for (unsigned i = 0; i < settings->listen_count; i++) {
		const char *why = why_not(directive, i, wrapped);

		if (why == NULL)
			continue;
		errors_add(errors, SEVERITY_ERROR, -EINVAL,
		    &directive->name_place, "%s cannot be kept at '%s': %s",
		    what, settings->listen[i].text, why);
		return -EINVAL;
	}
	return 0;
}

int
repository_check_access(
    const struct directive *directive, struct errors *errors)
{
	const struct settings *settings = directive->settings;
	int result = 0;

	if (settings->only_from.is_set || settings->no_access.count > 0)
		result = check_kept(
		    directive, "only_from and no_access", false, errors);
	if (result == 0 && settings->libwrap != NULL &&
	    strcmp(settings->libwrap, LIBWRAP_AUTO) != 0)
		result = check_kept(directive, "libwrap", true, errors);
	return result;
}

static int
make_template(struct definition *definition, struct groups *groups,
    const struct directive *directive, struct errors *errors)
{
	const struct spawn_request request = {
	    .name = definition->name,
	    .path = definition->path,
	    .argc = definition->argc,
	    .argv = definition->argv,
	    .settings = definition->settings,
	    .groups = groups,
	};

	definition->arena = arena_new();
	if (definition->arena == NULL)
		return -ENOMEM;
	return template_new(definition->arena, &request, &directive->name_place,
	    errors, &definition->program);
}

struct worker_wish {
	const struct directive *directive;
	struct groups *groups;
	bool check; /* none will be started */
};

/* Of workers: this program, run by its descriptor, whatever lies at a path. */
static int
worker_template(struct arena *arena, const struct worker_wish *wish,
    struct errors *errors, struct spawn_template **ret_template)
{
	const struct directive *directive = wish->directive;
	struct settings settings = *directive->settings;
	char option[] = "--worker";
	char *words[] = {NULL, option, NULL, NULL};
	const struct spawn_request request = {
	    .name = directive->name,
	    .path = "berthd",
	    .argc = 3,
	    .argv = words,
	    .settings = &settings,
	    .groups = wish->groups,
	    .worker = true,
	    .check = wish->check,
	};

	if (settings.chroot != NULL) {
		errors_add(errors, SEVERITY_ERROR, -EINVAL,
		    &directive->name_place,
		    "'%s' can't have a chroot: workers load their code after "
		    "they were started",
		    directive->name);
		return -EINVAL;
	}
	settings.argv0 = NULL;
	words[2] = arena_string(arena, directive->name);
	if (words[2] == NULL)
		return -ENOMEM;
	return template_new(
	    arena, &request, &directive->name_place, errors, ret_template);
}

static int
make_worker_template(struct definition *definition, struct groups *groups,
    const struct directive *directive, struct errors *errors)
{
	const struct worker_wish wish = {directive, groups, false};

	definition->arena = arena_new();
	if (definition->arena == NULL)
		return -ENOMEM;
	return worker_template(
	    definition->arena, &wish, errors, &definition->program);
}

int
repository_check_workers(const struct repository *repository,
    struct arena *arena, const struct directive *directive,
    struct errors *errors)
{
	const struct worker_wish wish = {directive, repository->groups, true};
	struct spawn_template *template;
	int result;

	if (!definition_has_workers(directive->settings, directive->type))
		return 0;
	result = worker_template(arena, &wish, errors, &template);
	if (result < 0)
		return result;
	template_warn(
	    template, &directive->name_place, directive->name, errors);
	template_release(template);
	return 0;
}

int
definition_resolve(struct definition *definition,
    const struct repository *repository, const struct directive *directive,
    struct errors *errors)
{
	struct groups *groups = repository->groups;
	int result = repository_check_access(directive, errors);
	int lines = 0;

	if (result == 0)
		result = guard_rules_new(definition->settings,
		    &directive->name_place, errors, &definition->rules);
	if (result < 0)
		return result;
	/* Either may tell its mistakes. */
	if (definition_has_workers(definition->settings, definition->type))
		result = make_worker_template(
		    definition, groups, directive, errors);
	else if (definition->type == CONFIG_KIND_PROGRAM)
		result = make_template(definition, groups, directive, errors);
	if (repository->ledgers != NULL && result != -ENOMEM)
		lines = ledger_new(repository->ledgers, definition->name,
		    directive->settings, errors, &definition->ledger);
	return result != 0 ? result : lines;
}
