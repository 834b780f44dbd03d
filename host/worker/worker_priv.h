/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * worker_priv: what the files of the room share.
 */
#ifndef WORKER_WORKER_PRIV_H
#define WORKER_WORKER_PRIV_H

#include "worker/worker.h"

/* --- accounts.c: who a program runs as --------------------------------------
 */

struct account {
	bool switches; /* the host may, and is not so already */
	uid_t uid;
	gid_t gid;
	gid_t *groups;
	unsigned group_count;
	const char *name; /* NULL: a number without a name */
	const char *home;
	const char *shell;
};

int account_find(struct arena *arena, const struct spawn_request *request,
    const struct place *place, struct errors *errors,
    struct account *ret_account);

/* --- rights.c: what the host may do -------------------------------------- */

/* Has it the capability, CAP_SYS_CHROOT and kin? */
bool right_have(unsigned capability);
/* May it start programs of other users? */
bool right_switch(void);

/* --- environment.c: what every start of a program has -----------------------
 */

int environment_new(struct arena *arena, const struct settings *settings,
    const struct account *account, struct spawn_template *template);

/* --- describe.c: what one start says of its client --------------------------
 */

#define DESCRIPTION_BYTES 2048u
#define DESCRIPTION_PEER 128u

/* Strings for one start, and where they are counted into the template. */
struct description {
	const struct spawn_template *template;
	unsigned count;
	size_t used;
	char text[DESCRIPTION_BYTES];
	char peer[DESCRIPTION_PEER]; /* for people: "127.0.0.1:4711" */
	bool peer_known;
	char *pid_text;
};

/* Of a connection. */
void describe_connection(struct description *description,
    const struct spawn_template *template, struct visitor *visitor);
/* Of a socket that is handed over: LISTEN_FDS and kin. */
void describe_socket(struct description *description,
    const struct spawn_template *template, const char *name);

/* --- judge.c
 * ------------------------------------------------------------------
 */

int judge_file(const struct spawn_template *template, const struct place *place,
    struct errors *errors);

/* --- external.c, external_stop.c, socket.c
 * --------------------------------------
 */

struct relay;

struct external_child {
	struct berth_handler handler;
	LIST_ENTRY(external_child) link;
	struct external *program;
	struct listener
	    *listener; /* wait: the one it was handed, a reference */
	struct guard_source *source; /* NULL: not counted */
	struct group *group;	     /* a reference; NULL: none */
	pid_t pid;
	uint64_t id;
	uint64_t born_ns;
	uint64_t
	    head;   /* wait: what told it apart what lay first in the queue */
	bool asked; /* SIGTERM was sent */
	bool is_relayed;     /* its session is the server's unit */
	struct relay *relay; /* NULL: none, or its session is over */
	bool peer_known;
	uint64_t expired_ns; /* when, for max_session; 0: not */
	char peer[DESCRIPTION_PEER];
};

struct external {
	struct server *server;
	struct reactor *reactor;
	struct server_options options;
	const struct spawn_template *template;
	LIST_HEAD(, external_child) children;
	struct berth_handler handler; /* its timer */
	berth_timer_id pause;	      /* 0: it does not back off */
	struct berth_handler clock;   /* looks for those who last too long */
	berth_timer_id look;
	uint64_t starved;  /* were ended by the kernel for memory_max */
	unsigned failures; /* starts that came to nothing, in a row */
	struct spawn_host *host;
};

/* Starts it for a client, or for a listener; 0 or negative and told. */
int external_start(struct external *program, struct description *description,
    struct spawn *spawn, struct external_child *child);
struct external_child *external_child_new(struct external *program);
/* Forgets it; the server learns that a unit has ended. */
void external_child_end(struct external_child *child, bool failed);
/* external_lines.c: what the ledger is told. */
void external_tell_begin(const struct external_child *child);
/* The line of its end.  code and status as of the reactor's child hook; the
 * reason where there is no code. */
void external_tell_end(const struct external_child *child, int code, int status,
    const char *reason);
/* Counts a start that came to nothing, and pauses when there are many. */
void external_failed(struct external *program);
bool external_pauses(const struct external *program);
void external_stop_pause(struct external *program);

/* relay.c: the child was reaped. */
void relay_lost_child(struct relay *relay);

/* external_stop.c */
void external_end_all(void *units, enum server_ending how);

/* external_time.c: max_session */
extern const struct berth_handler_type external_clock_type;
void external_begin_looking(struct external *program);
void external_end_looking(struct external *program);

/* socket.c: wait = yes */
int external_hand_over(void *units, struct listener *listener, int fd);
/* It gave the socket back. */
void external_take_back(struct external_child *child, bool failed);

#endif
