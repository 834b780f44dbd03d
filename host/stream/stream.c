/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stream: its life and its two ends.
 *
 * Up to the head comes what its user gets; down at the tail what nobody wanted
 * is released, so that modules may always pass on.  A control message that no
 * module has answered goes back up from the tail, to whoever sent it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "stream/stream_priv.h"

/* --- the ends --------------------------------------------------------------*/

int
stream_at_head(
    struct stream *stream, struct berth_message *message, uint64_t deadline_ns)
{
	const struct berth_stream_options *options = &stream->options;

	if (options->at_head != NULL)
		return options->at_head(options->arg, message, deadline_ns);
	if (message->type == BERTH_MB_FLUSH) {
		berth_queue_flush(stream->head);
		berth_message_release(message);
		return 0;
	}
	return berth_enqueue(
	    stream->head, message, BERTH_QUEUE_TAIL, deadline_ns);
}

static int
feed(struct stream *stream, struct berth_message *message, uint64_t deadline_ns)
{
	return stream_pass(
	    stream, &stream->first_up, false, message, deadline_ns);
}

int
stream_at_tail(
    struct stream *stream, struct berth_message *message, uint64_t deadline_ns)
{
	const struct berth_stream_options *options = &stream->options;
	struct stream *other;

	stream_lock(stream);
	other = stream->other;
	stream_unlock(stream);
	if (other != NULL)
		return feed(other, message, deadline_ns);
	if (options->at_tail != NULL)
		return options->at_tail(options->arg, message, deadline_ns);
	if (message->type == BERTH_MB_CONTROL)
		return feed(stream, message, deadline_ns);
	berth_message_release(message);
	return 0;
}

/* --- life ------------------------------------------------------------------*/

static int
make_head(struct stream *stream)
{
	const struct berth_stream_options *options = &stream->options;
	const struct berth_queue_options head = {
	    .high_bytes = options->high_bytes,
	    .low_bytes = options->low_bytes,
	    .flags = stream->locks ? 0 : BERTH_QUEUE_UNSYNCHRONISED,
	    .notify = options->notify,
	    .arg = options->arg,
	};

	if (options->at_head != NULL)
		return 0;
	return message_calls.queue_make(&head, &stream->head);
}

static int
make_locks(struct stream *stream)
{
	int result = condition_new(&stream->changed);

	if (result != 0)
		return result;
	result = -pthread_mutex_init(&stream->mutex, NULL);
	if (result != 0)
		pthread_cond_destroy(&stream->changed);
	stream->locks = result == 0;
	return result;
}

int
stream_new(
    const struct berth_stream_options *options, struct stream **ret_stream)
{
	struct stream *stream;
	int result = 0;

	if ((options->flags & ~BERTH_STREAM_UNSYNCHRONISED) != 0)
		return -EINVAL;
	stream = calloc(1, sizeof(*stream));
	if (stream == NULL)
		return -ENOMEM;
	stream->public.calls = &stream_calls;
	stream->magic = STREAM_MAGIC;
	stream->options = *options;
	TAILQ_INIT(&stream->layers);
	TAILQ_INIT(&stream->leaving);
	if ((options->flags & BERTH_STREAM_UNSYNCHRONISED) == 0)
		result = make_locks(stream);
	if (result == 0)
		result = make_head(stream);
	if (result != 0) {
		stream_free(stream);
		return result;
	}
	*ret_stream = stream;
	return 0;
}

void
stream_stop(struct stream *stream)
{
	struct side *down, *up;

	if (stream->head != NULL)
		berth_queue_set(stream->head, BERTH_QUEUE_DEACTIVATED);
	stream_lock(stream);
	stream->stopping = true;
	/* Each passes it on when it has ended. */
	for (down = stream->first_down; down != NULL && down->running == 0;)
		down = down->next;
	for (up = stream->first_up; up != NULL && up->running == 0;)
		up = up->next;
	if (down != NULL)
		side_ask_to_end(down);
	if (up != NULL)
		side_ask_to_end(up);
	stream_unlock(stream);
}

static int
wait_for_threads(struct berth_stream *public, uint64_t deadline_ns)
{
	struct stream *stream = stream_of(public);
	bool in_time = true, done;

	stream_lock(stream);
	while (stream->running > 0 && in_time)
		in_time = stream_doze(stream, deadline_ns);
	done = stream->running == 0;
	stream_unlock(stream);
	return done ? 0 : -EWOULDBLOCK;
}

static void
unlink_streams(struct berth_stream *public)
{
	struct stream *stream = stream_of(public), *other;

	stream_lock(stream);
	other = stream->other;
	stream->other = NULL;
	stream_unlock(stream);
	if (other == NULL)
		return;
	stream_lock(other);
	other->other = NULL;
	stream_unlock(other);
}

struct stream *
stream_free(struct stream *stream)
{
	struct layer *layer;

	if (stream == NULL)
		return NULL;
	stream_stop(stream);
	wait_for_threads(&stream->public, BERTH_WAIT);
	unlink_streams(&stream->public);
	while ((layer = TAILQ_FIRST(&stream->layers)) != NULL)
		stream_remove(layer);
	berth_queue_free(stream->head);
	if (stream->locks) {
		pthread_mutex_destroy(&stream->mutex);
		pthread_cond_destroy(&stream->changed);
	}
	stream->magic = 0;
	free(stream);
	return NULL;
}

struct berth_stream *
stream_public(struct stream *stream)
{
	return &stream->public;
}

/* --- its modules -----------------------------------------------------------*/

struct layer *
stream_first(struct stream *stream)
{
	return TAILQ_FIRST(&stream->layers);
}

struct layer *
stream_find(struct stream *stream, const char *name)
{
	struct layer *layer;

	TAILQ_FOREACH (layer, &stream->layers, link) {
		if (strcmp(layer_module(layer)->name, name) == 0)
			return layer;
	}
	return NULL;
}

int
stream_push(struct stream *stream, const struct berth_module_type *type,
    struct berth_service *module)
{
	struct layer *layer;
	int result = stream_open_layer(stream, type, module, &layer);

	if (result == 0)
		stream_insert(stream, NULL, layer);
	return result;
}

int
stream_pop(struct stream *stream, uint64_t deadline_ns)
{
	struct layer *top = TAILQ_FIRST(&stream->layers);
	int result;

	if (top == NULL)
		return -ENOENT;
	result = stream_still_layer(top, deadline_ns);
	if (result == 0)
		stream_remove(top);
	return result;
}

/* --- the calls -------------------------------------------------------------*/

static int
make(const struct berth_stream_options *options,
    struct berth_stream **ret_stream)
{
	struct stream *stream;
	int result = stream_new(options, &stream);

	if (result == 0)
		*ret_stream = &stream->public;
	return result;
}

static void
free_stream(struct berth_stream *public)
{
	stream_free(stream_of(public));
}

static int
put(struct berth_stream *public, struct berth_message *message,
    uint64_t deadline_ns)
{
	struct stream *stream = stream_of(public);

	return stream_pass(
	    stream, &stream->first_down, true, message, deadline_ns);
}

static int
get(struct berth_stream *public, struct berth_message **ret_message,
    uint64_t deadline_ns)
{
	struct stream *stream = stream_of(public);

	if (stream->head == NULL)
		return -ENOTSUP;
	return berth_dequeue(
	    stream->head, BERTH_QUEUE_HEAD, deadline_ns, ret_message);
}

static int
feed_public(struct berth_stream *public, struct berth_message *message,
    uint64_t deadline_ns)
{
	return feed(stream_of(public), message, deadline_ns);
}

/* Both locks, one after the other: only their owner links them. */
static int
link_streams(struct berth_stream *public, struct berth_stream *other)
{
	struct stream *a = stream_of(public), *b = stream_of(other);

	if (a == b)
		return -EINVAL;
	if (a->other != NULL || b->other != NULL)
		return -EBUSY;
	stream_lock(a);
	a->other = b;
	stream_unlock(a);
	stream_lock(b);
	b->other = a;
	stream_unlock(b);
	return 0;
}

static const char *
name_of(struct berth_stream *public, unsigned index)
{
	struct layer *layer = TAILQ_FIRST(&stream_of(public)->layers);

	while (layer != NULL && index-- > 0)
		layer = layer_next(layer);
	return layer == NULL ? NULL : layer_module(layer)->name;
}

const struct berth_stream_calls stream_calls = {
    .magic = BERTH_MAGIC,
    .abi_major = BERTH_ABI_MAJOR,
    .abi_minor = BERTH_ABI_MINOR,
    .size = sizeof(struct berth_stream_calls),
    .make = make,
    .free = free_stream,
    .put = put,
    .get = get,
    .feed = feed_public,
    .link = link_streams,
    .unlink = unlink_streams,
    .wait = wait_for_threads,
    .name = name_of,
    .put_next = side_put_next,
    .can_put = side_can_put,
    .reply = side_reply,
    .sibling = side_sibling,
    .putq = side_putq,
    .getq = side_getq,
    .queue = side_queue,
};
