/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fleet_priv: a fleet and its members, as the files about them share it.
 *
 * fleet.c has its life and its strategy, fleet_slots.c decides who is to be
 * there, fleet_member.c starts and ends one, fleet_talk.c speaks with it,
 * fleet_lines.c hears what it writes to its standard error, fleet_clients.c
 * has the clients of a fleet with a worker for each.
 */
#ifndef WORKER_FLEET_PRIV_H
#define WORKER_FLEET_PRIV_H

#include "worker/worker_channel.h"
#include "worker/worker_fleet.h"
#include "worker/worker_priv.h"

#define LINE_BYTES 1024u
#define LINES_KEPT 5u

/* What a process writes, line by line. */
struct lines {
	char line[LINE_BYTES]; /* the unfinished one */
	size_t size;
	char last[LINES_KEPT][256]; /* finished ones, a ring */
	unsigned count;		    /* ever */
	bool complete;	    /* it said that it crashes: a backtrace follows */
	uint64_t second_ns; /* the one in which some were logged */
	unsigned logged;    /* in it */
	unsigned unlogged;
};

enum member_state {
	MEMBER_STARTING, /* it has not said that it serves */
	MEMBER_SERVING,
	MEMBER_LEAVING, /* it was asked to end, when its sessions have */
	MEMBER_KILLED	/* it has been sent a signal that ends it */
};

/* Who is served by a member of his own, or waits for one. */
struct client {
	TAILQ_ENTRY(client) link; /* while he waits */
	int fd;			  /* likewise */
	uint64_t id;
	uint64_t born_ns;
	struct guard_source *source;
	struct channel_connection connection;
	char peer[DESCRIPTION_PEER];
};

TAILQ_HEAD(client_list, client);

struct member {
	struct berth_handler channel_handler;
	struct berth_handler lines_handler;
	struct berth_handler child_handler; /* and the timer of its end */
	LIST_ENTRY(member) link;
	struct fleet *fleet;
	unsigned slot;
	enum member_state state;
	bool expected; /* its end was the fleet's doing */
	bool hung;
	bool ended; /* its number may be another process's now */
	bool told;  /* why it could not start was told */
	bool unit;  /* it is one of its server's: that waits for its end */
	struct group *group;   /* a reference; NULL: none */
	struct client *client; /* NULL: it waits for one, or serves all */
	pid_t pid;
	int channel;
	int lines_fd;
	uint32_t asked; /* number of the last thing it has to answer; 0: none */
	uint64_t born_ns;
	uint64_t silent_ms; /* in ticks, since its last word */
	uint64_t busy_ns;   /* it last had a session */
	struct channel_beat beat;
	struct lines lines;
};

LIST_HEAD(member_list, member);

struct slot {
	struct fleet *fleet;
	struct member *member; /* NULL: empty, or its member is leaving */
	struct berth_handler handler;
	berth_timer_id retry; /* 0: none */
	uint64_t delay_ms;    /* of the next one; 0: the first */
};

/* A copy of code beside that of the service. */
struct fleet_plugin {
	STAILQ_ENTRY(fleet_plugin) link;
	int fd;
	char path[];
};

struct fleet {
	struct fleet_options options;
	struct reactor *reactor;
	struct server *server;
	const char *name;
	struct log *log;
	const struct settings *settings;
	const struct spawn_template *template;
	const char *directive;
	char *plugin_path; /* NULL: static */
	int plugin_fd;
	STAILQ_HEAD(, fleet_plugin) plugins;
	struct member_list members;
	bool per_client;
	bool draining;		    /* no more clients will come */
	struct client_list clients; /* who wait for a member */
	struct slot *slots;
	unsigned slot_count;	      /* there is room for */
	unsigned slot_wanted;	      /* are to be filled */
	struct berth_handler handler; /* of the tick */
	berth_timer_id tick;
	uint64_t tick_ms;
	uint32_t numbers; /* of what has to be answered */
	bool accepting;
	bool suspended;
	bool failed;
	bool waiting;	       /* fleet_start() or fleet_resume() does */
	int result;	       /* of what it waits for */
	struct errors *errors; /* while it waits */
	const struct place *place;
	unsigned waited_for;	     /* answers to come */
	unsigned crowded;	     /* ticks in a row with clients waiting */
	struct server_counters gone; /* of members that have ended */
	uint64_t restarts;
	uint64_t starved;	  /* were ended by the kernel for memory_max */
	uint64_t deaths_since_ns; /* for start_limit */
	unsigned deaths;
	struct text failure;
};

/* --- fleet_slots.c ----------------------------------------------------------
 */

int slots_make_room(struct fleet *fleet, unsigned count);
/* At least and at most; of members that wait, if each has its client. */
struct worker_span slots_span(const struct fleet *fleet);
/* How many are to be there by the settings, no load considered. */
void slots_fit(struct fleet *fleet);
void slots_fill(struct fleet *fleet);
void slots_stop_timers(struct fleet *fleet);
void slots_tick(struct fleet *fleet);
/* Is there somebody in the backlog? */
bool slots_clients_wait(const struct fleet *fleet);
/* The slot's member is no longer of use: another is to come. */
void slots_vacate(struct fleet *fleet, struct member *member);
/* A member has ended that should not have. */
void slots_died(struct fleet *fleet, struct member *member, const char *how);

/* --- fleet_clients.c --------------------------------------------------------
 */

extern const struct server_strategy fleet_client_strategy;
/* A member may be free now, or a client be gone. */
void clients_settle(struct fleet *fleet);
/* One more member is ready, and it was not enough. */
void clients_want_more(struct fleet *fleet);
/* The member has ended, and so has the session of its client. */
void clients_forget(struct member *member);
void clients_tell_death(struct member *member, const char *how);

/* --- fleet_member.c ---------------------------------------------------------
 */

int member_start(struct fleet *fleet, unsigned slot);
/* Ends when its sessions have; those that are left after drain_ms are closed.
 */
void member_leave(struct member *member, uint32_t drain_ms);
/* It is about to end; killed if it does not. */
void member_await_end(struct member *member);
void member_kill(struct member *member, int signum);
/* At once, not counted any more after this call. */
void member_abandon(struct member *member, int signum);

/* --- fleet_talk.c -----------------------------------------------------------
 */

int member_greet(struct member *member);
int member_say(struct member *member, enum channel_kind kind, uint32_t id);
/* Directives that it has to answer. */
int member_ask(
    struct member *member, enum channel_kind kind, const char *directives);
/* Takes all that it has said. */
void member_listen(struct member *member);
extern const struct berth_handler_type member_channel_type;

/* --- fleet_lines.c ----------------------------------------------------------
 */

extern const struct berth_handler_type member_lines_type;
/* Reads what is there now; false: nothing will come any more. */
bool lines_read(struct member *member);
/* The last ones, for people: "; it said: A | B". */
void lines_print(const struct lines *lines, struct text *text);

/* --- fleet.c ----------------------------------------------------------------
 */

BASE_PRINTF(3, 4)
void fleet_tell(struct member *member, int code, const char *format, ...);
/* One answer of those that fleet_wait() waits for. */
void fleet_answered(struct fleet *fleet, int result);
void fleet_fail(struct fleet *fleet, const char *why);
/* Nobody follows them; UINT32_MAX: their sessions have all the time.  Those
 * with a client of their own end by themselves, or are told to, too. */
void fleet_leave_all(struct fleet *fleet, uint32_t drain_ms, bool ends_clients);
extern const struct server_strategy fleet_strategy;
/* At once, and nobody follows. */
void fleet_abandon_all(struct fleet *fleet, int signum);

#endif
