/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * control_priv: the host as the files of this room see it.
 */
#ifndef CONTROL_CONTROL_PRIV_H
#define CONTROL_CONTROL_PRIV_H

#include <stdatomic.h>

#include "control/control.h"
#include "reload/reload.h"
#include "session/loops.h"

TAILQ_HEAD(command_queue, berth_command);

LIST_HEAD(watched_list, watched);
LIST_HEAD(timed_list, timed);

/* watch.c: the files of the configuration. */
struct watch {
	struct host *host; /* NULL: nothing is watched */
	struct berth_handler handler;
	struct watched_list files;
	int fd;
};

/* door.c: the control socket of a reload that is under way. */
struct door {
	bool changes;
	struct instance *instance; /* NULL: none from now on */
};

struct host {
	struct host_options options;
	struct arena *arena; /* the options' strings */
	struct log *log;
	struct reactor *reactor;
	struct reactor_owner owner;
	struct loops *loops; /* beside the reactor's */
	struct listeners *listeners;
	struct ledgers *ledgers;
	struct groups *groups;
	struct wrapper *wrapper; /* its paths are the settings' */
	struct plugins *plugins;
	struct repository *repository;
	struct host_settings settings;
	struct arena *settings_arena; /* strings of the settings */
	atomic_bool reload_wanted;
	struct command_queue queue;
	struct watch watch;
	struct instance *door; /* NULL: no control socket */
	struct timed_list timed;
	struct berth_command *running; /* its reply is still to come */
	struct spawn_host processes;
	struct seat *seat; /* of a worker; NULL: it is none */
	bool queue_posted;
	bool applying; /* a change waits for something, and the loop goes on */
	bool stop_wanted; /* meanwhile */
	bool reload_put_off;
	bool stopping;
	struct mono started;
	uint64_t reloads;
	uint64_t reloads_refused;
	bool last_refused; /* the files are ahead of what runs */
};

/* apply.c: one way for start, reload, command and check. */
enum apply_mode {
	APPLY_START,
	APPLY_RELOAD,
	APPLY_COMMAND,
	APPLY_PLAN /* says what a reload would do, and does nothing */
};

/* What happened, in both forms: messages and one line a change, and JSON. */
struct report {
	struct text text;
	struct text json;
};

void report_init(struct report *report);
void report_fini(struct report *report);

/* 0 or HOST_E_REFUSED with errors; directive is the text of APPLY_COMMAND. */
int host_apply(struct host *host, enum apply_mode mode, const char *directive,
    struct errors *errors, struct report *report);

#define ERRORS_A_FILE 20

/* host.c: what was put off while something was applied. */
void host_applied(struct host *host);
/* host.c: a reload with everything round it. */
int host_reload_now(struct host *host, struct report *report);
void host_log_lines(struct host *host, int level, const char *lines);

void watch_files(struct host *host, const struct tree *tree);
void watch_stop(struct host *host);

/* --- wrap.c: hosts.allow and hosts.deny ------------------------------------*/

int wrap_open(struct host *host);
/* The settings that will be the host's. */
void wrap_update(struct host *host, const struct host_settings *settings);
bool wrap_has_rules(const struct host *host);
/* Can those be asked that the services want to be asked? */
void wrap_check(
    const struct host *host, const struct tree *tree, struct errors *errors);

int door_prepare(struct host *host, const struct host_settings *settings,
    struct errors *errors, struct door *ret_door);
void door_abandon(struct door *door);
void door_commit(struct host *host, struct door *door);

void door_close(struct host *host, uint64_t drain_ns);

void suspend_forget_all(struct host *host);
enum command_status command_suspend(
    struct host *host, const struct request *request, struct text *text);

/* seat.c */
struct seat *seat_free(struct seat *seat);

/* jobs.c: the commands that services ask for. */
void jobs_bind(struct host *host, struct repository_doors *doors);
void jobs_drop_all(struct host *host);
/* Those that have come while something was applied. */
void jobs_go_on(struct host *host);

/* show.c */
enum command_status command_list(
    struct host *host, const struct request *request, struct text *text);
enum command_status command_show(
    struct host *host, const struct request *request, struct text *text);
enum command_status command_sessions(
    struct host *host, const struct request *request, struct text *text);
enum command_status command_stats(
    struct host *host, const struct request *request, struct text *text);
enum command_status command_report(
    struct host *host, const struct request *request, struct text *text);

/* show_text.c: `key value` lines, or fields with their commas. */
void show_put(struct text *text, const char *string);
void show_field(struct text *text, const char *key, const char *value);
void show_count(struct text *text, const char *key, uint64_t value);
void show_key(struct text *text, const char *key);
void show_fact(
    struct text *text, bool json, const char *key, const char *value);
void show_number(struct text *text, bool json, const char *key, uint64_t value);
/* Zeros once the server is gone, at the very end of an instance. */
void show_counters_of(
    const struct instance *instance, struct server_counters *counters);
/* The rules against loops are one of the reasons. */
void show_refusals(const struct server_counters *counters, const char *key,
    struct text *text, bool json);
unsigned show_draining_count(const struct record *record);

/* show_workers.c */
struct show_fleets {
	uint64_t workers;
	uint64_t restarts;
	uint64_t memory_bytes;
};

void show_workers(
    const struct instance *instance, struct text *text, bool json);
void show_count_workers(
    const struct instance *instance, struct show_fleets *fleets);

/* commands.c: a message as the request wants it. */
__attribute__((format(printf, 4, 5))) enum command_status command_answer(
    const struct request *request, struct text *text,
    enum command_status status, const char *format, ...);
/* Directives as somebody's command: applied and logged. */
enum command_status host_directive(struct host *host, const char *directives,
    const char *who, struct report *report);
enum command_status host_directive_reply(struct host *host,
    const struct request *request, const char *directives, struct text *text);
/* The service that the arguments name; NULL after telling that there is none.
 */
struct record *command_service(
    struct host *host, const struct request *request, struct text *text);

#endif
