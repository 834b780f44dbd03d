/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stream: what a module around a connection costs a message.
 *
 *   stream [MESSAGES]
 *
 * An echo with no, one and five modules that only pass on, in a process of its
 * own; eight connections with one message of 64 bytes each on its way.  Prints
 * the messages a second and the server's CPU time for one, and what follows
 * from them.  The three are measured in turns, and the best turn counts.
 */
#include <berth/berth.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "session/chain.h"
#include "session/session.h"

#define CLIENTS 8
#define SIZE 64
#define TURNS 5
#define KINDS 3

static const unsigned modules[KINDS] = {0, 1, 5};

struct result {
	double rate;   /* messages a second */
	double cpu_ns; /* of the server for one */
};

static void
check(int result, const char *what)
{
	if (result >= 0)
		return;
	perror(what);
	exit(1);
}

/* --- the server ------------------------------------------------------------*/

static int
echo_input(struct berth_session *session, struct berth_bytes in)
{
	return berth_write(session, in);
}

static int
up(struct berth_filter *f, struct berth_bytes in)
{
	int result = berth_pass_up(f, in);

	return result < 0 ? result : (int)in.size;
}

static int
down(struct berth_filter *f, struct berth_bytes out)
{
	int result = berth_pass_down(f, out);

	return result < 0 ? result : (int)out.size;
}

static const struct berth_filter_type pass = {.up = up, .down = down};
static const struct berth_session_type echo = {.input = echo_input};
static const struct berth_host host = {
    .write = session_write,
    .close = session_close,
    .filters = &chain_calls,
};

static int
find_plan(void *context, struct chain_plan **ret_plan)
{
	struct chain_plan *plan = context;

	if (plan->count == 0)
		return 0;
	chain_plan_ref(plan);
	*ret_plan = plan;
	return 0;
}

static struct chain_plan *
make_plan(unsigned count, struct berth_service *service)
{
	struct chain_plan *plan = calloc(
	    1, sizeof(*plan) + count * sizeof(plan->modules[0]));

	check(plan != NULL ? 0 : -1, "calloc");
	plan->count = count;
	for (unsigned i = 0; i < count; i++) {
		plan->modules[i].type = &pass;
		plan->modules[i].module = service;
	}
	return plan;
}

/* Tells its port, and serves until it is killed. */
static void
serve(unsigned count, int port_fd)
{
	static const struct endpoint_spec spec = {.kind = ENDPOINT_TCP,
	    .host = "127.0.0.1",
	    .port = "0",
	    .text = "tcp:127.0.0.1:0"};
	static const struct settings settings = {.backlog = 128,
	    .nodelay = true,
	    .stream = "S",
	    .linger_ms = 2000,
	    .input_limit_bytes = 65536,
	    .output_limit_bytes = 262144};
	static struct berth_service service = {.host = &host, .name = "echo"};
	struct reactor_owner owner;
	struct server_options options = {.owner = &owner,
	    .service = &service,
	    .type = &echo,
	    .settings = &settings,
	    .around = find_plan,
	    .context = make_plan(count, &service)};
	struct reactor *reactor;
	struct listener *listener;
	struct server *server;
	int port;

	check(reactor_new(NULL, &reactor), "reactor_new");
	check(reactor_owner_init(&owner, reactor, "echo"), "owner");
	check(listeners_new(reactor, NULL, &options.listeners), "listeners");
	check(server_new(&options, &server), "server_new");
	check(listeners_acquire(options.listeners, &spec, &settings, "echo", 0,
		  NULL, &listener),
	    "listen");
	check(server_add_listener(server, listener), "server_add_listener");
	server_accept(server, true);
	port = atoi(strrchr(listener_text(listener), ':') + 1);
	check((int)write(port_fd, &port, sizeof(port)), "write");
	check(reactor_run(reactor), "reactor_run");
}

/* --- the clients -----------------------------------------------------------*/

static double
now(void)
{
	struct timespec at;

	clock_gettime(CLOCK_MONOTONIC, &at);
	return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

static int
connect_to(int port)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
	    .sin_port = htons((uint16_t)port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	void *any = &to;

	check(fd, "socket");
	check(connect(fd, any, sizeof(to)), "connect");
	return fd;
}

static void
talk(int port, unsigned rounds)
{
	char message[SIZE] = "message", back[SIZE];
	int fds[CLIENTS];

	for (int i = 0; i < CLIENTS; i++)
		fds[i] = connect_to(port);
	for (unsigned n = 0; n < rounds; n++) {
		for (int i = 0; i < CLIENTS; i++)
			check((int)send(fds[i], message, SIZE, 0), "send");
		for (int i = 0; i < CLIENTS; i++)
			if (recv(fds[i], back, SIZE, MSG_WAITALL) != SIZE)
				check(-1, "recv");
	}
	for (int i = 0; i < CLIENTS; i++)
		close(fds[i]);
}

static struct result
measure(unsigned count, unsigned messages)
{
	struct rusage used;
	struct result result;
	int ports[2], port, status;
	double began, seconds;
	pid_t pid;

	check(pipe(ports), "pipe");
	pid = fork();
	check(pid, "fork");
	if (pid == 0)
		serve(count, ports[1]);
	if (read(ports[0], &port, sizeof(port)) != sizeof(port))
		check(-1, "read");
	began = now();
	talk(port, messages / CLIENTS);
	seconds = now() - began;
	kill(pid, SIGKILL);
	check(wait4(pid, &status, 0, &used), "wait4");
	close(ports[0]);
	close(ports[1]);
	result.rate = messages / seconds;
	result.cpu_ns =
	    ((double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1e9 +
		(double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) * 1e3) /
	    messages;
	return result;
}

int
main(int argc, char **argv)
{
	unsigned messages = argc > 1 ? (unsigned)atoi(argv[1]) : 200000;
	struct result best[KINDS] = {{0, 1e12}, {0, 1e12}, {0, 1e12}};

	for (int turn = 0; turn < TURNS; turn++)
		for (int i = 0; i < KINDS; i++) {
			struct result got = measure(modules[i], messages);

			if (got.rate > best[i].rate)
				best[i].rate = got.rate;
			if (got.cpu_ns < best[i].cpu_ns)
				best[i].cpu_ns = got.cpu_ns;
		}
	for (int i = 0; i < KINDS; i++)
		printf("%u modules: %.0f messages/s, %.0f ns of CPU each\n",
		    modules[i], best[i].rate, best[i].cpu_ns);
	printf("a module costs a message %.0f ns; five leave %.2f of the "
	       "throughput\n",
	    (best[2].cpu_ns - best[1].cpu_ns) / 4, best[2].rate / best[0].rate);
	return 0;
}
