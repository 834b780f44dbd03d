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
#include "session/chain.h"

TAILQ_HEAD(step_list, step);

/* A stream as workers are handed it: in the arena. */
struct around_text {
	const char *text;	 /* its directives */
	struct directive *parts; /* the stream's own, then its modules' */
	unsigned count;
};

/* What becomes of one service. */
struct step {
	UT_hash_handle hh;
	bool hash_failed;
	TAILQ_ENTRY(step) link; /* in order of the outcome */
	const char *name;
	struct record *record;			/* NULL: not there before */
	const struct directive *definition;	/* its last; NULL: unchanged */
	struct place place;			/* of the last word on it */
	const struct plugin_identity *identity; /* of its definition */

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
	struct around_text *around;    /* of workers; NULL: none */
	bool renewed;		       /* for its stream, not by a directive */
	bool alternates; /* the old one is halted before this one starts */
	bool resumed;

	/* Of a module: streams.c. */
	bool moves;		 /* to another place of its stream */
	bool listed;		 /* a stream's block defines it */
	struct layer *layer;	 /* opened, not yet in its place */
	struct layer *old_layer; /* still, to leave */
	struct layer *settled;	 /* committed */
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
	const struct plugin_identity *last_identity;
	uint64_t walk; /* marks the records that have a step */
	bool prepared;
	bool committed;
};

static inline struct instance *
step_running(const struct step *step)
{
	return step->record != NULL ? record_current(step->record) : NULL;
}

/* Is it the name of a module of that stream? */
static inline bool
name_is_of_stream(const char *name, const char *stream)
{
	size_t size = strlen(stream);

	return strncmp(name, stream, size) == 0 && name[size] == '/';
}

/* Either may be NULL. */
static inline bool
plan_same_string(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

/* plan.c */
struct step *plan_find(const struct plan *plan, const char *name);
/* The step of a name, made from the repository's view when it is new. */
int plan_need_step(struct plan *plan, const char *name, struct step **ret_step);
/* The step of a service that has to be there. */
int plan_need_present(struct plan *plan, const struct directive *directive,
    struct step **ret_step);
/* One directive; negative: told, or -ENOMEM. */
int plan_run(struct plan *plan, const struct directive *directive);

/* streams.c */
bool step_is_stream(const struct plan *plan, const struct step *step);
int plan_run_stream(struct plan *plan, const struct directive *directive);
/* As the stream, so its modules. */
int plan_remove_modules(struct plan *plan, struct step *stream);
int plan_state_modules(struct plan *plan, struct step *stream);
int plan_compare_streams(struct plan *plan);
int plan_prepare_streams(struct plan *plan);
void plan_abandon_streams(struct plan *plan);
void plan_commit_streams(struct plan *plan);

/* around.c: can each service have the stream that it names? */
void plan_check_around(struct plan *plan);

/* workers.c: services in workers go with the stream around their connections.
 */
int plan_renew_workers(struct plan *plan);
/* To the step's fresh instance. */
int plan_hand_stream(struct plan *plan, struct step *step);

/* compare.c: sets fate, reason and what changes. */
int step_compare(struct plan *plan, struct step *step);

/* endpoints.c: an error for each endpoint that two services would have. */
int plan_check_endpoints(struct plan *plan);

void plan_abandon(struct plan *plan);

#endif
