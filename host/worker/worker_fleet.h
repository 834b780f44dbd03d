/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fleet: a service whose code runs in worker processes.
 *
 * In the host such a service is a server that never takes a client itself: its
 * endpoints stay the host's, open and not looked at, and every worker is handed
 * a copy of them.  A worker is an ordinary host, a fresh process of the host's
 * own binary, that reads one directive, and has no other service.
 *
 * With `concurrency = process` each connection has a worker of its own: the
 * server takes and judges clients as ever, and hands each to a worker that was
 * started ahead and ends with the session.
 *
 * A fleet has slots, one a worker.  A worker that dies is replaced in its slot,
 * later each time; with too many deaths the fleet has failed and stays empty
 * until it is started again.  All of it belongs to the loop's thread.
 */
#ifndef WORKER_WORKER_FLEET_H
#define WORKER_WORKER_FLEET_H

#include "worker/worker.h"

struct fleet;

/* Bytes of the directive that a worker can be handed. */
#define FLEET_DIRECTIVE_MAX (96u * 1024)

struct fleet_options {
	struct server_options server; /* as its server is made with */
	struct spawn_host *host;      /* NULL: there are no workers */
	/* It stays empty from now on; why is for people.  Called from the
	 * loop, not from a call into the fleet. */
	void (*failed)(void *context, const char *why);
	void *context;
};

/* No hook: what an instance in workers has for a type. */
extern const struct berth_service_type fleet_type;

int fleet_new(const struct fleet_options *options, struct fleet **ret_fleet);
const struct server_strategy *fleet_strategy_of(const struct fleet *fleet);
/* Has each connection a worker of its own? */
bool fleet_is_per_client(const struct fleet *fleet);
/* No worker may be left: after the end of its server. */
struct fleet *fleet_free(struct fleet *fleet);
void fleet_set_server(struct fleet *fleet, struct server *server);
/* The copy of the code that all of them run; takes fd, -1: a static service. */
int fleet_set_plugin(struct fleet *fleet, const char *path, int fd);
/* One more copy that each of them is handed, for a path that none was given
 * for; takes fd. */
int fleet_add_plugin(struct fleet *fleet, const char *path, int fd);
/* From now on workers are made as these say, and those that there are told of
 * the directive if it is another.  None is copied, all outlive the next call.
 */
void fleet_update(struct fleet *fleet, const struct settings *settings,
    const struct spawn_template *template, const char *directive);

/*
 * Starts the least number of workers and waits until all are ready, while the
 * loop goes on.  Negative, told at place with the words of the first that is
 * not; then none is left.
 */
int fleet_start(
    struct fleet *fleet, const struct place *place, struct errors *errors);
/* The hooks of the service, in each worker.  The first waits like a start. */
int fleet_resume(
    struct fleet *fleet, const struct place *place, struct errors *errors);
void fleet_suspend(struct fleet *fleet);
/* The last worker is gone: timers too. */
void fleet_rest(struct fleet *fleet);

/* --- looking: as of the last heartbeat, never waiting
 * -----------------------*/

struct fleet_info {
	unsigned slot;
	int pid;
	const char *state; /* "starting", "waiting" for a client of its own,
			    * "serving", "hung", "ending", "killed" */
	uint64_t age_ms;
	uint64_t sessions_active;
	uint64_t sessions_total;
	uint64_t memory_bytes; /* resident */
};

typedef void(fleet_info_fn)(void *context, const struct fleet_info *info);

void fleet_each(struct fleet *fleet, fleet_info_fn *fn, void *context);
uint64_t fleet_restarts(const struct fleet *fleet);
/* Workers that the kernel has ended for memory_max. */
uint64_t fleet_starved(const struct fleet *fleet);
/* Why it has failed, or "". */
const char *fleet_failure(const struct fleet *fleet);

#endif
