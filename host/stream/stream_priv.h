/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stream_priv: what the files of the room share.
 */
#ifndef STREAM_STREAM_PRIV_H
#define STREAM_STREAM_PRIV_H

#include <pthread.h>
#include <stdatomic.h>

#include "stream/stream.h"

/* --- message.c: the calls of <berth/message.h>
 * ------------------------------*/

struct berth_message *message_make(size_t size);
struct berth_message *message_borrow(
    void *data, size_t size, berth_lender_fn *lender, void *arg);
struct berth_message *message_duplicate(const struct berth_message *message);
struct berth_message *message_clone(const struct berth_message *message);
void message_release(struct berth_message *message);
int message_reserve(struct berth_message *message, size_t space);

/* --- queue.c
 * ----------------------------------------------------------------*/

/* Waits for the condition until a deadline of <berth/message.h>; false when it
 * is over.  The condition is one of condition_new(). */
bool condition_wait(
    pthread_cond_t *condition, pthread_mutex_t *mutex, uint64_t deadline_ns);
int condition_new(pthread_cond_t *condition);

/* Who dequeues waits no more: what is there is served, then -ESHUTDOWN. */
void queue_end(struct berth_queue *public);
/* To the head, whatever the marks say; 0 or -ESHUTDOWN. */
int queue_put_back(struct berth_queue *public, struct berth_message *message);

/* --- a side in its place
 * ----------------------------------------------------*/

struct side {
	struct berth_side public; /* first */
	const struct berth_side_type *type;
	struct layer *layer;
	bool down;
	bool opened;
	struct berth_queue *queue; /* NULL: no svc */
	pthread_t *threads;
	unsigned thread_count;

	/* Under the stream's lock. */
	struct side *next; /* in its direction; NULL: the tail or the head */
	bool wired;	   /* its threads may begin */
	bool shut;	   /* nobody may come in */
	bool ends;	   /* its threads end when the queue is empty */
	unsigned inside;   /* calls of put */
	unsigned pending;  /* messages in the queue, or just taken from it */
	unsigned running;  /* threads in svc */
	unsigned resting;  /* of them, in berth_getq() */
};

struct layer {
	TAILQ_ENTRY(layer) link; /* from the head on */
	struct stream *stream;
	struct side down;
	struct side up;
	_Alignas(max_align_t) char state[];
};

TAILQ_HEAD(layer_list, layer);

#define STREAM_MAGIC 0x5354524du

struct stream {
	struct berth_stream public; /* first */
	uint32_t magic;
	struct berth_stream_options options;
	bool locks;
	pthread_mutex_t mutex;
	pthread_cond_t changed;	  /* whatever somebody may be waiting for */
	struct berth_queue *head; /* NULL: options.at_head */

	struct layer_list layers;
	struct layer_list leaving; /* out of the order, still wired */
	unsigned changing;
	struct side *first_down;
	struct side *first_up;
	struct stream *other; /* linked */
	unsigned running;     /* threads of all sides */
	bool stopping;
};

static inline struct stream *
stream_of(struct berth_stream *public)
{
	struct stream *stream = BASE_CONTAINER(public, struct stream, public);

	BASE_ASSERT(stream->magic == STREAM_MAGIC);
	return stream;
}

static inline struct side *
side_of(struct berth_side *public)
{
	return BASE_CONTAINER(public, struct side, public);
}

/* --- stream.c
 * ---------------------------------------------------------------*/

int stream_at_head(
    struct stream *stream, struct berth_message *message, uint64_t deadline_ns);
int stream_at_tail(
    struct stream *stream, struct berth_message *message, uint64_t deadline_ns);

/* --- wiring.c
 * ---------------------------------------------------------------*/

/* A call of put on the stack of this thread. */
struct frame {
	struct side *side;
	struct frame *outer;
};

void stream_lock(struct stream *stream);
void stream_unlock(struct stream *stream);
/* Under the lock; false: the deadline is over, or there are no locks. */
bool stream_doze(struct stream *stream, uint64_t deadline_ns);
void stream_tell(struct stream *stream); /* something has changed */
/* Into the side that *next points to, or to the end of the stream. */
int stream_pass(struct stream *stream, struct side *const *next, bool down,
    struct berth_message *message, uint64_t deadline_ns);
/* For a thread of the side's own, all its life. */
void stream_adopt_thread(struct frame *frame, struct side *side);
bool stream_is_inside(const struct side *side);

/* --- side.c
 * -----------------------------------------------------------------*/

bool side_is_there(const struct side *side); /* it does not just pass on */
/* Its queue; threads, which wait to be wired. */
int side_start(struct side *side);
/* Its threads serve what is queued and end; returns when they have. */
void side_end_threads(struct side *side);
void side_free(struct side *side);
/* Under the lock: its threads are to end, once the queue is empty. */
void side_ask_to_end(struct side *side);
int side_put(
    struct side *side, struct berth_message *message, uint64_t deadline_ns);

int side_putq(struct berth_side *public, struct berth_message *message,
    enum berth_queue_end end, uint64_t deadline_ns);
int side_getq(struct berth_side *public, struct berth_message **ret_message,
    uint64_t deadline_ns);
int side_put_next(struct berth_side *public, struct berth_message *message,
    uint64_t deadline_ns);
int side_can_put(struct berth_side *public);
int side_reply(struct berth_side *public, struct berth_message *message,
    uint64_t deadline_ns);
struct berth_side *side_sibling(struct berth_side *public);
struct berth_queue *side_queue(struct berth_side *public);

#endif
