/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * seat: a host as one worker of a fleet, led over its channel by the host that
 * started it (worker/worker_channel.h).
 *
 * It answers what it is asked, says how it is when it is pinged, and says
 * nothing else but that it has taken its share of connections.  When the
 * channel ends, so does it, at once: nobody would know of it any more.
 */

#include <errno.h>
#include <stdlib.h>

#include "control/control_priv.h"
#include "worker/worker_channel.h"

struct seat {
	struct berth_handler handler;
	struct host *host;
	int fd;
};

/* --- answers ---------------------------------------------------------------
 */

static void
answer(int fd, uint32_t id, int result, const struct errors *errors)
{
	struct channel_message message = {
	    .kind = CHANNEL_ANSWER, .id = id, .fd = -1};
	AUTO_TEXT text;

	text_init(&text);
	channel_answer_begin(&text, result);
	for (unsigned i = 0; errors != NULL && i < errors_kept(errors); i++) {
		const struct error *error = errors_get(errors, i);

		channel_answer_add(&text, error->severity, error->text);
	}
	message.data = text.data;
	message.size = text.size;
	/* Who does not read an answer notices its lack. */
	if (!text.failed)
		(void)channel_send(fd, &message);
}

void
host_refuse_fleet(int fd, uint32_t id, const struct errors *errors)
{
	answer(fd, id, HOST_E_REFUSED, errors);
}

static void
apply(struct seat *seat, const struct channel_message *message)
{
	struct errors *errors = errors_new(ERRORS_A_FILE);
	const char *text = message->data;
	struct report report;
	int result = -ENOMEM;

	report_init(&report);
	if (message->size == 0 || text[message->size - 1] != '\0')
		result = -EBADMSG;
	else if (errors != NULL)
		result = host_apply(
		    seat->host, APPLY_COMMAND, text, errors, &report);
	answer(seat->fd, message->id, result, errors);
	report_fini(&report);
	errors_free(errors);
}

/* --- heartbeats ------------------------------------------------------------
 */

static void
add(struct channel_beat *beat, const struct instance *instance)
{
	struct server_counters counters;

	show_counters_of(instance, &counters);
	beat->sessions_active += counters.sessions_active;
	beat->sessions_total += counters.sessions_total;
	beat->sessions_failed += counters.sessions_failed;
	beat->datagrams += counters.datagrams;
	beat->datagrams_refused += counters.datagrams_refused;
	beat->bytes_in += counters.bytes_in;
	beat->bytes_out += counters.bytes_out;
}

/* NULL: none, or it has ended while the host stops. */
static struct server *
server_of_record(const struct record *record)
{
	struct instance *current = record_current(record);

	return current != NULL ? instance_server(current) : NULL;
}

static void
take_pulse(struct host *host, struct channel_beat *beat)
{
	struct record *record = repository_first(host->repository);

	for (; record != NULL; record = record_next(record)) {
		struct instance *current = record_current(record);
		const struct instance *old = record_first_draining(record);
		struct server *server = server_of_record(record);

		if (current != NULL)
			add(beat, current);
		if (server != NULL && server_is_full(server))
			beat->flags |= CHANNEL_BEAT_FULL;
		for (; old != NULL; old = instance_next_draining(old))
			add(beat, old);
	}
}

static void
pinged(struct seat *seat, uint32_t log_level)
{
	struct channel_beat beat = {.flags = 0};
	const struct channel_message message = {
	    .kind = CHANNEL_BEAT,
	    .data = &beat,
	    .size = sizeof(beat),
	    .fd = -1,
	};

	__atomic_store_n(
	    &seat->host->log->level, (int)log_level, __ATOMIC_RELAXED);
	take_pulse(seat->host, &beat);
	(void)channel_send(seat->fd, &message);
}

static void
spent(void *context)
{
	struct seat *seat = context;
	const struct channel_message message = {
	    .kind = CHANNEL_SPENT, .fd = -1};

	(void)channel_send(seat->fd, &message);
}

/* --- the end ----------------------------------------------------------------
 */

/* It takes no more clients: nobody shall wait for it in vain at a port that
 * its host has given up. */
static void
leave(struct host *host, uint32_t drain_ms)
{
	struct record *record = repository_first(host->repository);
	struct server *server;

	for (; record != NULL; record = record_next(record)) {
		server = server_of_record(record);
		if (server != NULL)
			server_set_listeners(server, NULL, 0);
	}
	host_drain(host, drain_ms);
}

/* --- one connection ---------------------------------------------------------
 */

/* Its work is done: the last pulse has the whole of it. */
static void
served(void *context)
{
	struct seat *seat = context;

	pinged(seat, (uint32_t)seat->host->log->level);
	host_drain(seat->host, 0);
}

/* The streams around its connections, and their modules, are none. */
static struct server *
server_of_clients(struct host *host)
{
	struct record *record = repository_first(host->repository);

	for (; record != NULL; record = record_next(record)) {
		struct instance *current = record_current(record);

		if (current != NULL && instance_is_service(current))
			return instance_server(current);
	}
	return NULL;
}

static void
serve(struct seat *seat, struct channel_message *message)
{
	struct server *server = server_of_clients(seat->host);
	struct channel_connection connection;
	struct visitor visitor;
	const void *peer = &connection.peer;

	if (server == NULL || message->fd < 0 ||
	    channel_read(message, &connection, sizeof(connection)) < 0 ||
	    connection.peer_size > sizeof(connection.peer)) {
		served(seat);
		return;
	}
	visitor_init(&visitor, server, NULL, base_take_fd(&message->fd));
	if (connection.peer_size > 0) {
		visitor_set_peer(&visitor, peer, connection.peer_size);
		visitor.local = connection.local;
	}
	server_tell_empty(visitor.server, served, seat);
	(void)server_welcome(&visitor);
	/* It may have come to nothing. */
	if (!server_is_busy(visitor.server) && !seat->host->stopping)
		served(seat);
}

/* --- the channel -----------------------------------------------------------
 */

static void
obey(struct seat *seat, struct channel_message *message)
{
	struct host *host = seat->host;

	switch (message->kind) {
	case CHANNEL_APPLY:
		apply(seat, message);
		break;
	case CHANNEL_ACCEPT:
		listeners_hold(host->listeners, message->id == 0);
		break;
	case CHANNEL_DRAIN:
		leave(host, message->id);
		break;
	case CHANNEL_PING:
		pinged(seat, message->id);
		break;
	case CHANNEL_CONNECTION:
		serve(seat, message);
		break;
	default:
		break;
	}
}

static int
channel_input(struct berth_handler *handler, int fd)
{
	struct seat *seat = BASE_CONTAINER(handler, struct seat, handler);
	struct channel_inbox inbox;
	int result = channel_receive(fd, &inbox);

	if (result == -EAGAIN || result == -ENOMEM)
		return 0;
	if (result != 0) {
		log_printf(seat->host->log, BERTH_NOTICE, NULL,
		    "the host of this worker is gone: it ends");
		reactor_stop(seat->host->reactor);
		return 0;
	}
	obey(seat, &inbox.message);
	channel_inbox_fini(&inbox);
	return 1;
}

static const struct berth_handler_type seat_type = {
    .input = channel_input,
};

int
host_serve_fleet(struct host *host, int fd, uint32_t id, uint32_t max_requests)
{
	struct seat *seat = calloc(1, sizeof(*seat));
	int result = -ENOMEM;

	if (seat != NULL) {
		seat->handler.type = &seat_type;
		seat->host = host;
		seat->fd = fd;
		result = reactor_add(
		    &host->owner, &seat->handler, fd, BERTH_READ);
	}
	if (result < 0) {
		free(seat);
		fd_close(&fd);
		return result;
	}
	if (max_requests > 0)
		listeners_set_quota(host->listeners, max_requests, spent, seat);
	host->seat = seat;
	answer(fd, id, 0, NULL);
	return 0;
}

struct seat *
seat_free(struct seat *seat)
{
	if (seat == NULL)
		return NULL;
	reactor_remove(
	    &seat->host->owner, seat->fd, BERTH_IO_EVENTS | BERTH_DONT_CALL);
	fd_close(&seat->fd);
	free(seat);
	return NULL;
}
