/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * worker_desk: what tests of starts share: settings, the template that is made
 * of them, and what the probe (tests/programs/probe.c) said when it was run.
 */
#ifndef UNIT_WORKER_DESK_H
#define UNIT_WORKER_DESK_H

#include "unit/unit.h"
#include "worker/worker.h"

#define DESK_WORDS_MAX 8

struct desk {
	struct arena *arena;
	struct errors *errors;
	struct settings settings;
	struct spawn_template *template;
	struct groups *groups; /* of the next request; NULL: none */
	bool worker, check;    /* likewise */
	bool one_stream;       /* 0, 1 and 2 are one, as of a connection */
	char probe[512];
	char said[16384];
};

int desk_setup(void **state);
int desk_teardown(void **state);
/* The words of a list, blanks between them. */
void desk_give(struct desk *desk, struct word_list *list, const char *text);
/* The template of a program with these words, up to seven and NULL; the result
 * of template_new(). */
int desk_make_of(struct desk *desk, const char *path, const char *const *words);
/* Of the probe. */
int desk_make(struct desk *desk, const char *const *words);
/* Runs it to its end: its status as waitpid(2) has it. */
int desk_run_after(struct desk *desk, struct spawn_host *host);
int desk_run(struct desk *desk);

#endif
