/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who a program runs as: names and numbers of users and groups, looked up once
 * when a service is defined, since that may block.
 *
 * A host that runs as root gives every program exactly the groups of its user:
 * the host's own never reach it.  Any other host can't change users, and says
 * so when it is asked to.
 */
#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "worker/worker_priv.h"

#define LOOKUP_BYTES_FIRST 1024u
#define LOOKUP_BYTES_LAST (1024u * 1024)
#define GROUPS_FIRST 32
/* Of a host that may be as its programs are; more are set anew. */
#define HOST_GROUPS 64

struct finder {
	struct arena *arena;
	const struct spawn_request *request;
	const struct place *place;
	struct errors *errors;
	struct account *account;
};

BASE_PRINTF(3, 4)
static int
complain(struct finder *finder, int code, const char *format, ...)
{
	AUTO_TEXT text;
	va_list ap;

	text_init(&text);
	va_start(ap, format);
	text_vprintf(&text, format, ap);
	va_end(ap);
	errors_add(finder->errors, SEVERITY_ERROR, code, finder->place,
	    "'%s' %s", finder->request->name, text_string(&text));
	return code;
}

static bool
read_number(const char *word, unsigned long *ret_number)
{
	char *end;

	if (word[0] < '0' || word[0] > '9')
		return false;
	errno = 0;
	*ret_number = strtoul(word, &end, 10);
	return *end == '\0' && errno == 0 && *ret_number < UINT_MAX;
}

static int
keep(struct finder *finder, const struct passwd *found)
{
	struct account *account = finder->account;

	account->uid = found->pw_uid;
	account->gid = found->pw_gid;
	account->name = arena_string(finder->arena, found->pw_name);
	account->home = arena_string(finder->arena, found->pw_dir);
	account->shell = arena_string(finder->arena, found->pw_shell);
	if (account->name == NULL || account->home == NULL ||
	    account->shell == NULL)
		return -ENOMEM;
	return 0;
}

/* By name, or by number when name is NULL: 0, -ENOENT, or what went wrong. */
static int
look_up_user(struct finder *finder, const char *name, uid_t uid)
{
	for (size_t size = LOOKUP_BYTES_FIRST; size <= LOOKUP_BYTES_LAST;
	     size *= 2) {
		char *buffer = malloc(size);
		struct passwd entry, *found = NULL;
		int result;

		if (buffer == NULL)
			return -ENOMEM;
		if (name != NULL)
			result = -getpwnam_r(
			    name, &entry, buffer, size, &found);
		else
			result = -getpwuid_r(uid, &entry, buffer, size, &found);
		if (result == 0)
			result = found == NULL ? -ENOENT : keep(finder, found);
		free(buffer);
		if (result != -ERANGE)
			return result;
	}
	return -ERANGE;
}

static int
find_user(struct finder *finder)
{
	const char *word = finder->request->settings->user;
	unsigned long number = geteuid();
	bool is_number = word == NULL || read_number(word, &number);
	int result;

	finder->account->uid = (uid_t)number;
	finder->account->gid = word == NULL ? getegid() : (gid_t)number;
	result = look_up_user(finder, is_number ? NULL : word, (uid_t)number);
	/* A number needs no name. */
	if (result == -ENOENT && is_number)
		return 0;
	if (result == -ENOENT)
		return complain(finder, result,
		    "is to run as '%s', and there is no such user", word);
	if (result < 0 && result != -ENOMEM)
		return complain(finder, result, "is to run as '%s': %s", word,
		    strerror(-result));
	return result;
}

static int
look_up_group(const char *name, gid_t *ret_gid)
{
	for (size_t size = LOOKUP_BYTES_FIRST; size <= LOOKUP_BYTES_LAST;
	     size *= 2) {
		char *buffer = malloc(size);
		struct group entry, *found = NULL;
		int result;

		if (buffer == NULL)
			return -ENOMEM;
		result = -getgrnam_r(name, &entry, buffer, size, &found);
		if (result == 0 && found != NULL)
			*ret_gid = found->gr_gid;
		free(buffer);
		if (result != -ERANGE)
			return result < 0 || found != NULL ? result : -ENOENT;
	}
	return -ERANGE;
}

static int
find_group(struct finder *finder)
{
	const char *word = finder->request->settings->group;
	unsigned long number;
	int result;

	if (word == NULL)
		return 0;
	if (read_number(word, &number)) {
		finder->account->gid = (gid_t)number;
		return 0;
	}
	result = look_up_group(word, &finder->account->gid);
	if (result == -ENOENT)
		return complain(finder, result,
		    "is to run in '%s', and there is no such group", word);
	if (result < 0 && result != -ENOMEM)
		return complain(finder, result, "is to run in '%s': %s", word,
		    strerror(-result));
	return result;
}

/* The user's supplementary ones, or the one that it runs in. */
static int
find_groups(struct finder *finder)
{
	struct account *account = finder->account;
	bool all = finder->request->settings->groups && account->name != NULL;
	int count = GROUPS_FIRST;

	for (;;) {
		int room = count;

		account->groups = arena_alloc(
		    finder->arena, (size_t)room * sizeof(gid_t));
		if (account->groups == NULL)
			return -ENOMEM;
		account->groups[0] = account->gid;
		account->group_count = 1;
		if (!all)
			return 0;
		if (getgrouplist(account->name, account->gid, account->groups,
			&count) >= 0)
			break;
		if (count <= room)
			count = room * 2;
	}
	account->group_count = (unsigned)count;
	return 0;
}

static int
check_right(struct finder *finder)
{
	const struct account *account = finder->account;

	if (account->uid != geteuid())
		return complain(finder, -EPERM,
		    "is to run as user %u: only a host that runs as root, with "
		    "CAP_SETUID and CAP_SETGID, can change the user",
		    (unsigned)account->uid);
	if (finder->request->settings->group != NULL &&
	    account->gid != getegid())
		return complain(finder, -EPERM,
		    "is to run in group %u: only a host that runs as root, "
		    "with "
		    "CAP_SETUID and CAP_SETGID, can change the group",
		    (unsigned)account->gid);
	return 0;
}

/* The host runs as just that, so that there is nothing to change. */
static bool
is_host(const struct account *account)
{
	gid_t groups[HOST_GROUPS];
	uid_t uids[3];
	gid_t gids[3];
	int count = getgroups(HOST_GROUPS, groups);

	if (count < 0 || (unsigned)count != account->group_count ||
	    memcmp(groups, account->groups, (size_t)count * sizeof(gid_t)) !=
		0 ||
	    getresuid(&uids[0], &uids[1], &uids[2]) < 0 ||
	    getresgid(&gids[0], &gids[1], &gids[2]) < 0)
		return false;
	for (unsigned i = 0; i < 3; i++)
		if (uids[i] != account->uid || gids[i] != account->gid)
			return false;
	return true;
}

int
account_find(struct arena *arena, const struct spawn_request *request,
    const struct place *place, struct errors *errors,
    struct account *ret_account)
{
	struct account account = {.switches = right_switch()};
	struct finder finder = {arena, request, place, errors, &account};
	int result = find_user(&finder);

	if (result == 0)
		result = find_group(&finder);
	if (result == 0)
		result = account.switches ? find_groups(&finder)
					  : check_right(&finder);
	if (result == 0) {
		account.switches = account.switches && !is_host(&account);
		*ret_account = account;
	}
	return result;
}
