/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * relay: one client and its target.
 *
 *	client --input--> send(2) to the target; what it does not take is not
 *	                  taken from the session, which is paused meanwhile
 *	target --recv(2)--> berth_write(); what the client does not take stays
 *	                  in the kernel: it is peeked at, and then taken
 *
 * So nothing is held here, whoever is slow, but the last bytes of a client
 * that has ended its side, and what is in the pipe (pipe.c) through which the
 * bytes go of a target that has many.  The end of one side is handed on as the
 *end of that side, and the other may go on; the session ends when both have.
 *
 * The session is paused until there is a target, so that no byte is lost when
 * the first one that is tried does not answer.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "redirect.h"

#define LOOKUP_MS 20 /* how often it is looked for the first addresses */

static struct redirect *
redirect_of(const struct relay *relay)
{
	return relay->session->service->state;
}

static void
drop_target(struct relay *relay)
{
	if (relay->fd < 0)
		return;
	berth_remove(relay->session->service, relay->fd,
	    BERTH_IO_EVENTS | BERTH_DONT_CALL);
	close(relay->fd);
	relay->fd = -1;
}

/* --- the client's bytes --- */

/* How many the target took, 0 if it takes none now, or a negative errno. */
static ssize_t
send_some(struct relay *relay, const void *data, size_t size)
{
	ssize_t sent = send(relay->fd, data, size, MSG_NOSIGNAL);

	if (sent >= 0)
		return sent;
	return errno == EAGAIN || errno == EINTR ? 0 : -errno;
}

static void
wait_to_send(struct relay *relay)
{
	berth_mask(relay->session->service, relay->fd, 0, BERTH_WRITE);
}

int
relay_input(struct berth_session *session, struct berth_bytes in)
{
	struct relay *relay = session->state;
	ssize_t sent = 0;

	if (relay->connected)
		sent = send_some(relay, in.data, in.size);
	if (sent < 0)
		return (int)sent;
	if ((size_t)sent < in.size) {
		berth_pause(session, 1);
		relay->paused = 1;
		if (relay->connected)
			wait_to_send(relay);
	}
	return (int)sent;
}

/* Ends the target's side when all is sent.  0 or a negative errno. */
static int
end_target(struct relay *relay)
{
	relay->client_ended = 1;
	if (relay->pending_at < relay->pending_size)
		return 0;
	if (shutdown(relay->fd, SHUT_WR) != 0 && errno != ENOTCONN)
		return -errno;
	if (relay->target_ended)
		berth_close(relay->session);
	return 0;
}

int
relay_eof(struct berth_session *session, struct berth_bytes rest)
{
	struct relay *relay = session->state;

	if (rest.size > 0) {
		relay->pending = malloc(rest.size);
		if (relay->pending == NULL)
			return -ENOMEM;
		memcpy(relay->pending, rest.data, rest.size);
		relay->pending_size = rest.size;
		wait_to_send(relay);
	}
	return end_target(relay);
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
	return relay->pending_at == relay->pending_size ? end_target(relay) : 0;
}

/* --- the target's bytes --- */

/* The target has no more to say; the client may.  0 or a negative errno. */
static int
end_client(struct relay *relay)
{
	relay->target_ended = 1;
	if (!relay->client_ended)
		return berth_half_close(relay->session);
	/* Else end_target() will, when all is sent. */
	if (relay->pending_at < relay->pending_size)
		return 0;
	berth_close(relay->session);
	return 0;
}

/* 1: there may be more; 0: not now, or it is over; or a negative errno. */
static int
receive(struct relay *relay)
{
	struct berth_session *session = relay->session;
	char *buffer = redirect_of(relay)->buffer;
	int fits = berth_writable(session) >= BUFFER_BYTES;
	ssize_t size;
	int taken;

	if (pipe_wanted(relay)) {
		taken = pipe_move(relay);
		if (relay->piped > 0 || taken == PIPE_END)
			berth_mask(session->service, relay->fd, BERTH_READ, 0);
		return taken == PIPE_END ? end_client(relay) : taken;
	}
	size = recv(relay->fd, buffer, BUFFER_BYTES, fits ? 0 : MSG_PEEK);
	if (size < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	if (size == 0) {
		berth_mask(session->service, relay->fd, BERTH_READ, 0);
		return end_client(relay);
	}
	taken = berth_write(session, berth_bytes(buffer, (size_t)size));
	if (taken < 0)
		return taken;
	if (taken < size)
		berth_mask(session->service, relay->fd, BERTH_READ, 0);
	relay->copied += (size_t)taken;
	if (!fits && taken > 0 && recv(relay->fd, buffer, (size_t)taken, 0) < 0)
		return -errno;
	return taken == size && (size_t)size == BUFFER_BYTES;
}

static int
on_readable(struct berth_handler *handler, int fd)
{
	struct relay *relay = (struct relay *)handler;
	int result = receive(relay);

	(void)fd;
	if (result < 0) {
		drop_target(relay);
		berth_abort(relay->session);
		return 0;
	}
	return result;
}

int
relay_output_ready(struct berth_session *session)
{
	struct relay *relay = session->state;
	long left = pipe_drain(relay);

	if (left < 0)
		return (int)left;
	if (left == 0 && relay->connected && !relay->target_ended)
		berth_mask(session->service, relay->fd, 0, BERTH_READ);
	return 0;
}

/* --- the connection to the target --- */

static int
tell_target(struct relay *relay)
{
	int version = redirect_of(relay)->proxy;
	char header[PROXY_BYTES];
	size_t size;

	if (version == 0)
		return 0;
	size = proxy_header(relay->session, version, header);
	/* The first bytes of a connection fit into its buffer. */
	return send(relay->fd, header, size, MSG_NOSIGNAL) == (ssize_t)size
		   ? 0
		   : -EPIPE;
}

static int try_next(struct relay *relay);

static void
end_attempt(struct relay *relay)
{
	berth_connect_end(relay->session->service, relay->connector);
	relay->connector = NULL;
}

/* Negative: the next one. */
static int
on_connected(void *arg, int fd)
{
	struct relay *relay = arg;
	struct berth_service *service = relay->session->service;
	int result = berth_add(service, &relay->handler, fd, BERTH_READ);

	if (result != 0)
		return result;
	relay->fd = fd;
	result = tell_target(relay);
	if (result != 0) {
		berth_remove(service, fd, BERTH_READ | BERTH_DONT_CALL);
		relay->fd = -1; /* the host closes it */
		return result;
	}
	end_attempt(relay);
	relay->connected = 1;
	relay->target->down_ns = 0;
	attempt_end(&relay->attempt);
	berth_pause(relay->session, 0);
	return 0;
}

static void
on_failed(void *arg, int error, uint64_t again_ns)
{
	struct relay *relay = arg;

	(void)again_ns;
	end_attempt(relay);
	/* As the kernel says it, whoever was first. */
	target_failed(redirect_of(relay), relay->target,
	    error == -ETIME ? ETIMEDOUT : -error);
	if (try_next(relay) != 0)
		berth_abort(relay->session);
}

/* Begins a connection.  0, or a negative errno: the next one. */
static int
begin(struct relay *relay, const struct address *address)
{
	char to[ENDPOINT_BYTES];
	struct berth_connect_options options = {
	    .to = to,
	    .timeout_ns = redirect_of(relay)->connect_ms * UINT64_C(1000000),
	    .connected = on_connected,
	    .failed = on_failed,
	    .arg = relay,
	};
	int result = address_endpoint(address, to);

	if (result != 0)
		return result;
	relay->target = address->target;
	return berth_connect(
	    relay->session->service, &options, &relay->connector);
}

/* 0, or a negative errno: there is none left. */
static int
try_next(struct relay *relay)
{
	struct redirect *redirect = redirect_of(relay);
	uint64_t now_ns = berth_now(relay->session->service);
	const struct address *address;
	int result = -ECONNREFUSED;

	while ((address = attempt_next(&relay->attempt, now_ns)) != NULL) {
		result = begin(relay, address);
		if (result == 0)
			return 0;
		target_failed(redirect, address->target, -result);
	}
	redirect->failed++;
	return result;
}

static int
on_writable(struct berth_handler *handler, int fd)
{
	struct relay *relay = (struct relay *)handler;
	int result = send_pending(relay);

	(void)fd;
	if (result < 0) {
		drop_target(relay);
		berth_abort(relay->session);
		return 0;
	}
	if (relay->pending_at < relay->pending_size)
		return 0;
	berth_mask(relay->session->service, relay->fd, BERTH_WRITE, 0);
	relay->paused = 0;
	if (!relay->client_ended)
		berth_pause(relay->session, 0);
	return 0;
}

static const struct berth_handler_type handler_type = {
    .input = on_readable, .output = on_writable};

/* Are there addresses?  0 or a negative errno. */
static int
start(struct relay *relay)
{
	struct redirect *redirect = redirect_of(relay);

	if (redirect->addresses != NULL) {
		relay->attempt.addresses = addresses_ref(redirect->addresses);
		return try_next(relay);
	}
	if (relay->waited_ms >= redirect->connect_ms) {
		redirect->failed++;
		return -EHOSTUNREACH;
	}
	relay->waited_ms += LOOKUP_MS;
	return berth_session_timeout(relay->session, LOOKUP_MS);
}

int
relay_open(struct berth_session *session)
{
	struct relay *relay = session->state;
	int result;

	if (((struct redirect *)session->service->state)->flows != NULL)
		return -EPROTOTYPE;
	relay->handler.type = &handler_type;
	relay->session = session;
	relay->fd = -1;
	relay->pipe[0] = relay->pipe[1] = -1;
	berth_pause(session, 1);
	result = start(relay);
	if (result != 0) /* closed() is not called */
		attempt_end(&relay->attempt);
	return result;
}

int
relay_timeout(struct berth_session *session)
{
	struct relay *relay = session->state;

	return relay->attempt.addresses == NULL ? start(relay) : 0;
}

void
relay_closed(struct berth_session *session, int reason)
{
	struct relay *relay = session->state;
	struct linger none = {.l_onoff = 1, .l_linger = 0};

	/* A client that was cut off is no orderly end to the target either. */
	if (relay->fd >= 0 && (reason < 0 || reason == BERTH_CLOSED_ABORTED))
		setsockopt(
		    relay->fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
	end_attempt(relay);
	drop_target(relay);
	attempt_end(&relay->attempt);
	pipe_end(relay);
	free(relay->pending);
}
