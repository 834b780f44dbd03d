/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * reload_priv: the plan, as its builder, its comparison, its preparation and
 * its report share it.  Everything of a plan lies in its arena.
 */
#ifndef RELOAD_RELOAD_PRIV_H
#define RELOAD_RELOAD_PRIV_H

#include <string.h>

#define HASH_NONFATAL_OOM 1
#define uthash_nonfatal_oom(element) ((element)->hash_failed = true)
#include <uthash.h>

#include "reload/reload.h"

TAILQ_HEAD(step_list, step);

/* What becomes of one service. */
struct step {
	UT_hash_handle hh;
	bool hash_failed;
	TAILQ_ENTRY(step) link; /* in order of the outcome */
	const char *name;
	struct record *record;		    /* NULL: not there before */
	const struct directive *definition; /* its last; NULL: unchanged */
	struct place place;		    /* of the last word on it */
	struct plugin_identity identity;

	/* The simulation. */
	bool present;
	bool suspended;
	bool state_given; /* by suspend or resume, after the definition */
	bool was_removed; /* earlier in this tree */

	/* The outcome. */
	enum fate fate;
	bool to_suspended, to_active;
	bool rebind;
	const char *reason; /* "" or what changed */

	/* The preparation. */
	struct record *reserved;
	struct instance *fresh;
	struct definition *settings;
	struct endpoint_set endpoints; /* rebind: the new ones */
	bool alternates; /* the old one is halted before this one starts */
	bool resumed;
};

/* One plugin file is judged once a plan. */
struct checked {
	UT_hash_handle hh;
	bool hash_failed;
	const char *key;
	struct plugin_identity identity;
};

struct plan {
	struct plan_options options;
	struct arena *arena;
	struct step *by_name;
	struct step_list steps;
	struct checked *checked;
	/* Files often name one plugin many times in a row. */
	const struct directive *last_checked;
	struct plugin_identity last_identity;
	uint64_t walk; /* marks the records that have a step */
	bool prepared;
	bool committed;
};

static inline struct instance *
step_running(const struct step *step)
{
	return step->record != NULL ? record_current(step->record) : NULL;
}

/* Either may be NULL. */
static inline bool
plan_same_string(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

/* compare.c: sets fate, reason and what changes. */
int step_compare(struct plan *plan, struct step *step);

/* endpoints.c: an error for each endpoint that two services would have. */
int plan_check_endpoints(struct plan *plan);

void plan_abandon(struct plan *plan);

#endif
