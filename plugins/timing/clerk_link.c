/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * clerk_link: the connection to one server, and what it says.
 *
 * The host's connector makes it, and again when it breaks, later each time.
 * The offset is the time of the answer and half of its way, less the time here
 * when it came (Cristian's algorithm): it is wrong by half of the way at most.
 */
#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clerk.h"

static void
drop(struct server *server)
{
	if (server->fd >= 0) {
		berth_remove(server->clerk->service, server->fd,
		    BERTH_READ | BERTH_DONT_CALL);
		close(server->fd);
	}
	server->fd = -1;
	server->waits = server->known = 0;
}

static void
tell_away(struct server *server, int error)
{
	if (!server->told)
		berth_log(server->clerk->service, BERTH_WARNING, "%s: %s",
		    server->name, strerror(error));
	server->told = 1;
}

static void
lost(struct server *server, int error)
{
	drop(server);
	tell_away(server, error);
	clerk_reckon(server->clerk);
	berth_connect_again(server->clerk->service, server->connector);
}

void
link_ask(struct server *server)
{
	unsigned char question[WIRE_BYTES] = WIRE_QUESTION;

	if (server->fd < 0)
		return;
	if (server->waits) {
		lost(server, ETIMEDOUT);
		return;
	}
	server->number++;
	server->answer_size = 0;
	wire_put(question + 4, server->number, 4);
	wire_put(question + 8, (uint64_t)clock_ns(CLOCK_MONOTONIC), 8);
	/* Nothing else is on its way: it fits, or the connection is bad. */
	if (send(server->fd, question, WIRE_BYTES, MSG_NOSIGNAL) ==
	    (ssize_t)WIRE_BYTES)
		server->waits = 1;
	else
		lost(server, EPIPE);
}

/* 0, or -EPROTO: it is no answer. */
static int
take_answer(struct server *server)
{
	const unsigned char *at = server->answer;
	int64_t now_ns = clock_ns(CLOCK_REALTIME);
	int64_t trip_ns = clock_ns(CLOCK_MONOTONIC) -
			  (int64_t)wire_get(at + 8, 8);
	uint64_t told_ns = wire_get(at + 16, 8);

	if (!server->waits || memcmp(at, WIRE_ANSWER, 4) != 0 ||
	    wire_get(at + 4, 4) != server->number || trip_ns < 0 ||
	    told_ns > INT64_MAX / 2)
		return -EPROTO;
	server->waits = 0;
	server->trip_ns = trip_ns;
	server->offset_ns = (int64_t)told_ns + trip_ns / 2 - now_ns;
	server->known = 1;
	if (server->told)
		berth_log(server->clerk->service, BERTH_INFO, "%s: is back",
		    server->name);
	server->told = 0;
	clerk_reckon(server->clerk);
	return 0;
}

static int
on_input(struct berth_handler *handler, int fd)
{
	struct server *server = (struct server *)handler;
	ssize_t size = recv(fd, server->answer + server->answer_size,
	    WIRE_BYTES - server->answer_size, 0);

	if (size < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (size <= 0) {
		lost(server, size < 0 ? errno : EPIPE);
		return 0;
	}
	server->answer_size += (size_t)size;
	if (server->answer_size < WIRE_BYTES)
		return 0;
	server->answer_size = 0;
	if (take_answer(server) != 0)
		lost(server, EPROTO);
	return 0;
}

static const struct berth_handler_type handler_type = {.input = on_input};

static int
connected(void *arg, int fd)
{
	struct server *server = arg;
	int result = berth_add(
	    server->clerk->service, &server->handler, fd, BERTH_READ);

	if (result != 0)
		return result;
	server->fd = fd;
	link_ask(server);
	return 0;
}

static void
failed(void *arg, int error, uint64_t again_ns)
{
	(void)again_ns;
	tell_away(arg, -error);
}

int
link_open(struct server *server)
{
	struct berth_service *service = server->clerk->service;
	char to[512];
	struct berth_connect_options options = {
	    .to = to,
	    .timeout_ns = UINT64_C(5) * SECOND_NS,
	    .retry_ns = UINT64_C(1) * SECOND_NS,
	    .retry_most_ns = UINT64_C(60) * SECOND_NS,
	    .connected = connected,
	    .failed = failed,
	    .arg = server,
	};
	int result;

	server->handler.type = &handler_type;
	server->fd = -1;
	snprintf(to, sizeof(to), "%s%s",
	    server->name[0] == '/' ? "unix:" : "tcp:", server->name);
	result = berth_connect(service, &options, &server->connector);
	if (result == -EINVAL)
		return berth_fail(service, EINVAL,
		    "-h: '%s' is no HOST:PORT and no path", server->name);
	return result;
}

void
link_close(struct server *server)
{
	if (server->connector == NULL)
		return;
	berth_connect_end(server->clerk->service, server->connector);
	server->connector = NULL;
	drop(server);
}
