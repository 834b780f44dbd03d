/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * inproc_echo: the rooms reactor, net and session with one service on them and
 * nothing else of the host, to see what these rooms alone cost.
 *
 *   inproc_echo          echo
 *   inproc_echo connect  a line of 26 bytes, then the end
 *
 * Prints its port on 127.0.0.1 and serves until it is killed.
 */
#include <berth/berth.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "session/session.h"

static int
echo_input(struct berth_session *session, struct berth_bytes in)
{
	return berth_write(session, in);
}

static int
line_open(struct berth_session *session)
{
	berth_write(session, berth_str("Sat Nov 21 22:13:14 2026\r\n"));
	berth_close(session);
	return 0;
}

static const struct berth_session_type echo = {.input = echo_input};
static const struct berth_session_type line = {.open = line_open};

static const struct berth_host host = {
    .write = session_write,
    .close = session_close,
};

static void
check(int result, const char *what)
{
	if (result >= 0)
		return;
	fprintf(stderr, "inproc_echo: %s: %s\n", what, strerror(-result));
	exit(1);
}

int
main(int argc, char **argv)
{
	static const struct endpoint_spec spec = {.kind = ENDPOINT_TCP,
	    .host = "127.0.0.1",
	    .port = "0",
	    .text = "tcp:127.0.0.1:0"};
	static const struct settings settings = {.backlog = 4096,
	    .nodelay = true,
	    .linger_ms = 2000,
	    .input_limit_bytes = 65536,
	    .output_limit_bytes = 262144};
	struct berth_service service = {.host = &host, .name = "echo"};
	struct reactor_owner owner;
	struct server_options options = {.owner = &owner,
	    .service = &service,
	    .type = argc > 1 && strcmp(argv[1], "connect") == 0 ? &line : &echo,
	    .settings = &settings};
	struct reactor *reactor;
	struct listener *listener;
	struct server *server;

	check(reactor_new(NULL, &reactor), "reactor_new");
	check(reactor_owner_init(&owner, reactor, "echo"), "owner");
	check(listeners_new(reactor, NULL, &options.listeners), "listeners");
	check(server_new(&options, &server), "server_new");
	check(listeners_acquire(options.listeners, &spec, &settings, "echo", 0,
		  NULL, &listener),
	    "listen");
	check(server_add_listener(server, listener), "server_add_listener");
	server_accept(server, true);
	printf("%s\n", strrchr(listener_text(listener), ':') + 1);
	fflush(stdout);
	check(reactor_run(reactor), "reactor_run");
	return 0;
}
