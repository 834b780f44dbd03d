/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * side: one direction of a module in its place: its queue, its threads, and
 * what it may do with a message.
 *
 * A message counts as pending from before it is queued until a thread that took
 * it has said so, and a thread rests while it is in berth_getq(): nothing is
 * pending and all threads rest, when and only when the side has nothing to do.
 *
 * Threads are asked to end, never made to: they serve what is queued, find
 * -ESHUTDOWN, and return.  When a whole stream stops, the last thread of a
 * side asks those of the next, so that messages are served on their way out.
 */
#include <errno.h>
#include <stdlib.h>

#include "stream/stream_priv.h"

/* The side whose svc this thread runs. */
static _Thread_local const struct side *own_side;

bool
side_is_there(const struct side *side)
{
	return side->type->put != NULL || side->type->svc != NULL;
}

static struct stream *
owner_of(const struct side *side)
{
	return side->layer->stream;
}

/* --- threads ---------------------------------------------------------------*/

void
side_ask_to_end(struct side *side)
{
	side->ends = true;
	stream_tell(owner_of(side));
	if (side->queue != NULL)
		queue_end(side->queue);
}

/* Under the lock, when the last thread of a stopping stream's side is gone. */
static void
ask_next(struct side *side)
{
	while ((side = side->next) != NULL && side->running == 0)
		continue;
	if (side != NULL)
		side_ask_to_end(side);
}

static void *
run(void *arg)
{
	struct side *side = arg;
	struct stream *stream = owner_of(side);
	struct frame frame;
	bool wired;

	own_side = side;
	stream_adopt_thread(&frame, side);
	stream_lock(stream);
	while (!side->wired && !side->ends)
		stream_doze(stream, BERTH_WAIT);
	wired = side->wired;
	stream_unlock(stream);
	if (wired)
		side->type->svc(&side->public);
	stream_lock(stream);
	stream->running--;
	if (--side->running == 0 && stream->stopping)
		ask_next(side);
	stream_tell(stream);
	stream_unlock(stream);
	return NULL;
}

static int
start_threads(struct side *side, unsigned count)
{
	struct stream *stream = owner_of(side);
	int result = 0;

	side->threads = calloc(count, sizeof(*side->threads));
	if (side->threads == NULL)
		return -ENOMEM;
	while (result == 0 && side->thread_count < count) {
		stream_lock(stream);
		side->running++;
		stream->running++;
		stream_unlock(stream);
		result = thread_start(
		    run, side, &side->threads[side->thread_count]);
		if (result == 0)
			side->thread_count++;
	}
	if (result != 0) {
		stream_lock(stream);
		side->running--;
		stream->running--;
		stream_unlock(stream);
	}
	return result;
}

int
side_start(struct side *side)
{
	const struct berth_side_type *type = side->type;

	if (type->svc == NULL)
		return 0;
	return start_threads(side, type->threads != 0 ? type->threads : 1);
}

void
side_end_threads(struct side *side)
{
	if (side->thread_count > 0) {
		stream_lock(owner_of(side));
		side_ask_to_end(side);
		stream_unlock(owner_of(side));
	}
	while (side->thread_count > 0)
		pthread_join(side->threads[--side->thread_count], NULL);
	free(side->threads);
	side->threads = NULL;
}

void
side_free(struct side *side)
{
	side_end_threads(side);
	if (side->opened && side->type->close != NULL)
		side->type->close(&side->public);
	side->opened = false;
	berth_queue_free(side->queue);
	side->queue = NULL;
}

/* --- what a side does ------------------------------------------------------*/

int
side_put(struct side *side, struct berth_message *message, uint64_t deadline_ns)
{
	if (side->type->put != NULL)
		return side->type->put(&side->public, message, deadline_ns);
	return side_putq(&side->public, message, BERTH_QUEUE_TAIL, deadline_ns);
}

int
side_put_next(struct berth_side *public, struct berth_message *message,
    uint64_t deadline_ns)
{
	struct side *side = side_of(public);

	return stream_pass(
	    owner_of(side), &side->next, side->down, message, deadline_ns);
}

static bool
has_stock(struct berth_queue *queue)
{
	struct berth_queue_facts facts;

	berth_queue_facts(queue, &facts);
	return facts.messages > 0 && facts.state != BERTH_QUEUE_DEACTIVATED;
}

static bool
has_room(struct berth_queue *queue)
{
	struct berth_queue_facts facts;

	berth_queue_facts(queue, &facts);
	return facts.bytes <= facts.high_bytes;
}

/* The first that queues decides. */
int
side_can_put(struct berth_side *public)
{
	struct side *side = side_of(public);
	struct stream *stream = owner_of(side);
	bool down = side->down, room = true;

	stream_lock(stream);
	while ((side = side->next) != NULL && side->queue == NULL)
		continue;
	if (side != NULL)
		room = has_room(side->queue);
	else if (!down && stream->head != NULL)
		room = has_room(stream->head);
	stream_unlock(stream);
	return room;
}

struct berth_side *
side_sibling(struct berth_side *public)
{
	struct side *side = side_of(public);

	return side->down ? &side->layer->up.public : &side->layer->down.public;
}

int
side_reply(struct berth_side *public, struct berth_message *message,
    uint64_t deadline_ns)
{
	return side_put_next(side_sibling(public), message, deadline_ns);
}

struct berth_queue *
side_queue(struct berth_side *public)
{
	return side_of(public)->queue;
}

/* --- its queue -------------------------------------------------------------*/

static void
count_pending(struct side *side, int by)
{
	struct stream *stream = owner_of(side);

	stream_lock(stream);
	side->pending += (unsigned)by;
	if (side->pending == 0 && side->shut)
		stream_tell(stream);
	stream_unlock(stream);
}

int
side_putq(struct berth_side *public, struct berth_message *message,
    enum berth_queue_end end, uint64_t deadline_ns)
{
	struct side *side = side_of(public);
	int result;

	if (side->queue == NULL)
		return -ENOTSUP;
	count_pending(side, 1);
	result = end == BERTH_QUEUE_HEAD
		     ? queue_put_back(side->queue, message)
		     : berth_enqueue(side->queue, message, end, deadline_ns);
	if (result != 0)
		count_pending(side, -1);
	return result;
}

/* Around the wait of one of its threads. */
static void
rest(struct side *side, int by, bool taken)
{
	struct stream *stream = owner_of(side);

	stream_lock(stream);
	if (own_side == side)
		side->resting += (unsigned)by;
	if (taken)
		side->pending--;
	if (side->shut)
		stream_tell(stream);
	stream_unlock(stream);
}

int
side_getq(struct berth_side *public, struct berth_message **ret_message,
    uint64_t deadline_ns)
{
	struct side *side = side_of(public);
	int result;

	if (side->queue == NULL)
		return -ENOTSUP;
	do {
		rest(side, 1, false);
		result = berth_dequeue(
		    side->queue, BERTH_QUEUE_HEAD, deadline_ns, ret_message);
		rest(side, -1, result == 0);
		/* Woken, though there may be something to serve. */
	} while (result == -ESHUTDOWN && has_stock(side->queue));
	return result;
}
