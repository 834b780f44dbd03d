/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Inside session: the limits of a service, asked of those who arrive.
 */
#ifndef SESSION_ADMISSION_H
#define SESSION_ADMISSION_H

#include "session/arrival.h"

/* Of one server. */
struct admission {
	struct guard *guard;		 /* NULL without rules */
	const struct guard_rules *rules; /* NULL: nothing is asked */
	struct berth_handler handler;
	berth_timer_id again; /* when a limit lets clients in again */
	struct guard_refusals *refusals; /* NULL: there was none */
	uint64_t complained_ns; /* that nobody can be asked; 0: never */
};

void admission_init(struct admission *admission);
/* The timer is not armed any more. */
void admission_rest(struct server *server);
/* Of limits that let clients wait: may one be taken?  If not, the server is
 * woken when one may. */
bool admission_ready(struct server *server);
/* A whole socket is handed over. */
void admission_begins(struct server *server);
/* A datagram; counted and told when it is. */
bool admission_refuses_datagram(
    struct server *server, const struct sockaddr *peer, socklen_t size);
/* Counts and tells, tells the client in the way that the settings say, and
 * closes. */
void admission_refuse(struct visitor *visitor);

extern const struct arrival_stage admission_greet; /* banner */
extern const struct arrival_stage admission_gate;
extern const struct arrival_stage admission_list; /* only_from, no_access */
extern const struct arrival_stage admission_door;
extern const struct arrival_stage admission_welcome; /* banner_success */

#endif
