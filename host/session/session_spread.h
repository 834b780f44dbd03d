/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * session_spread: the sessions of one server on several loops of the host.
 *
 * Every loop that has had one has a lane for them.  Accepting, counting and
 * deciding is done at home; what home and lanes say to each other is said by
 * letters.  A session stays on its loop.
 *
 * A lane looks at its server and at its settings only while it has sessions
 * that home knows of, or under its lock; so a server can go at home as soon as
 * the last of them is gone, and what is left of the lane is the loop's.
 */
#ifndef SESSION_SESSION_SPREAD_H
#define SESSION_SESSION_SPREAD_H

#include "session/session_crew.h"
#include "session/session_loops.h"

/* What home wants of a lane. */
struct spread_wish {
	const struct settings *settings; /* NULL: it leaves */
	uint64_t epoch;			 /* of the settings */
	struct ledger *ledger;		 /* a reference */
	enum crew_ending ending;
	bool hold;
};

struct handed {
	struct connection *items;
	unsigned count, room;
};

struct spread_lane {
	struct lane lane;	    /* first: see there */
	struct reactor_owner owner; /* made on its thread, with the first */
	struct loop *loop;
	struct reactor_letter take, obey, visit, leave; /* to the lane */
	struct reactor_letter done, seen, left;		/* to home */
	struct handed taken;				/* the lane's */
	enum crew_ending ended;
	bool held;

	/* Home's. */
	struct spread *spread; /* NULL: it leaves */
	LIST_ENTRY(spread_lane) link;
	uint64_t active; /* sessions that home knows of */

	/* Under its lock. */
	pthread_mutex_t lock;
	pthread_cond_t arrived, go_on;
	struct handed inbox;
	struct spread_wish wish;
	uint64_t epoch; /* of the settings that it looks at */
	unsigned gone;	/* sessions, of which home does not know yet */
	struct guard_source *
	    *sources; /* theirs; room for all that are active */
	unsigned source_count, source_room;
	bool awaited; /* home waits for news */
	bool visited, present;
	bool orphaned; /* the server is left to it: home wants no news */

	char name[]; /* of the service, for its owner */
};

struct spread {
	struct server *server;
	struct spread_lane *of[LOOPS_MAX]; /* by loop; of[0] is NULL: home */
	struct spread_wish wish;	   /* of all lanes; without ledger */
	uint64_t away;			   /* sessions on all of them */
	STAILQ_HEAD(, server_retired) retired;
	struct server_counters before; /* of lanes that have left */
};

/* --- spread.c: at home -----------------------------------------------------*/

/* For a server all of whose sessions are at home until now. */
int spread_new(struct server *server, struct spread **ret_spread);
/* No session is left. */
struct spread *spread_free(struct spread *spread);
/* Sessions on that loop; 0: home. */
uint64_t spread_sessions(const struct spread *spread, unsigned number);
/* Which loop gets the next session; 0: home. */
unsigned spread_choose(struct spread *spread);
/* Hands it to that loop; -ENOMEM: it stays the caller's. */
int spread_take(struct spread *spread, unsigned number,
    const struct connection *connection);
void spread_update(struct spread *spread, const struct settings *settings);
void spread_set_ledger(struct spread *spread); /* the server's is another */
void spread_hold(struct spread *spread, bool hold);
void spread_end(struct spread *spread, enum crew_ending ending);
/* Waits until no lane has sessions; no longer than so many milliseconds. */
void spread_wait(struct spread *spread, unsigned ms);
/* Is there a session that does not end?  Then home wants no news of it. */
bool spread_orphan(struct spread *spread);
void spread_count(
    const struct spread *spread, struct server_counters *counters);
void spread_retire(struct spread *spread, struct server_retired *retired);
/* Lanes without sessions on a loop that is not used any more. */
void spread_leave_idle(struct loop *loop);

/* --- spread_lane.c: one lane -----------------------------------------------*/

int spread_lane_new(
    struct spread *spread, struct loop *loop, struct spread_lane **ret_lane);
/* At home; it has left, or its thread has ended. */
void spread_lane_free(struct spread_lane *own);
int spread_lane_give(
    struct spread_lane *own, const struct connection *connection);
/* To obey what the spread wishes, now. */
void spread_lane_wish(struct spread_lane *own);
/* It has no session and gets no more; it goes by itself. */
void spread_lane_leave(struct spread_lane *own);
/* Home has learnt of sessions that are gone, or of settings seen. */
void spread_lane_done(struct reactor_letter *letter);
void spread_lane_seen(struct reactor_letter *letter);

/* --- spread_visit.c: looking -----------------------------------------------*/

void spread_each(struct spread *spread, server_session_fn *fn, void *context);
void spread_lane_visited(struct reactor_letter *letter);

#endif
