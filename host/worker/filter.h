/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * filter: the system calls that a program can make.
 */
#ifndef WORKER_FILTER_H
#define WORKER_FILTER_H

#include "worker/sandbox.h"

/* --- filter_groups.c ------------------------------------------------------ */

struct filter_group {
	const char *name;
	const char *calls; /* and groups, blanks between them */
};

/* NULL: there is none. */
const struct filter_group *filter_group_find(const char *name, size_t size);
/* All of them; NULL: there are no more. */
const struct filter_group *filter_group_at(size_t index);

/* --- filter.c --------------------------------------------------------------
 */

int filter_new(struct sandbox_maker *maker, struct spawn_sandbox *sandbox);
/* Of a number that the kernel told: its name, or "" where none is known. */
void filter_call_name(int number, char *name, size_t room);
/* The very last of all: what follows is judged by it. */
int confine_calls(const struct spawn_sandbox *sandbox);

#endif
