/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * logging_client: takes log records of the programs on this host and hands
 * them on to the server, whatever becomes of that one meanwhile.  The manual
 * is berth-logging-client(8).
 *
 * Records wait in memory, behind that in a file, and behind that in who sends
 * them, who is not read from then: none is thrown away.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "client.h"

/* --- clients --- */

void
resume_sources(struct relay *relay)
{
	struct source *source;

	while ((source = LIST_FIRST(&relay->waiting)) != NULL) {
		LIST_REMOVE(source, link);
		source->waits = 0;
		berth_pause(source->session, 0);
	}
}

static void
wait_for_room(struct relay *relay, struct source *source)
{
	source->waits = 1;
	LIST_INSERT_HEAD(&relay->waiting, source, link);
	berth_pause(source->session, 1);
}

static int
open_session(struct berth_session *session)
{
	struct source *source = session->state;

	source->session = session;
	return 0;
}

static void
closed(struct berth_session *session, int reason)
{
	struct source *source = session->state;

	(void)reason;
	if (source->waits)
		LIST_REMOVE(source, link);
}

/* How many bytes are whole records, or a negative errno. */
static int64_t
whole_records(struct relay *relay, const char *data, size_t size)
{
	struct record record;
	size_t at = 0, one;
	int result;

	for (; at < size && at < RECORD_MOST; at += one) {
		result = record_measure(
		    data + at, size - at, RECORD_MOST, &one);
		if (result == RECORD_E_MORE || (result == 0 && one > size - at))
			break;
		if (result == 0)
			result = record_decode(data + at, one, &record);
		if (result != 0)
			return at > 0 ? (int64_t)at : result;
		relay->taken++;
	}
	return (int64_t)at;
}

/* 1: the client has to wait; or 0. */
static int
put(struct relay *relay, struct source *source, const char *data, size_t size)
{
	int result = queue_put(&relay->queue, data, size);

	if (result == 0)
		return 0;
	if (result != -ENOSPC)
		berth_log(relay->service, BERTH_ERROR, "spool: %s",
		    strerror(-result));
	wait_for_room(relay, source);
	return 1;
}

static int
input(struct berth_session *session, struct berth_bytes in)
{
	struct relay *relay = session->service->state;
	const char *data = in.data;
	uint64_t before;
	int64_t size = 0;
	size_t at = 0;

	for (; at < in.size; at += (size_t)size) {
		before = relay->taken;
		size = whole_records(relay, data + at, in.size - at);
		if (size <= 0)
			break;
		if (put(relay, session->state, data + at, (size_t)size)) {
			relay->taken = before;
			break;
		}
		link_kick(relay);
	}
	if (size >= 0)
		return (int)at;
	berth_log(relay->service, BERTH_WARNING,
	    "a client sends what is no log record");
	return (int)size;
}

/* --- the service --- */

static void
end(struct relay *relay)
{
	int64_t result = queue_close(&relay->queue);

	if (result > 0)
		berth_log(relay->service, BERTH_ERROR,
		    "%" PRId64 " bytes of records are lost: it has no spool",
		    result);
	if (result < 0)
		berth_log(relay->service, BERTH_ERROR, "spool %s: %s",
		    relay->queue.path, strerror((int)-result));
}

static void
fini(struct berth_service *service)
{
	struct relay *relay = service->state;

	link_close(relay);
	end(relay);
}

static int
start(struct relay *relay, int argc, char **argv)
{
	struct berth_service *service = relay->service;
	int result = client_options(relay, argc, argv);
	char endpoint[300];

	if (result != 0)
		return result;
	if (berth_endpoints(service) == 0 && relay->listen_port == NULL)
		return berth_fail(
		    service, EINVAL, "it has no `listen`, and no port (-p)");
	if (relay->listen_port != NULL) {
		snprintf(endpoint, sizeof(endpoint), "tcp:127.0.0.1:%s",
		    relay->listen_port);
		result = berth_listen(service, endpoint);
		if (result != 0)
			return result;
	}
	result = queue_open(&relay->queue);
	if (result != 0)
		return berth_fail(service, -result, "spool %s: %s",
		    relay->queue.path, strerror(-result));
	return link_open(relay);
}

static int
init(struct berth_service *service, int argc, char **argv)
{
	struct relay *relay = service->state;
	int result;

	relay->service = service;
	relay->server = "127.0.0.1";
	relay->connect_ms = 5000;
	relay->retry_ms = 1000;
	relay->retry_most_ms = 60000;
	relay->window = 1u << 20;
	relay->queue.most = 4u << 20;
	relay->queue.spool_most = 64u << 20;
	relay->queue.fd = -1;
	relay->fd = -1;
	LIST_INIT(&relay->waiting);
	result = start(relay, argc, argv);
	if (result != 0)
		end(relay);
	return result;
}

static void
info(struct berth_service *service, struct berth_text *text)
{
	const struct relay *relay = service->state;
	const struct queue *queue = &relay->queue;

	berth_text_printf(text,
	    "%" PRIu64 " records to %s (%s), %zu bytes unsent, %zu in doubt, "
	    "%" PRIu64 " spooled, %" PRIu64 " connections",
	    relay->taken, relay->server,
	    relay->connected ? "connected" : "away", queue->tail - queue->sent,
	    queue->sent - queue->head, queue->spool_size - queue->spool_at,
	    relay->connections);
}

BERTH_SERVICE(make_logging_client,
    .summary = "hands log records on to a server", .flags = BERTH_EXCLUSIVE,
    .state_size = sizeof(struct relay), .init = init, .fini = fini,
    .info = info,
    .session = {
	.state_size = sizeof(struct source),
	.open = open_session,
	.input = input,
	.closed = closed,
    });
