/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * session_priv: what the files of this room share.
 *
 * A session is a machine of four phases.  While one of its hooks runs (depth
 * is not 0) calls only note what is wanted; session_leave() acts on it when
 * the hook has returned.  Calls from elsewhere act at once, but its end then
 * waits for the end of the turn, so that no caller is left with a dead pointer.
 */
#ifndef SESSION_SESSION_PRIV_H
#define SESSION_SESSION_PRIV_H

#include <sys/socket.h>

#include "session/chain.h"
#include "session/session.h"
#include "session/session_lane.h"

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

/* --- buffer.c: bytes that wait ---------------------------------------------*/

struct buffer; /* NULL: nothing waits; an empty one does not exist */

size_t buffer_size(const struct buffer *buffer);
void *buffer_data(struct buffer *buffer);
int buffer_append(struct buffer **buffer, const void *data, size_t size);
/* These bytes instead of what waits. */
int buffer_replace(struct buffer **buffer, const void *data, size_t size);
/* At least size bytes of room behind what waits; buffer_grow() counts them. */
int buffer_reserve(struct buffer **buffer, size_t size, void **ret_room);
void buffer_grow(struct buffer **buffer, size_t size);
void buffer_consume(struct buffer **buffer, size_t size);
void buffer_drop(struct buffer **buffer);

/* --- session.c -------------------------------------------------------------*/

#define SESSION_ADDRESS_MAX 512u

enum session_phase {
	PHASE_OPEN,
	PHASE_FLUSHING,	 /* closed by us, output is left */
	PHASE_LINGERING, /* our side is shut; waits for the client's end */
	PHASE_DOOMED	 /* ended; the closed hook is what is left */
};

#define SESSION_OPENED 0x01u   /* open succeeded: closed will be called */
#define SESSION_WATCHED 0x02u  /* registered with the reactor */
#define SESSION_EOF 0x04u      /* the client has ended its side */
#define SESSION_PAUSED 0x08u   /* berth_pause() */
#define SESSION_STALLED 0x10u  /* input waits for the output to drain */
#define SESSION_SHORT 0x20u    /* a write took less than it was given */
#define SESSION_KICKED 0x40u   /* input is to be offered again */
#define SESSION_QUEUED 0x80u   /* its deferred node is with the reactor */
#define SESSION_RECORDS 0x100u /* seqpacket: boundaries are kept */
#define SESSION_DATAGRAM 0x200u
#define SESSION_CORKED 0x800u	/* TCP in its open hook: see output.c */
#define SESSION_PEEKS 0x1000u	/* see hand_over.c */
#define SESSION_HELD 0x400u	/* server_hold() */
#define SESSION_HALF 0x2000u	/* half-closed: no more is written */
#define SESSION_SHUT 0x4000u	/* and the kernel was told */
#define SESSION_CHAINED 0x8000u /* filters stand around it: chain.c */
#define SESSION_STOPPED (SESSION_PAUSED | SESSION_HELD) /* does not read */

struct session_name {
	socklen_t size;
	struct sockaddr_storage peer;
	struct sockaddr_storage local; /* AF_UNSPEC: the socket's own */
};

struct session {
	/* What every message touches comes first, in two cache lines. */
	struct berth_session public; /* first */
	struct berth_handler handler;
	struct lane *lane;
	struct buffer *input;  /* what the hook has not taken */
	struct buffer *output; /* what the kernel has not taken */
	int fd;
	uint32_t spent; /* bytes sent in this hook; bytes thrown away */
	uint16_t flags;
	int16_t reason;
	uint8_t phase;	    /* enum session_phase */
	uint8_t interest;   /* what the reactor watches */
	uint8_t depth;	    /* of hooks that run */
	uint64_t active_ns; /* bytes moved, either way */
	uint64_t bytes_in;
	uint64_t bytes_out;

	LIST_ENTRY(session) link;
	uint64_t id;
	uint64_t born_ns;
	berth_timer_id timer; /* of the timeout hook, then of closing */
	struct reactor_deferred deferred;
	union {
		struct session_name *name; /* NULL: the peer is the socket's */
		struct chain *chain; /* SESSION_CHAINED; it has the name */
	};
	struct guard_source *source; /* NULL: not counted */
};

extern const struct berth_handler_type session_handler_type;

/* --- chain.c: the filters around a connection -------------------------------
 * For sessions with SESSION_CHAINED.
 */

/* Takes the reference of the plan and the name, when it succeeds. */
int chain_new(struct session *session, struct chain_plan *plan,
    struct session_name *name, struct chain **ret_chain);
struct chain *chain_free(struct chain *chain, int reason); /* takes NULL */
/* Does all that there is to do, within a hook of the session. */
void chain_step(struct session *session);
/* Tells the filters of our end; false: something is kept yet. */
bool chain_is_flushed(struct session *session);
/* The reactor's hook. */
int chain_input(struct berth_handler *handler, int fd);
bool chain_is_reading(const struct session *session);
bool chain_saw_end(const struct session *session);	  /* the socket's */
size_t chain_pending(const struct session *session);	  /* on the way down */
const char *chain_failure(const struct session *session); /* or NULL */
struct session_name **chain_name(struct session *session);
void chain_service_runs(struct session *session, bool runs);
bool chain_makes_frames(const struct session *session);
/* chain_flow.c: from the service. */
void chain_write(struct session *session, struct berth_bytes out);

static inline struct session *
session_of(struct berth_session *public)
{
	void *first = public;

	return first;
}

static inline bool
session_is_chained(const struct session *session)
{
	return unlikely((session->flags & SESSION_CHAINED) != 0);
}

/* Outside of its hooks, and in a thread that is not its lane's?  Then it must
 * not be touched. */
static inline bool
session_is_foreign(const struct session *session)
{
	return session->depth == 0 && !reactor_is_here(session->lane->reactor);
}

/* Nearly always: it is open, and nothing waits, neither way. */
static inline bool
session_is_usual(const struct session *session)
{
	return session->flags == (SESSION_OPENED | SESSION_WATCHED) &&
	       session->phase == PHASE_OPEN && session->input == NULL &&
	       session->output == NULL;
}

static inline const struct settings *
session_settings(const struct session *session)
{
	return session->lane->settings;
}

/* The peer of a connection, as session_peer(). */
int connection_peer(
    const struct connection *connection, char *buffer, size_t size);
/* Takes the descriptor and the name.  The first hook is called in here. */
int session_begin(struct lane *lane, const struct connection *connection);
/* Takes the descriptor, for whichever lane. */
int session_welcome(struct visitor *visitor);
/* Where the peer's name is, if the socket's is not the one. */
static inline struct session_name **
session_name_at(struct session *session)
{
	return session_is_chained(session) ? chain_name(session)
					   : &session->name;
}

/* What a filter says that the client has proved; NULL: none does. */
const char *session_identity(const struct session *session);
/* Calls the service's open hook. */
void session_open_service(struct session *session);
/* The output is low, perhaps: the service may write and take again. */
void session_drained(struct session *session);
/* Around hooks.  False: the session is gone. */
void session_enter(struct session *session);
bool session_leave(struct session *session);
/* After a call from wherever. */
void session_touch(struct session *session);
/* Ends it; the first reason counts. */
void session_doom(struct session *session, int reason);
/* Dooms it and calls the closed hook in this call where that can be. */
void session_end_now(struct session *session, int reason);

static inline bool
session_is_reading(const struct session *session)
{
	const uint16_t bits = SESSION_EOF | SESSION_STOPPED | SESSION_STALLED;

	if (session_is_chained(session))
		return chain_is_reading(session);
	if (session->phase == PHASE_OPEN)
		return (session->flags & bits) == 0;
	return session->phase == PHASE_LINGERING &&
	       (session->flags & SESSION_EOF) == 0;
}

void session_defer(struct session *session);
const char *session_reason_text(int reason);
bool session_is_failure(int reason);
/* why: SESSION_PAUSED or SESSION_HELD; one of them is enough to stop. */
void session_stop_reading(struct session *session, uint16_t why, bool stop);

/* --- lines.c: what is written of it; only where there is a ledger ----------*/

void session_tell_refusal(struct visitor *visitor);
void session_tell_begin(struct session *session);
void session_tell_end(struct session *session);

/* --- input.c ---------------------------------------------------------------*/

/* The reactor's hook. */
int session_input(struct berth_handler *handler, int fd);
/* For a type that has no hook for it. */
int session_take_all(struct berth_session *session, struct berth_bytes in);
/* How much is read at once, by the settings. */
size_t session_read_bytes(const struct settings *settings);
/* Parts of reading, for hand_over.c: nothing came, or the end; how many bytes
 * the hook took; bytes that were looked at are taken now. */
void session_received_none(struct session *session, ssize_t got);
size_t session_offer(struct session *session, const void *data, size_t size);
/* And for chain.c: what is kept; what follows when not all was taken; the
 * client has ended its side. */
void session_offer_kept(struct session *session);
void session_left_over(struct session *session, size_t taken);
void session_end_of_input(struct session *session);
void session_take_seen(struct session *session, void *room, size_t size);
/* hand_over.c: a reading of a session that peeks */
void session_look(struct session *session);
/* Offers once more what was not taken, if it may be now. */
void session_offer_again(struct session *session);

/* --- output.c --------------------------------------------------------------*/

/* To the kernel, or behind what waits: how many bytes. */
int session_write_some(struct session *session, const char *data, size_t size);
/* The same, through the filters if there are some. */
int session_put_some(struct session *session, const char *data, size_t size);
/* All of it, whatever output_limit says; what fails ends the session. */
void session_send_all(struct session *session, struct berth_bytes bytes);
/* What waits for the client, and how much more may. */
size_t session_pending(const struct session *session);
size_t session_room(const struct session *session);
/* Hands the kernel what waits. */
void session_flush(struct session *session);
void session_uncork(struct session *session);
bool session_output_low(const struct session *session);

/* --- close.c ---------------------------------------------------------------*/

/* Begins the orderly end. */
void session_shut(struct session *session, int reason);
/* Ends our side when the output is flushed. */
void session_half_step(struct session *session);
/* Its next step, when the output is flushed. */
void session_shut_step(struct session *session);
/* Throws away what still comes; >0: there may be more. */
int session_discard(struct session *session);
void session_linger_over(struct session *session);
void session_cancel_timer(struct session *session);

/* --- serve.c ---------------------------------------------------------------*/

/* Does it wait within serve? */
bool serve_waits(const struct session *session);
/* Are we within its serve? */
bool serve_is_current(const struct session *session);
/* Lets it see that its session is closing. */
void serve_notice(struct session *session);
/* The rest, behind what is done, with waiting: size, or a negative errno. */
int serve_write(
    struct session *session, const char *data, size_t size, size_t done);

/* --- datagram.c ------------------------------------------------------------*/

#define DATAGRAM_MAX 65507u /* over IPv4 */

/* datagram_rate.c: what an address has used up */
#define DATAGRAM_BUCKETS 64u
struct datagram_bucket {
	uint64_t spent;
	uint32_t at_ms;
};

/* One more of this peer; limit in ten seconds, 0: none. */
bool datagram_is_too_many(struct datagram_bucket *buckets, unsigned limit,
    struct mono now, const struct sockaddr *peer);

int datagram_new(struct server *server, struct datagram **ret_datagram);
int datagram_readable(
    struct listener_consumer *consumer, struct listener *listener, int fd);
int datagram_write(struct session *session, struct berth_bytes bytes);
int datagram_peer(struct session *session, char *buffer, size_t size);
int datagram_local(struct session *session, char *buffer, size_t size);
/* sender.c: a listener is no more the server's */
void senders_miss(struct server *server, const struct listener *listener);
void senders_free(struct server *server);
/* Why it is not served, or NULL.  size 0: unnamed. */
const char *datagram_refusal(
    const struct server *server, const struct sockaddr *peer, socklen_t size);

#endif
