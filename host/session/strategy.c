/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * strategy: the way from a server to units that are not its own sessions.
 */
#include "session/session_priv.h"

static int
readable(struct listener_consumer *consumer, struct listener *listener, int fd)
{
	struct server *server = server_of(consumer);

	reactor_charge(server->options.owner);
	return server->options.strategy->readable(
	    server->options.units, listener, fd);
}

static bool
ready(struct listener_consumer *consumer)
{
	return server_has_room(server_of(consumer));
}

static const struct listener_consumer_type connections = {
    .accepted = arrival_accepted,
    .readable = readable,
    .ready = ready,
};

static const struct listener_consumer_type sockets = {
    .readable = readable,
    .ready = ready,
};

const struct listener_consumer_type *
strategy_consumer(const struct server_strategy *strategy)
{
	return strategy->accepted != NULL ? &connections : &sockets;
}

void
strategy_end_all(struct server *server, enum server_ending how)
{
	if (server->options.strategy != NULL)
		server->options.strategy->end_all(server->options.units, how);
}
