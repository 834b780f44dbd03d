/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * client_script: see the header.  A client that says something else than is
 * written hears no more: the host hangs up.
 */
#include "unit/unit.h"

#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "unit/client_script.h"

#define LINE_ROOM 16384

struct script_host {
	struct script script;
	pthread_t thread;
	int listener;
	int stop[2]; /* closed: nobody will come */
	char folder[64];
	char address[128];
	char said[LINE_ROOM];  /* the last line of the client's */
	char wrong[LINE_ROOM]; /* what did not go as written */
};

static bool
hear(int fd, char *line)
{
	size_t size = 0;

	while (size < LINE_ROOM - 1 && read(fd, line + size, 1) == 1) {
		if (line[size] == '\n') {
			line[size] = '\0';
			return true;
		}
		size++;
	}
	line[size] = '\0';
	return false;
}

static void
say(int fd, const char *data, size_t size)
{
	ssize_t sent;

	for (size_t at = 0; at < size; at += (size_t)sent) {
		sent = send(fd, data + at, size - at, MSG_NOSIGNAL);
		if (sent < 0) /* the client has had enough */
			return;
	}
}

static void
say_many(int fd, unsigned long count)
{
	char block[4096];

	memset(block, 'x', sizeof(block));
	for (; count >= sizeof(block); count -= sizeof(block))
		say(fd, block, sizeof(block));
	say(fd, block, count);
}

/* One line of the script; false when the client does not follow it. */
static bool
play_line(struct script_host *host, int fd, const char *line)
{
	switch (line[0]) {
	case '>':
		if (hear(fd, host->said) && strcmp(host->said, line + 2) == 0)
			return true;
		snprintf(host->wrong, sizeof(host->wrong),
		    "not '%.200s' but '%.8000s'", line + 2, host->said);
		return false;
	case '<':
		say(fd, line + 2, strlen(line + 2));
		if (line[1] == ' ')
			say(fd, "\n", 1);
		return true;
	case '!':
		say_many(fd, strtoul(line + 2, NULL, 10));
		return true;
	default: /* "...": until the client goes */
		while (read(fd, host->said, 1) == 1)
			continue;
		return true;
	}
}

static void *
play(void *arg)
{
	struct script_host *host = arg;
	const char *const *line = host->script.lines;
	struct pollfd who[2] = {
	    {.fd = host->listener, .events = POLLIN}, {.fd = host->stop[0]}};
	int fd;

	poll(who, 2, -1);
	if (who[0].revents == 0) {
		snprintf(host->wrong, sizeof(host->wrong), "nobody came");
		return NULL;
	}
	fd = accept(host->listener, NULL, NULL);
	while (*line != NULL && play_line(host, fd, *line))
		line++;
	close(fd);
	return NULL;
}

static void
listen_path(struct script_host *host)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	snprintf(
	    host->address, sizeof(host->address), "%s/control", host->folder);
	strcpy(address.sun_path, host->address);
	host->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(
	    bind(host->listener, (struct sockaddr *)&address, sizeof(address)),
	    0);
}

static void
listen_port(struct script_host *host)
{
	struct sockaddr_in address = {
	    .sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t size = sizeof(address);

	host->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(
	    bind(host->listener, (struct sockaddr *)&address, size), 0);
	assert_int_equal(
	    getsockname(host->listener, (struct sockaddr *)&address, &size), 0);
	snprintf(host->address, sizeof(host->address), "tcp:127.0.0.1:%d",
	    ntohs(address.sin_port));
}

struct script_host *
script_start(const struct script *script)
{
	struct script_host *host = calloc(1, sizeof(*host));

	assert_non_null(host);
	host->script = *script;
	strcpy(host->folder, "/tmp/berth-XXXXXX");
	assert_non_null(mkdtemp(host->folder));
	if (script->tcp)
		listen_port(host);
	else
		listen_path(host);
	assert_int_equal(listen(host->listener, 1), 0);
	assert_int_equal(pipe(host->stop), 0);
	assert_int_equal(pthread_create(&host->thread, NULL, play, host), 0);
	return host;
}

const char *
script_address(const struct script_host *host)
{
	return host->address;
}

const char *
script_stop(struct script_host *host)
{
	static char wrong[LINE_ROOM];

	close(host->stop[1]);
	pthread_join(host->thread, NULL);
	close(host->stop[0]);
	close(host->listener);
	if (!host->script.tcp)
		unlink(host->address);
	rmdir(host->folder);
	strcpy(wrong, host->wrong);
	free(host);
	return wrong[0] == '\0' ? NULL : wrong;
}
