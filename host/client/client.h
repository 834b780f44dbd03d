/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * client: berthctl, the program that asks a running host for something and
 * shows the answer.
 *
 * It knows the host by its line protocol only (berth-manager(8)): `json on`,
 * then a command a line and a JSON object a line.  It stands on base, and on
 * config for `convert`, which asks no host.
 * All of it runs in one thread; only main.c touches what belongs to the
 * process.
 */
#ifndef CLIENT_CLIENT_H
#define CLIENT_CLIENT_H

#include "base/base.h"
#include "config/config.h"

struct json_t; /* jansson's */

enum client_status {
	CLIENT_GOOD = 0,
	CLIENT_REFUSED = 1, /* by the host */
	CLIENT_USAGE = 2,
	CLIENT_FAILED = 3 /* the host cannot be reached, or no memory */
};

/* --- screen: what it can show ------------------------------------------ */

struct screen {
	unsigned columns; /* 0: as many as it takes */
	bool colour;
};

enum paint { PAINT_NONE, PAINT_BOLD, PAINT_GREEN, PAINT_YELLOW, PAINT_RED };

/* From the descriptor, COLUMNS, NO_COLOR and TERM. */
void screen_init(struct screen *screen, int fd);
void screen_paint(const struct screen *screen, enum paint paint,
    const char *data, size_t size, struct text *text);
/* Columns that UTF-8 takes, in the character set of the locale. */
unsigned screen_width(const char *data, size_t size);
/* Bytes of the longest beginning that takes at most so many columns. */
size_t screen_fit(
    const char *data, size_t size, unsigned columns, unsigned *ret_width);

/* --- table: columns that fit the screen --------------------------------- */

struct column {
	const char *title; /* not copied */
	bool right;	   /* numbers */
	bool shrinks;	   /* may be cut when the screen is narrow */
};

struct table;

struct table *table_new(const struct column *columns, unsigned count);
struct table *table_free(struct table *table);
/* Row by row, from left to right; control characters become \xHH.  A failed
 * allocation shows in table_print(). */
void table_add(
    struct table *table, enum paint paint, const char *data, size_t size);
/* The titles and all rows.  0 or -ENOMEM. */
int table_print(
    struct table *table, const struct screen *screen, struct text *text);

/* --- format: numbers for people ----------------------------------------- */

void format_age(uint64_t ms, struct text *text);      /* 3m12s */
void format_bytes(uint64_t bytes, struct text *text); /* 1.2M; K is 1024 */

/* --- the program, as one object ------------------------------------------ */

/* Embedded; client_init() and client_fini().  What people shall see gathers
 * here; main writes it. */
struct client {
	struct screen screen;
	struct text out;
	struct text err;
};

void client_init(struct client *client);
void client_fini(struct client *client);
/* "berthctl: TEXT" on a line of err. */
BASE_PRINTF(2, 3)
void client_tell(struct client *client, const char *format, ...);
enum client_status client_run(struct client *client, int argc, char **argv);

/* --- view: a result for people, added to what the client will say ------- */

/* By its shape: a report of changes, a table, facts, lines.  All of them: 0 or
 * -ENOMEM. */
int view_value(struct client *client, struct json_t *value);
int view_rows(struct client *client, struct json_t *rows);
int view_facts(struct client *client, struct json_t *object);
/* What a plan or a reload does: mistakes to err, changes to out. */
bool report_is(struct json_t *value);
int view_report(struct client *client, struct json_t *report);
int view_plan(struct client *client, struct json_t *report);
int view_check(struct client *client, struct json_t *report);
int view_version(struct client *client, struct json_t *result);

/* --- verbs --------------------------------------------------------------- */

struct options;

enum verb_words { /* what completes its first word */
	WORDS_NONE,
	WORDS_FILE,
	WORDS_SERVICE,
	WORDS_SERVICE_OR_ALL,
	WORDS_LEVEL,
	WORDS_VERB
};

#define VERB_CHANGES 1u /* wants control */
#define VERB_RAW 2u	/* takes the words after it as they are */

#define WORDS_MANY 1000000u

/* One row: usage, help, completion and the test of berthctl(1) come from it. */
struct verb {
	const char *name;
	const char *syntax;
	const char *help;
	unsigned least, most; /* words after it */
	unsigned flags;
	enum verb_words words;
	/* Of a result, or of the report of a refusal; NULL: by its shape. */
	int (*view)(struct client *client, struct json_t *value);
	/* What is done here, without a host; NULL: the host is asked.  -ENOMEM
	 * or the exit status. */
	int (*run)(struct client *client, const struct options *options);
};

const struct verb *verbs_table(void); /* ends with a NULL name */
const struct verb *verbs_find(const char *name);
const char *const *verbs_levels(void); /* of `log`; ends with NULL */

/* --- options ---------------------------------------------------------------
 */

enum options_action {
	OPTIONS_RUN,
	OPTIONS_HELP,
	OPTIONS_VERSION,
	OPTIONS_COMPLETION
};

struct options {
	enum options_action action;
	bool json;
	bool no_colour;
	const char *socket; /* a path or tcp:HOST:PORT */
	const char *token_path;
	const char *shell;	     /* of OPTIONS_COMPLETION */
	enum config_format from, to; /* of `convert` */
	uint64_t timeout_ms;
	const struct verb *verb; /* NULL: not of the table */
	const char *name;	 /* as it was typed */
	char **words;		 /* after it */
	unsigned count;
};

struct option_row {
	int letter; /* 0: there is a long form only */
	const char *name;
	const char *argument; /* NULL: takes none */
	const char *help;
	/* 0, or CLIENT_USAGE after telling. */
	int (*take)(
	    struct options *options, const char *value, struct client *client);
};

/* Reorders argv as getopt(3) does.  0, or CLIENT_USAGE after telling. */
int options_parse(
    struct client *client, int argc, char **argv, struct options *options);
const struct option_row *options_table(void); /* ends with a NULL name */

/* The verb `convert`: a file in another language. */
int convert_run(struct client *client, const struct options *options);

void help_print(struct text *text);
/* The shell's file.  0, or CLIENT_USAGE for one that is not known. */
int completion_print(const char *shell, struct text *text);

#endif
