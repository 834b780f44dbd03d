/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * link: the connection to the server, made again whenever it is lost.
 *
 * An attempt has a limit; after one that failed the next waits for twice as
 * long, up to a limit.  When a connection breaks, all that is not known to
 * have arrived is sent again on the next: with acknowledgements what the
 * server has not counted, without them what was sent last, as far as the
 * window reaches and for as long as it was not quiet for QUIET_NS.
 *
 * The server's name is looked up by a thread, again and again.
 */
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/un.h>
#include <unistd.h>

#include "client.h"

#define MS UINT64_C(1000000)
#define QUIET_NS (10000 * MS)
#define REFRESH_MS 60000
#define REFRESH_FAILED_MS 1000

static void begin(struct relay *relay);

static void
set_timer(struct relay *relay, berth_timer_id *id, uint64_t delay_ns)
{
	if (*id != 0)
		berth_cancel(relay->service, *id, NULL);
	*id = 0;
	if (delay_ns > 0)
		berth_schedule(
		    relay->service, &relay->handler, id, delay_ns, 0, id);
}

static void
tell(struct relay *relay, int error)
{
	char line[sizeof(relay->line)];

	snprintf(line, sizeof(line), "%s: %s", relay->server, strerror(error));
	if (strcmp(line, relay->line) == 0)
		return;
	memcpy(relay->line, line, sizeof(line));
	berth_log(relay->service, BERTH_WARNING, "%s", line);
}

static void
drop(struct relay *relay)
{
	if (relay->fd < 0)
		return;
	berth_remove(
	    relay->service, relay->fd, BERTH_IO_EVENTS | BERTH_DONT_CALL);
	close(relay->fd);
	relay->fd = -1;
	relay->connected = 0;
}

/* The connection is lost, or there was none: later again. */
static void
lost(struct relay *relay, int error)
{
	struct queue *queue = &relay->queue;

	tell(relay, error);
	drop(relay);
	relay->resent_bytes += queue->sent - queue->head;
	queue->sent = queue->head;
	set_timer(relay, &relay->quiet_timer, 0);
	set_timer(relay, &relay->timer, relay->delay_ms * MS);
	relay->delay_ms *= 2;
	if (relay->delay_ms > relay->retry_most_ms)
		relay->delay_ms = relay->retry_most_ms;
}

/* --- sending --- */

static void
push(struct relay *relay)
{
	struct queue *queue = &relay->queue;
	int result;

	while (relay->connected) {
		ssize_t sent;

		result = queue_refill(queue);
		if (result != 0)
			tell(relay, -result);
		if (queue->sent == queue->tail)
			break;
		sent = send(relay->fd, queue->data + queue->sent,
		    queue->tail - queue->sent, MSG_NOSIGNAL);
		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0 && errno == EAGAIN) {
			berth_mask(relay->service, relay->fd, 0, BERTH_WRITE);
			break;
		}
		if (sent < 0) {
			lost(relay, errno);
			break;
		}
		queue->sent += (size_t)sent;
		if (!relay->acknowledged) {
			queue_trim(queue, relay->window);
			set_timer(relay, &relay->quiet_timer, QUIET_NS);
		}
	}
	resume_sources(relay);
}

void
link_kick(struct relay *relay)
{
	if (!relay->connected)
		return;
	if (relay->flush_ms == 0 ||
	    relay->queue.tail - relay->queue.sent >= RECORD_MOST)
		push(relay);
	else if (relay->flush_timer == 0)
		set_timer(relay, &relay->flush_timer, relay->flush_ms * MS);
}

/* --- receiving --- */

static void
take_ack(struct relay *relay, const unsigned char *data, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		uint64_t told = 0;

		relay->ack[relay->ack_size++] = data[i];
		if (relay->ack_size < sizeof(relay->ack))
			continue;
		relay->ack_size = 0;
		for (unsigned b = 0; b < 8; b++)
			told = told << 8 | relay->ack[b];
		if (told > relay->told)
			queue_arrived(&relay->queue, told - relay->told);
		relay->told = told;
	}
}

static int
on_input(struct berth_handler *handler, int fd)
{
	struct relay *relay = (struct relay *)handler;
	unsigned char data[4096];
	ssize_t size = recv(fd, data, sizeof(data), 0);

	if (size < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (size <= 0) {
		lost(relay, size < 0 ? errno : EPIPE);
	} else if (relay->acknowledged) {
		take_ack(relay, data, (size_t)size);
		push(relay);
	}
	return 0;
}

/* --- connecting --- */

static void
on_connected(struct relay *relay)
{
	int error = 0, one = 1;
	socklen_t size = sizeof(error);

	if (getsockopt(relay->fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0)
		error = errno;
	if (error != 0) {
		lost(relay, error);
		return;
	}
	setsockopt(relay->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	relay->connected = 1;
	relay->connections++;
	relay->told = 0;
	relay->ack_size = 0;
	relay->delay_ms = relay->retry_ms;
	relay->line[0] = '\0';
	set_timer(relay, &relay->timer, 0);
	berth_mask(relay->service, relay->fd, BERTH_CONNECT, BERTH_READ);
	berth_log(relay->service, BERTH_INFO, "connected to %s", relay->server);
	push(relay);
}

static int
on_output(struct berth_handler *handler, int fd)
{
	struct relay *relay = (struct relay *)handler;

	if (!relay->connected) {
		on_connected(relay);
		return 0;
	}
	berth_mask(relay->service, fd, BERTH_WRITE, 0);
	push(relay);
	return 0;
}

static int
connect_to(struct relay *relay)
{
	struct sockaddr_storage where;
	const void *any = &where;
	socklen_t size;

	pthread_mutex_lock(&relay->lock);
	where = relay->fresh;
	size = relay->fresh_size;
	pthread_mutex_unlock(&relay->lock);
	if (size == 0)
		return EHOSTUNREACH;
	relay->fd = socket(
	    where.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (relay->fd < 0)
		return errno;
	if (connect(relay->fd, any, size) == 0 || errno == EINPROGRESS)
		return -berth_add(
		    relay->service, &relay->handler, relay->fd, BERTH_CONNECT);
	return errno;
}

static void
begin(struct relay *relay)
{
	int error = connect_to(relay);

	if (error != 0)
		lost(relay, error);
	else
		set_timer(relay, &relay->timer, relay->connect_ms * MS);
}

/* What was sent lies with the server, and was not cut off since. */
static void
on_quiet(struct relay *relay)
{
	int waiting = 0;

	if (relay->connected &&
	    (ioctl(relay->fd, TIOCOUTQ, &waiting) != 0 || waiting == 0))
		queue_trim(&relay->queue, 0);
	else
		set_timer(relay, &relay->quiet_timer, QUIET_NS);
}

static int
on_timer(struct berth_handler *handler, uint64_t now_ns, void *token)
{
	struct relay *relay = (struct relay *)handler;

	(void)now_ns;
	*(berth_timer_id *)token = 0;
	if (token == &relay->flush_timer)
		push(relay);
	else if (token == &relay->quiet_timer)
		on_quiet(relay);
	else if (relay->fd >= 0)
		lost(relay, ETIMEDOUT);
	else
		begin(relay);
	return 0;
}

static const struct berth_handler_type handler_type = {
    .input = on_input, .output = on_output, .timeout = on_timer};

/* --- the server's address --- */

static int
resolve(struct relay *relay, int flags)
{
	struct addrinfo wanted = {
	    .ai_socktype = SOCK_STREAM, .ai_flags = flags};
	const char *host = strcmp(relay->server, "localhost") == 0
			       ? "127.0.0.1"
			       : relay->server;
	struct addrinfo *found;
	int result = getaddrinfo(host, relay->server_port, &wanted, &found);

	if (result != 0)
		return result;
	pthread_mutex_lock(&relay->lock);
	memcpy(&relay->fresh, found->ai_addr, found->ai_addrlen);
	relay->fresh_size = found->ai_addrlen;
	pthread_mutex_unlock(&relay->lock);
	freeaddrinfo(found);
	return 0;
}

static void
look_up(struct berth_thread *thread, void *arg)
{
	struct relay *relay = arg;
	struct pollfd stop = {
	    .fd = berth_thread_stop_fd(relay->service, thread),
	    .events = POLLIN,
	};
	int result;

	do {
		result = resolve(relay, 0);
		if (result != 0)
			berth_log(relay->service, BERTH_WARNING, "%s: %s",
			    relay->server, gai_strerror(result));
	} while (
	    poll(&stop, 1, result == 0 ? REFRESH_MS : REFRESH_FAILED_MS) <= 0);
}

static int
set_path(struct relay *relay)
{
	struct sockaddr_un where = {.sun_family = AF_UNIX};

	if (strlen(relay->server) >= sizeof(where.sun_path))
		return berth_fail(relay->service, ENAMETOOLONG, "-s %s: %s",
		    relay->server, strerror(ENAMETOOLONG));
	strcpy(where.sun_path, relay->server);
	memcpy(&relay->fresh, &where, sizeof(where));
	relay->fresh_size = sizeof(where);
	return 0;
}

int
link_open(struct relay *relay)
{
	struct berth_service *service = relay->service;
	int result = 0;

	relay->handler.type = &handler_type;
	relay->delay_ms = relay->retry_ms;
	if (relay->server[0] == '/')
		result = set_path(relay);
	else if (resolve(relay, AI_NUMERICHOST) != 0)
		result = berth_thread_start(
		    service, "logging-names", look_up, relay);
	if (result == 0)
		/* At once, but after all of init has succeeded. */
		result = berth_schedule(service, &relay->handler, &relay->timer,
		    1, 0, &relay->timer);
	return result;
}

void
link_close(struct relay *relay)
{
	if (relay->connected)
		push(relay);
	berth_cancel_all(relay->service, &relay->handler);
	drop(relay);
}
