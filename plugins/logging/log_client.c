/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * log_client: the library behind <berth/log_client.h>.
 *
 * A client has a buffer for two of the longest records and a connection, on
 * which it may wait.  The first error stays.
 */
#include <berth/log_client.h>
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "record.h"

#define TEXT_MOST (RECORD_MOST - RECORD_HEADER_BYTES - RECORD_WIDE_BYTES)
#define WAIT_MS 10000
#define PORT "ace_logger"
#define PORT_NUMBER "9700"

struct berth_log_client {
	struct record record;
	int fd;
	int wait_ms;
	int error; /* negative; the first */
	size_t size;
	char buffer[2 * RECORD_MOST];
};

/* --- the connection --------------------------------------------------------*/

static int
connect_unix(struct berth_log_client *client, const char *path)
{
	struct sockaddr_un where = {.sun_family = AF_UNIX};
	const void *any = &where;
	size_t size = strlen(path);

	if (size >= sizeof(where.sun_path))
		return -ENAMETOOLONG;
	memcpy(where.sun_path, path, size);
	client->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (client->fd < 0 || connect(client->fd, any, sizeof(where)) != 0)
		return -errno;
	return 0;
}

static int
code_of(int answer)
{
	switch (answer) {
	case EAI_MEMORY:
		return -ENOMEM;
	case EAI_SYSTEM:
		return errno != 0 ? -errno : -EIO;
	case EAI_AGAIN:
		return -EAGAIN;
	default:
		return -ENXIO;
	}
}

/* The first of the addresses that answers. */
static int
connect_any(struct berth_log_client *client, const struct addrinfo *each)
{
	int error = ENXIO;

	for (; each != NULL; each = each->ai_next) {
		int fd = socket(each->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

		if (fd >= 0 &&
		    connect(fd, each->ai_addr, each->ai_addrlen) == 0) {
			client->fd = fd;
			return 0;
		}
		error = errno;
		if (fd >= 0)
			close(fd);
	}
	return -error;
}

static int
connect_inet(
    struct berth_log_client *client, const char *host, const char *port)
{
	struct addrinfo wanted = {.ai_socktype = SOCK_STREAM}, *found;
	int result;

	if (host == NULL)
		host = "localhost";
	result = getaddrinfo(host, port != NULL ? port : PORT, &wanted, &found);
	if (result == EAI_SERVICE && (port == NULL || strcmp(port, PORT) == 0))
		result = getaddrinfo(host, PORT_NUMBER, &wanted, &found);
	if (result != 0)
		return code_of(result);
	result = connect_any(client, found);
	freeaddrinfo(found);
	return result;
}

static struct berth_log_client *
drop(struct berth_log_client *client)
{
	if (client->fd >= 0)
		close(client->fd);
	free(client);
	return NULL;
}

int
berth_log_client_open(const struct berth_log_options *options,
    struct berth_log_client **ret_client)
{
	static const struct berth_log_options none;
	struct berth_log_client *client = calloc(1, sizeof(*client));
	int result;

	if (client == NULL)
		return -ENOMEM;
	if (options == NULL)
		options = &none;
	client->fd = -1;
	client->wait_ms = options->timeout_ms > 0 ? (int)options->timeout_ms
						  : WAIT_MS;
	client->record.pid = options->pid != 0 ? options->pid : getpid();
	client->record.form = record_native_form();
	if (options->flags & BERTH_LOG_BIG_ENDIAN)
		client->record.form &= ~RECORD_LITTLE;
	if (options->flags & BERTH_LOG_WIDE)
		client->record.form |= RECORD_WIDE;
	result = options->path != NULL
		     ? connect_unix(client, options->path)
		     : connect_inet(client, options->host, options->port);
	if (result == 0)
		*ret_client = client;
	else
		drop(client);
	return result;
}

/* --- records ---------------------------------------------------------------*/

static int
fail(struct berth_log_client *client, int error)
{
	if (client->error == 0)
		client->error = error;
	return client->error;
}

int
berth_log_client_flush(struct berth_log_client *client)
{
	size_t at = 0;

	while (client->error == 0 && at < client->size) {
		ssize_t sent = send(client->fd, client->buffer + at,
		    client->size - at, MSG_NOSIGNAL);

		if (sent < 0 && errno != EINTR)
			fail(client, -errno);
		at += sent > 0 ? (size_t)sent : 0;
	}
	client->size = 0;
	return client->error;
}

static int
put_piece(struct berth_log_client *client, const char *text, size_t size)
{
	struct record *record = &client->record;
	struct timespec now;
	size_t whole = 0;
	int result = 0;

	if (sizeof(client->buffer) - client->size < RECORD_MOST)
		result = berth_log_client_flush(client);
	if (result != 0)
		return result;
	clock_gettime(CLOCK_REALTIME, &now);
	record->secs = now.tv_sec;
	record->usecs = (int32_t)(now.tv_nsec / 1000);
	record->text = text;
	record->text_size = (uint32_t)size;
	result = record_encode(record, client->buffer + client->size,
	    sizeof(client->buffer) - client->size, &whole);
	client->size += whole;
	return result == 0 ? 0 : fail(client, result);
}

int
berth_log_client_send(struct berth_log_client *client, uint32_t priority,
    const char *text, size_t size)
{
	int result = client->error;

	client->record.type = priority;
	while (result == 0) {
		size_t piece = size < TEXT_MOST ? size : TEXT_MOST;

		result = put_piece(client, text, piece);
		text += piece;
		size -= piece;
		if (size == 0)
			break;
	}
	return result;
}

/* Until the server has read all and closed. */
static int
wait_for_end(struct berth_log_client *client)
{
	struct pollfd wait = {.fd = client->fd, .events = POLLIN};
	char any[64];
	ssize_t size;

	if (shutdown(client->fd, SHUT_WR) != 0)
		return -errno;
	do {
		int ready = poll(&wait, 1, client->wait_ms);

		if (ready == 0)
			return -ETIMEDOUT;
		size = ready > 0 ? recv(client->fd, any, sizeof(any), 0) : -1;
	} while (size > 0 || (size < 0 && errno == EINTR));
	return size == 0 ? 0 : -errno;
}

int
berth_log_client_close(struct berth_log_client *client)
{
	int result;

	if (client == NULL)
		return 0;
	result = berth_log_client_flush(client);
	if (result == 0)
		result = wait_for_end(client);
	drop(client);
	return result;
}
