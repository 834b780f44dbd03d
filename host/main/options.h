/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * options: the command line of berthd as one structure.  One table names
 * every option; getopt's strings, the help text and the test of berthd(8)
 * come from it.  Called as inetd or xinetd, it has the options of these: a
 * table more for each.
 */
#ifndef MAIN_OPTIONS_H
#define MAIN_OPTIONS_H

#include "base/base.h"
#include "config/config.h"

enum options_action {
	OPTIONS_RUN,
	OPTIONS_CHECK, /* -t, and -T with print */
	OPTIONS_HELP,
	OPTIONS_VERSION,
	OPTIONS_WORKER /* --worker: started by a host, see worker.c */
};

struct option_file {
	const char *path;
	enum config_format format;
};

/* Embedded; options_parse() and options_fini().  Texts live in the arena or
 * in argv. */
struct options {
	struct arena *arena;
	enum options_action action;
	bool print;
	bool daemon;
	bool debug;
	bool no_static;
	bool no_dynamic;
	int reload_signal;
	const char *pid_file;	 /* NULL: as the configuration says */
	const char *plugin_path; /* absolute folders; NULL: likewise */

	/* What is read: the files in order, then the directives of -S. */
	struct config_input *inputs;
	unsigned input_count;

	struct option_file *files;
	unsigned file_count;
	enum config_format format; /* of the files behind it */
	const char **directives;
	unsigned directive_count;
	const char *cwd; /* the folder berthd was started in, where needed */

	/* As inetd and xinetd. */
	const struct option_table *table;
	const struct option_row **notes; /* given; they mean nothing here */
	unsigned note_count;
	bool inetd_compat;    /* /etc/inetd.conf goes with it */
	const char *defaults; /* attributes of all services; NULL: none */
	const char *address;  /* of inetd.conf's lines without one, or NULL */
};

#define OPTIONS_E_USAGE 1 /* a mistake on the command line: see message */

/* 0, OPTIONS_E_USAGE or a negative errno, both with a message for people in
 * *message.  options_fini() is due after any of them. */
int options_parse(
    int argc, char **argv, struct options *options, struct text *message);
void options_fini(struct options *options);

/* The second half of options_parse(): inputs and paths. */
int options_resolve(struct options *options, struct text *message);

/* One row of the table, for the help text and for tests. */
struct option_row {
	int letter;	      /* 0: there is a long form only */
	const char *name;     /* "": there is a letter only */
	const char *argument; /* NULL: takes none */
	const char *help;     /* of one without take: why it means nothing */
	/* 0, or OPTIONS_E_USAGE or a negative errno with a message. */
	int (*take)(
	    struct options *options, const char *value, struct text *message);
};

#define OPTIONS_ROWS 32 /* at most */

/* The options of one name that berthd is called by. */
struct option_table {
	const char *program;
	const char *about;	       /* the second line of the help text */
	const char *end;	       /* its last lines */
	const struct option_row *rows; /* ends with a NULL name */
	bool one_dash;		       /* before long forms, too */
	/* Before anything was taken; or NULL. */
	void (*begin)(struct options *options);
	/* A word that is no option, or NULL: there is none. */
	int (*operand)(
	    struct options *options, const char *value, struct text *message);
	/* When all was taken; or NULL. */
	int (*end_of_words)(struct options *options, struct text *message);
};

const struct option_table *options_of_inetd(void);
const struct option_table *options_of_xinetd(void);

/* By the last part of the program's path. */
const struct option_table *options_table_of(const char *program);
const struct option_row *options_table(void); /* of berthd */
void options_help(const struct option_table *table, struct text *text);

#endif
