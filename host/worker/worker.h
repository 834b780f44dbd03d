/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * worker: processes of other programs, and the services whose sessions are
 * such processes (`Program *`).
 *
 * There is one way to start a process, spawn().  What it does is said by a
 * template, which is made once, when a service is defined: all that may block
 * or fail slowly (users, groups, the environment) is done there.
 */
#ifndef WORKER_WORKER_H
#define WORKER_WORKER_H

#include <sys/resource.h>
#include <sys/types.h>

#include "config/config.h"
#include "session/session.h"
#include "worker/worker_groups.h"

/* --- templates: template.c -------------------------------------------------
 */

/* Strings that one start adds to the environment of its template. */
#define SPAWN_VARIABLES 16u

struct spawn_limit {
	int resource; /* RLIMIT_… */
	struct rlimit limit;
};

struct spawn_sandbox;

/* All of it lies in one arena, its maker's. */
struct spawn_template {
	const char *path;
	char **argv;
	char **envp; /* room for SPAWN_VARIABLES more and the NULL */
	unsigned env_count;
	const char *chroot; /* NULL: none */
	const char *cwd;    /* below chroot */
	struct spawn_limit *limits;
	unsigned limit_count;
	unsigned umask;
	int nice;	  /* added */
	bool switch_user; /* the four below are set; else they are so */
	uid_t uid;
	gid_t gid;
	gid_t *groups; /* supplementary; one at least, the gid */
	unsigned group_count;
	bool no_new_privs;
	struct spawn_sandbox *sandbox; /* NULL: none */
	const char *not_applied;       /* of its sandbox; NULL: all is */
	bool wait;
	uint64_t max_session_ms; /* of a program for one connection; 0: any */
};

/* What a program is to be, before it is known whether that can be. */
struct spawn_request {
	const char *name; /* of the service, for messages */
	const char *path;
	int argc; /* argv[0] is not the program's */
	char *const *argv;
	const struct settings *settings;
	struct groups *groups; /* the host's; NULL: there can be none */
	bool worker;	       /* it is this host's program, for a fleet */
	bool check; /* nothing will be started: only what can be had */
};

/* Resolves users and groups, which may block.  Every mistake is told at the
 * place.  -ENOENT, -EPERM, -ENOMEM, … */
int template_new(struct arena *arena, const struct spawn_request *request,
    const struct place *place, struct errors *errors,
    struct spawn_template **ret_template);
/* Of what starts now; not referred to.  NULL: none. */
struct group *template_group(const struct spawn_template *template);
/* Of what it goes on without. */
void template_warn(const struct spawn_template *template,
    const struct place *place, const char *name, struct errors *errors);
/* Closes what it holds beside its arena, which is left; NULL is taken. */
void template_release(struct spawn_template *template);
/* The same and the file itself: it is there, and its user may run it as far
 * as can be told.  For a plan: nothing is kept. */
int external_check(struct arena *arena, struct groups *groups,
    const struct directive *directive, struct errors *errors);

/* --- spawn.c -----------------------------------------------------------------
 */

enum spawn_step {
	SPAWN_CLONE,
	SPAWN_DESCRIPTORS,
	SPAWN_CLOSE,
	SPAWN_JOIN,
	SPAWN_SESSION,
	SPAWN_LIMITS,
	SPAWN_NICE,
	SPAWN_CHROOT,
	SPAWN_BOUND,
	SPAWN_GROUPS,
	SPAWN_GROUP,
	SPAWN_USER,
	SPAWN_REGAINED, /* the user's rights could be had again */
	SPAWN_CAPABILITIES,
	SPAWN_AMBIENT,
	SPAWN_CWD,
	SPAWN_NO_NEW_PRIVS,
	SPAWN_PATHS,
	SPAWN_CALLS,
	SPAWN_EXEC
};

/*
 * What of a host matters to what it starts, for its loop's thread.  It is
 * looked at now and then only, since that takes dozens of calls: whatever a
 * plugin does about signals reaches programs that start SPAWN_HOST_MS later at
 * the latest.
 */
struct spawn_host {
	int program_fd;	  /* the host's binary, O_PATH; not taken; 0: there are
			   * no workers here */
	int door_fd;	  /* a low descriptor, or 0; not taken.  A connection is
			   * moved there while a program starts with it, so that
			   * all above need not be copied. */
	uint64_t signals; /* bit N - 1: signal N is not at its default */
	bool terminal;	  /* it has one, or may have */
	uint64_t until_ns; /* 0: not looked at yet */
};

#define SPAWN_HOST_MS 100u

/* What is particular to one start. */
struct spawn {
	const struct spawn_template *template;
	int fds[3];	/* to be 0, 1, 2; each 3 or more */
	int listen_fd;	/* to be 3; -1: none */
	char *pid_text; /* SPAWN_PID_DIGITS + 1 bytes within the environment,
			 * where the child writes its own; NULL: none */
	struct spawn_host *host; /* NULL: it is looked at each time */
	int program_fd; /* is run instead of the path, with a listen_fd; 0:
			 * none */
};

#define SPAWN_PID_DIGITS 10u

/*
 * Starts the program: the pid, or a negative errno with the step that failed.
 * Returns when the program runs, or does not: after execve(2), not before.
 * The caller reaps it.
 */
pid_t spawn(const struct spawn *spawn, enum spawn_step *ret_step);
/* "cannot change to its user", … */
const char *spawn_step_text(enum spawn_step step);

/* --- wrapper.c: who asks hosts.allow and hosts.deny --------------------------
 */

struct wrapper;

struct wrapper_paths {
	const char *program, *allow, *deny;
};

/* The paths are not copied. */
int wrapper_new(
    const struct wrapper_paths *paths, struct wrapper **ret_wrapper);
/* For clients that come from now on. */
void wrapper_set_paths(
    struct wrapper *wrapper, const struct wrapper_paths *paths);
/* As long as the wrapper. */
const struct server_wrapper *wrapper_ops(const struct wrapper *wrapper);
struct wrapper *wrapper_free(struct wrapper *wrapper);

/* --- external.c: a service whose sessions are processes ----------------------
 */

struct external;

/* How long a program that was asked to end has before it is killed. */
#define PROGRAM_TERM_MS 5000u

/* What an instance of a program has for a type: no hooks of its own, or, with
 * modules around its connections, those of sessions that relay. */
extern const struct berth_service_type external_type;
extern const struct berth_service_type external_relay_type;
const struct berth_service_type *external_type_of(
    const struct settings *settings);
/* How a server serves it; its units are a struct external. */
extern const struct server_strategy external_strategy;
extern const struct server_strategy external_wait_strategy;

/* The template may be NULL until external_update(). */
int external_new(const struct server_options *options, struct spawn_host *host,
    const struct spawn_template *template, struct external **ret_program);
/* Its server, made with the strategy and the program as its units; or, of the
 * relaying type, whose state points to the program, without. */
void external_set_server(struct external *program, struct server *server);
/* Programs that start from now on are as the template says; not copied. */
void external_update(
    struct external *program, const struct spawn_template *template);
/* Those whose sessions are over already: asked to end, not waited for. */
void external_leave(struct external *program);
/* Programs that the kernel has ended for memory_max. */
uint64_t external_starved(const struct external *program);
/* None may be left: after the end of its server. */
struct external *external_free(struct external *program);

#endif
