/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * load: clients for the benchmarks, all in one thread and one loop.
 *
 *   load echo    PORT CLIENTS SIZE FLIGHT SECONDS [PID]
 *   load connect PORT CLIENTS SECONDS [PID]
 *   load talk    PORT CLIENTS SECONDS [PID]
 *
 * echo: every client keeps FLIGHT messages of SIZE bytes on their way and
 * compares every byte that comes back.  connect: every client connects, reads
 * a reply to its end, closes, and begins again.  talk: the same, but the reply
 * is to a line and its end.
 *
 * Prints the operations done, the seconds, and the CPU seconds that process
 * PID used meanwhile; +PID: with its children, those that ended included.  What
 * happens before the first second is not counted: the clients connect, and one
 * message goes round for each.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define EVENTS 1024
#define BUFFER 65536
#define PERIOD 4093 /* prime: no message begins like the one before */

struct client {
	int fd;
	uint64_t sent;	   /* bytes */
	uint64_t received; /* bytes */
	uint64_t allowed;  /* bytes that may be sent by now */
	bool waits;	   /* for writability */
};

static struct load {
	int loop;
	struct sockaddr_in address;
	struct client *clients;
	unsigned count;
	size_t size;
	unsigned flight;
	uint64_t operations;
	unsigned source; /* of the next connection */
	bool talk;
} load;

static char pattern[PERIOD + BUFFER];
static char buffer[BUFFER];

_Noreturn static void
die(const char *what)
{
	fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
	exit(1);
}

static double
seconds(clockid_t clock)
{
	struct timespec now;

	if (clock_gettime(clock, &now) != 0)
		die("clock_gettime");
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void
watch(struct client *client, int operation, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.ptr = client};

	if (epoll_ctl(load.loop, operation, client->fd, &event) != 0)
		die("epoll_ctl");
}

/* --- echo ------------------------------------------------------------------*/

static void
send_some(struct client *client)
{
	uint64_t left = client->allowed - client->sent;
	bool waits = false;
	ssize_t sent;

	while (left > 0) {
		sent = send(client->fd, pattern + client->sent % PERIOD,
		    left < BUFFER ? (size_t)left : BUFFER, MSG_NOSIGNAL);
		if (sent < 0 && errno != EAGAIN)
			die("send");
		waits = sent < 0;
		if (waits)
			break;
		client->sent += (uint64_t)sent;
		left -= (uint64_t)sent;
	}
	if (waits != client->waits)
		watch(client, EPOLL_CTL_MOD,
		    waits ? EPOLLIN | EPOLLOUT : EPOLLIN);
	client->waits = waits;
}

static void
receive_some(struct client *client)
{
	ssize_t got = recv(client->fd, buffer, sizeof(buffer), 0);
	uint64_t before = client->received / load.size;

	if (got < 0 && errno == EAGAIN)
		return;
	if (got <= 0)
		die("recv");
	if (memcmp(buffer, pattern + client->received % PERIOD, (size_t)got) !=
	    0) {
		fprintf(stderr, "load: wrong bytes\n");
		exit(1);
	}
	client->received += (uint64_t)got;
	before = client->received / load.size - before;
	load.operations += before;
	client->allowed += before * load.size;
}

static void
echo_event(struct client *client, uint32_t events)
{
	if ((events & (EPOLLIN | EPOLLERR | EPOLLHUP)) != 0)
		receive_some(client);
	if (client->allowed > client->sent)
		send_some(client);
}

/* --- connect ---------------------------------------------------------------*/

static void
say_line(const struct client *client)
{
	static const char line[] = "Sat Nov 21 22:13:14 2026\r\n";

	if (send(client->fd, line, sizeof(line) - 1, MSG_NOSIGNAL) < 0 ||
	    shutdown(client->fd, SHUT_WR) != 0)
		die("send");
}

/* A source address of its own leaves ports for the next rounds. */
static void
connect_client(struct client *client, bool blocking)
{
	struct sockaddr_in source = {.sin_family = AF_INET};
	void *any = &source;
	int one = 1;

	client->fd = socket(AF_INET,
	    SOCK_STREAM | SOCK_CLOEXEC | (blocking ? 0 : SOCK_NONBLOCK), 0);
	if (client->fd < 0)
		die("socket");
	/* The peer of talk looks up the names of its clients. */
	source.sin_addr.s_addr = htonl(
	    INADDR_LOOPBACK + (load.talk ? 0 : 1 + load.source++ % 200));
	setsockopt(
	    client->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof(one));
	if (bind(client->fd, any, sizeof(source)) != 0)
		die("bind");
	any = &load.address;
	if (connect(client->fd, any, sizeof(load.address)) != 0 &&
	    errno != EINPROGRESS)
		die("connect");
	client->received = 0;
	setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (load.talk)
		say_line(client);
	watch(client, EPOLL_CTL_ADD, EPOLLIN);
}

static void
connect_event(struct client *client, uint32_t events)
{
	ssize_t got = recv(client->fd, buffer, sizeof(buffer), MSG_DONTWAIT);

	(void)events;
	if (got < 0 && errno == EAGAIN)
		return;
	if (got < 0)
		die("recv");
	client->received += (uint64_t)got;
	/* The line and the end often come together. */
	if (got > 0)
		got = recv(client->fd, buffer, sizeof(buffer), MSG_DONTWAIT);
	if (got != 0)
		return;
	if (client->received == 0) {
		fprintf(stderr, "load: no reply\n");
		exit(1);
	}
	load.operations++;
	close(client->fd);
	connect_client(client, load.talk);
}

/* --- the loop --------------------------------------------------------------*/

static void
run(double until, uint64_t operations, void (*event)(struct client *, uint32_t))
{
	static struct epoll_event events[EVENTS];
	int count, i;

	while (
	    seconds(CLOCK_MONOTONIC) < until && load.operations < operations) {
		count = epoll_wait(load.loop, events, EVENTS, 1000);
		for (i = 0; i < count; i++)
			event(events[i].data.ptr, events[i].events);
	}
}

static void
open_clients(bool echo)
{
	unsigned i;

	load.clients = calloc(load.count, sizeof(struct client));
	if (load.clients == NULL)
		die("calloc");
	for (i = 0; i < load.count; i++)
		connect_client(&load.clients[i], echo || load.talk);
	for (i = 0; echo && i < load.count; i++) {
		load.clients[i].allowed = load.size;
		send_some(&load.clients[i]);
	}
}

/* From here on all that is allowed is on its way. */
static void
fill_flight(void)
{
	unsigned i;

	for (i = 0; i < load.count; i++) {
		load.clients[i].allowed += (load.flight - 1) * load.size;
		send_some(&load.clients[i]);
	}
}

/* 0: it has ended. */
static double
cpu_of_process(long pid)
{
	clockid_t clock;
	struct timespec now;

	if (clock_getcpuclockid((pid_t)pid, &clock) != 0 ||
	    clock_gettime(clock, &now) != 0)
		return 0;
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Of its children that it has waited for, as it is told in ticks. */
static double
cpu_of_ended(long pid)
{
	unsigned long user = 0, system = 0;
	char path[64], line[1024] = "";
	const char *at;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%ld/stat", pid);
	file = fopen(path, "re");
	if (file == NULL || fgets(line, sizeof(line), file) == NULL)
		die(path);
	fclose(file);
	/* Fields 16 and 17; the name, field 2, may have blanks. */
	at = strrchr(line, ')');
	for (int field = 2; at != NULL && field < 16; field++)
		at = strchr(at + 1, ' ');
	if (at == NULL || sscanf(at, "%lu %lu", &user, &system) != 2)
		die("fields of stat");
	return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

static double
cpu_of_children(long pid)
{
	double sum = cpu_of_ended(pid);
	char path[64];
	long child;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%ld/task/%ld/children", pid, pid);
	file = fopen(path, "re");
	if (file == NULL)
		die(path);
	while (fscanf(file, "%ld", &child) == 1)
		sum += cpu_of_process(child);
	fclose(file);
	return sum;
}

/* NULL: of this process. */
static double
cpu_of(const char *pid)
{
	long number = pid == NULL ? getpid() : strtol(pid, NULL, 10);
	double sum = cpu_of_process(number);

	if (sum == 0)
		die("the clock of the server");
	if (pid != NULL && pid[0] == '+')
		sum += cpu_of_children(number);
	return sum;
}

static void
measure(
    const char *pid, double wanted, void (*event)(struct client *, uint32_t))
{
	double start, cpu;
	uint64_t before;

	before = load.operations;
	start = seconds(CLOCK_MONOTONIC);
	cpu = cpu_of(pid);
	run(start + wanted, UINT64_MAX, event);
	cpu = cpu_of(pid) - cpu;
	printf("%llu %.6f %.6f\n",
	    (unsigned long long)(load.operations - before),
	    seconds(CLOCK_MONOTONIC) - start, cpu);
}

static void
raise_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

static void
prepare(const char *port, const char *clients)
{
	unsigned i;

	raise_limit();
	for (i = 0; i < sizeof(pattern); i++)
		pattern[i] = (char)(i % PERIOD * 31 % 251);
	load.loop = epoll_create1(EPOLL_CLOEXEC);
	load.address.sin_family = AF_INET;
	load.address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	load.address.sin_port = htons((uint16_t)strtoul(port, NULL, 10));
	load.count = (unsigned)strtoul(clients, NULL, 10);
}

int
main(int argc, char **argv)
{
	bool echo = argc >= 7 && strcmp(argv[1], "echo") == 0;

	load.talk = argc >= 5 && strcmp(argv[1], "talk") == 0;
	if (!echo && !load.talk &&
	    (argc < 5 || strcmp(argv[1], "connect") != 0)) {
		fprintf(stderr,
		    "usage: load echo PORT CLIENTS SIZE FLIGHT SECONDS [PID]\n"
		    "       load connect|talk PORT CLIENTS SECONDS [PID]\n");
		return 2;
	}
	prepare(argv[2], argv[3]);
	if (!echo) {
		open_clients(false);
		run(seconds(CLOCK_MONOTONIC) + 30, load.count, connect_event);
		measure(argv[5], strtod(argv[4], NULL), connect_event);
		return 0;
	}
	load.size = strtoul(argv[4], NULL, 10);
	load.flight = (unsigned)strtoul(argv[5], NULL, 10);
	open_clients(true);
	run(seconds(CLOCK_MONOTONIC) + 30, load.count, echo_event);
	fill_flight();
	measure(argv[7], strtod(argv[6], NULL), echo_event);
	return 0;
}
