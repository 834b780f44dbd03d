/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * owner: who owns the file of a Unix endpoint.
 *
 * Names are looked up when an endpoint is acquired, since that may block and
 * may fail; what was found is kept beside the words, and given to the file
 * when those words come into force.
 *
 * Results: 0, or a negative errno that was told.
 */
#include "net/net_priv.h"

#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LOOKUP_BYTES 65536u

static const char *
word(const char *of)
{
	return of != NULL ? of : "";
}

static bool
is_same(const struct socket_owner *owner, const struct settings *settings)
{
	const char *user = owner->user != NULL ? owner->user : "";
	size_t size = strlen(user);

	return strcmp(user, word(settings->socket_user)) == 0 &&
	       strcmp(owner->user != NULL ? owner->user + size + 1 : "",
		   word(settings->socket_group)) == 0;
}

/* Both words, one behind the other. */
static char *
keep_words(const struct settings *settings)
{
	const char *user = word(settings->socket_user);
	const char *group = word(settings->socket_group);
	size_t size = strlen(user) + 1;
	char *words = malloc(size + strlen(group) + 1);

	if (words != NULL) {
		memcpy(words, user, size);
		memcpy(words + size, group, strlen(group) + 1);
	}
	return words;
}

static bool
read_number(const char *text, unsigned *ret_number)
{
	unsigned long number;
	char *end;

	if (text[0] < '0' || text[0] > '9')
		return false;
	errno = 0;
	number = strtoul(text, &end, 10);
	*ret_number = (unsigned)number;
	return *end == '\0' && errno == 0 && number < UINT_MAX;
}

static int
find_user(const char *name, struct socket_owner *owner)
{
	AUTO_FREE char *buffer = malloc(LOOKUP_BYTES);
	struct passwd entry, *found = NULL;
	bool is_number = read_number(name, &owner->uid);
	int result;

	if (buffer == NULL)
		return -ENOMEM;
	result = is_number
		     ? getpwuid_r(
			   owner->uid, &entry, buffer, LOOKUP_BYTES, &found)
		     : getpwnam_r(name, &entry, buffer, LOOKUP_BYTES, &found);
	if (result == 0 && found != NULL) {
		owner->uid = found->pw_uid;
		owner->gid = found->pw_gid;
	}
	/* A number needs no name. */
	if (is_number)
		return 0;
	return result == 0 && found == NULL ? -ENOENT : -result;
}

static int
find_group(const char *name, struct socket_owner *owner)
{
	AUTO_FREE char *buffer = malloc(LOOKUP_BYTES);
	struct group entry, *found = NULL;
	int result;

	if (buffer == NULL)
		return -ENOMEM;
	if (read_number(name, &owner->gid))
		return 0;
	result = getgrnam_r(name, &entry, buffer, LOOKUP_BYTES, &found);
	if (result == 0 && found != NULL)
		owner->gid = found->gr_gid;
	return result == 0 && found == NULL ? -ENOENT : -result;
}

static int
tell(const struct complaint *complaint, const char *what, const char *name,
    int code)
{
	if (code == -ENOENT)
		net_complain(complaint, code,
		    "cannot listen on %s: %s: there is no '%s'",
		    complaint->spec->text, what, name);
	else
		net_complain(complaint, code, "cannot listen on %s: %s: %s",
		    complaint->spec->text, what, strerror(-code));
	return -EEXIST;
}

/* Whose it may become without root's help (chown(2)). */
static bool
is_allowed(const struct socket_owner *owner)
{
	if (geteuid() == 0)
		return true;
	return owner->uid == geteuid() &&
	       (owner->gid == getegid() || group_member(owner->gid) != 0);
}

int
owner_find(const struct settings *settings, const struct complaint *complaint,
    struct socket_owner *ret_owner)
{
	const char *user = settings->socket_user;
	const char *group = settings->socket_group;
	struct socket_owner owner = {.uid = geteuid(), .gid = getegid()};
	int result = user != NULL ? find_user(user, &owner) : 0;

	if (result != 0)
		return tell(complaint, "socket_user", user, result);
	if (group != NULL)
		result = find_group(group, &owner);
	if (result != 0)
		return tell(complaint, "socket_group", group, result);
	if ((user != NULL || group != NULL) && !is_allowed(&owner))
		return tell(complaint,
		    owner.uid != geteuid() ? "socket_user" : "socket_group", "",
		    -EPERM);
	owner.user = keep_words(settings);
	if (owner.user == NULL)
		return -ENOMEM;
	*ret_owner = owner;
	return 0;
}

void
owner_fini(struct socket_owner *owner)
{
	free(owner->user);
	owner->user = NULL;
}

bool
owner_is(const struct socket_owner *owner, const struct settings *settings)
{
	return is_same(owner, settings);
}

int
owner_give(const struct socket_owner *owner, const char *path)
{
	return lchown(path, owner->uid, owner->gid) != 0 ? -errno : 0;
}
