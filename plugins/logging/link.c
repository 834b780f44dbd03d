/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * link: the connection to the server, made again whenever it is lost.
 *
 * The host's connector makes it.  When it breaks, all that is not known to
 * have arrived is sent again on the next: with acknowledgements what the
 * server has not counted, without them what was sent last, as far as the
 * window reaches and for as long as it was not quiet for QUIET_NS.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client.h"

#define MS UINT64_C(1000000)
#define QUIET_NS (10000 * MS)

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

/* The connection is lost: later again. */
static void
lost(struct relay *relay, int error)
{
	struct queue *queue = &relay->queue;

	tell(relay, error);
	drop(relay);
	relay->resent_bytes += queue->sent - queue->head;
	queue->sent = queue->head;
	set_timer(relay, &relay->quiet_timer, 0);
	error = berth_connect_again(relay->service, relay->connector);
	if (error != 0)
		tell(relay, -error);
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

static int
on_output(struct berth_handler *handler, int fd)
{
	struct relay *relay = (struct relay *)handler;

	berth_mask(relay->service, fd, BERTH_WRITE, 0);
	push(relay);
	return 0;
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
	else
		on_quiet(relay);
	return 0;
}

static const struct berth_handler_type handler_type = {
    .input = on_input, .output = on_output, .timeout = on_timer};

/* --- connecting --- */

static int
connected(void *arg, int fd)
{
	struct relay *relay = arg;
	int one = 1, result;

	result = berth_add(relay->service, &relay->handler, fd, BERTH_READ);
	if (result != 0)
		return result;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	relay->fd = fd;
	relay->connected = 1;
	relay->connections++;
	relay->told = 0;
	relay->ack_size = 0;
	relay->line[0] = '\0';
	berth_log(relay->service, BERTH_INFO, "connected to %s", relay->server);
	push(relay);
	return 0;
}

static void
failed(void *arg, int error, uint64_t again_ns)
{
	(void)again_ns;
	tell(arg, -error);
}

/* As an endpoint. */
static void
name_server(const struct relay *relay, char *name, size_t room)
{
	const char *host = relay->server;

	if (host[0] == '/')
		snprintf(name, room, "unix:%s", host);
	else if (strchr(host, ':') != NULL)
		snprintf(name, room, "tcp:[%s]:%s", host, relay->server_port);
	else
		snprintf(name, room, "tcp:%s:%s", host, relay->server_port);
}

int
link_open(struct relay *relay)
{
	char name[512];
	struct berth_connect_options options = {
	    .to = name,
	    .timeout_ns = relay->connect_ms * MS,
	    .retry_ns = relay->retry_ms * MS,
	    .retry_most_ns = relay->retry_most_ms * MS,
	    .connected = connected,
	    .failed = failed,
	    .arg = relay,
	};
	int result;

	relay->handler.type = &handler_type;
	name_server(relay, name, sizeof(name));
	result = berth_connect(relay->service, &options, &relay->connector);
	if (result == -EINVAL)
		return berth_fail(relay->service, EINVAL,
		    "'%s' is no server's address and port", name);
	return result;
}

void
link_close(struct relay *relay)
{
	if (relay->connected)
		push(relay);
	berth_connect_end(relay->service, relay->connector);
	berth_cancel_all(relay->service, &relay->handler);
	drop(relay);
}
