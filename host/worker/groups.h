/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * groups: control groups (cgroups(7)), which bound what all processes of a
 * service use together.
 *
 * A group lies below the one that the host is in itself.  It belongs to a
 * service and its limits: templates that want the same share it, and every
 * process that was put into it refers to it.  With the last reference it is
 * removed, and what is still in it is killed.
 */
#ifndef WORKER_GROUPS_H
#define WORKER_GROUPS_H

#include "worker/sandbox.h"

/* Into which a host moves itself, see group_make.c. */
#define GROUP_OWN_NAME "berth-host"
#define GROUP_NAME_BYTES 96u

/* Words that are limits of groups, in the order of their table. */
enum group_limit { GROUP_MEMORY, GROUP_TASKS, GROUP_CPU, GROUP_LIMITS };

/* How one limit is written; each controller has its own folder with the first
 * version of cgroups, all have one with the second. */
struct group_row {
	const char *word;
	enum limit_kind kind;
	size_t offset; /* in struct settings, of the word */
	const char *controller;
	const char *file_v2, *file_v1;
};

/* Limits that are none are LIMIT_NONE. */
struct group_limits {
	uint64_t value[GROUP_LIMITS];
};

/* Where groups of a controller are made. */
struct group_place {
	char *folder; /* the host's own group; NULL: there is none */
	bool v2;
};

struct group_part {
	char name[GROUP_NAME_BYTES];
	int parent_fd, folder_fd, procs_fd;
	bool v2;
};

struct group {
	LIST_ENTRY(group) link;
	unsigned refs;
	char *service;
	struct group_limits limits;
	struct group_part parts[GROUP_LIMITS];
	unsigned part_count;
	int memory; /* the part that counts who was killed; -1: none */
	uint64_t kills_told;
};

struct groups {
	struct groups_sources sources; /* not copied */
	LIST_HEAD(, group) groups;
};

/* --- groups.c --------------------------------------------------------------
 */

const struct group_row *group_row(enum group_limit limit);
bool groups_wanted(const struct settings *settings);
/* For the template: its group, or none because no limit is wanted or a check
 * asks; what cannot be had is the maker's. */
int groups_join(struct sandbox_maker *maker, struct spawn_sandbox *sandbox);

/* --- group_place.c ---------------------------------------------------------
 */

/* 0 and a folder, to be freed; -ENOENT: no such controller is mounted; or
 * another errno of looking. */
int group_place_find(const struct groups_sources *sources,
    const char *controller, struct group_place *ret_place);

/* --- group_make.c ----------------------------------------------------------
 */

/* Can there be groups with this controller?  0 or a negative errno. */
int group_place_check(const struct group_place *place, const char *controller);
/* A part for the controller, in the folder that the group has there already or
 * in one that is made; and the limit. */
int group_limit_set(struct group *group, const struct group_place *place,
    enum group_limit limit);
/* Removes the folders and closes all; what is in it is killed. */
void group_remove(struct group *group);
/* So many of its processes were killed for want of memory, ever. */
uint64_t group_kills(const struct group *group);

#endif
