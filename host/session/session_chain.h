/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * session_chain: the filters around one connection, <berth/filter.h>.
 *
 * They stand between the socket and the service: number 0 is nearest to the
 * client.  What a filter does not take is kept in front of it, in either
 * direction, and offered again by chain_step(), which a session's hooks end
 * with.  What the service itself did not take is its session's input, as
 * without filters, and what the kernel did not take its output.
 */
#ifndef SESSION_SESSION_CHAIN_H
#define SESSION_SESSION_CHAIN_H

#include "session/session_priv.h"

/* One filter. */
struct chain_link {
	struct berth_filter public; /* first */
	const struct berth_filter_type *type;
	struct chain *chain;
	struct buffer *up; /* in front of it, from the client */
	struct buffer *down;
	berth_timer_id timer;
	unsigned index;
	bool up_runs; /* its hook is on the stack */
	bool down_runs;
	bool up_again; /* what is kept is to be offered */
	bool down_again;
	bool wants_room; /* was told that there is none above */
	bool opened;
};

struct chain {
	struct session *session;
	struct chain_plan *plan;      /* a reference */
	struct session_name *name;    /* as of a session without a chain */
	struct buffer *late;	      /* came while the service's hook ran */
	char *identity;		      /* NULL: nobody says */
	char *failure;		      /* NULL, or why it ends */
	struct berth_handler handler; /* of timers */
	berth_timer_id limit;	      /* of a filter that is not ready */
	size_t up_bytes;	      /* kept in front of filters */
	size_t down_bytes;
	uint32_t held_up; /* a bit for each filter */
	uint32_t held_down;
	unsigned count;
	unsigned open_count;  /* from the client on */
	unsigned end_up_at;   /* the next to be told that the client ended */
	unsigned end_down_at; /* those from there on know of our end */
	bool frames;	      /* BERTH_FILTER_FRAMES */
	bool waits;	      /* the last that was opened is not ready */
	bool ready;	      /* the service was told of the connection */
	bool in_service;      /* its input hook is on the stack */
	bool saw_end;	      /* of the socket */
	bool ending_up;
	bool ended_up; /* the service knows */
	struct chain_link links[];
};

extern const struct berth_handler_type chain_timers;

static inline struct chain_link *
chain_link_of(struct berth_filter *public)
{
	void *first = public;

	return first;
}

static inline bool
chain_is_held(uint32_t held, unsigned index)
{
	return (held >> index & 1) != 0;
}

/* --- chain_flow.c ----------------------------------------------------------*/

/* Into this filter, or, behind the last, the service. */
void chain_up_into(struct chain *chain, unsigned index, struct berth_bytes in);
/* Into the filter before this number, or, at 0, the socket. */
void chain_down_into(
    struct chain *chain, unsigned index, struct berth_bytes out);
/* Does what is passed up by this filter reach the service? */
bool chain_has_room(const struct chain_link *link);
/* Offers what is kept and may be taken now.  True: something was offered. */
bool chain_offer_up(struct chain *chain);
bool chain_offer_down(struct chain *chain);
/* May this filter's up hook be called? */
bool chain_takes_up(const struct chain_link *link);

#endif
