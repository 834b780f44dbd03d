/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * wiring: who comes after whom, how a message gets there, and how the order is
 * changed while messages are on their way.
 *
 * Each side knows the next one in its direction; sides that would only pass on
 * are left out.  Whoever puts a message to the next side is counted as inside
 * it until its put has returned.
 *
 * A layer that shall leave is shut: who comes waits in front of it, holding
 * nothing but what lies before.  Who is inside already goes on, also where he
 * meets the layer once more (a reply that is answered); the thread's frames,
 * a list on its stack, say so.  When nobody is inside, nothing is queued and
 * its threads rest, it is still, and can be taken out without a message being
 * lost or overtaken.
 *
 * One lock for a stream, held for a few instructions; a stream that belongs to
 * the loop has none.
 */
#include <errno.h>

#include "stream/stream_priv.h"

/* The calls of put that this thread is in. */
static _Thread_local struct frame *innermost;

void
stream_lock(struct stream *stream)
{
	if (stream->locks)
		pthread_mutex_lock(&stream->mutex);
}

void
stream_unlock(struct stream *stream)
{
	if (stream->locks)
		pthread_mutex_unlock(&stream->mutex);
}

bool
stream_doze(struct stream *stream, uint64_t deadline_ns)
{
	return stream->locks && deadline_ns != BERTH_NO_WAIT &&
	       condition_wait(&stream->changed, &stream->mutex, deadline_ns);
}

void
stream_tell(struct stream *stream)
{
	if (stream->locks)
		pthread_cond_broadcast(&stream->changed);
}

/* --- on the way ------------------------------------------------------------*/

bool
stream_is_inside(const struct side *side)
{
	const struct frame *frame = innermost;

	while (frame != NULL && frame->side != side)
		frame = frame->outer;
	return frame != NULL;
}

void
stream_adopt_thread(struct frame *frame, struct side *side)
{
	frame->side = side;
	frame->outer = NULL;
	innermost = frame;
}

/* 0 and the side, counted; or NULL for the end of the stream. */
static int
enter(struct stream *stream, struct side *const *next, uint64_t deadline_ns,
    struct frame *frame)
{
	struct side *side;
	int result = 0;

	stream_lock(stream);
	while ((side = *next) != NULL && side->shut && result == 0 &&
	       !stream_is_inside(side)) {
		if (!stream_doze(stream, deadline_ns))
			result = -EWOULDBLOCK;
	}
	if (side != NULL && result == 0)
		side->inside++;
	stream_unlock(stream);
	frame->side = side;
	frame->outer = innermost;
	return result;
}

static void
leave(struct stream *stream, struct side *side)
{
	stream_lock(stream);
	if (--side->inside == 0 && side->shut)
		stream_tell(stream);
	stream_unlock(stream);
}

int
stream_pass(struct stream *stream, struct side *const *next, bool down,
    struct berth_message *message, uint64_t deadline_ns)
{
	struct frame frame;
	int result = enter(stream, next, deadline_ns, &frame);

	if (result != 0)
		return result;
	if (frame.side == NULL)
		return down ? stream_at_tail(stream, message, deadline_ns)
			    : stream_at_head(stream, message, deadline_ns);
	innermost = &frame;
	result = side_put(frame.side, message, deadline_ns);
	innermost = frame.outer;
	leave(stream, frame.side);
	return result;
}

/* --- the order -------------------------------------------------------------*/

/* Each knows the next that does not just pass on; so do those that do, for a
 * reply. */
static struct side *
wire(struct side *side, struct side *next)
{
	side->wired = true;
	side->next = next;
	return side_is_there(side) ? side : next;
}

/* Under the lock. */
static void
rewire(struct stream *stream)
{
	struct side *next = NULL;
	struct layer *layer;

	TAILQ_FOREACH_REVERSE(layer, &stream->layers, layer_list, link)
	next = wire(&layer->down, next);
	stream->first_down = next;
	next = NULL;
	TAILQ_FOREACH (layer, &stream->layers, link)
		next = wire(&layer->up, next);
	stream->first_up = next;
	stream_tell(stream);
}

/* Messages take the new way from here on. */
static void
settle(struct stream *stream)
{
	struct layer_list leaving = TAILQ_HEAD_INITIALIZER(leaving);
	struct layer *layer;

	stream_lock(stream);
	if (stream->changing == 0) {
		TAILQ_CONCAT(&leaving, &stream->leaving, link);
		rewire(stream);
	}
	stream_unlock(stream);
	while ((layer = TAILQ_FIRST(&leaving)) != NULL) {
		TAILQ_REMOVE(&leaving, layer, link);
		stream_close_layer(layer);
	}
}

void
stream_begin_change(struct stream *stream)
{
	stream->changing++;
}

void
stream_end_change(struct stream *stream)
{
	stream->changing--;
	settle(stream);
}

void
stream_insert(struct stream *stream, struct layer *after, struct layer *layer)
{
	stream_lock(stream);
	if (after != NULL)
		TAILQ_INSERT_AFTER(&stream->layers, after, layer, link);
	else
		TAILQ_INSERT_HEAD(&stream->layers, layer, link);
	stream_unlock(stream);
	settle(stream);
}

static void
take_out(struct layer *old, struct layer *instead)
{
	struct stream *stream = old->stream;

	/* What they still hold goes on in the old order. */
	side_end_threads(&old->down);
	side_end_threads(&old->up);
	stream_lock(stream);
	if (instead != NULL)
		TAILQ_INSERT_AFTER(&stream->layers, old, instead, link);
	TAILQ_REMOVE(&stream->layers, old, link);
	TAILQ_INSERT_TAIL(&stream->leaving, old, link);
	stream_unlock(stream);
	settle(stream);
}

void
stream_replace(struct layer *old, struct layer *layer)
{
	take_out(old, layer);
}

void
stream_remove(struct layer *old)
{
	take_out(old, NULL);
}

/* --- stillness -------------------------------------------------------------*/

static void
shut(struct layer *layer, bool shut)
{
	layer->down.shut = shut;
	layer->up.shut = shut;
	if (!shut)
		stream_tell(layer->stream);
}

static bool
is_still(const struct side *side)
{
	return side->inside == 0 && side->pending == 0 &&
	       side->resting == side->running;
}

int
stream_still_layer(struct layer *layer, uint64_t deadline_ns)
{
	struct stream *stream = layer->stream;
	bool in_time = true, still;

	stream_lock(stream);
	shut(layer, true);
	for (;;) {
		still = is_still(&layer->down) && is_still(&layer->up);
		if (still || !in_time)
			break;
		in_time = stream_doze(stream, deadline_ns);
	}
	if (!still)
		shut(layer, false);
	stream_unlock(stream);
	return still ? 0 : -EWOULDBLOCK;
}

void
stream_free_layer(struct layer *layer)
{
	stream_lock(layer->stream);
	shut(layer, false);
	stream_unlock(layer->stream);
}
