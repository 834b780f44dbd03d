/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * strategy_link: records to a logger, in the wire format.
 *
 * They wait in a queue of QUEUE_BYTES, from which the loop sends them; what
 * there is no room for is refused.  When the connection breaks, the record that
 * was cut is sent again on the next one.  What was given to the kernel counts
 * as sent: who can't lose that sends to a logging_client on the same host.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "strategy.h"

#define QUEUE_BYTES (256u << 10)
#define SECOND_NS UINT64_C(1000000000)

/* By severity. */
static const uint32_t types[] = {02000, 01000, 0400, 0200, 040, 020, 010, 04};

static struct strategy *
of(struct berth_handler *handler)
{
	return (struct strategy *)handler;
}

static void
make_room(struct log_link *link, size_t size)
{
	if (QUEUE_BYTES - link->tail >= size || link->head == 0)
		return;
	memmove(link->queue, link->queue + link->head, link->tail - link->head);
	link->tail -= link->head;
	link->head = 0;
}

int
log_link_put(struct strategy *strategy, const struct berth_log_record *from)
{
	struct log_link *link = &strategy->link;
	const char *who = from->service != NULL ? from->service : "host";
	char text[8192];
	int length = snprintf(text, sizeof(text), "%s: %.*s", who,
	    (int)(from->text.size < sizeof(text) ? from->text.size
						 : sizeof(text)),
	    (const char *)from->text.data);
	struct record record = {
	    .type = types[from->level & 7],
	    .pid = (int32_t)getpid(),
	    .secs = from->seconds,
	    .usecs = (int32_t)(from->nanoseconds / 1000),
	    .form = record_native_form(),
	    .text = text,
	    .text_size = (uint32_t)length < sizeof(text)
			     ? (uint32_t)length
			     : (uint32_t)sizeof(text) - 1,
	};
	size_t size;

	make_room(link, sizeof(text) + RECORD_HEADER_BYTES + RECORD_WIDE_BYTES);
	if (record_encode(&record, link->queue + link->tail,
		QUEUE_BYTES - link->tail, &size) != 0)
		return -ENOBUFS;
	link->tail += size;
	/* Once for many: the loop takes all that there is. */
	if (link->tail - link->head == size)
		berth_notify(
		    strategy->service, &strategy->handler, BERTH_WRITE);
	return 0;
}

/* So many bytes have left. */
static void
advance(struct log_link *link, size_t size)
{
	size_t one;

	link->sent += size;
	while (link->head < link->tail &&
	       record_measure(link->queue + link->head, link->tail - link->head,
		   RECORD_MOST, &one) == 0 &&
	       link->sent >= one) {
		link->head += one;
		link->sent -= one;
	}
	if (link->head == link->tail)
		link->head = link->tail = 0;
}

/* 0: all is sent; 1: the kernel has no room; or a negative errno. */
static int
push(struct strategy *strategy)
{
	struct log_link *link = &strategy->link;
	int result = 0;

	pthread_mutex_lock(&strategy->lock);
	while (result == 0 && link->head < link->tail) {
		ssize_t sent = send(link->fd,
		    link->queue + link->head + link->sent,
		    link->tail - link->head - link->sent,
		    MSG_NOSIGNAL | MSG_DONTWAIT);

		if (sent >= 0)
			advance(link, (size_t)sent);
		else if (errno == EAGAIN)
			result = 1;
		else if (errno != EINTR)
			result = -errno;
	}
	pthread_mutex_unlock(&strategy->lock);
	return result;
}

static void
drop(struct strategy *strategy)
{
	struct log_link *link = &strategy->link;

	if (link->fd < 0)
		return;
	berth_remove(strategy->service, link->fd,
	    BERTH_READ | BERTH_WRITE | BERTH_DONT_CALL);
	close(link->fd);
	link->fd = -1;
	pthread_mutex_lock(&strategy->lock);
	link->sent = 0;
	pthread_mutex_unlock(&strategy->lock);
}

static void
tell_away(struct strategy *strategy, int error)
{
	if (!strategy->link.told)
		berth_log(strategy->service, BERTH_WARNING, "logger %s: %s",
		    strategy->link.key, strerror(error));
	strategy->link.told = 1;
}

static void
lost(struct strategy *strategy, int error)
{
	drop(strategy);
	tell_away(strategy, error);
	berth_connect_again(strategy->service, strategy->link.connector);
}

static int
on_output(struct berth_handler *handler, int fd)
{
	struct strategy *strategy = of(handler);
	struct log_link *link = &strategy->link;
	int result;

	(void)fd;
	if (link->fd < 0)
		return 0;
	result = push(strategy);
	if (result < 0)
		lost(strategy, -result);
	else
		berth_mask(strategy->service, link->fd,
		    result == 0 ? BERTH_WRITE : 0,
		    result == 0 ? 0 : BERTH_WRITE);
	return 0;
}

/* A logger says nothing that is of interest, but that it ends. */
static int
on_input(struct berth_handler *handler, int fd)
{
	char data[512];
	ssize_t size = recv(fd, data, sizeof(data), MSG_DONTWAIT);

	if (size == 0 || (size < 0 && errno != EAGAIN && errno != EINTR))
		lost(of(handler), size < 0 ? errno : EPIPE);
	return 0;
}

static int
on_timer(struct berth_handler *handler, uint64_t now_ns, void *token)
{
	struct strategy *strategy = of(handler);
	int result;

	(void)token;
	pthread_mutex_lock(&strategy->lock);
	result = log_file_look(
	    &strategy->file, strategy->age_s * SECOND_NS, now_ns);
	pthread_mutex_unlock(&strategy->lock);
	if (result != 0)
		berth_log(strategy->service, BERTH_ERROR, "%s: %s",
		    strategy->file.path, strerror(-result));
	return 0;
}

static const struct berth_handler_type handler_type = {
    .input = on_input, .output = on_output, .timeout = on_timer};

static int
connected(void *arg, int fd)
{
	struct strategy *strategy = arg;
	int result;

	result = berth_add(
	    strategy->service, &strategy->handler, fd, BERTH_READ);
	if (result != 0)
		return result;
	strategy->link.fd = fd;
	strategy->link.told = 0;
	return on_output(&strategy->handler, fd);
}

static void
failed(void *arg, int error, uint64_t again_ns)
{
	(void)again_ns;
	tell_away(arg, -error);
}

int
log_link_open(struct strategy *strategy)
{
	const char *key = strategy->link.key;
	char place[512];
	struct berth_connect_options options = {
	    .to = place,
	    .timeout_ns = 5 * SECOND_NS,
	    .retry_ns = SECOND_NS,
	    .retry_most_ns = 60 * SECOND_NS,
	    .connected = connected,
	    .failed = failed,
	    .arg = strategy,
	};
	int result;

	strategy->handler.type = &handler_type;
	if (!(strategy->flags & TO_LOGGER))
		return 0;
	strategy->link.queue = malloc(QUEUE_BYTES);
	if (strategy->link.queue == NULL)
		return -ENOMEM;
	snprintf(place, sizeof(place), "%s%s",
	    key[0] == '/' ? "unix:" : "tcp:", key);
	result = berth_connect(
	    strategy->service, &options, &strategy->link.connector);
	if (result == -EINVAL)
		return berth_fail(strategy->service, EINVAL,
		    "-k: '%s' is no HOST:PORT and no path", key);
	return result;
}

void
log_link_close(struct strategy *strategy)
{
	struct log_link *link = &strategy->link;
	struct record record;
	size_t size = 0;

	if (link->queue == NULL)
		return;
	if (link->fd >= 0)
		push(strategy);
	drop(strategy);
	for (; link->head < link->tail; link->head += size) {
		char *at = link->queue + link->head;

		if (record_measure(
			at, link->tail - link->head, RECORD_MOST, &size) != 0 ||
		    record_decode(at, size, &record) != 0)
			break;
		berth_log(strategy->service, record_severity(record.type),
		    "not sent: %.*s", (int)record.text_size, record.text);
	}
	free(link->queue);
	link->queue = NULL;
}
