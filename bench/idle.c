/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * idle: what a connection costs that does nothing, in user memory.
 *
 *	idle events|sequence COUNT
 *
 * Holds COUNT connections of a child in one server and prints a line with what
 * malloc(3) gave out and what became resident, for each.  Fewer are held, and
 * said to be, where descriptors do not suffice.  Kernel memory is not counted.
 */
#include <errno.h>
#include <malloc.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "session/session_priv.h"

/* Ports of one client address; more, and the kernel looks long for one. */
#define PER_ADDRESS 4000u
#define SPARE_FDS 64u

struct use {
	size_t given;
	size_t resident;
};

static void
check(int result, const char *what)
{
	if (result >= 0)
		return;
	fprintf(stderr, "idle: %s: %s\n", what, strerror(-result));
	exit(1);
}

static int
no_input(struct berth_session *session, struct berth_bytes in)
{
	(void)session;
	return (int)in.size;
}

static int
read_to_the_end(struct berth_session *session)
{
	char byte;
	int result;

	while ((result = berth_read(session, &byte, 1)) > 0)
		;
	return result;
}

static const struct berth_session_type events = {.input = no_input};
static const struct berth_session_type sequence = {.serve = read_to_the_end};

static const struct berth_host host = {
    .peek = session_peek,
    .take = session_take,
};

static struct use
use_now(void)
{
	struct mallinfo2 info = mallinfo2();
	struct use use = {.given = info.uordblks + info.hblkhd};
	FILE *file = fopen("/proc/self/statm", "r");
	unsigned long all = 0, resident = 0;

	if (file == NULL || fscanf(file, "%lu %lu", &all, &resident) != 2)
		check(-EIO, "/proc/self/statm");
	fclose(file);
	use.resident = resident * (size_t)sysconf(_SC_PAGESIZE);
	return use;
}

/* How many of the wanted connections there can be. */
static unsigned
raise_limit(unsigned wanted)
{
	struct rlimit limit = {wanted + SPARE_FDS, wanted + SPARE_FDS};

	if (setrlimit(RLIMIT_NOFILE, &limit) == 0)
		return wanted;
	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	return limit.rlim_cur < wanted + SPARE_FDS
		   ? (unsigned)limit.rlim_cur - SPARE_FDS
		   : wanted;
}

/* The child: connects from as many addresses as it takes, and stays. */
static _Noreturn void
connect_all(unsigned count, unsigned port)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
	    .sin_port = htons((uint16_t)port),
	    .sin_addr = {htonl(INADDR_LOOPBACK)}};
	struct sockaddr_in from = {.sin_family = AF_INET};
	int one = 1, fd;
	unsigned i;

	for (i = 0; i < count; i++) {
		fd = socket(AF_INET, SOCK_STREAM, 0);
		setsockopt(
		    fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof(one));
		from.sin_addr.s_addr = htonl(
		    INADDR_LOOPBACK + 1 + i / PER_ADDRESS);
		if (fd < 0 ||
		    bind(fd, (struct sockaddr *)&from, sizeof(from)) != 0 ||
		    connect(fd, (struct sockaddr *)&to, sizeof(to)) != 0)
			check(-errno, "connect");
	}
	for (;;)
		pause();
}

static void
hold(struct server *server, struct reactor *reactor, unsigned count,
    const char *style)
{
	struct server_counters counters;
	struct use before = use_now(), after;

	do {
		check(reactor_turn(reactor, MONO_MS(1000)), "reactor_turn");
		server_counters(server, &counters);
	} while (counters.sessions_active < count);
	check(reactor_turn(reactor, 0), "reactor_turn");
	after = use_now();
	printf("%-8s %6u sessions: %4zu bytes each by malloc, %5zu resident; "
	       "the bare struct has %zu\n",
	    style, count, (after.given - before.given) / count,
	    (after.resident - before.resident) / count, sizeof(struct session));
}

int
main(int argc, char **argv)
{
	static const struct endpoint_spec spec = {.kind = ENDPOINT_TCP,
	    .host = "127.0.0.1",
	    .port = "0",
	    .text = "tcp:127.0.0.1:0"};
	static const struct settings settings = {.backlog = 4096,
	    .input_limit_bytes = 65536,
	    .output_limit_bytes = 262144,
	    .stack_bytes = 65536};
	bool in_sequence = argc > 1 && strcmp(argv[1], "sequence") == 0;
	unsigned wanted = argc > 2 ? (unsigned)atoi(argv[2]) : 1000;
	unsigned count = raise_limit(wanted);
	struct berth_service service = {.host = &host, .name = "idle"};
	struct reactor_owner owner;
	struct server_options options = {.owner = &owner,
	    .service = &service,
	    .type = in_sequence ? &sequence : &events,
	    .settings = &settings};
	struct reactor *reactor;
	struct listener *listener;
	struct server *server;
	pid_t child;

	if (count < wanted)
		printf("descriptors for %u of %u only\n", count, wanted);
	check(reactor_new(NULL, &reactor), "reactor_new");
	check(reactor_owner_init(&owner, reactor, "idle"), "owner");
	check(listeners_new(reactor, NULL, &options.listeners), "listeners");
	check(server_new(&options, &server), "server_new");
	check(listeners_acquire(options.listeners, &spec, &settings, "idle", 0,
		  NULL, &listener),
	    "listen");
	check(server_add_listener(server, listener), "server_add_listener");
	server_accept(server, true);
	fflush(stdout);
	child = fork();
	if (child == 0)
		connect_all(count,
		    (unsigned)atoi(strrchr(listener_text(listener), ':') + 1));
	hold(server, reactor, count, in_sequence ? "sequence" : "events");
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	return 0;
}
