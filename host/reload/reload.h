/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * reload: from a tree of directives and the repository to a plan, a fate for
 * each service; then prepare, which does everything that can fail, against
 * new objects; then commit, which cannot fail, or abandon, which undoes in
 * reverse.  Start-up, SIGHUP, and a single directive of the manager all go
 * this way.
 */
#ifndef RELOAD_RELOAD_H
#define RELOAD_RELOAD_H

#include "repository/repository.h"

enum fate {
	FATE_KEEP,
	FATE_UPDATE,  /* attributes that change live */
	FATE_REPLACE, /* a new instance; the old one drains */
	FATE_ADD,
	FATE_REMOVE,
	FATE_SUSPEND,
	FATE_RESUME
};

const char *fate_name(enum fate fate); /* "keep", … */

struct plan;

struct plan_options {
	struct repository *repository;
	struct plugins *plugins;
	const struct tree *tree; /* must outlive the plan */
	/* The tree is all there shall be: what came from files and is not in
	 * it is removed. */
	bool exact;
	bool command;	 /* typed by somebody: tell also what needs no change */
	bool files_only; /* a reload: strings were run at the start */
	struct errors *errors;
};

/*
 * Simulates the directives in order and compares the outcome with what runs.
 * Plugins are found and judged, none is opened.  Mistakes go to the errors; a
 * plan with mistakes may be reported but not prepared.  0 or -ENOMEM.
 */
int plan_new(const struct plan_options *options, struct plan **ret_plan);
/* After a prepare without a commit: abandons. */
struct plan *plan_free(struct plan *plan);

/* What prepare would look up, for a plan that is not carried out: users,
 * groups, banners of what is new or changed.  0, or negative with every cause
 * in the errors. */
int plan_look_up(struct plan *plan);
/* Opens, binds, initialises and resumes all that is to come.  0, or negative
 * with every cause in the errors; then plan_abandon() has been done. */
int plan_prepare(struct plan *plan);
void plan_commit(struct plan *plan);

/* How many services have a fate other than keep. */
unsigned plan_changes(const struct plan *plan);

/*
 * One line a change and a summary: `+ X`, `~ X (what)`, `> X (why)`, `- X
 * (why)`, `= n unchanged`; or `! nothing changed: n errors`.
 */
void plan_report(const struct plan *plan, struct text *text);
void plan_report_json(const struct plan *plan, struct text *text);

#endif
