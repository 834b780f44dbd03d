/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * connect: a connection to the host within a time, and in words what kept it
 * from coming about.
 */
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <string.h>

#include "client/client_priv.h"

#define PAUSE_MS 20

static const struct {
	bool path;
	int error;
	const char *hint;
} hints[] = {
    {true, ENOENT,
	"is berthd running, and does its host { control = PATH } name this "
	"path? -s takes another"},
    {true, ECONNREFUSED,
	"nobody listens there: berthd has ended, or was killed"},
    {true, EACCES, "only root and the user that berthd runs as may use it"},
    {true, EPERM, "only root and the user that berthd runs as may use it"},
    {false, ECONNREFUSED,
	"is berthd running, with a Service_Manager that listens there?"},
};

static void
tell_failure(const struct talk *talk, const char *reason)
{
	client_tell(talk->client, "cannot reach the host at %s: %s",
	    talk->address->text, reason);
}

static void
tell_error(const struct talk *talk, int error)
{
	tell_failure(talk, strerror(error));
	for (size_t i = 0; i < BASE_COUNT(hints); i++)
		if (hints[i].error == error &&
		    hints[i].path == (talk->address->family == AF_UNIX))
			client_tell(talk->client, "%s", hints[i].hint);
}

int
talk_wait(const struct talk *talk, short events, struct mono until)
{
	struct pollfd pollfd = {.fd = talk->fd, .events = events};
	struct mono now = mono_now();
	uint64_t left_ms;
	int count;

	do {
		left_ms = until.ns > now.ns ? (until.ns - now.ns) / MONO_MS(1)
					    : 0;
		/* Rounded up, so that it does not spin for the last one. */
		count = poll(&pollfd, 1, (int)left_ms + 1);
		now = mono_now();
	} while (
	    (count < 0 && errno == EINTR) || (count == 0 && now.ns < until.ns));
	if (count < 0)
		return -errno;
	return count == 0 ? -ETIMEDOUT : 0;
}

/* The end of a connect(2) that is on its way. */
static int
finish(struct talk *talk, struct mono until)
{
	socklen_t size = sizeof(int);
	int error, result = talk_wait(talk, POLLOUT, until);

	if (result < 0)
		return result;
	if (getsockopt(talk->fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
		return -errno;
	return -error;
}

/* A Unix socket whose backlog is full says so at once, and cannot be waited
 * for but by asking again. */
static int
try_address(struct talk *talk, const struct sockaddr *address, socklen_t size,
    struct mono until)
{
	int result;

	talk->fd = socket(
	    address->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (talk->fd < 0)
		return -errno;
	for (;;) {
		result = connect(talk->fd, address, size) < 0 ? -errno : 0;
		if (result != -EAGAIN)
			break;
		if (mono_now().ns >= until.ns)
			return -ETIMEDOUT;
		poll(NULL, 0, PAUSE_MS);
	}
	return result == -EINPROGRESS || result == -EINTR ? finish(talk, until)
							  : result;
}

/* All addresses of a name, until one answers. */
static int
try_name(struct talk *talk, struct mono until)
{
	const struct address *address = talk->address;
	struct addrinfo hints_of_name = {
	    .ai_family = address->family, .ai_socktype = SOCK_STREAM};
	struct addrinfo *list;
	char host[NI_MAXHOST];
	int result;

	if (address->host_size >= sizeof(host))
		return -ENAMETOOLONG;
	memcpy(host, address->host, address->host_size);
	host[address->host_size] = '\0';
	result = getaddrinfo(host, address->port, &hints_of_name, &list);
	if (result == EAI_MEMORY)
		return -ENOMEM;
	if (result != 0) {
		tell_failure(talk, result == EAI_SYSTEM ? strerror(errno)
							: gai_strerror(result));
		return CLIENT_FAILED;
	}
	result = -EADDRNOTAVAIL;
	for (struct addrinfo *at = list; at != NULL; at = at->ai_next) {
		fd_close(&talk->fd);
		result = try_address(talk, at->ai_addr, at->ai_addrlen, until);
		if (result == 0)
			break;
	}
	freeaddrinfo(list);
	return result;
}

int
talk_connect(struct talk *talk)
{
	const struct address *address = talk->address;
	struct mono until = {mono_now().ns + MONO_MS(talk->timeout_ms)};
	int result;

	if (address->family == AF_UNIX)
		result = try_address(talk,
		    (const struct sockaddr *)(const void *)&address->path,
		    address->path_size, until);
	else
		result = try_name(talk, until);
	if (result < 0 && result != -ENOMEM) {
		tell_error(talk, -result);
		return CLIENT_FAILED;
	}
	return result;
}
