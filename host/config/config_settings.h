/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config_settings: the values of attribute blocks, and the table that names
 * every attribute with its syntax, default, help and what a change of it
 * costs.  svc.conf(5), `berthctl help` and the readers use the same table.
 */
#ifndef CONFIG_CONFIG_SETTINGS_H
#define CONFIG_CONFIG_SETTINGS_H

#include "base/base.h"

enum endpoint_kind {
	ENDPOINT_TCP, /* tcp:HOST:PORT, v4 or v6 by HOST; `*` is dual-stack */
	ENDPOINT_TCP4,
	ENDPOINT_TCP6,
	ENDPOINT_UDP,
	ENDPOINT_UDP4,
	ENDPOINT_UDP6,
	ENDPOINT_UNIX, /* a path, or `@name` in the abstract name space */
	ENDPOINT_UNIX_DGRAM,
	ENDPOINT_UNIX_SEQPACKET
};

struct endpoint_spec {
	enum endpoint_kind kind;
	const char *host; /* without brackets; "*": all; NULL for Unix */
	const char *port; /* number or services name; NULL for Unix */
	const char *path; /* NULL for inet */
	const char *text; /* canonical: "tcp:127.0.0.1:7" */
	struct place place;
};

/* Parses one word.  0, or -EINVAL with the reason in *ret_reason (constant).
 * Strings of *ret_spec are in the arena. */
int endpoint_parse(struct arena *arena, const char *word,
    struct endpoint_spec *ret_spec, const char **ret_reason);
bool endpoint_is_datagram(enum endpoint_kind kind);

enum concurrency {
	CONCURRENCY_REACTIVE,
	CONCURRENCY_ITERATIVE,
	CONCURRENCY_THREAD,
	CONCURRENCY_POOL,
	CONCURRENCY_PROCESS
};

/* What `suspend` does beside letting new clients wait. */
enum suspend_mode {
	SUSPEND_CLIENTS, /* nothing: sessions go on */
	SUSPEND_SESSIONS /* sessions are not read from either */
};

/* Of one service; every field has its row in the table. */
struct settings {
	uint64_t given; /* bit n: row n of the table was written for it */
	struct endpoint_spec *listen;
	unsigned listen_count;
	unsigned backlog;
	bool v6only;
	bool keepalive;
	bool nodelay;
	bool reserved_sources; /* datagrams from ports below 1024 are served */
	enum concurrency concurrency;
	unsigned instances;	  /* sessions at once; 0: no limit */
	uint64_t idle_timeout_ms; /* 0: none */
	uint64_t drain_ms;
	uint64_t ready_timeout_ms; /* a new instance has so long to be ready */
	enum suspend_mode suspend;
	unsigned socket_mode; /* of the file of a Unix endpoint */
	uint64_t linger_ms; /* an orderly close waits so long for the client */
	uint64_t input_limit_bytes;
	uint64_t output_limit_bytes;
};

enum reload_mode { RELOAD_SCRIPT, RELOAD_EXACT };

struct host_settings {
	uint64_t given;
	enum reload_mode reload;
	const char *plugin_path; /* NULL: the built-in one */
	const char *pid_file;	 /* NULL: none */
	const char *control;	 /* path of the control socket; NULL: none */
	bool watch;		 /* reload when a file has changed */
	int log_level;
	uint64_t watchdog_ms; /* 0: off */
	uint64_t shutdown_ms; /* drain of all at the end */
};

enum attribute_scope { ATTRIBUTE_SERVICE, ATTRIBUTE_HOST };

/* What a changed value costs a running service. */
enum attribute_change {
	CHANGE_LIVE,	/* at once, sessions too */
	CHANGE_SESSION, /* sessions that begin from now on */
	CHANGE_REBIND,	/* the endpoints; sessions and instance stay */
	CHANGE_REPLACE, /* the instance is replaced */
	CHANGE_RESTART	/* host only: at the next start */
};

enum value_kind {
	VALUE_FLAG,	   /* bool */
	VALUE_COUNT,	   /* unsigned */
	VALUE_LIMIT,	   /* unsigned; 0 is `unlimited` */
	VALUE_SIZE,	   /* uint64_t, bytes */
	VALUE_TIME,	   /* uint64_t, milliseconds */
	VALUE_MODE,	   /* unsigned, octal */
	VALUE_RELOAD,	   /* enum reload_mode */
	VALUE_SUSPEND,	   /* enum suspend_mode */
	VALUE_CONCURRENCY, /* enum concurrency */
	VALUE_LEVEL,	   /* int, 3 to 7 */
	VALUE_PATH,	   /* const char *, absolute; NULL: none */
	VALUE_PATH_LIST,   /* the same, several with colons between them */
	VALUE_ENDPOINTS,   /* listen and listen_count */
	VALUE_PART	   /* of an endpoint: see synonym_of */
};

/* A row of the table. */
struct attribute {
	const char *name;
	enum attribute_scope scope;
	enum attribute_change change;
	const char *syntax;  /* "ENDPOINT …", "SECONDS", "yes | no" */
	const char *initial; /* the default, as text; "" for none */
	const char *help;    /* one sentence */
	enum value_kind kind;
	size_t offset; /* of the field in struct settings or host_settings */
	uint64_t low, high;
	/* xinetd's word for a part of `listen`, or for another such word; has
	 * no field of its own. */
	const char *synonym_of;
};

/* The table of a scope; ends with a NULL name. */
const struct attribute *attributes(enum attribute_scope scope);
const struct attribute *attribute_find(
    enum attribute_scope scope, const char *name);
/* All values are their defaults. */
void settings_init(struct settings *settings);
void host_settings_init(struct host_settings *settings);
/* a and b, and below settings, are of the attribute's scope. */
bool attribute_equal(
    const struct attribute *attribute, const void *a, const void *b);
/* A value as svc.conf would have it. */
int attribute_print(
    const struct attribute *attribute, const void *settings, struct text *text);
/* Copies into the arena what settings point to; the copy of an endpoint has
 * no place, since places end with their tree. */
int settings_copy(
    struct arena *arena, const struct settings *from, struct settings *ret_to);
int host_settings_copy(struct arena *arena, const struct host_settings *from,
    struct host_settings *ret_to);

/* The table for people: as text for `help`, and as a list in mdoc(7), which
 * svc.conf(5) holds.  0 or -ENOMEM. */
int attributes_print_text(enum attribute_scope scope, struct text *text);
int attributes_print_mdoc(enum attribute_scope scope, struct text *text);
/* "at once", "for new sessions", …: behind "A change applies". */
const char *attribute_change_text(enum attribute_change change);

#endif
