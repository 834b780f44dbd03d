/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bare_connect: the peer that connect, reply, close is measured against: it
 * accepts, sends a line of 26 bytes, and closes.
 *
 * Prints its port on 127.0.0.1 and serves until it is killed.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

static const char line[] = "Sat Nov 21 22:13:14 2026\r\n";

static int
listen_anywhere(void)
{
	struct sockaddr_in address = {
	    .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(address);
	void *any = &address;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0 || bind(fd, any, size) != 0 || listen(fd, 4096) != 0 ||
	    getsockname(fd, any, &size) != 0) {
		perror("bare_connect");
		exit(1);
	}
	printf("%u\n", ntohs(address.sin_port));
	fflush(stdout);
	return fd;
}

static void
serve_all(int listener)
{
	for (;;) {
		int fd = accept4(
		    listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (fd < 0)
			return;
		if (send(fd, line, sizeof(line) - 1, MSG_NOSIGNAL) < 0)
			perror("bare_connect: send");
		close(fd);
	}
}

int
main(void)
{
	int loop = epoll_create1(EPOLL_CLOEXEC), listener = listen_anywhere();
	struct epoll_event event = {.events = EPOLLIN, .data.fd = listener};

	if (loop < 0 || epoll_ctl(loop, EPOLL_CTL_ADD, listener, &event) != 0)
		return 1;
	for (;;) {
		if (epoll_wait(loop, &event, 1, -1) > 0)
			serve_all(listener);
	}
}
