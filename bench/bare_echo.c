/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bare_echo: the peer that the host's echo is measured against: one loop,
 * level-triggered, one buffer, and nothing that a service host needs.
 *
 * Prints its port on 127.0.0.1 and serves until it is killed.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define EVENTS 256
#define BUFFER 65536

static char buffer[BUFFER];

static int
listen_anywhere(void)
{
	struct sockaddr_in address = {
	    .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(address);
	void *any = &address;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int one = 1;

	if (fd < 0 || bind(fd, any, size) != 0 || listen(fd, 4096) != 0 ||
	    getsockname(fd, any, &size) != 0) {
		perror("bare_echo");
		exit(1);
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	printf("%u\n", ntohs(address.sin_port));
	fflush(stdout);
	return fd;
}

static void
accept_all(int loop, int listener)
{
	struct epoll_event event = {.events = EPOLLIN};

	for (;;) {
		int fd = accept4(
		    listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (fd < 0)
			return;
		event.data.fd = fd;
		epoll_ctl(loop, EPOLL_CTL_ADD, fd, &event);
	}
}

/* Waits when it must: there is one client at a time that is this far behind. */
static int
send_all(int fd, const char *data, size_t size)
{
	struct pollfd writable = {fd, POLLOUT, 0};
	ssize_t sent;

	while (size > 0) {
		sent = send(fd, data, size, MSG_NOSIGNAL);
		if (sent < 0 && errno != EAGAIN)
			return -1;
		if (sent < 0 && poll(&writable, 1, -1) < 0)
			return -1;
		if (sent > 0) {
			data += sent;
			size -= (size_t)sent;
		}
	}
	return 0;
}

static void
echo(int fd)
{
	ssize_t got = recv(fd, buffer, sizeof(buffer), 0);

	if (got < 0 && errno == EAGAIN)
		return;
	if (got <= 0 || send_all(fd, buffer, (size_t)got) != 0)
		close(fd);
}

int
main(void)
{
	static struct epoll_event events[EVENTS];
	int loop = epoll_create1(EPOLL_CLOEXEC), listener = listen_anywhere();
	struct epoll_event event = {.events = EPOLLIN, .data.fd = listener};
	int count, i;

	if (loop < 0 || epoll_ctl(loop, EPOLL_CTL_ADD, listener, &event) != 0)
		return 1;
	for (;;) {
		count = epoll_wait(loop, events, EVENTS, -1);
		for (i = 0; i < count; i++) {
			if (events[i].data.fd == listener)
				accept_all(loop, listener);
			else
				echo(events[i].data.fd);
		}
	}
}
