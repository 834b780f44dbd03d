/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Inside session: what lies between accept(2) and a session.
 *
 * A connection passes the stages of arrival.c in their order; each says whether
 * it goes on.  Nothing is allocated unless a stage has to wait; then the
 * visitor is parked in a struct arrival until that stage is through, or its
 * time is over.  Those who are parked count as sessions where `instances` is
 * concerned, there are never more than ARRIVALS_MAX at a service, and they end
 * with their server.
 */
#ifndef SESSION_ARRIVAL_H
#define SESSION_ARRIVAL_H

#include "session/session.h"

#define ARRIVALS_MAX 1024u
#define ARRIVAL_PATIENCE_MS 10000u

struct arrival;

enum arrival_answer {
	ARRIVAL_GOES_ON,
	ARRIVAL_WAITS,	 /* park it; `waits` says what for */
	ARRIVAL_REFUSED, /* visitor->reason says why */
	ARRIVAL_TAKEN	 /* the descriptor is somebody else's now */
};

struct arrival_stage {
	/* Is it to be asked at all, as the settings are?  NULL: always. */
	bool (*applies)(const struct server *server);
	/* Called once more whenever what was waited for has come.  Does not
	 * block, does not keep the visitor. */
	enum arrival_answer (*judge)(struct visitor *visitor);
	/* The visitor was parked: have arrival_judge() called when it is worth
	 * it.  NULL: when there is something to read.  Negative: it ends. */
	int (*waits)(struct arrival *arrival);
	/* The end while waiting: nobody may call any more. */
	void (*cancel)(struct arrival *arrival);
	uint32_t patience_ms; /* 0: ARRIVAL_PATIENCE_MS */
};

struct arrival {
	struct visitor visitor;
	TAILQ_ENTRY(arrival) link; /* of its server */
	struct berth_handler handler;
	struct names_waiter names; /* of a stage that asks for them */
	pid_t pid;		   /* of who asks hosts.allow; 0: nobody */
	berth_timer_id deadline;
	uint8_t stage; /* the one that waits */
	bool waiting;
	bool watched; /* for something to read */
	bool over;
	struct reactor_deferred deferred;
};

TAILQ_HEAD(arrival_list, arrival);

/* proxy.c: who the client is, by what a proxy says. */
extern const struct arrival_stage proxy_stage;

/* wrapped.c: hosts.allow and hosts.deny. */
extern const struct arrival_stage wrapped_stage;
/* Who was asked has ended, as the child hook says. */
void wrapped_answer(struct arrival *arrival, int code, int status);

/* The consumer's hook: judges and hands over. */
int arrival_accepted(
    struct listener_consumer *consumer, struct listener *listener, int fd);
/* The same of a visitor that came another way. */
int arrival_begin(struct visitor *visitor);
/* The settings have changed. */
void arrival_update(struct server *server);
/* Asks the waiting stage again.  The arrival may be gone afterwards, but its
 * memory stays until the end of the turn. */
void arrival_judge(struct arrival *arrival);
/* All who are parked end, in this call. */
void arrival_end_all(struct server *server);

#endif
