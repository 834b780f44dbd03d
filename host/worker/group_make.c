/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * group_make: control groups as folders of the kernel's file systems.
 *
 * A folder is locked (flock(2)) as long as its host lives, so that what a host
 * left behind that was killed is known, and removed by whoever makes one
 * beside it.
 *
 * Of the second version, no group may have processes and limits for groups
 * below: a host that is alone in its group moves to one of its own below it,
 * and is not alone with others in it.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "worker/groups.h"

#define NAME_START "berth."
#define NAMES_MOST 1000u
#define CPU_PERIOD_US 100000u
/* How long what was killed may take to be gone. */
#define WAIT_TIMES 50u
#define WAIT_NS 2000000
/* Of a file of the kernel's. */
#define FILE_BYTES 8192u

/* --- files -------------------------------------------------------------------
 */

static int
write_file(int folder, const char *name, const char *text)
{
	AUTO_FD fd = openat(folder, name, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	return write(fd, text, strlen(text)) < 0 ? -errno : 0;
}

static int
read_file(int folder, const char *name, char *text)
{
	AUTO_FD fd = openat(folder, name, O_RDONLY | O_CLOEXEC);
	ssize_t size;

	if (fd < 0)
		return -errno;
	size = read(fd, text, FILE_BYTES - 1);
	if (size < 0)
		return -errno;
	text[size] = '\0';
	return 0;
}

/* Is the word one of them, blanks between? */
static bool
has_word(const char *words, const char *word)
{
	size_t size = strlen(word);
	const char *at = words;

	while ((at = strstr(at, word)) != NULL) {
		if ((at == words || at[-1] == ' ') &&
		    (at[size] == ' ' || at[size] == '\n' || at[size] == '\0'))
			return true;
		at += size;
	}
	return false;
}

static int
open_folder(int at, const char *path)
{
	int fd = openat(at, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/* --- where they are made -----------------------------------------------------
 */

int
group_place_check(const struct group_place *place, const char *controller)
{
	AUTO_FD folder = open_folder(AT_FDCWD, place->folder);
	char words[FILE_BYTES];
	int result;

	if (folder < 0)
		return folder;
	if (place->v2) {
		result = read_file(folder, "cgroup.controllers", words);
		if (result < 0)
			return result;
		if (!has_word(words, controller))
			return -ENOENT;
	}
	return faccessat(folder, ".", W_OK | X_OK, AT_EACCESS) < 0 ? -errno : 0;
}

static int
ask_for(int folder, const char *controller)
{
	char words[64];

	snprintf(words, sizeof(words), "+%s", controller);
	return write_file(folder, "cgroup.subtree_control", words);
}

/* The host goes to a group below, and back if that was in vain. */
static int
step_aside(int folder, const char *controller)
{
	int result;

	if (mkdirat(folder, GROUP_OWN_NAME, 0755) < 0 && errno != EEXIST)
		return -errno;
	result = write_file(folder, GROUP_OWN_NAME "/cgroup.procs", "0");
	if (result < 0)
		return result;
	result = ask_for(folder, controller);
	if (result < 0)
		(void)write_file(folder, "cgroup.procs", "0");
	return result;
}

/* Of the second version: groups below may have limits of the controller. */
static int
enable(int folder, const char *controller)
{
	char words[FILE_BYTES];
	int result = read_file(folder, "cgroup.subtree_control", words);

	if (result < 0 || has_word(words, controller))
		return result;
	result = ask_for(folder, controller);
	return result == -EBUSY ? step_aside(folder, controller) : result;
}

/* --- what others left ------------------------------------------------------
 */

/* Nobody's: its host is gone. */
static void
clean(int parent, const char *name)
{
	AUTO_FD folder = open_folder(parent, name);

	if (folder >= 0 && flock(folder, LOCK_EX | LOCK_NB) == 0)
		(void)unlinkat(parent, name, AT_REMOVEDIR);
}

static void
sweep(int parent)
{
	int fd = open_folder(parent, ".");
	DIR *folder = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *entry;

	if (folder == NULL) {
		fd_close(&fd);
		return;
	}
	while ((entry = readdir(folder)) != NULL)
		if (strncmp(entry->d_name, NAME_START, strlen(NAME_START)) == 0)
			clean(parent, entry->d_name);
	closedir(folder);
}

/* --- a folder ----------------------------------------------------------------
 */

/* Is it still the one of that name?  Somebody may have taken it for a leftover.
 */
static bool
is_there(int parent, const char *name, int folder)
{
	struct stat here, there;

	return fstat(folder, &here) == 0 &&
	       fstatat(parent, name, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
	       here.st_ino == there.st_ino;
}

/* -EEXIST: another has the name. */
static int
make_folder(int parent, const char *name)
{
	int folder;

	if (mkdirat(parent, name, 0755) < 0)
		return -errno;
	folder = open_folder(parent, name);
	if (folder == -ENOENT)
		return -EEXIST;
	if (folder < 0)
		return folder;
	if (flock(folder, LOCK_EX | LOCK_NB) == 0 &&
	    is_there(parent, name, folder))
		return folder;
	fd_close(&folder);
	return -EEXIST;
}

/* The service's name with harmless characters, and a number. */
static void
print_name(const char *service, unsigned number, char *ret_name)
{
	static const char harmless[] = "abcdefghijklmnopqrstuvwxyz"
				       "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
	char name[64];
	size_t i;

	for (i = 0; i < sizeof(name) - 1 && service[i] != '\0'; i++)
		name[i] = strchr(harmless, service[i]) != NULL ? service[i]
							       : '_';
	name[i] = '\0';
	snprintf(ret_name, GROUP_NAME_BYTES, NAME_START "%s.%u", name, number);
}

/* Hosts beside this one, or a leftover with processes in it, may have the
 * name. */
static int
make_named(struct group_part *part, const char *service)
{
	int folder = -EEXIST;

	for (unsigned i = 0; folder == -EEXIST && i < NAMES_MOST; i++) {
		print_name(service, i, part->name);
		folder = make_folder(part->parent_fd, part->name);
	}
	return folder;
}

static void
close_part(struct group_part *part)
{
	fd_close(&part->procs_fd);
	fd_close(&part->folder_fd);
	fd_close(&part->parent_fd);
}

static int
open_part(struct group_part *part, const char *service,
    const struct group_place *place)
{
	*part = (struct group_part){
	    .parent_fd = -1, .folder_fd = -1, .procs_fd = -1, .v2 = place->v2};
	part->parent_fd = open_folder(AT_FDCWD, place->folder);
	if (part->parent_fd < 0)
		return part->parent_fd;
	sweep(part->parent_fd);
	part->folder_fd = make_named(part, service);
	if (part->folder_fd < 0)
		return part->folder_fd;
	part->procs_fd = openat(
	    part->folder_fd, "cgroup.procs", O_WRONLY | O_CLOEXEC);
	return part->procs_fd < 0 ? -errno : 0;
}

/* --- the end ---------------------------------------------------------------
 */

static void
kill_all(const struct group_part *part)
{
	char pids[FILE_BYTES], *rest = pids, *end;

	if (part->v2 && write_file(part->folder_fd, "cgroup.kill", "1") == 0)
		return;
	if (read_file(part->folder_fd, "cgroup.procs", pids) < 0)
		return;
	for (;;) {
		long pid = strtol(rest, &end, 10);

		if (end == rest)
			return;
		rest = end;
		if (pid > 0)
			kill((pid_t)pid, SIGKILL);
	}
}

static void
remove_part(struct group_part *part)
{
	const struct timespec moment = {.tv_nsec = WAIT_NS};

	for (unsigned i = 0; part->folder_fd >= 0 && i < WAIT_TIMES; i++) {
		if (unlinkat(part->parent_fd, part->name, AT_REMOVEDIR) == 0 ||
		    errno != EBUSY)
			break;
		kill_all(part);
		nanosleep(&moment, NULL);
	}
	close_part(part);
}

void
group_remove(struct group *group)
{
	while (group->part_count > 0)
		remove_part(&group->parts[--group->part_count]);
}

/* --- limits ------------------------------------------------------------------
 */

static int
write_limit(const struct group *group, const struct group_part *part,
    enum group_limit limit)
{
	const struct group_row *row = group_row(limit);
	unsigned long long value = group->limits.value[limit];
	char text[64];

	if (limit == GROUP_CPU)
		value = value * CPU_PERIOD_US / LIMIT_WHOLE;
	if (limit == GROUP_CPU && part->v2)
		snprintf(text, sizeof(text), "%llu %u", value, CPU_PERIOD_US);
	else
		snprintf(text, sizeof(text), "%llu", value);
	return write_file(
	    part->folder_fd, part->v2 ? row->file_v2 : row->file_v1, text);
}

/* Of the second version all controllers share one. */
static struct group_part *
find_part(struct group *group, bool v2)
{
	for (unsigned i = 0; v2 && i < group->part_count; i++)
		if (group->parts[i].v2)
			return &group->parts[i];
	return NULL;
}

int
group_limit_set(struct group *group, const struct group_place *place,
    enum group_limit limit)
{
	const char *controller = group_row(limit)->controller;
	struct group_part *part = find_part(group, place->v2);
	struct group_part fresh;
	int result = group_place_check(place, controller);

	if (result == 0 && place->v2) {
		AUTO_FD parent = open_folder(AT_FDCWD, place->folder);

		result = parent < 0 ? parent : enable(parent, controller);
	}
	if (result < 0)
		return result;
	if (part == NULL) {
		result = open_part(&fresh, group->service, place);
		if (result == 0)
			result = write_limit(group, &fresh, limit);
		if (result < 0) {
			remove_part(&fresh);
			return result;
		}
		part = &group->parts[group->part_count++];
		*part = fresh;
	} else {
		result = write_limit(group, part, limit);
	}
	if (result == 0 && limit == GROUP_MEMORY)
		group->memory = (int)(part - group->parts);
	return result;
}

uint64_t
group_kills(const struct group *group)
{
	const struct group_part *part = &group->parts[group->memory];
	char text[FILE_BYTES];
	const char *found;

	if (read_file(part->folder_fd,
		part->v2 ? "memory.events" : "memory.oom_control", text) < 0)
		return 0;
	found = strstr(text, "oom_kill ");
	return found != NULL ? strtoull(found + strlen("oom_kill "), NULL, 10)
			     : 0;
}
