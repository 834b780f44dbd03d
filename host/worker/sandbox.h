/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sandbox: what a program may not do beyond what its user may not.
 *
 * A template has one when its settings have a word of it, and then everything
 * that can fail or take long was done when it was made; the functions confine_…
 * are the child's, make system calls only, and give 0, or -1 with errno.
 */
#ifndef WORKER_SANDBOX_H
#define WORKER_SANDBOX_H

#include "worker/worker_priv.h"

/* A sanitizer's notes on the child's frames would outlive the child. */
#define IN_CHILD                                                               \
	__attribute__((no_sanitize("address"), no_sanitize("thread"),          \
	    no_sanitize("undefined")))

struct sock_fprog;

struct spawn_sandbox {
	struct group *group; /* NULL: none; a reference */
	uint64_t dropped;    /* capabilities that leave the bounding set */
	uint64_t ambient;    /* that are handed on */
	int ruleset_fd;	     /* of paths, 10 or more; 0: none */
	struct sock_fprog *filter; /* of system calls; NULL: none */
};

/* --- sandbox.c
 * ------------------------------------------------------------------
 */

/* Of a sandbox that is being made. */
struct sandbox_maker {
	struct arena *arena;
	const struct spawn_request *request;
	const struct place *place;
	struct errors *errors;
	struct text missing; /* what the machine does not have */
};

/* NULL when the settings want none.  What is not applied is an error, or, when
 * the settings are not strict, told in the template. */
int sandbox_new(struct sandbox_maker *maker, struct spawn_template *template);

/* Where the attribute is written, or the service. */
const struct place *sandbox_place(
    const struct sandbox_maker *maker, const char *attribute);
/* The settings have a mistake at this attribute: -EINVAL. */
BASE_PRINTF(3, 4)
int sandbox_mistake(struct sandbox_maker *maker, const char *attribute,
    const char *format, ...);
/* The machine cannot do it: the code and told, or 0 and noted. */
BASE_PRINTF(4, 5)
int sandbox_lack(struct sandbox_maker *maker, int code, const char *attribute,
    const char *format, ...);

/* --- capabilities.c --------------------------------------------------------
 */

int capabilities_new(
    struct sandbox_maker *maker, struct spawn_sandbox *sandbox);
/* While it still has the host's. */
int confine_bound(const struct spawn_sandbox *sandbox);
/* Before its user is changed to another than root. */
int confine_keep(const struct spawn_sandbox *sandbox);
/* What it has, as that user. */
int confine_hand_on(const struct spawn_sandbox *sandbox, bool root);

/* --- groups.c --------------------------------------------------------------
 */

/* While its descriptors are the host's. */
int confine_group(const struct spawn_sandbox *sandbox);

/* --- landlock.c ------------------------------------------------------------
 */

bool paths_wanted(const struct settings *settings);
int paths_new(struct sandbox_maker *maker, struct spawn_sandbox *sandbox);
/* Last of all that touches paths but the start itself; no new privileges can
 * be had by then. */
int confine_paths(const struct spawn_sandbox *sandbox);

#endif
