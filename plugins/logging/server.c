/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * logging_server: takes log records of any number of clients and keeps them.
 * The manual is berth-logging-server(8), the wire format in record.h.
 *
 * What one reading brought is written with as few calls as it can be, before
 * anything more is read; a record counts as taken when it was written.  A
 * client whose bytes are no records is cut off, and so is one whose records
 * can't be written: it has them still, and comes back.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "port.h"
#include "server.h"

/* --- clients --- */

/* The host's address: without brackets, port, and the prefix of IPv4 in
 * IPv6. */
static void
name_host(struct berth_session *session, char host[ENTRY_HOST_BYTES])
{
	static const char mapped[] = "::ffff:";
	char peer[ENTRY_HOST_BYTES] = "", *begin = peer, *end;

	if (berth_peer(session, peer, sizeof(peer)) < 0 ||
	    (end = strrchr(peer, ':')) == NULL ||
	    strncmp(peer, "unix", 4) == 0 || peer[0] == '@') {
		strcpy(host, "localhost");
		return;
	}
	*end = '\0';
	if (begin[0] == '[' && end[-1] == ']') {
		begin++;
		end[-1] = '\0';
	}
	if (strncmp(begin, mapped, strlen(mapped)) == 0 &&
	    strchr(begin, '.') != NULL)
		begin += strlen(mapped);
	for (end = begin; *end != '\0'; end++)
		if (*end == '/')
			*end = '_';
	snprintf(host, ENTRY_HOST_BYTES, "%s", begin);
}

static int
refuse(struct berth_session *session, int error)
{
	struct server *server = session->service->state;
	const struct client *client = session->state;

	server->refused++;
	berth_log(server->service, BERTH_WARNING, "%s: %s", client->host,
	    error == -EPROTO	 ? "these are no log records"
	    : error == -EMSGSIZE ? "a record is too long (-m)"
				 : strerror(-error));
	return error;
}

/* Eight bytes, most significant first: how many records were written. */
static void
acknowledge(struct berth_session *session)
{
	struct client *client = session->state;
	unsigned char *at = client->unsent;
	size_t size = sizeof(client->unsent);
	int sent;

	if (client->unsent_size == 0) {
		for (unsigned i = 0; i < 8; i++)
			at[i] = (unsigned char)(client->taken >> (56 - 8 * i) &
						0xff);
		client->unsent_size = size;
		client->told = client->taken;
	}
	at += size - client->unsent_size;
	sent = berth_write(session, berth_bytes(at, client->unsent_size));
	if (sent > 0)
		client->unsent_size -= (size_t)sent;
}

/* Collects the whole records of in, up to a batch.  How many bytes they are,
 * or a negative errno. */
static ssize_t
collect(struct server *server, const char *host, struct berth_bytes in,
    unsigned *ret_count)
{
	char *data = (char *)(uintptr_t)in.data;
	unsigned count = 0;
	size_t at = 0, size;
	struct record record;
	int result = 0;

	for (; count < BATCH_MOST && at < in.size; at += size, count++) {
		result = record_measure(
		    data + at, in.size - at, server->most, &size);
		if (result != 0 || size > in.size - at)
			break;
		result = record_decode(data + at, size, &record);
		if (result != 0)
			break;
		if (server->sink >= SINK_SYSLOG)
			daemon_send(server, host, &record);
		server->parts[2 * count].iov_base = (char *)(uintptr_t)host;
		server->parts[2 * count].iov_len = strlen(host) + 1;
		server->parts[2 * count + 1].iov_base = data + at;
		server->parts[2 * count + 1].iov_len = size;
	}
	*ret_count = count;
	/* What stands before a mistake is written first. */
	return result < 0 && count == 0 ? result : (ssize_t)at;
}

/* How many bytes were written, or a negative errno.  Under the lock. */
static int
keep(struct berth_session *session, struct berth_bytes in)
{
	struct server *server = session->service->state;
	struct client *client = session->state;
	const char *data = in.data;
	size_t taken = 0;
	unsigned count;
	int result;

	do {
		ssize_t size = collect(server, client->host,
		    berth_bytes(data + taken, in.size - taken), &count);

		if (size < 0)
			return refuse(session, (int)size);
		result = count > 0 && server->sink < SINK_SYSLOG
			     ? store_append(server, client->host, 2 * count)
			     : 0;
		if (result != 0)
			return refuse(session, result);
		taken += (size_t)size;
		client->taken += count;
		server->records += count;
	} while (count > 0);
	return (int)taken;
}

static int
input(struct berth_session *session, struct berth_bytes in)
{
	struct server *server = session->service->state;
	struct client *client = session->state;
	int result;

	if (client->host[0] == '\0')
		name_host(session, client->host);
	pthread_mutex_lock(&server->lock);
	result = keep(session, in);
	pthread_mutex_unlock(&server->lock);
	if (server->acknowledge && result > 0)
		acknowledge(session);
	return result;
}

/* The rest of one that was cut short, and then what came meanwhile. */
static int
output_ready(struct berth_session *session)
{
	struct client *client = session->state;

	if (client->unsent_size > 0)
		acknowledge(session);
	if (client->unsent_size == 0 && client->told < client->taken)
		acknowledge(session);
	return 0;
}

static int
eof(struct berth_session *session, struct berth_bytes rest)
{
	const struct client *client = session->state;

	if (rest.size > 0)
		berth_log(session->service, BERTH_WARNING,
		    "%s: ended within a record", client->host);
	berth_close(session);
	return 0;
}

static int
open_session(struct berth_session *session)
{
	struct server *server = session->service->state;

	pthread_mutex_lock(&server->lock);
	server->clients++;
	pthread_mutex_unlock(&server->lock);
	return 0;
}

/* --- the service --- */

static void
fini(struct berth_service *service)
{
	struct server *server = service->state;

	store_close(server);
	if (server->socket_fd >= 0)
		close(server->socket_fd);
	pthread_mutex_destroy(&server->lock);
}

static int
listen_at(struct server *server)
{
	struct berth_service *service = server->service;
	char endpoint[300];
	const char *port = server->port;

	if (berth_endpoints(service) > 0) {
		if (port == NULL)
			return 0;
		return berth_fail(service, EINVAL,
		    "port %s: it has its port from `listen` already", port);
	}
	if (port == NULL || strcmp(port, "0") == 0)
		port = default_port();
	if (snprintf(endpoint, sizeof(endpoint), "tcp:*:%s", port) >=
	    (int)sizeof(endpoint))
		return berth_fail(service, EINVAL, "'%s' is no port", port);
	return berth_listen(service, endpoint);
}

static int
start(struct server *server, int argc, char **argv)
{
	int result = options_read(server, argc, argv);

	if (result == 0)
		result = server->sink >= SINK_SYSLOG ? daemon_open(server)
						     : store_open(server);
	return result == 0 ? listen_at(server) : result;
}

static int
init(struct berth_service *service, int argc, char **argv)
{
	struct server *server = service->state;
	struct timespec now;
	int result;

	clock_gettime(CLOCK_REALTIME, &now);
	server->start_ns = (uint64_t)now.tv_sec * 1000000000 +
			   (uint64_t)now.tv_nsec;
	server->service = service;
	server->folder = ".";
	server->keep = 5;
	server->most = RECORD_MOST;
	server->folder_fd = -1;
	server->socket_fd = -1;
	TAILQ_INIT(&server->files);
	pthread_mutex_init(&server->lock, NULL);
	result = start(server, argc, argv);
	if (result != 0)
		fini(service);
	return result;
}

static void
info(struct berth_service *service, struct berth_text *text)
{
	struct server *server = service->state;

	pthread_mutex_lock(&server->lock);
	berth_text_printf(text,
	    "%llu records of %llu clients into %s, %llu refused",
	    (unsigned long long)server->records,
	    (unsigned long long)server->clients,
	    server->sink == SINK_HOSTS ? server->folder : server->path,
	    (unsigned long long)server->refused);
	if (server->dropped > 0)
		berth_text_printf(text, ", %llu dropped",
		    (unsigned long long)server->dropped);
	pthread_mutex_unlock(&server->lock);
}

BERTH_SERVICE(make_logging_server, .summary = "keeps log records of clients",
    .flags = BERTH_CONCURRENT, .state_size = sizeof(struct server),
    .init = init, .fini = fini, .info = info,
    .session = {
	.state_size = sizeof(struct client),
	.open = open_session,
	.input = input,
	.output_ready = output_ready,
	.eof = eof,
    });
