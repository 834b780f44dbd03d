/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * session_lane: where the sessions of a server run.
 *
 * A lane is one loop and all that the sessions on it need from one message to
 * the next.  It belongs to the thread of its loop: nobody else looks at its
 * sessions.  Lane 0, `home`, is on the host's loop; there a server is made,
 * listens, and ends.
 */
#ifndef SESSION_SESSION_LANE_H
#define SESSION_SESSION_LANE_H

#include "session/admission.h"
#include "session/arrival.h"
#include "session/coroutine.h"
#include "session/session.h"

struct session;
struct crew;
struct spread;

/* A client that was accepted, and has no session yet. */
struct connection {
	int fd;
	uint16_t flags; /* the session begins with: SESSION_CORKED, … */
	uint64_t id;
	struct session_name *name; /* NULL: as the socket says */
	struct guard_source *source;
	struct chain_plan *around; /* a reference; NULL: no filters */
};

struct lane {
	/* What every message touches comes first. */
	struct reactor *reactor;
	struct listeners_shared *shared;
	int (*input)(struct berth_session *, struct berth_bytes);
	size_t read_bytes; /* at once: all of shared, or input_limit */
	uint64_t bytes_in;
	uint64_t bytes_out;

	struct server *server;
	struct reactor_owner *owner; /* what its sessions register under */
	const struct settings *settings;
	struct ledger *ledger; /* a reference; NULL: no lines */
	LIST_HEAD(, session) sessions;
	uint64_t failed; /* sessions that ended by an error */
	void *spare;	 /* memory of a session that has ended, for the next */
	struct berth_handler handler; /* of its sweep */
	berth_timer_id sweep;	      /* idle_timeout */
	struct stacks stacks;	      /* of sessions that are sequential */
	const struct lane_kind *kind; /* NULL: it is home */
	unsigned number;	      /* of the host's loop; 0 with a crew */
};

/* A lane on another loop than home's; called there. */
struct lane_kind {
	/* NULL, or a session is about to close its descriptor. */
	void (*lets_go)(struct lane *lane);
	/* One is gone, with what it was counted by: home's to give back. */
	void (*gone)(struct lane *lane, struct guard_source *source);
};

/* Counters of lanes are read from home at any time. */
static inline void
lane_count(uint64_t *counter, uint64_t more)
{
	__atomic_store_n(counter, *counter + more, __ATOMIC_RELAXED);
}

static inline uint64_t
lane_counted(const uint64_t *counter)
{
	return __atomic_load_n(counter, __ATOMIC_RELAXED);
}

/* --- lane.c ----------------------------------------------------------------*/

/* On this owner's loop, with the server's settings. */
void lane_init(struct lane *lane, struct server *server,
    struct reactor_owner *owner, struct listeners_shared *shared);
/* No session may be left. */
void lane_fini(struct lane *lane);

/* Memory of a session and its service's state, not zeroed. */
void *lane_take_memory(struct lane *lane, size_t size);
void lane_give_memory(struct lane *lane, void *memory);
/* Around the life of a session; -ENOMEM: it can't begin. */
int lane_session_begins(struct lane *lane);
void lane_session_gone(
    struct lane *lane, struct guard_source *source, bool failed);

/* For all its sessions. */
void lane_update(struct lane *lane, const struct settings *settings);
void lane_set_ledger(struct lane *lane, struct ledger *ledger);
void lane_hold(struct lane *lane, bool hold);
void lane_close_all(struct lane *lane, int reason);
void lane_abort_all(struct lane *lane, int reason);
void lane_each(struct lane *lane, server_session_fn *fn, void *context);

/* --- server.c --------------------------------------------------------------*/

enum drain_stage {
	DRAIN_NOT,
	DRAIN_WAITING,
	DRAIN_CLOSING,
	DRAIN_ABORTING,
	DRAIN_STUCK /* a hook in a thread does not return */
};

struct datagram;

/* What is counted at home; see server_counters() for the rest. */
struct server_tally {
	uint64_t sessions_active;
	uint64_t sessions_total;
	uint64_t datagrams;
	uint64_t datagrams_refused;
};

struct server {
	struct lane home;      /* first: see there */
	struct crew *crew;     /* NULL: sessions are on loops */
	struct spread *spread; /* NULL: those are all at home */
	struct server_options options;
	/* The service's own type if it is sequential, and what options.type is
	 * then; see serve.c. */
	const struct berth_session_type *sequential;
	struct berth_session_type *adapter; /* NULL: it is not sequential */
	struct listener_consumer consumer;
	struct berth_handler handler; /* of draining */
	struct listener **listeners;
	unsigned listener_count;
	struct server_tally counters;
	struct admission admission;
	uint32_t stages; /* those of arrival.c that apply, a bit each */
	unsigned parked;
	struct arrival_list arrivals;
	struct datagram *datagram;   /* the one that is served now */
	LIST_HEAD(, sender) senders; /* that the service keeps */
	berth_timer_id deadline;     /* of draining */
	struct reactor_deferred deferred;
	uint64_t refused_told_ns; /* when refusals were last logged */
	uint64_t refused_untold;
	void (*empty)(void *context); /* NULL, or told of the last end */
	void *empty_context;
	struct server *heir; /* of the session whose hook runs */
	struct listener *heir_listener;
	enum visitor_way heir_way;
	enum drain_stage stage;
	bool accepting;
	bool full;   /* listeners wait for a session to end */
	bool queued; /* its deferred node is with the reactor */
	bool told;   /* drained() was called */
	bool freed;  /* free it when the deferred node comes back */
};

static inline struct server *
server_of(struct listener_consumer *consumer)
{
	return BASE_CONTAINER(consumer, struct server, consumer);
}

static inline const struct settings *
server_settings(const struct server *server)
{
	return server->options.settings;
}

/* A session begins; or it, or a strategy's unit, is gone. */
static inline void
server_counts_session(struct server *server)
{
	server->counters.sessions_total++;
	server->counters.sessions_active++;
}

void server_session_gone(struct server *server);

/* --- away.c: the sessions that are not at home ------------------------------
 * Each does nothing where there are none; endings are those of the crew.
 */

bool away_begin(struct server *server, const struct connection *connection,
    int *ret_result); /* false: its loop is home */
void away_update(struct server *server, const struct settings *settings);
void away_set_ledger(struct server *server);
void away_hold(struct server *server, bool hold);
/* They go on, are closed in order, or aborted. */
void away_go_on(struct server *server);
void away_close(struct server *server);
void away_abort(struct server *server);
/* Can there be any? */
bool away_is_used(const struct server *server);
void away_wait(struct server *server, unsigned ms);
bool away_orphan(struct server *server);
void away_count(const struct server *server, struct server_counters *counters);
void away_each(struct server *server, server_session_fn *fn, void *context);
void away_retire(struct server *server, struct server_retired *retired);
void away_free(struct server *server);

/* --- strategy.c: the consumer of a server whose units are a strategy's
 * ------*/

const struct listener_consumer_type *strategy_consumer(
    const struct server_strategy *strategy);
void strategy_end_all(struct server *server, enum server_ending how);

/* --- serve.c ---------------------------------------------------------------*/

/* Before the lanes are made.  0 or -ENOMEM. */
int serve_adapt(struct server *server);

/* --- drain.c ---------------------------------------------------------------*/

int server_timeout(struct berth_handler *handler, uint64_t now_ns, void *token);
void server_drain_check(struct server *server);
void server_drain_cancel(struct server *server);

#endif
