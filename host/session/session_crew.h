/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * session_crew: the threads of a server, for `concurrency = thread` and `pool`.
 *
 * Every thread has a lane with a loop of its own, and drives one session at a
 * time.  Accepting, counting and deciding is done at home, on the host's loop;
 * home and lanes talk by letters, and by a wish that a lane looks at when it
 * is told to.
 */
#ifndef SESSION_SESSION_CREW_H
#define SESSION_SESSION_CREW_H

#include <pthread.h>
#include <stdatomic.h>

#include "session/session_lane.h"

/* How its sessions shall end; ever more severe. */
enum crew_ending { CREW_GOES_ON, CREW_CLOSES, CREW_ABORTS };

/* What home wants of a lane; a lane that is told compares and acts. */
struct crew_wish {
	const struct settings *settings;
	uint64_t epoch; /* of the settings */
	enum crew_ending ending;
	bool hold;
};

struct crew_lane {
	struct lane lane; /* first: see there */
	struct reactor_owner owner;
	struct listeners_shared shared;
	struct crew *crew;
	pthread_t thread;
	char name[16];				 /* as ps(1) shows it */
	struct reactor_letter take, obey, visit; /* to the lane */
	struct reactor_letter done, seen;	 /* to home */

	/* Home's. */
	LIST_ENTRY(crew_lane) link;
	TAILQ_ENTRY(crew_lane) idle_link;
	struct connection job; /* written before `take` is sent */
	uint64_t since_ns;     /* busy or idle */
	bool busy;

	/* Under the crew's gate. */
	bool finished; /* its session is gone, home does not know yet */
	bool present;  /* stands still for a visitor */

	/* Under its own lock. */
	pthread_mutex_t lock;
	struct crew_wish wish;
	int fd; /* of its session, or -1 */

	/* The lane's, for all to see. */
	_Atomic uint64_t epoch, bytes_in, bytes_out, failed;
};

struct crew_waiting {
	TAILQ_ENTRY(crew_waiting) link;
	struct connection connection;
};

TAILQ_HEAD(crew_idle, crew_lane);
LIST_HEAD(crew_lanes, crew_lane);

struct crew {
	struct server *server;
	bool is_pool;
	unsigned count, count_max;
	unsigned waiting_count, waiting_max;
	unsigned serial; /* of the next thread's name */
	struct crew_lanes lanes;
	struct crew_idle idle; /* the one that was busy last comes first */
	TAILQ_HEAD(, crew_waiting) waiting;
	struct berth_handler handler; /* of parked threads */
	berth_timer_id trim;
	struct crew_wish wish; /* of all lanes */
	STAILQ_HEAD(, server_retired) retired;
	struct server_counters gone; /* of lanes that were given up */

	pthread_mutex_t gate;
	pthread_cond_t arrived, go_on;
	uint64_t visits;
	bool visited;
	bool orphaned; /* the server is gone, and a lane is not */
};

/* --- crew.c: at home -------------------------------------------------------*/

/* A pool has its threads at once. */
int crew_new(struct server *server, struct crew **ret_crew);
/* Joins all threads.  No lane may be busy, but for orphans, which stay. */
struct crew *crew_free(struct crew *crew);
bool crew_has_room(const struct crew *crew);
/* A thread's now, or waits.  Negative: closed. */
int crew_take(struct crew *crew, const struct connection *connection);
/* Connections that wait for a thread get the free ones. */
void crew_go_on(struct crew *crew);
void crew_update(struct crew *crew, const struct settings *settings);
void crew_hold(struct crew *crew, bool hold);
void crew_end(struct crew *crew, enum crew_ending ending);
/* Waits until no lane is busy; no longer than so many milliseconds. */
void crew_wait(struct crew *crew, unsigned ms);
/* Is there a lane that does not finish?  Then it tells home no more. */
bool crew_orphan(struct crew *crew);
void crew_count(struct crew *crew, struct server_counters *counters);
void crew_retire(struct crew *crew, struct server_retired *retired);

/* --- crew_lane.c: one thread -----------------------------------------------*/

/* The thread runs, and waits for its first connection. */
int crew_lane_new(struct crew *crew, struct crew_lane **ret_lane);
/* Ends and joins it; it has no session. */
struct crew_lane *crew_lane_free(struct crew_lane *lane);
/* Gives it a connection. */
void crew_lane_give(
    struct crew_lane *lane, const struct connection *connection);
/* To obey the crew's wish; tells it now if `tell`. */
void crew_lane_wish(struct crew_lane *lane, bool tell);
/* Its client is let go, whatever its hook does. */
void crew_lane_shut(struct crew_lane *lane);
/* Home has learnt that its session is gone. */
void crew_lane_done(struct reactor_letter *letter);
void crew_lane_seen(struct reactor_letter *letter);

/* On the lane's thread: its session is gone; is about to close. */
void crew_lane_finished(struct lane *lane, struct guard_source *source);
void crew_lane_lets_go(struct lane *lane);
void crew_lane_publish(struct lane *lane);

/* --- crew_visit.c: looking -------------------------------------------------*/

void crew_each(struct crew *crew, server_session_fn *fn, void *context);
void crew_lane_visited(struct reactor_letter *letter);

#endif
