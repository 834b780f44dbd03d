/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hand_over: a session gives its connection to another service (tcpmux).
 *
 * A service that may do so has BERTH_PEEKS: its bytes are looked at where they
 * lie, and only those that its input hook took are taken from the socket.  So
 * whoever has the connection next finds all that follows, a program too.  What
 * such a hook leaves without handing over would be offered again for ever: it
 * takes all, or it has found what it was looking for.
 *
 * The heir is noted in the hook and served when that has returned.  For him it
 * is an arrival like any other, under his own limits; the line that a client
 * of tcpmux waits for is sent when he takes it, or does not.
 */
#include <errno.h>

#include "session/session_priv.h"

#define PEEK_BYTES 2048u

/* The one that it came by, or one of the same kind. */
static struct listener *
listener_of(const struct session *session)
{
	const struct server *server = session->lane->server;
	socklen_t size = sizeof(int);
	int domain = AF_UNSPEC;

	getsockopt(session->fd, SOL_SOCKET, SO_DOMAIN, &domain, &size);
	for (unsigned i = 0; i < server->listener_count; i++) {
		struct listener *listener = server->listeners[i];

		if (!listener_is_datagram(listener) &&
		    listener_is_tcp(listener) == (domain != AF_UNIX))
			return listener;
	}
	return NULL;
}

static bool
takes_connections(const struct server *server)
{
	const struct server_strategy *strategy = server->options.strategy;

	if (strategy != NULL)
		return strategy->accepted != NULL;
	return server_serves(server, false);
}

int
session_hand_over(
    struct berth_session *public, struct server *heir, enum visitor_way way)
{
	struct session *session = session_of(public);
	struct server *server = session->lane->server;
	struct listener *listener;

	if ((session->flags & SESSION_PEEKS) == 0 || session->depth == 0)
		return -EPERM;
	if (session->phase != PHASE_OPEN || session->output != NULL)
		return -EPIPE;
	if (!takes_connections(heir))
		return -ENOENT;
	listener = listener_of(session);
	if (listener == NULL || !heir->accepting || !server_has_room(heir))
		return -EAGAIN;
	server->heir = heir;
	server->heir_listener = listener;
	server->heir_way = way;
	return 0;
}

static void
hand_over(struct session *session)
{
	struct server *server = session->lane->server;
	struct visitor visitor;

	visitor_init(
	    &visitor, server->heir, server->heir_listener, session->fd);
	visitor.way = server->heir_way;
	/* One that peeks has no filters. */
	if (session->name != NULL) {
		const void *peer = &session->name->peer;

		visitor_set_peer(&visitor, peer, session->name->size);
		visitor.local = session->name->local;
	}
	server->heir = NULL;
	/* The loop forgets the descriptor before the heir shows it to him. */
	session_doom(session, BERTH_CLOSED_ORDERLY);
	session->fd = -1;
	arrival_begin(&visitor);
}

void
session_look(struct session *session)
{
	struct server *server = session->lane->server;
	char bytes[PEEK_BYTES];
	ssize_t got = recv(session->fd, bytes, sizeof(bytes), MSG_PEEK);
	size_t taken;

	if (got <= 0) {
		session_received_none(session, got);
		return;
	}
	taken = session_offer(session, bytes, (size_t)got);
	if (taken > 0)
		session_take_seen(session, bytes, taken);
	if (server->heir != NULL && session->phase == PHASE_OPEN)
		hand_over(session);
	else if (session->phase == PHASE_OPEN && taken < (size_t)got)
		session_doom(session, BERTH_CLOSED_OVERFLOW);
	server->heir = NULL;
}
