/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * users: who of this machine is served at a Unix endpoint.  Names are looked
 * up when the rules are made; one that is not there is a mistake, because a
 * list with a hole would let somebody in or out whom nobody meant.
 */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

#include "guard/guard_priv.h"

/* For one entry, the members of a group included. */
#define ENTRY_BYTES 65536u

/* A number, or -1. */
static int64_t
number_of(const char *word)
{
	char *end;
	unsigned long number;

	if (word[0] < '0' || word[0] > '9')
		return -1;
	errno = 0;
	number = strtoul(word, &end, 10);
	return errno != 0 || *end != '\0' || number >= UINT32_MAX
		   ? -1
		   : (int64_t)number;
}

static int64_t
user_of(const char *word)
{
	struct passwd entry, *found = NULL;
	char room[ENTRY_BYTES];

	if (getpwnam_r(word, &entry, room, sizeof(room), &found) != 0)
		return -1;
	return found != NULL ? (int64_t)found->pw_uid : number_of(word);
}

static int64_t
group_of(const char *word)
{
	struct group entry, *found = NULL;
	char room[ENTRY_BYTES];

	if (getgrnam_r(word, &entry, room, sizeof(room), &found) != 0)
		return -1;
	return found != NULL ? (int64_t)found->gr_gid : number_of(word);
}

struct lookup {
	const char *what; /* "user" */
	const struct word_list *words;
	int64_t (*find)(const char *word);
};

/* uid_t and gid_t are the same type. */
static int
look_up(const struct lookup *lookup, const struct place *place,
    struct errors *errors, uint32_t **ret_ids)
{
	uint32_t *ids = calloc(lookup->words->count + 1, sizeof(*ids));
	int result = 0;

	if (ids == NULL)
		return -ENOMEM;
	for (unsigned i = 0; i < lookup->words->count; i++) {
		int64_t id = lookup->find(lookup->words->word[i]);

		if (id < 0) {
			errors_add(errors, SEVERITY_ERROR, -ENOENT, place,
			    "only_%ss: there is no %s '%s'", lookup->what,
			    lookup->what, lookup->words->word[i]);
			result = -ENOENT;
		}
		ids[i] = (uint32_t)id;
	}
	*ret_ids = ids;
	return result;
}

int
rules_add_users(struct guard_rules *rules, const struct settings *settings,
    const struct place *place, struct errors *errors)
{
	const struct lookup users = {"user", &settings->only_users, user_of};
	const struct lookup groups = {
	    "group", &settings->only_groups, group_of};
	int result, answer;

	rules->has_users = settings->only_users.is_set ||
			   settings->only_groups.is_set;
	if (!rules->has_users)
		return 0;
	rules->user_count = settings->only_users.count;
	rules->group_count = settings->only_groups.count;
	result = look_up(&users, place, errors, &rules->users);
	answer = look_up(&groups, place, errors, &rules->groups);
	return result != 0 ? result : answer;
}

bool
rules_have_user(const struct guard_rules *rules, const struct ucred *user)
{
	for (unsigned i = 0; i < rules->user_count; i++)
		if (rules->users[i] == user->uid)
			return true;
	for (unsigned i = 0; i < rules->group_count; i++)
		if (rules->groups[i] == user->gid)
			return true;
	return false;
}
