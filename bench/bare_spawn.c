/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bare_spawn: the peer that a program for each connection is measured against:
 * it accepts, starts the program with the connection on 0, 1 and 2 by
 * vfork(2), closes, and reaps.  No environment, no user, no limits.
 *
 *	bare_spawn PROGRAM
 *
 * Prints its port on 127.0.0.1 and serves until it is killed.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static int
listen_anywhere(void)
{
	struct sockaddr_in address = {
	    .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(address);
	void *any = &address;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, any, size) != 0 || listen(fd, 4096) != 0 ||
	    getsockname(fd, any, &size) != 0) {
		perror("bare_spawn");
		exit(1);
	}
	printf("%u\n", ntohs(address.sin_port));
	fflush(stdout);
	return fd;
}

static void
serve(int fd, char **words)
{
	pid_t pid = vfork();

	if (pid == 0) {
		dup2(fd, 0);
		dup2(fd, 1);
		dup2(fd, 2);
		execve(words[0], words, NULL);
		_exit(127);
	}
	if (pid < 0)
		perror("bare_spawn: vfork");
	close(fd);
}

int
main(int argc, char **argv)
{
	int listener;

	if (argc != 2)
		return 2;
	listener = listen_anywhere();
	for (;;) {
		int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

		if (fd >= 0)
			serve(fd, argv + 1);
		else if (errno != EINTR && errno != ECONNABORTED)
			return 1;
		while (waitpid(-1, NULL, WNOHANG) > 0)
			continue;
	}
}
