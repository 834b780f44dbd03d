/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * session_bed: a bed with one service in it, and what its hooks were told.
 */
#ifndef UNIT_SESSION_BED_H
#define UNIT_SESSION_BED_H

#include <berth/berth.h>

#include "session/session.h"
#include "unit/net_bed.h"

/* What the closed hook was told, newest last. */
struct notes {
	int reasons[4096];
	_Atomic unsigned places; /* in reasons, taken */
	_Atomic unsigned closed; /* counted when it is noted */
	_Atomic unsigned opened;
	unsigned drained;
	unsigned stuck;
};

struct stage {
	struct bed *bed;
	struct reactor_owner owner;
	struct berth_host host;
	struct berth_service service; /* its state is the stage */
	struct berth_session_type type;
	struct server *server;
	struct listener *listener; /* the first */
	struct notes notes;
	const struct arrival_stage *const *stages; /* NULL: the usual */
	struct loops *loops;			   /* NULL: one loop */
	void *context;				   /* a test's own */
	struct server_counters counters;	   /* as of stage_counters() */
};

int stage_setup(void **state);
/* With a clock that the test moves on, stage->bed->ahead_ns. */
int stage_setup_ahead(void **state);
int stage_teardown(void **state);
/* Starts the service on these endpoints, NULL ends; the type is copied, its
 * closed hook wrapped by one that keeps notes. */
void stage_serve(struct stage *stage, const struct berth_session_type *type,
    const char *endpoint);
void stage_also(struct stage *stage, const char *endpoint);
const struct server_counters *stage_counters(struct stage *stage);
struct stage *stage_of(struct berth_session *session);
/* Until so many sessions have ended. */
void stage_until_closed(struct stage *stage, unsigned count);
void stage_until_opened(struct stage *stage, unsigned count);
void stage_until_active(struct stage *stage, uint64_t count);
/* Until exactly these bytes have come to the client. */
void stage_expect(struct stage *stage, int client, const char *text);
/* Until the client sees the end; returns recv's errno, 0 for an orderly one.
 * Counts what came before. */
int stage_until_end(struct stage *stage, int client, size_t *ret_bytes);
void stage_send(struct stage *stage, int client, const char *text);

/* It says who it is, and hears it. */
void stage_talk(struct stage *stage, int client, unsigned number);
/* Nothing comes to the client, for a moment. */
bool stage_is_quiet(struct stage *stage, int client);
/* Threads whose names begin so: a sanitizer has some too.  The kernel wakes
 * whoever joins a thread before it takes the thread out of its list, so one
 * that has ended may be seen for a moment more. */
unsigned stage_count_threads(const char *prefix);

/* Conditions for bed_until(): of a stage, of a struct stage_wait. */
bool stage_is_drained(void *context);
bool stage_is_stuck(void *context);
struct stage_wait {
	unsigned *count;
	unsigned wanted;
};
bool stage_has_count(void *context);

/* A copy of the settings that counts when it is released, and is gone then. */
struct stage_kept {
	struct settings settings;
	struct server_retired retired;
	unsigned *released;
};
struct stage_kept *stage_keep(struct stage *stage, unsigned *released);

/* An echo that takes what it can write. */
int stage_echo(struct berth_session *session, struct berth_bytes in);

#endif
