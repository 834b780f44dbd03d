/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tree: the directives that were read, their comparison, and the check for
 * names that are declared twice.
 *
 * Two trees are equal if they say the same: environment and defaults are in
 * the values, places do not count, nor does a default that was written out.
 */
#include "config/config_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define HASH_NONFATAL_OOM 1
#define uthash_nonfatal_oom(entry) ((entry)->lost = true)
#include <uthash.h>

struct tree *
tree_new(struct errors *errors)
{
	struct arena *arena = arena_new();
	struct tree *tree;

	if (arena == NULL)
		return NULL;
	tree = arena_alloc(arena, sizeof(*tree));
	if (tree == NULL) {
		arena_free(arena);
		return NULL;
	}
	tree->arena = arena;
	tree->errors = errors;
	TAILQ_INIT(&tree->directives);
	host_settings_init(&tree->host);
	return tree;
}

struct tree *
tree_free(struct tree *tree)
{
	if (tree != NULL)
		arena_free(tree->arena);
	return NULL;
}

struct directive *
tree_add(struct tree *tree, enum directive_kind kind, const struct place *place)
{
	struct directive *directive = arena_alloc(
	    tree->arena, sizeof(*directive));

	if (directive == NULL)
		return NULL;
	directive->kind = kind;
	directive->place = *place;
	TAILQ_INIT(&directive->modules);
	return directive;
}

/* --- equality --------------------------------------------------------------
 */

static bool
same_text(const char *a, const char *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	return strcmp(a, b) == 0;
}

static bool
same_host(const struct host_settings *a, const struct host_settings *b)
{
	const struct attribute *row = attributes(ATTRIBUTE_HOST);

	for (; row->name != NULL; row++)
		if (!attribute_equal(row, a, b))
			return false;
	return true;
}

static bool
same_arguments(const struct directive *a, const struct directive *b)
{
	if (a->argc != b->argc)
		return false;
	for (int i = 0; i < a->argc; i++)
		if (strcmp(a->argv[i], b->argv[i]) != 0)
			return false;
	return true;
}

static bool
same_settings(const struct directive *a, const struct directive *b)
{
	if (a->settings == NULL || b->settings == NULL)
		return a->settings == b->settings;
	return settings_equal(a->settings, b->settings);
}

static bool
same_lists(const struct directive_list *a, const struct directive_list *b)
{
	const struct directive *one = TAILQ_FIRST(a), *two = TAILQ_FIRST(b);

	while (one != NULL && two != NULL && directive_equal(one, two)) {
		one = TAILQ_NEXT(one, link);
		two = TAILQ_NEXT(two, link);
	}
	return one == NULL && two == NULL;
}

static bool
same_definitions(const struct directive *a, const struct directive *b)
{
	if (a->defines == NULL || b->defines == NULL)
		return a->defines == b->defines;
	return directive_equal(a->defines, b->defines);
}

bool
directive_equal(const struct directive *a, const struct directive *b)
{
	return a->kind == b->kind && same_text(a->name, b->name) &&
	       a->type == b->type && same_text(a->path, b->path) &&
	       same_text(a->symbol, b->symbol) && a->factory == b->factory &&
	       a->inactive == b->inactive && same_arguments(a, b) &&
	       same_settings(a, b) && same_definitions(a, b) &&
	       a->has_block == b->has_block &&
	       same_lists(&a->modules, &b->modules);
}

bool
tree_equal(const struct tree *a, const struct tree *b)
{
	return same_host(&a->host, &b->host) &&
	       same_lists(&a->directives, &b->directives);
}

/* --- names -----------------------------------------------------------------
 */

/* A name that is declared at this point of the text. */
struct declared {
	UT_hash_handle hh;
	const struct directive *directive;
	bool lost; /* no memory for it */
};

struct names {
	struct reader *reader;
	struct declared *table;
};

static struct declared *
find(const struct names *names, const char *name)
{
	struct declared *found;

	HASH_FIND_STR(names->table, name, found);
	return found;
}

static int
declare(struct names *names, const struct directive *directive)
{
	const struct declared *first = find(names, directive->name);
	struct declared *entry;

	if (first != NULL) {
		const struct place *place = &first->directive->name_place;

		return reader_tell(names->reader, &directive->name_place,
		    "'%s' is declared twice; the first is at %s:%u:%u",
		    directive->name, place->source->name, place->line,
		    place->column);
	}
	entry = arena_alloc(names->reader->tree->arena, sizeof(*entry));
	if (entry == NULL)
		return -ENOMEM;
	entry->directive = directive;
	HASH_ADD_KEYPTR(
	    hh, names->table, directive->name, strlen(directive->name), entry);
	return entry->lost ? -ENOMEM : 0;
}

static int
follow(struct names *names, const struct directive *directive)
{
	struct declared *entry;

	if (directive->kind == DIRECTIVE_DYNAMIC ||
	    directive->kind == DIRECTIVE_STATIC || directive->defines != NULL)
		return declare(names, directive);
	if (directive->kind != DIRECTIVE_REMOVE)
		return 0;
	/* Declared again behind its removal, it is replaced: no mistake. */
	entry = find(names, directive->name);
	if (entry != NULL)
		HASH_DEL(names->table, entry);
	return 0;
}

/* What is declared twice is left out, as everything with a mistake. */
static int
check_list(struct reader *reader, struct directive_list *list)
{
	struct names names = {.reader = reader};
	struct directive *directive = TAILQ_FIRST(list), *next;
	int result = 0;

	for (; directive != NULL && result >= 0; directive = next) {
		unsigned before = reader->mistakes;

		next = TAILQ_NEXT(directive, link);
		result = follow(&names, directive);
		if (result == 0 && !TAILQ_EMPTY(&directive->modules))
			result = check_list(reader, &directive->modules);
		if (reader->mistakes != before)
			TAILQ_REMOVE(list, directive, link);
	}
	HASH_CLEAR(hh, names.table);
	return result < 0 ? result : 0;
}

int
tree_check_names(struct reader *reader)
{
	if (reader->tree->host.reload != RELOAD_EXACT)
		return 0;
	return check_list(reader, &reader->tree->directives);
}
