/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * acl: an access list is compiled from the words of only_from and no_access,
 * and from the files that they name.
 *
 * The words were checked when they were read; what is told here is of a file
 * that has changed since.
 *
 * Results: 0, ACL_E_MISTAKE (told), or a negative errno.
 */
#include "guard/acl_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Prefixes of one family, on their way into its tree. */
struct heap {
	struct acl_prefix *list;
	size_t count;
	size_t room;
};

struct making {
	struct acl *acl;
	struct heap v4;
	struct heap v6;
	const struct place *place;
	struct errors *errors;
	enum acl_rule rule;
};

static int
add_prefix(
    struct heap *heap, const struct access_prefix *prefix, enum acl_rule rule)
{
	if (heap->count == heap->room) {
		size_t room = heap->room == 0 ? 16 : heap->room * 2;
		struct acl_prefix *list = reallocarray(
		    heap->list, room, sizeof(*list));

		if (list == NULL)
			return -ENOMEM;
		heap->list = list;
		heap->room = room;
	}
	heap->list[heap->count++] = (struct acl_prefix){
	    .key = {prefix->high, prefix->low},
	    .bits = prefix->bits,
	    .rule = (uint8_t)rule,
	};
	return 0;
}

static int
add_factors(struct making *making, const struct access_entry *entry)
{
	int result = 0;

	for (unsigned i = 0; i < 256 && result == 0; i++) {
		struct access_prefix prefix;

		if ((entry->factors[i / 64] >> (i % 64) & 1) == 0)
			continue;
		prefix = access_factor(entry, i);
		result = add_prefix(&making->v4, &prefix, making->rule);
	}
	return result;
}

static int
add_all(struct making *making)
{
	const struct access_prefix all = {0};
	int result = add_prefix(&making->v4, &all, making->rule);

	return result != 0 ? result
			   : add_prefix(&making->v6, &all, making->rule);
}

static int
add_name(struct making *making, const char *text)
{
	struct acl *acl = making->acl;
	struct acl_name *names;

	if (acl->name_count == acl->name_room) {
		acl->name_room = acl->name_room == 0 ? 4 : acl->name_room * 2;
		names = reallocarray(
		    acl->names, acl->name_room, sizeof(*names));
		if (names == NULL)
			return -ENOMEM;
		acl->names = names;
	}
	text = arena_string(acl->arena, text);
	if (text == NULL)
		return -ENOMEM;
	acl->names[acl->name_count++] = (struct acl_name){
	    text, making->rule == ACL_DENY};
	return 0;
}

static int
add_entry(void *context, const struct access_entry *entry)
{
	struct making *making = context;
	uint64_t stamp;

	switch (entry->kind) {
	case ACCESS_PREFIX:
		return add_prefix(entry->prefix.v6 ? &making->v6 : &making->v4,
		    &entry->prefix, making->rule);
	case ACCESS_FACTORS:
		return add_factors(making, entry);
	case ACCESS_ALL:
		return add_all(making);
	case ACCESS_FILE:
		return access_file_read(entry->name, making->place,
		    making->errors, add_entry, making, &stamp);
	default:
		return add_name(making, entry->name);
	}
}

static int
tell(const struct making *making, const char *word, const char *reason)
{
	if (making->errors != NULL)
		errors_add(making->errors, SEVERITY_ERROR, -EINVAL,
		    making->place, "'%.60s': %s", word, reason);
	return ACL_E_MISTAKE;
}

static int
add_words(
    struct making *making, const struct word_list *words, enum acl_rule rule)
{
	int result = 0;

	making->rule = rule;
	for (unsigned i = 0; i < words->count && result == 0; i++) {
		struct access_entry entry;
		const char *reason = access_parse(words->word[i], &entry);

		result = reason != NULL ? tell(making, words->word[i], reason)
					: add_entry(making, &entry);
	}
	return result;
}

static int
make_trees(struct making *making)
{
	struct acl *acl = making->acl;
	int result = acl_tree_init(&acl->v4, making->v4.list, making->v4.count);

	if (result == 0)
		result = acl_tree_init(
		    &acl->v6, making->v6.list, making->v6.count);
	if (result == 0 && acl->name_count > 0)
		result = acl_exact_init(
		    &acl->exact_v4, making->v4.list, acl->v4.prefix_count, 32);
	if (result == 0 && acl->name_count > 0)
		result = acl_exact_init(
		    &acl->exact_v6, making->v6.list, acl->v6.prefix_count, 128);
	if (result == -EFBIG)
		return tell(making, "only_from", "it has too many entries");
	return result;
}

static int
make_acl(struct making *making, const struct settings *settings)
{
	struct acl *acl = making->acl;
	int result;

	acl->arena = arena_new_sized(256);
	if (acl->arena == NULL)
		return -ENOMEM;
	acl->has_only_from = settings->only_from.is_set;
	acl->nobody = acl->has_only_from && settings->only_from.count == 0;
	result = add_words(making, &settings->only_from, ACL_ALLOW);
	if (result == 0)
		result = add_words(making, &settings->no_access, ACL_DENY);
	return result == 0 ? make_trees(making) : result;
}

int
acl_new(const struct settings *settings, const struct place *place,
    struct errors *errors, struct acl **ret_acl)
{
	struct making making = {.place = place, .errors = errors};
	int result;

	if (!settings->only_from.is_set && settings->no_access.count == 0) {
		*ret_acl = NULL;
		return 0;
	}
	making.acl = calloc(1, sizeof(*making.acl));
	if (making.acl == NULL)
		return -ENOMEM;
	result = make_acl(&making, settings);
	free(making.v4.list);
	free(making.v6.list);
	if (result != 0) {
		acl_free(making.acl);
		return result;
	}
	*ret_acl = making.acl;
	return 0;
}

struct acl *
acl_free(struct acl *acl)
{
	if (acl == NULL)
		return NULL;
	acl_tree_fini(&acl->v4);
	acl_tree_fini(&acl->v6);
	free(acl->exact_v4.list);
	free(acl->exact_v6.list);
	free(acl->names);
	arena_free(acl->arena);
	free(acl);
	return NULL;
}

static uint64_t
tree_bytes(const struct acl_tree *tree)
{
	return (uint64_t)tree->node_count * sizeof(*tree->nodes) +
	       (uint64_t)tree->tail_count * sizeof(*tree->tails);
}

struct acl_size
acl_size(const struct acl *acl)
{
	struct acl_size size = {0};

	if (acl == NULL)
		return size;
	size.prefixes = (uint64_t)acl->v4.prefix_count + acl->v6.prefix_count;
	size.names = acl->name_count;
	size.bytes = sizeof(*acl) + tree_bytes(&acl->v4) + tree_bytes(&acl->v6);
	return size;
}
