/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stream: messages, the queues that they wait in, modules, and streams of
 * them.  The contract stands in <berth/message.h> and <berth/stream.h>.
 *
 * A stream is changed by one thread, its owner's, while others may be putting
 * messages through it.  A change is prepared, which may fail, and then
 * committed, which can't: stream_open_layer() and stream_still_layer() are
 * undone by stream_close_layer() and stream_free_layer().
 */
#ifndef STREAM_STREAM_H
#define STREAM_STREAM_H

#include <berth/stream.h>

#include "base/base.h"

/* What the host's table points to. */
extern const struct berth_message_calls message_calls;
extern const struct berth_stream_calls stream_calls;

struct stream;
struct layer;

int stream_new(
    const struct berth_stream_options *options, struct stream **ret_stream);
/* Closes what is in it, from the head on; what is queued in it is released.
 * No other thread may be in a call of it any more.  Takes NULL. */
struct stream *stream_free(struct stream *stream);
struct berth_stream *stream_public(struct stream *stream);
/* Asks the threads to end, from the head and from the tail on: each serves what
 * is queued first.  They have when berth_stream_wait() says so. */
void stream_stop(struct stream *stream);

/* Opens a module for a place in the stream, its threads included, but does not
 * put it there.  Negative: what open or the kernel said. */
int stream_open_layer(struct stream *stream,
    const struct berth_module_type *type, struct berth_service *module,
    struct layer **ret_layer);
/* Closes one that is in no stream; takes NULL. */
struct layer *stream_close_layer(struct layer *layer);

/*
 * Keeps messages out of a layer and waits until it has handed on those that it
 * has.  0, or -EWOULDBLOCK at the deadline, and then all is as before.
 * stream_free_layer() lets messages in again.
 */
int stream_still_layer(struct layer *layer, uint64_t deadline_ns);
void stream_free_layer(struct layer *layer);

/* What is done between the two counts at once, for every message. */
void stream_begin_change(struct stream *stream);
void stream_end_change(struct stream *stream);

/* None of these can fail.  Behind which one, from the head on; NULL: on top. */
void stream_insert(
    struct stream *stream, struct layer *after, struct layer *layer);
/* One that is still is closed; the other takes its place. */
void stream_replace(struct layer *old, struct layer *layer);
void stream_remove(struct layer *old);

/* By the name of its module; NULL. */
struct layer *stream_find(struct stream *stream, const char *name);
struct layer *stream_first(struct stream *stream);
struct layer *layer_next(struct layer *layer);
struct berth_service *layer_module(struct layer *layer);
struct stream *layer_stream(struct layer *layer);

/* Opens it and puts it on top. */
int stream_push(struct stream *stream, const struct berth_module_type *type,
    struct berth_service *module);
/* Takes the top one out and closes it.  -ENOENT; -EWOULDBLOCK. */
int stream_pop(struct stream *stream, uint64_t deadline_ns);

#endif
