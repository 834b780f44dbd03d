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

/* Sets of kinds. */
#define ENDPOINT_BIT(kind) (1u << (kind))
#define ENDPOINTS_TCP                                                          \
	(ENDPOINT_BIT(ENDPOINT_TCP) | ENDPOINT_BIT(ENDPOINT_TCP4) |            \
	    ENDPOINT_BIT(ENDPOINT_TCP6))
#define ENDPOINTS_UDP                                                          \
	(ENDPOINT_BIT(ENDPOINT_UDP) | ENDPOINT_BIT(ENDPOINT_UDP4) |            \
	    ENDPOINT_BIT(ENDPOINT_UDP6))
#define ENDPOINTS_INET (ENDPOINTS_TCP | ENDPOINTS_UDP)
#define ENDPOINTS_UNIX                                                         \
	(ENDPOINT_BIT(ENDPOINT_UNIX) | ENDPOINT_BIT(ENDPOINT_UNIX_DGRAM) |     \
	    ENDPOINT_BIT(ENDPOINT_UNIX_SEQPACKET))

enum concurrency_kind {
	CONCURRENCY_REACTIVE,
	CONCURRENCY_ITERATIVE,
	CONCURRENCY_THREAD,
	CONCURRENCY_POOL,
	CONCURRENCY_PROCESS
};

/* How connections are driven, and the bounds of it. */
struct concurrency {
	enum concurrency_kind kind;
	unsigned count; /* threads or processes, at most; 1 if there is one */
	unsigned queue; /* pool: connections that were accepted and wait */
};

/* What `suspend` does beside letting new clients wait. */
enum suspend_mode {
	SUSPEND_CLIENTS, /* nothing: sessions go on */
	SUSPEND_SESSIONS /* sessions are not read from either */
};

/* A list of words; what is set and empty is not what is not set. */
struct word_list {
	const char *const *word;
	unsigned count;
	bool is_set;
	uint64_t stamp; /* of the content of files that it names, else 0 */
};

/* So many in each span of time, and after too many a pause. */
struct rate {
	unsigned count; /* 0: no limit */
	uint64_t per_ms;
	uint64_t pause_ms;
};

/* What becomes of a client at a limit. */
enum limit_policy {
	POLICY_QUEUE,  /* he waits in the backlog */
	POLICY_REJECT, /* his connection is closed, in order */
	POLICY_RESET   /* it is reset */
};

/* How many bits of an address tell one source from another. */
struct prefixes {
	unsigned v4, v6;
};

/* How many workers a service has, 0: it runs inside the host. */
struct worker_span {
	unsigned least, most;
};

/* Of `rlimit_…`. */
#define RLIMIT_INHERIT UINT64_C(0)
#define RLIMIT_UNLIMITED UINT64_MAX

/* Who says to a client of tcpmux that its service was found (RFC 1078). */
enum tcpmux_mode {
	TCPMUX_NO,   /* it is not reached through tcpmux */
	TCPMUX_YES,  /* the program */
	TCPMUX_PLUS, /* the host */
};

/* What a proxy says before the client's bytes. */
enum proxy_protocol {
	PROXY_NO,
	PROXY_ONE,
	PROXY_TWO,
	PROXY_ANY, /* either version */
};

/* How lines about clients look. */
enum log_format { LOG_FORMAT_XINETD, LOG_FORMAT_LOGFMT, LOG_FORMAT_JSON };

/* Rows of the table that were written for something. */
#define ATTRIBUTE_ROWS 128u
struct given {
	uint64_t bits[ATTRIBUTE_ROWS / 64];
};

static inline bool
given_has(const struct given *given, unsigned row)
{
	return (given->bits[row / 64] >> (row % 64) & 1) != 0;
}

static inline void
given_add(struct given *given, unsigned row)
{
	given->bits[row / 64] |= UINT64_C(1) << (row % 64);
}

static inline void
given_take(struct given *given, unsigned row)
{
	given->bits[row / 64] &= ~(UINT64_C(1) << (row % 64));
}

static inline bool
given_any(const struct given *given)
{
	return (given->bits[0] | given->bits[1]) != 0;
}

/* What either of the two has; a row that neither of two settings gives has its
 * default in both, and need not be looked at. */
static inline struct given
given_either(const struct given *a, const struct given *b)
{
	return (struct given){
	    {a->bits[0] | b->bits[0], a->bits[1] | b->bits[1]}};
}

/* The first row from this one on; ATTRIBUTE_ROWS: there is none. */
static inline unsigned
given_next(const struct given *given, unsigned row)
{
	while (row < ATTRIBUTE_ROWS && !given_has(given, row)) {
		uint64_t rest = given->bits[row / 64] >> (row % 64);

		row += rest == 0 ? 64 - row % 64
				 : (unsigned)__builtin_ctzll(rest);
	}
	return row;
}

/* Where a word or a list of words was written; the list may be shared with
 * `defaults`, and is the tree's. */
struct given_place {
	unsigned row;
	struct place place;
	const struct given_place *next;
};

/* Of one service; every field has its row in the table. */
struct settings {
	struct given given;
	const struct given_place *places; /* see settings_place() */
	struct endpoint_spec *listen;
	unsigned listen_count;
	unsigned backlog;
	bool v6only;
	bool keepalive;
	bool nodelay;
	unsigned source_datagrams; /* of an address in 10 s; 0: no limit */
	bool amplification;	   /* answers longer than datagrams */
	bool reserved_sources; /* datagrams from ports below 1024 are served */
	struct concurrency concurrency;
	unsigned instances;	  /* sessions at once; 0: no limit */
	uint64_t idle_timeout_ms; /* 0: none */
	uint64_t max_session_ms;  /* 0: none */
	uint64_t drain_ms;
	uint64_t ready_timeout_ms; /* a new instance has so long to be ready */
	enum suspend_mode suspend;
	unsigned socket_mode; /* of the file of a Unix endpoint */
	uint64_t linger_ms; /* an orderly close waits so long for the client */
	uint64_t input_limit_bytes;
	uint64_t output_limit_bytes;
	uint64_t stack_bytes;
	const char *socket_user; /* owner of the file of a Unix endpoint */
	const char *socket_group;
	uint64_t receive_buffer_bytes; /* of the kernel; 0: its default */
	uint64_t send_buffer_bytes;
	uint64_t defer_accept_ms; /* and below, 0 or NULL: as the kernel does */
	uint64_t keepalive_time_ms;
	uint64_t keepalive_interval_ms;
	unsigned keepalive_probes;
	unsigned fast_open; /* connections that may wait with data */
	unsigned ip_tos;
	unsigned ip_ttl;
	unsigned mark;
	bool free_bind;
	bool transparent;
	bool reuse_port;
	const char *bind_to_device;
	enum tcpmux_mode tcpmux;
	const char *stream; /* around its connections; "": none */
	enum proxy_protocol proxy_protocol;
	struct word_list proxy_from; /* who is believed */

	/* programs; NULL: as the host */
	const char *user;
	const char *group; /* NULL: the user's own */
	bool groups;	   /* the user's supplementary groups as well */
	const char *argv0; /* NULL: the last part of the path */
	bool wait;
	int nice;
	unsigned umask;
	struct word_list env;	  /* NAME=VALUE */
	struct word_list passenv; /* names */
	const char *cwd;
	const char *chroot;
	bool no_new_privs;
	struct word_list capability_bounding_set, ambient_capabilities;
	struct word_list read_only_paths, read_write_paths, exec_paths;
	struct word_list system_call_filter;
	const char *system_call_error_number;		/* NULL: kill */
	const char *memory_max, *tasks_max, *cpu_quota; /* NULL: no limit */
	bool sandbox_strict; /* refuse what the machine cannot give */
	uint64_t rlimit_as, rlimit_core, rlimit_cpu, rlimit_data, rlimit_files;
	uint64_t rlimit_nproc, rlimit_rss, rlimit_stack;

	/* workers; start_limit has no pause */
	struct worker_span workers;
	unsigned max_requests; /* a worker's connections; 0: no limit */
	uint64_t restart_delay_ms, restart_delay_max_ms;
	struct rate start_limit;
	uint64_t start_timeout_ms, stop_timeout_ms;
	uint64_t watchdog_ms; /* 0: off */
	uint64_t worker_idle_ms;

	/* admission */
	unsigned per_source; /* sessions of one address; 0: no limit */
	struct rate cps;
	struct rate source_cps; /* of one address */
	struct prefixes source_prefix;
	struct word_list only_from; /* not set: everybody */
	struct word_list no_access;
	struct word_list access_times; /* "hh:mm-hh:mm"; not set: always */
	unsigned max_load_percent;     /* of a load of 1; 0: no limit */
	struct word_list only_users;   /* of Unix peers; not set: all */
	struct word_list only_groups;
	/* enum limit_policy */
	unsigned on_instances, on_cps, on_max_load, on_access_times;
	unsigned on_per_source, on_source_cps, on_access;
	const char *libwrap; /* name for hosts_access(5), or LIBWRAP_AUTO */
	const char *banner, *banner_success, *banner_fail; /* files */

	/* log: SYSLOG FACILITY [LEVEL] | FILE PATH [SOFT [HARD]] | JOURNAL |
	 * HOST */
	struct word_list log_type;
	struct word_list log_on_success;
	struct word_list log_on_failure;
	enum log_format log_format;
	struct rate log_rate; /* lines of a kind; there is no pause */
};

/* By the service's own name, where the host accepts. */
#define LIBWRAP_AUTO "auto"

enum reload_mode { RELOAD_SCRIPT, RELOAD_EXACT };

struct host_settings {
	struct given given;
	enum reload_mode reload;
	const char *plugin_path; /* NULL: the built-in one */
	const char *pid_file;	 /* NULL: none */
	const char *control;	 /* path of the control socket; NULL: none */
	const char *syslog_socket, *journal_socket;
	/* Of hosts_access(5); NULL: the built-in ones. */
	const char *hosts_access, *hosts_allow, *hosts_deny;
	bool watch;	/* reload when a file has changed */
	unsigned loops; /* reactors = N */
	int log_level;
	uint64_t watchdog_ms; /* 0: off */
	uint64_t shutdown_ms; /* drain of all at the end */
	/* What the process keeps; not set: what the host itself can use. */
	struct word_list capabilities;
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
	VALUE_CONCURRENCY, /* struct concurrency */
	VALUE_LEVEL,	   /* int, 3 to 7 */
	VALUE_PATH,	   /* const char *, absolute; NULL: none */
	VALUE_PATH_LIST,   /* the same, several with colons between them */
	VALUE_WORD,	   /* const char *, without blanks; NULL: none */
	VALUE_NICE,	   /* int */
	VALUE_LOAD,	   /* unsigned, percent; "2.5" */
	VALUE_TCPMUX,	   /* enum tcpmux_mode */
	VALUE_PROXY,	   /* enum proxy_protocol */
	VALUE_RLIMIT,	   /* uint64_t; see RLIMIT_INHERIT */
	VALUE_RLIMIT_SIZE, /* the same, bytes */
	VALUE_RATE,	   /* struct rate */
	VALUE_PREFIXES,	   /* struct prefixes */
	VALUE_POLICY,	   /* unsigned, enum limit_policy; low: the first */
	VALUE_LINE_RATE,   /* struct rate, without a pause */
	VALUE_LOG_FORMAT,  /* enum log_format */
	VALUE_WORKERS,	   /* struct worker_span: "2", "2 8" */
	VALUE_WORDS,	   /* struct word_list */
	VALUE_LOG_TYPE,	   /* struct word_list, set whole */
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
	/* No code applies it yet: who gives it is told so. */
	bool pending;
	bool programs_only; /* for `Program *` */
	/* For what the host serves itself: who gives it to a program is told
	 * what to use instead. */
	const char *not_of_programs;
	unsigned kinds; /* of endpoints that it is about, a bit each; 0: all */
	/* Of the process: of a program or of workers.  Not of a service inside
	 * the host, whose process it shares with others. */
	bool of_process;
	bool of_fleet; /* for a service with workers: the host applies it */
	/* Of a list: the words there are (NULL: any), or what is wrong with
	 * one (NULL: nothing). */
	const char *const *choices;
	const char *(*check)(const char *word);
	bool names_files; /* a word `file:PATH` is a file of words */
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
/* All values of the two. */
bool settings_equal(const struct settings *a, const struct settings *b);
/* A value as svc.conf would have it. */
int attribute_print(
    const struct attribute *attribute, const void *settings, struct text *text);
/* Where a word or a list of words was written, or NULL. */
const struct place *settings_place(
    const struct settings *settings, const char *attribute);
/* What the host applies to a worker from outside was not given: for the text
 * that the worker itself is handed. */
void settings_leave_process(struct settings *settings);
/* Copies into the arena what settings point to; the copy of an endpoint or of
 * another attribute has no place, since places end with their tree. */
int settings_copy(
    struct arena *arena, const struct settings *from, struct settings *ret_to);
/*
 * A copy with memory of its own, for those who outlive the tree.  It is never
 * changed, and shared by references; counted on one thread.  0 or -ENOMEM.
 */
int settings_keep(
    const struct settings *from, const struct settings **ret_kept);
const struct settings *settings_ref(const struct settings *kept);
const struct settings *settings_unref(const struct settings *kept);
int host_settings_copy(struct arena *arena, const struct host_settings *from,
    struct host_settings *ret_to);

/* The table for people: as text for `help`, and as a list in mdoc(7), which
 * svc.conf(5) holds.  0 or -ENOMEM. */
int attributes_print_text(enum attribute_scope scope, struct text *text);
int attributes_print_mdoc(enum attribute_scope scope, struct text *text);
/* Of a word of a list of capabilities, `~CAP_KILL` as well as `kill`; negative:
 * there is none. */
int capability_number(const char *word);
/* "kill" */
const char *capability_name(unsigned number);

/* What limits of control groups count, in systemd's units. */
enum limit_kind {
	LIMIT_MEMORY, /* bytes: `64M`, `10%` of the machine's */
	LIMIT_TASKS,  /* processes and threads: `512`, `10%` of pid_max */
	LIMIT_CPU     /* `20%`, `250%`, of one processor */
};

#define LIMIT_NONE UINT64_MAX /* infinity */
#define LIMIT_WHOLE 10000u    /* 100% */
/* 0, or -EINVAL: the word is none of the kind. */
int limit_read(enum limit_kind kind, const char *word, uint64_t *ret_value);
/* `EPERM` or `1`; negative: there is none. */
int errno_number(const char *word);
/* "at once", "for new sessions", …: behind "A change applies". */
const char *attribute_change_text(enum attribute_change change);

#endif
