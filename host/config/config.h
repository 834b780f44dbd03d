/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config: readers that turn text into one tree of directives, printers that
 * turn it back.  Nothing here looks at the running host, opens a plugin or a
 * socket: it knows words, places and values only.
 *
 * A tree owns its arena and the sources it was read from, so that places in
 * it stay good until tree_free().  Reading never stops at the first mistake.
 * The language is svc.conf(5).
 */
#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

#include <berth/abi.h>

#include "base/base.h"
#include "config/config_settings.h"

/* Beside BERTH_KIND_*: an external program. */
#define CONFIG_KIND_PROGRAM 100u

enum directive_kind {
	DIRECTIVE_DYNAMIC,
	DIRECTIVE_STATIC,
	DIRECTIVE_REMOVE,
	DIRECTIVE_SUSPEND,
	DIRECTIVE_RESUME,
	DIRECTIVE_STREAM
};

TAILQ_HEAD(directive_list, directive);

struct directive {
	TAILQ_ENTRY(directive) link;
	enum directive_kind kind;
	struct place place; /* of the keyword */
	const char *name;
	struct place name_place;

	/* dynamic */
	uint32_t type;	    /* BERTH_KIND_* or CONFIG_KIND_PROGRAM */
	const char *path;   /* NULL: `:symbol()` */
	const char *symbol; /* NULL: a Program */
	bool factory;	    /* with parentheses */
	struct place location_place;
	bool inactive;

	/* dynamic and static */
	const char *arguments; /* the string as read; NULL: none */
	struct place arguments_place;
	int argc; /* argv[0] is the name; $NAME replaced; ends with NULL */
	char **argv;
	/* Defaults merged in; never NULL there.  Directives that add nothing
	 * to them may share one object. */
	struct settings *settings;

	/* stream: what it defines (NULL: names an existing one), its block */
	struct directive *defines;
	bool has_block;
	struct directive_list modules;
};

/* A file, or a folder whose files are read. */
struct tree_path {
	struct tree_path *next;
	const char *path;
	bool is_folder;
};

/* A file that an access list names: config_access.h. */
struct tree_list {
	struct tree_list *next;
	const char *path;
	uint64_t stamp;
	bool bad; /* a mistake was told */
};

struct tree {
	struct arena *arena;
	struct directive_list directives; /* in order, includes spliced in */
	struct host_settings host;
	struct place host_place; /* of the last `host`, if there is one */
	struct tree_path *paths; /* what was read, or could not be */
	struct tree_list *lists; /* those among them that hold words */
	struct errors *errors;	 /* not owned: as handed to config_read() */
	unsigned losses; /* warnings of what could not be carried over */
};

/* Languages that become the same tree; berth-formats(5). */
enum config_format {
	CONFIG_AUTO, /* of a file: by its content; of a string: svc.conf */
	CONFIG_SVC,
	CONFIG_INETD, /* what all dialects know; `tcp` as in Debian's */
	CONFIG_INETD_FREEBSD,
	CONFIG_INETD_NETBSD,
	CONFIG_INETD_OPENBSD,
	CONFIG_INETD_DEBIAN,
	CONFIG_INETD_GNU,
	CONFIG_XINETD,
	CONFIG_YAML
};

/* "svc", "inetd", "inetd-freebsd", …: 0 or -EINVAL; NULL behind the last. */
int config_format_parse(const char *name, enum config_format *ret_format);
const char *config_format_name(enum config_format format);

/* One thing to read; several are read as one text, in order. */
struct config_input {
	enum { CONFIG_FILE, CONFIG_STRING } kind;
	const char *text; /* a path, or the directives themselves */
	const char *name; /* for places of a string: "-S #3"; else NULL */
	enum config_format format;
	const char *address; /* of lines of inetd.conf without one, or NULL */
};

struct config_options {
	/* NULL: getenv(3). */
	const char *(*environment)(void *context, const char *name);
	void *environment_context;
	/* To be printed, not run: what no code applies yet is no mistake. */
	bool convert;
	/* hosts.allow or hosts.deny has rules: services of xinetd, which asks
	 * them unless it is told otherwise, have libwrap. */
	bool wraps;
	/* Is there a user of that name?  NULL: getpwnam_r(3). */
	bool (*user_exists)(void *context, const char *name);
};

/*
 * Reads all inputs.  *ret_tree is set also when there were mistakes, with the
 * directives that had none, so that more can be checked; errors_count() says
 * whether it may be applied.  0, or -ENOMEM.
 */
int config_read(const struct config_input *inputs, unsigned count,
    const struct config_options *options, struct errors *errors,
    struct tree **ret_tree);
struct tree *tree_free(struct tree *tree);

/* Canonical svc.conf; reading it gives an equal tree. */
int tree_print(const struct tree *tree, struct text *text);
bool tree_equal(const struct tree *a, const struct tree *b);
bool directive_equal(const struct directive *a, const struct directive *b);

/* Something could not be carried over; errors tell what. */
#define CONFIG_E_LOST 1

/*
 * The tree in another language.  What that cannot hold is left out and told
 * as a warning, at the directive.  0, CONFIG_E_LOST or -ENOMEM.
 */
int tree_print_as(const struct tree *tree, enum config_format format,
    struct errors *errors, struct text *text);
/* Reads, with all attributes, and prints what had no mistakes; what neither
 * side can hold is told.  0, CONFIG_E_LOST, which mistakes are too, or
 * -ENOMEM. */
int config_convert(const struct config_input *from, enum config_format to,
    const struct config_options *options, struct errors *errors,
    struct text *text);

/* A directive's own line, as tree_print() writes it. */
int directive_print(const struct directive *directive, struct text *text);

/* A location as written: "echo:make_echo()". */
int directive_print_location(
    const struct directive *directive, struct text *text);

/* A string that is read as these words, whatever is in them; argv[0] is left
 * out. */
int arguments_print(int argc, char *const *argv, struct text *text);

/* A time as attributes have it: "30s".  0 or -EINVAL. */
int config_time(const char *word, uint64_t *ret_ms);

/* "dynamic", …; NULL-terminated tables for help and completion. */
const char *directive_kind_name(enum directive_kind kind);

#endif
