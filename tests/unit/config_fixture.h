/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config_fixture: a reading with what it told and what it prints, for the
 * tests of the room config.
 */
#ifndef TESTS_CONFIG_FIXTURE_H
#define TESTS_CONFIG_FIXTURE_H

#include "unit/unit.h"

#include "config/config.h"

/* Owner: the test; reading_init() and reading_fini(). */
struct reading {
	struct errors *errors;
	struct tree *tree;
	struct text messages; /* "1:5: error: TEXT\n", one for each */
	struct text print;    /* canonical */
};

/* FOO=foo, EMPTYV=, BLANK="a b"; others are not set. */
void reading_init(
    struct reading *reading, const struct config_input *inputs, unsigned count);
/* The same with attributes that no code applies yet. */
void reading_init_convert(
    struct reading *reading, const struct config_input *input);
void reading_init_string(struct reading *reading, const char *string);
void reading_fini(struct reading *reading);
/* Prints, reads that, and wants the same tree and the same print. */
void reading_check_round_trip(const struct reading *reading);
/* "<a><b c>": the words behind argv[0] of the first service. */
void reading_words(const struct reading *reading, struct text *text);

/* A copy of a folder of the sources in a new one, that becomes the current
 * one, with files that nobody else may write. */
void corpus_enter(const char *folder);
void corpus_leave(void);
/* Names of the current folder with that ending, sorted; "" ends them. */
#define CORPUS_NAMES 200
struct corpus {
	char name[CORPUS_NAMES][64];
};
void corpus_list(const char *ending, struct corpus *corpus);
/* Of a file of the current folder. */
void corpus_read(const char *name, const char *ending, struct text *text);

#endif
