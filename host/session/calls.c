/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * calls: what a service asks about its session, and what it wants of it;
 * <berth/calls.h> has the contract.
 *
 * Results: 0 or more, or a negative errno.
 */
#include "session/session_priv.h"

#include <berth/host.h>
#include <errno.h>
#include <stdio.h>

/* For calls that can't say that they did nothing. */
static bool
is_refused(const struct session *session)
{
	const struct server *server = session->lane->server;

	if (!session_is_foreign(session))
		return false;
	log_printf(server->options.log, BERTH_ERROR,
	    server->options.service->name,
	    "a call for session %llu comes from a thread that does not run "
	    "it; it is ignored",
	    (unsigned long long)session->id);
	return true;
}

void
session_close(struct berth_session *public)
{
	struct session *session = session_of(public);

	if (is_refused(session))
		return;
	if ((session->flags & SESSION_DATAGRAM) != 0)
		session->phase = PHASE_DOOMED;
	else
		session_shut(session, BERTH_CLOSED_ORDERLY);
}

void
session_abort(struct berth_session *public)
{
	struct session *session = session_of(public);

	if (is_refused(session))
		return;
	if ((session->flags & SESSION_DATAGRAM) != 0)
		session->phase = PHASE_DOOMED;
	else
		session_doom(session, BERTH_CLOSED_ABORTED);
}

void
session_stop_reading(struct session *session, uint16_t why, bool stop)
{
	if (session->phase != PHASE_OPEN)
		return;
	if (stop) {
		session->flags |= why;
	} else if ((session->flags & why) != 0) {
		session->flags &= (uint16_t)~why;
		if (session->input != NULL || session_is_chained(session)) {
			session->flags |= SESSION_KICKED;
			session_defer(session);
		}
	}
	session_touch(session);
}

void
session_pause(struct berth_session *public, int pause)
{
	struct session *session = session_of(public);

	if (!is_refused(session) && (session->flags & SESSION_DATAGRAM) == 0 &&
	    session->lane->server->sequential == NULL)
		session_stop_reading(session, SESSION_PAUSED, pause != 0);
}

int
session_timeout(struct berth_session *public, uint32_t ms)
{
	struct session *session = session_of(public);

	if (session_is_foreign(session))
		return -EPERM;
	if ((session->flags & SESSION_DATAGRAM) != 0 ||
	    session->lane->server->sequential != NULL)
		return -EOPNOTSUPP;
	if (session->phase != PHASE_OPEN)
		return -EPIPE;
	session_cancel_timer(session);
	if (ms == 0)
		return 0;
	return reactor_schedule(session->lane->owner, &session->handler, NULL,
	    MONO_MS(ms), 0, &session->timer);
}

static int
print_name(int fd, int (*ask)(int, struct sockaddr *, socklen_t *),
    char *buffer, size_t size)
{
	struct sockaddr_storage storage;
	socklen_t length = sizeof(storage);
	void *any = &storage;

	if (ask(fd, any, &length) != 0)
		return -errno;
	return address_print(any, length, buffer, size);
}

static int
ask_peer(int fd, struct sockaddr *address, socklen_t *size)
{
	return getpeername(fd, address, size);
}

static int
ask_local(int fd, struct sockaddr *address, socklen_t *size)
{
	return getsockname(fd, address, size);
}

int
connection_peer(const struct connection *connection, char *buffer, size_t size)
{
	if (connection->name != NULL) {
		const void *peer = &connection->name->peer;

		return address_print(
		    peer, connection->name->size, buffer, size);
	}
	return print_name(connection->fd, ask_peer, buffer, size);
}

int
session_peer(struct berth_session *public, char *buffer, size_t size)
{
	struct session *session = session_of(public);

	if ((session->flags & SESSION_DATAGRAM) != 0)
		return datagram_peer(session, buffer, size);
	return connection_peer(&(struct connection){.fd = session->fd,
				   .name = *session_name_at(session)},
	    buffer, size);
}

int
session_local(struct berth_session *public, char *buffer, size_t size)
{
	struct session *session = session_of(public);
	const struct session_name *name;

	if ((session->flags & SESSION_DATAGRAM) != 0)
		return datagram_local(session, buffer, size);
	name = *session_name_at(session);
	if (name != NULL && name->local.ss_family != AF_UNSPEC) {
		const void *local = &name->local;

		return address_print(local, name->size, buffer, size);
	}
	return print_name(session->fd, ask_local, buffer, size);
}

void
session_as_visitor(struct berth_session *public, struct visitor *ret_visitor)
{
	struct session *session = session_of(public);
	const struct session_name *name = *session_name_at(session);
	const void *peer;

	visitor_init(ret_visitor, session->lane->server, NULL, session->fd);
	if (name == NULL)
		return;
	peer = &name->peer;
	visitor_set_peer(ret_visitor, peer, name->size);
	ret_visitor->local = name->local;
}

int
session_peer_user(
    struct berth_session *public, uint32_t *ret_uid, uint32_t *ret_gid)
{
	struct session *session = session_of(public);
	struct ucred user;
	socklen_t size = sizeof(int);
	int domain = -1;

	if ((session->flags & SESSION_DATAGRAM) != 0)
		return -EOPNOTSUPP;
	if (getsockopt(session->fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) != 0)
		return -errno;
	if (domain != AF_UNIX)
		return -EOPNOTSUPP;
	size = sizeof(user);
	if (getsockopt(session->fd, SOL_SOCKET, SO_PEERCRED, &user, &size) != 0)
		return -errno;
	*ret_uid = user.uid;
	*ret_gid = user.gid;
	return 0;
}

uint64_t
session_id(struct berth_session *public)
{
	return session_of(public)->id;
}
