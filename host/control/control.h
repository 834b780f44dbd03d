/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * control: the host as one object, and the table of commands that every door
 * to it serves: SIGHUP, the manager service, the control socket.
 *
 * A host holds a reactor, the listeners, the plugins and the repository, and
 * no state of the process: signals, standard streams, daemonising, limits and
 * the notification of a supervisor are main's, which hands them in and gets
 * events back.  Two hosts in one process work.
 *
 * All calls belong to the thread that runs the host, but those marked
 * [any thread].
 */
#ifndef CONTROL_CONTROL_H
#define CONTROL_CONTROL_H

#include <pthread.h>

#include "config/config.h"
#include "plugin/plugin.h"
#include "reactor/reactor.h"

struct host;

enum host_event {
	HOST_READY,	/* services are up */
	HOST_RELOADING, /* a reload begins */
	HOST_RELOADED,	/* it ended; text: its report or its messages */
	HOST_STOPPING	/* shutdown begins */
};

struct host_options {
	const struct config_input *inputs; /* copied; files are read again at
					    * each reload, strings only once */
	unsigned input_count;
	const struct berth_static_service *statics; /* NULL: none */
	/* What speaks on the control socket; NULL: there is none. */
	berth_service_factory_fn *control;
	const char *plugin_path; /* over the file's; NULL: the file's or ours */
	bool no_dynamic;
	struct log *log;     /* its level is set from the configuration */
	bool keep_log_level; /* -d was given: the file does not set it */
	/* The program of workers, O_PATH; not taken; 0: there are none. */
	int worker_program_fd;
	/* A low one, for starts of programs; not taken; 0: there is none. */
	int door_fd;
	/* It is a worker: its sockets were handed to it, commands of services
	 * are refused. */
	bool is_worker;

	/* A callback lasts too long on this thread: says where it is.  Called
	 * on another one; may be NULL. */
	void (*stack)(void *context, pthread_t thread);
	/* Called on the host's thread; may be NULL.  failed: for
	 * HOST_RELOADED, nothing was changed. */
	void (*event)(void *context, enum host_event event, bool failed,
	    const char *text);
	/* At the start and in a check: the settings were read, nothing was
	 * judged by what the process may do and nothing of a service has run.
	 * For what cannot be taken back, such as giving rights up.  Mistakes
	 * are told; may be NULL. */
	void (*settle)(void *context, const struct host_settings *settings,
	    struct errors *errors);
	void *context;
};

/* Makes the parts; reads nothing yet. */
int host_new(const struct host_options *options, struct host **ret_host);
/* After host_run(), or instead of it; what runs is ended without a drain. */
struct host *host_free(struct host *host);

/* For main's own handlers: signals, the standard streams. */
struct reactor_owner *host_owner(struct host *host);

/* Whose hook runs in this thread, or NULL; for a handler of signals. */
const char *host_busy_name(const struct host *host);

/* A listening socket that was handed to the process; takes fd. */
int host_adopt_socket(struct host *host, int fd);

#define HOST_E_REFUSED 1 /* the configuration has mistakes: see errors */

/*
 * Reads, plans and judges everything without touching anything.  With print,
 * the tree in canonical form is added to it.  0, HOST_E_REFUSED, -ENOMEM.
 */
int host_check(struct host *host, struct errors *errors, struct text *print);

/* Starts what the configuration says, all or nothing.  0, HOST_E_REFUSED with
 * errors, or a negative errno. */
int host_start(struct host *host, struct errors *errors);

/* Of a worker: the copy of the plugin at that path; takes fd. */
int host_offer_plugin(struct host *host, const char *path, int fd);
/* Of a worker: the rest is said over this channel, at whose end it ends.  Takes
 * fd, answers to `id` that the start was good, and lets clients wait until it
 * is told otherwise.  max_requests 0: no limit. */
int host_serve_fleet(
    struct host *host, int fd, uint32_t id, uint32_t max_requests);
/* The answer to `id` for a start that was refused. */
void host_refuse_fleet(int fd, uint32_t id, const struct errors *errors);

/* The host's settings as read; for main: the pid file. */
const struct host_settings *host_settings(const struct host *host);

/* What the services that run ask of root, "programs of daemon, root; ports
 * below 1024"; nothing is added when that is nothing. */
void host_needs_root(const struct host *host, struct text *text);

/* Until host_stop().  0, or a negative errno when the loop failed. */
int host_run(struct host *host);

/* Asks for a reload; many askings before it runs are one. [any thread] */
void host_reload(struct host *host);

/* Opens the files of log_type anew, for those who have moved them away; a
 * reload does it, too. [any thread] */
void host_reopen_logs(struct host *host);

/* First call: ends in order, sessions get host_settings.shutdown_ms.  A second
 * one ends at once. */
void host_stop(struct host *host);

/* Ends in order, sessions get so long; may be called again with another time.
 */
void host_drain(struct host *host, uint64_t drain_ms);

/* --- commands --- */

#define COMMAND_CONTROL BERTH_COMMAND_CONTROL /* may change things */
#define COMMAND_JSON BERTH_COMMAND_JSON

enum command_status {
	COMMAND_OK = 0,
	COMMAND_REFUSED = 1, /* mistakes, or a failure: the text tells */
	COMMAND_USAGE = 2,   /* no such command, or its words are off */
	COMMAND_DENIED = 3   /* the caller may only look */
};

struct command;

/* A line that was understood. */
struct request {
	const struct command *command;
	const char *arguments; /* after the first word, trimmed */
	unsigned flags;
};

/* One row of the table: help, manual and completion come from it. */
struct command {
	const char *name;
	const char *syntax; /* of the arguments: "NAME", "[NAME]" */
	const char *help;   /* one line */
	unsigned flags;	    /* what the caller needs: COMMAND_CONTROL or 0 */
	enum command_status (*run)(struct host *host,
	    const struct request *request, struct text *text);
};

const struct command *host_commands(void); /* ends with a NULL name */

/* Runs a line now and adds the reply's body, or the messages, to the text: one
 * JSON value with COMMAND_JSON.  Not from a hook: see berth_command(). */
enum command_status host_command(
    struct host *host, const char *line, unsigned flags, struct text *text);

#endif
