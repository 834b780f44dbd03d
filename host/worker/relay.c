/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * relay: a program with modules around its connections (`stream`).
 *
 * Its connection is a session of the host, as a service's is, and the program
 * has one end of a pair of sockets for its 0, 1 and 2:
 *
 *	client -> modules -> input --send(2)--> program
 *	client <- modules <- berth_write() <--recv(2)-- program
 *
 * What either side does not take is held up where it is, in the session's
 * input or in the pair, so nothing is kept here but the last bytes of a client
 * that has ended its side.  The end of one side is handed on as that, and the
 * other may go on.  When the program has ended, what it wrote still reaches
 * the client.  A session that is cut off takes its program along (SIGTERM);
 * one that ends in order leaves it its end.
 *
 * Limits, lines about clients and the list of sessions are those of sessions;
 * the server knows nothing of the process.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "worker/worker_priv.h"

#define BUFFER_BYTES 16384u

/* The state of a session. */
struct relay {
	struct berth_handler handler; /* first */
	struct berth_session *session;
	struct external_child *child; /* NULL: it has ended */
	char *pending;		      /* of a client that has ended */
	size_t pending_at, pending_size;
	int fd; /* our end; -1: none */
	bool client_ended;
	bool program_ended; /* its output */
};

static struct external *
program_of(const struct berth_session *session)
{
	struct external *const *program = session->service->state;

	return *program;
}

static struct reactor_owner *
owner_of(const struct relay *relay)
{
	return program_of(relay->session)->options.owner;
}

static void
hang_up(struct relay *relay)
{
	if (relay->fd < 0)
		return;
	reactor_remove(
	    owner_of(relay), relay->fd, BERTH_IO_EVENTS | BERTH_DONT_CALL);
	fd_close(&relay->fd);
}

static void
set_mask(const struct relay *relay, unsigned clear, unsigned set)
{
	if (relay->fd >= 0)
		(void)reactor_mask(owner_of(relay), relay->fd, clear, set);
}

/* --- to the program --------------------------------------------------------*/

/* How many it took, or negative.  One that reads no more may still write: then
 * what comes goes nowhere. */
static ssize_t
send_some(const struct relay *relay, const void *data, size_t size)
{
	ssize_t sent;

	if (relay->fd < 0)
		return (ssize_t)size;
	sent = send(relay->fd, data, size, MSG_NOSIGNAL);
	if (sent >= 0)
		return sent;
	if (errno == EPIPE || errno == ECONNRESET)
		return (ssize_t)size;
	return errno == EAGAIN || errno == EINTR ? 0 : -errno;
}

static int
relay_input(struct berth_session *session, struct berth_bytes in)
{
	struct relay *relay = session->state;
	ssize_t sent = send_some(relay, in.data, in.size);

	if (sent >= 0 && (size_t)sent < in.size) {
		session_pause(session, 1);
		set_mask(relay, 0, BERTH_WRITE);
	}
	return (int)sent;
}

/* The program is told of the client's end when it has all. */
static int
end_input(struct relay *relay)
{
	if (relay->pending_at < relay->pending_size)
		return 0;
	if (relay->fd >= 0)
		(void)shutdown(relay->fd, SHUT_WR);
	if (relay->program_ended)
		session_close(relay->session);
	return 0;
}

static int
relay_eof(struct berth_session *session, struct berth_bytes rest)
{
	struct relay *relay = session->state;

	relay->client_ended = true;
	if (rest.size > 0) {
		relay->pending = malloc(rest.size);
		if (relay->pending == NULL)
			return -ENOMEM;
		memcpy(relay->pending, rest.data, rest.size);
		relay->pending_size = rest.size;
		set_mask(relay, 0, BERTH_WRITE);
	}
	return end_input(relay);
}

static int
send_pending(struct relay *relay)
{
	ssize_t sent;

	if (relay->pending_at == relay->pending_size)
		return 0;
	sent = send_some(relay, relay->pending + relay->pending_at,
	    relay->pending_size - relay->pending_at);
	if (sent < 0)
		return (int)sent;
	relay->pending_at += (size_t)sent;
	return end_input(relay);
}

static int
on_writable(struct berth_handler *handler, int fd)
{
	struct relay *relay = BASE_CONTAINER(handler, struct relay, handler);

	(void)fd;
	if (send_pending(relay) < 0) {
		session_abort(relay->session);
		return 0;
	}
	if (relay->pending_at < relay->pending_size)
		return 0;
	set_mask(relay, BERTH_WRITE, 0);
	if (!relay->client_ended)
		session_pause(relay->session, 0);
	return 0;
}

/* --- from the program ------------------------------------------------------*/

/* It says no more; the client may, while the program is there to hear it. */
static int
end_output(struct relay *relay)
{
	relay->program_ended = true;
	set_mask(relay, BERTH_READ, 0);
	if (relay->child != NULL && !relay->client_ended)
		return session_half_close(relay->session);
	if (relay->child == NULL || relay->pending_at == relay->pending_size)
		session_close(relay->session);
	return 0;
}

/* 1: there may be more; 0: not now, or it is over; or negative. */
static int
receive(struct relay *relay)
{
	struct berth_session *session = relay->session;
	char buffer[BUFFER_BYTES];
	bool fits = session_writable(session) >= sizeof(buffer);
	ssize_t size = recv(
	    relay->fd, buffer, sizeof(buffer), fits ? 0 : MSG_PEEK);
	int taken;

	if (size < 0 && errno != ECONNRESET)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	/* A reset: it has ended without reading all. */
	if (size <= 0)
		return end_output(relay);
	taken = session_write(session, berth_bytes(buffer, (size_t)size));
	if (taken < 0)
		return taken;
	if (taken < size)
		set_mask(relay, BERTH_READ, 0);
	if (!fits && taken > 0 && recv(relay->fd, buffer, (size_t)taken, 0) < 0)
		return -errno;
	return taken == size && (size_t)size == sizeof(buffer);
}

static int
on_readable(struct berth_handler *handler, int fd)
{
	struct relay *relay = BASE_CONTAINER(handler, struct relay, handler);
	int result = receive(relay);

	(void)fd;
	if (result >= 0)
		return result;
	session_abort(relay->session);
	return 0;
}

static int
relay_output_ready(struct berth_session *session)
{
	struct relay *relay = session->state;

	if (!relay->program_ended)
		set_mask(relay, 0, BERTH_READ);
	return 0;
}

static const struct berth_handler_type pair_type = {
    .input = on_readable,
    .output = on_writable,
};

/* --- its life --------------------------------------------------------------*/

static int
start(struct relay *relay, struct external *program, int fd)
{
	struct spawn start = {.fds = {fd, fd, fd}, .listen_fd = -1};
	struct description description;
	struct visitor visitor;
	int result;

	session_as_visitor(relay->session, &visitor);
	describe_connection(&description, program->template, &visitor);
	result = external_start(program, &description, &start, relay->child);
	return result;
}

static int
relay_open(struct berth_session *session)
{
	struct external *program = program_of(session);
	struct relay *relay = session->state;
	int fds[2], result;

	relay->handler.type = &pair_type;
	relay->session = session;
	relay->fd = -1;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
		fds) != 0)
		return -errno;
	relay->fd = fds[0];
	result = reactor_add(
	    owner_of(relay), &relay->handler, relay->fd, BERTH_READ);
	if (result < 0) {
		fd_close(&fds[1]);
		fd_close(&relay->fd);
		return result;
	}
	relay->child = external_child_new(program);
	result = -ENOMEM;
	if (relay->child != NULL) {
		relay->child->is_relayed = true;
		relay->child->relay = relay;
		result = start(relay, program, fds[1]);
	}
	/* The process has copies of its own. */
	fd_close(&fds[1]);
	if (result < 0) { /* closed is not called */
		free(relay->child);
		hang_up(relay);
	}
	return result;
}

void
relay_lost_child(struct relay *relay)
{
	relay->child = NULL;
	/* What it wrote is read first; another process may go on with it. */
	if (relay->program_ended)
		session_close(relay->session);
}

static void
relay_closed(struct berth_session *session, int reason)
{
	struct relay *relay = session->state;

	hang_up(relay);
	free(relay->pending);
	if (relay->child == NULL)
		return;
	relay->child->relay = NULL;
	if (reason != BERTH_CLOSED_ORDERLY) {
		kill(-relay->child->pid, SIGTERM);
		relay->child->asked = true;
	}
}

const struct berth_service_type external_relay_type = {
    .summary = "external program",
    .state_size = sizeof(struct external *),
    .session =
	{
	    .state_size = sizeof(struct relay),
	    .open = relay_open,
	    .input = relay_input,
	    .output_ready = relay_output_ready,
	    .eof = relay_eof,
	    .closed = relay_closed,
	},
};

const struct berth_service_type *
external_type_of(const struct settings *settings)
{
	return settings->stream != NULL && settings->stream[0] != '\0' &&
		       !settings->wait
		   ? &external_relay_type
		   : &external_type;
}
