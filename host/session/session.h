/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * session: one connection or datagram of one service, and the server that
 * holds all sessions of one instance of a service.
 *
 * How a session is driven is the strategy's: without one, by callbacks on the
 * loop.  A strategy has units of its own, processes for example; listeners,
 * limits, draining and counters are the server's for all kinds.
 */
#ifndef SESSION_SESSION_H
#define SESSION_SESSION_H

#include <berth/berth.h>

#include "guard/guard.h"
#include "ledger/ledger.h"

struct server;
struct chain_plan;
struct arrival_stage;
struct loops;
struct session_info;
struct server_counters;

/* How it came, and who is to be told. */
enum visitor_way {
	VISITOR_DIRECT,
	VISITOR_MUX,	 /* by tcpmux: waits for a line, the service's */
	VISITOR_MUX_PLUS /* the host's */
};

/* What hosts.allow and hosts.deny have to say. */
enum visitor_wrapped { WRAPPED_NOT_ASKED, WRAPPED_SERVED, WRAPPED_REFUSED };

/*
 * A connection that has come and is not yet a session: what is known of it, on
 * the stack of whoever looks at it.  The peer's address is asked for when it
 * is wanted, and may be another one than the socket's (PROXY protocol); that
 * one then counts for all that follows.
 */
struct visitor {
	struct server *server;
	struct listener *listener; /* NULL: see server_welcome() */
	int fd;
	socklen_t peer_size; /* 0: not asked for yet */
	bool peer_replaced;  /* not the socket's own */
	enum visitor_way way;
	enum guard_reason reason; /* why it is refused */
	/* Where it is counted; whoever takes the descriptor takes that, too,
	 * and gives it back with guard_leave() when all is over. */
	struct guard_source *source;
	struct sockaddr_storage peer;
	struct sockaddr_storage local; /* AF_UNSPEC: the socket's own */
	size_t seen;		       /* bytes of a header, at the last look */
	enum visitor_wrapped wrapped;
};

void visitor_init(struct visitor *visitor, struct server *server,
    struct listener *listener, int fd);
/* NULL: it is gone. */
const struct sockaddr *visitor_peer(
    struct visitor *visitor, socklen_t *ret_size);
void visitor_set_peer(
    struct visitor *visitor, const struct sockaddr *peer, socklen_t size);

/* Who asks hosts.allow and hosts.deny, in a process: worker's. */
struct server_wrapper {
	/* Is there a rule at all?  If not, everybody is served. */
	bool (*has_rules)(void *context);
	/* The pid of one who ends with 0 when this client of that daemon is to
	 * be served, and with 1 when not; or negative. */
	pid_t (*ask)(
	    void *context, const char *daemon, struct visitor *visitor);
	void *context;
};

/* How units end that do not end by themselves. */
enum server_ending {
	SERVER_END_DRAINING, /* none is to begin any more; nothing is asked */
	SERVER_END_ASKED,    /* in order, at the end of the drain time */
	SERVER_END_FORCED,   /* now, and in this call */
	SERVER_END_LEFT	     /* no longer counted after this call */
};

typedef void(server_session_fn)(void *context, const struct session_info *info);

struct server_strategy {
	/* Can it serve such a socket? */
	bool (*serves)(void *units, bool datagram);
	/* May a unit begin, beside the limits of the server?  When it says no,
	 * it calls server_wake() once it would say yes. */
	bool (*ready)(void *units);
	/* A connection, whose descriptor is the unit's now, as is closing it.
	 * >0: that took its time, others have their turn before the next.
	 * NULL: it takes whole sockets. */
	int (*accepted)(void *units, struct visitor *visitor);
	/* A socket has clients or datagrams.  >0: call again in this turn. */
	int (*readable)(void *units, struct listener *listener, int fd);
	void (*end_all)(void *units, enum server_ending how);
	void (*each)(void *units, server_session_fn *fn, void *context);
	/* NULL, or told when the server begins and stops to take clients. */
	void (*accepting)(void *units, bool accept);
	/* NULL, or what the units have done: instead of the server's own. */
	void (*counters)(void *units, struct server_counters *counters);
	uint32_t asked_ms; /* from asking to forcing, at least */
};

struct server_options {
	struct reactor_owner *owner;   /* the instance's */
	struct berth_service *service; /* handed to the hooks */
	const struct berth_session_type *type;
	const struct settings *settings; /* not copied: see server_update() */
	struct listeners *listeners;
	struct log *log;
	struct ledger *ledger; /* NULL: nobody asks for lines */
	const struct server_strategy *strategy; /* NULL: callbacks */
	void *units;				/* the strategy's */
	const struct server_wrapper *wrapper;	/* NULL: nobody can be asked */
	const char *daemon; /* what it is called there, by itself */
	bool peeks;	    /* BERTH_PEEKS */
	/* Its sessions may be on all of these, if they are reactive; NULL: on
	 * the owner's only. */
	struct loops *loops;
	/* Ends with NULL; NULL: those of arrival.c.  For tests. */
	const struct arrival_stage *const *stages;
	/* Which modules stand around a connection that comes now, if the
	 * settings name a stream: see chain.h.  0 and a reference, or negative.
	 * NULL: none. */
	int (*around)(void *context, struct chain_plan **ret_plan);
	/* The last session is gone while draining; called once, from the end
	 * of a turn. */
	void (*drained)(void *context);
	/* May be NULL: while draining, a hook in a thread does not return even
	 * though its session was aborted.  drained() follows if it does. */
	void (*stuck)(void *context);
	void *context;
};

int server_new(
    const struct server_options *options, struct server **ret_server);
/* No session may be left; detaches and drops the listeners.  Before the owner
 * is finished. */
struct server *server_free(struct server *server);

/* Is there something to serve such a socket with? */
bool server_serves(const struct server *server, bool datagram);
/* Takes the reference.  -EPROTONOSUPPORT: the type has no hook for such a
 * socket (see <berth/session.h>); the caller keeps the reference then. */
int server_add_listener(struct server *server, struct listener *listener);
/* Memory for what server_set_listeners() will need for this one.  Results as
 * of server_add_listener(). */
int server_make_room(struct server *server, const struct listener *listener);
/* Serves these endpoints instead of the ones before, which are dropped.  Takes
 * the array, made by malloc(3), and its references; cannot fail. */
void server_set_listeners(
    struct server *server, struct listener **listeners, unsigned count);
/* What is asked of those who come, and what is counted for that; the server
 * owns neither.  Both NULL: nothing.  From now on, like server_update(). */
void server_set_guard(struct server *server, struct guard *guard,
    const struct guard_rules *rules);
/* Accept (attach to every listener) or let clients wait in the backlog. */
void server_accept(struct server *server, bool accept);
/* Stop reading from the sessions that there are, or go on. */
void server_hold(struct server *server, bool hold);
/* It lets clients wait until a session ends. */
bool server_is_full(const struct server *server);
bool server_accepting(const struct server *server);
/* A connection that somebody else has accepted and judged; the visitor has no
 * listener.  For a server without a strategy. */
int server_welcome(struct visitor *visitor);
/* Calls this once, when the last session that there is has ended. */
void server_tell_empty(
    struct server *server, void (*empty)(void *context), void *context);
unsigned server_listener_count(const struct server *server);
struct listener *server_listener(const struct server *server, unsigned index);

/* Lines about its clients go there from now on; NULL: there are none. */
void server_set_ledger(struct server *server, struct ledger *ledger);
struct ledger *server_ledger(const struct server *server);
/* New values apply from now on, by the class of each attribute.  Threads may
 * look at the old ones for a while: see server_retire(). */
void server_update(struct server *server, const struct settings *settings);
/* Calls fn once nobody looks any more at the settings before the last update;
 * in this call, if all sessions are on this loop. */
struct server_retired {
	void (*fn)(struct server_retired *);
	STAILQ_ENTRY(server_retired) link;
	uint64_t epoch;
};
void server_retire(struct server *server, struct server_retired *retired);

/* No new sessions; those that are left end by themselves, or are closed in
 * order when drain_ns is over (0: at once).  Then drained() is called. */
void server_drain(struct server *server, uint64_t drain_ns);
/* Aborts all sessions now; the closed hooks run in this call, but for a session
 * one of whose hooks is on the stack or that is ending already: before the end
 * of the turn. */
void server_abort(struct server *server, int reason);
/* Is there still a session, after server_abort()? */
bool server_is_busy(const struct server *server);
/* After server_abort(): does a hook in a thread still run?  Then server,
 * service and code must be left to it for good. */
bool server_orphan(struct server *server);

struct server_counters {
	uint64_t sessions_active;
	uint64_t sessions_total;
	uint64_t sessions_failed; /* ended by an error or overflow */
	uint64_t datagrams;
	uint64_t datagrams_refused;	 /* the anti-loop rules */
	uint64_t arrivals;		 /* that wait to be judged */
	uint64_t refused[GUARD_REASONS]; /* by admission */
	uint64_t bytes_in;
	uint64_t bytes_out;
};

void server_counters(
    const struct server *server, struct server_counters *ret_counters);

struct session_info {
	uint64_t id;
	const char *peer; /* valid for the call */
	uint64_t age_ms;
	uint64_t idle_ms;
	uint64_t bytes_in;
	uint64_t bytes_out;
	uint64_t output_pending_bytes;
	const char *state;    /* "open", "half-closed", "closing", … */
	int pid;	      /* of its process; 0: none of its own */
	const char *identity; /* that it has proved; NULL: none */
	unsigned loop; /* of the host's, 0: home; of no thread of a crew */
};

/* How many of its sessions are on that loop, 0 is home; false: there is no such
 * loop for it. */
bool server_sessions_on(
    const struct server *server, unsigned loop, uint64_t *ret_count);

void server_each_session(
    struct server *server, server_session_fn *fn, void *context);

/* --- for a strategy --------------------------------------------------------*/

void server_unit_begins(struct server *server);
void server_unit_ends(struct server *server, bool failed);
/* Does `instances` allow one more, and the strategy?  If not, listeners wait
 * from now on until a unit ends or server_wake(). */
bool server_has_room(struct server *server);
void server_wake(struct server *server);
/* The listener goes on if this server still serves it. */
void server_wake_listener(struct server *server, struct listener *listener);
/* A whole socket is handed over, for the rates. */
void server_hands_over(struct server *server);
/* The rules against loops, and admission: refused datagrams are counted and
 * told. */
bool server_refuses_datagram(
    struct server *server, const struct sockaddr *peer, socklen_t size);

/* --- the session part of the host's table, <berth/host.h> ------------------*/

int session_write(struct berth_session *session, struct berth_bytes bytes);
BASE_PRINTF(2, 0)
int session_vprintf(
    struct berth_session *session, const char *format, va_list ap);
size_t session_writable(struct berth_session *session);
int session_splice(struct berth_session *session, int pipe, size_t size);
void session_close(struct berth_session *session);
/* Its client as those who come are described; the descriptor stays its own. */
void session_as_visitor(
    struct berth_session *session, struct visitor *ret_visitor);
int session_half_close(struct berth_session *session);
int sender_keep(struct berth_session *session, struct berth_sender **sender);
int sender_write(struct berth_sender *sender, struct berth_bytes bytes);
void sender_forget(struct berth_sender *sender);
void session_abort(struct berth_session *session);
void session_pause(struct berth_session *session, int pause);
int session_timeout(struct berth_session *session, uint32_t ms);
int session_peer(struct berth_session *session, char *buffer, size_t size);
int session_peer_user(
    struct berth_session *session, uint32_t *ret_uid, uint32_t *ret_gid);
int session_local(struct berth_session *session, char *buffer, size_t size);
uint64_t session_id(struct berth_session *session);
int session_peek(
    struct berth_session *session, size_t have, struct berth_bytes *ret_bytes);
void session_take(struct berth_session *session, size_t size);
int session_sleep(struct berth_session *session, uint32_t ms);
int session_deadline(struct berth_session *session, uint32_t ms);
/* From its input hook, when that returns, to this server's service.  -EPERM:
 * it does not peek; -ENOENT: it takes no connections; -EAGAIN: not now. */
int session_hand_over(
    struct berth_session *session, struct server *heir, enum visitor_way way);

#endif
