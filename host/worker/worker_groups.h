/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * worker_groups: control groups, which bound what all processes of a service
 * use together.
 */
#ifndef WORKER_WORKER_GROUPS_H
#define WORKER_WORKER_GROUPS_H

#include <stdbool.h>

struct groups;
struct group;

/* Files of proc(5) that say where groups are; not copied. */
struct groups_sources {
	const char *membership, *mounts;
};

int groups_new(
    const struct groups_sources *sources, struct groups **ret_groups);
/* After all templates and processes that refer to one. */
struct groups *groups_free(struct groups *groups);
/* NULL is taken. */
struct group *group_ref(struct group *group);
struct group *group_unref(struct group *group);
/* Has the kernel ended one of its processes for want of memory, that was not
 * told yet?  Of one that ended so; code and status as of the reactor. */
bool group_has_killed(struct group *group, int code, int status);

#endif
