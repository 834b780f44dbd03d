/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * connector: connections that a service makes, behind <berth/connect.h>.
 *
 * Those of one service are in one list, which its instance holds: what the
 * service has not ended is ended with it.  All calls are the loop's but
 * connector_wait().
 */
#ifndef SESSION_CONNECTOR_H
#define SESSION_CONNECTOR_H

#include <berth/connect.h>

#include "guard/names.h"

LIST_HEAD(connector_list, berth_connector);

/* Embedded in an instance; all zero is empty. */
struct connectors {
	struct reactor_owner *owner;
	struct names *names; /* NULL: addresses in numbers only */
	struct connector_list list;
	unsigned count;
};

void connectors_init(struct connectors *connectors, struct reactor_owner *owner,
    struct names *names);
/* Ends all; how many there were. */
unsigned connectors_fini(struct connectors *connectors);

int connector_new(struct connectors *connectors,
    const struct berth_connect_options *options,
    struct berth_connector **ret_connector);
int connector_again(struct berth_connector *connector);
/* Takes NULL; gives NULL.  Its memory goes at the end of the turn. */
struct berth_connector *connector_free(struct berth_connector *connector);

/* stop_fd: readable when the wait shall end; -1: never. */
int connector_wait(
    const struct berth_connect_options *options, bool on_loop, int stop_fd);

#endif
