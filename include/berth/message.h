/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * <berth/message.h>: messages and the queues that they wait in, after C++NPv2
 * 6.2.  berth_message(3) is the manual.
 *
 * A message is one block, or several linked by cont.  A block is a window,
 * from read to write, on memory that blocks may share: what is handed on is
 * the block, never a copy of its bytes.  The count of sharers is atomic, so
 * duplicates may be released in any thread; one block belongs to one thread,
 * or queue, at a time.
 */
#ifndef BERTH_MESSAGE_H
#define BERTH_MESSAGE_H

#include <berth/calls.h>

/* --- types ------------------------------------------------------------------
 * Those from BERTH_MB_USER on are the application's.  From BERTH_MB_FLUSH to
 * BERTH_MB_ERROR they tell the parts of a stream something.
 */
#define BERTH_MB_DATA 0x01u
#define BERTH_MB_CONTROL 0x02u
#define BERTH_MB_FLUSH 0x86u
#define BERTH_MB_STOP 0x87u
#define BERTH_MB_START 0x88u
#define BERTH_MB_HANGUP 0x89u
#define BERTH_MB_ERROR 0x8au
#define BERTH_MB_USER 0x200u

struct berth_message_calls;
struct berth_queue;

struct berth_message {
	const struct berth_message_calls *calls;
	unsigned char *base;  /* the memory, size bytes */
	unsigned char *read;  /* the first byte that was not read */
	unsigned char *write; /* behind the last byte that was written */
	size_t size;
	uint32_t type;		    /* BERTH_MB_* */
	uint32_t priority;	    /* the greater, the sooner; 0 */
	struct berth_message *cont; /* the message's next block, or NULL */
	struct berth_message *next; /* whoever holds the message may link it */
	struct berth_message *prev;
};

/* Gives borrowed memory back; in the thread of the last release. */
typedef void(berth_lender_fn)(void *arg, void *data);

enum berth_queue_state {
	BERTH_QUEUE_ACTIVATED,
	BERTH_QUEUE_DEACTIVATED, /* every call fails at once */
	BERTH_QUEUE_PULSED	 /* who waited was woken; else as activated */
};

enum berth_queue_end {
	BERTH_QUEUE_TAIL,
	BERTH_QUEUE_HEAD,
	/* Before the first of a lesser priority; enqueueing only. */
	BERTH_QUEUE_PRIORITY
};

#define BERTH_QUEUE_BYTES 16384u /* both marks, if nobody sets them */

/* It belongs to one thread: no locks, and nothing ever waits. */
#define BERTH_QUEUE_UNSYNCHRONISED 0x1u

struct berth_queue_options {
	size_t high_bytes; /* 0: BERTH_QUEUE_BYTES */
	size_t low_bytes;  /* 0: high_bytes; no more than that */
	unsigned flags;	   /* BERTH_QUEUE_UNSYNCHRONISED, or 0 */
	/* Called after every enqueueing, by whoever did it, without a lock.
	 * To have a handler called on the loop, berth_notify() there. */
	void (*notify)(void *arg);
	void *arg;
};

struct berth_queue_facts {
	enum berth_queue_state state;
	size_t bytes; /* of all blocks of all messages */
	size_t messages;
	size_t high_bytes;
	size_t low_bytes;
};

/* Never wait, and wait without end; between them a time of
 * CLOCK_MONOTONIC, nanoseconds: an end, not a span. */
#define BERTH_NO_WAIT UINT64_C(0)
#define BERTH_WAIT UINT64_MAX

struct berth_message_calls {
	uint32_t magic; /* BERTH_MAGIC */
	uint16_t abi_major;
	uint16_t abi_minor;
	uint32_t size;

	struct berth_message *(*make)(size_t);
	struct berth_message *(*borrow)(
	    void *, size_t, berth_lender_fn *, void *);
	struct berth_message *(*duplicate)(const struct berth_message *);
	struct berth_message *(*clone)(const struct berth_message *);
	void (*release)(struct berth_message *);
	int (*reserve)(struct berth_message *, size_t);

	int (*queue_make)(
	    const struct berth_queue_options *, struct berth_queue **);
	void (*queue_free)(struct berth_queue *);
	int (*enqueue)(struct berth_queue *, struct berth_message *,
	    enum berth_queue_end, uint64_t);
	int (*dequeue)(struct berth_queue *, enum berth_queue_end, uint64_t,
	    struct berth_message **);
	void (*queue_marks)(struct berth_queue *, size_t, size_t);
	enum berth_queue_state (*queue_state)(
	    struct berth_queue *, enum berth_queue_state);
	size_t (*queue_flush)(struct berth_queue *);
	size_t (*queue_close)(struct berth_queue *);
	void (*queue_facts)(struct berth_queue *, struct berth_queue_facts *);
};

/* A queue begins with its calls; the rest is the host's. */
struct berth_queue {
	const struct berth_message_calls *calls;
};

/* --- messages ---------------------------------------------------------------
 * All of them may be called in any thread.
 */

/* An empty block of BERTH_MB_DATA with room for so many bytes; NULL without
 * memory. */
static inline struct berth_message *
berth_message_make(struct berth_service *s, size_t size)
{
	return s->host->messages->make(size);
}

/* A full block on memory of somebody else, who is told by lender (which may
 * be NULL) when nobody needs it any more.  NULL without memory: nothing is
 * told then. */
static inline struct berth_message *
berth_message_borrow(struct berth_service *s, void *data, size_t size,
    berth_lender_fn *lender, void *arg)
{
	return s->host->messages->borrow(data, size, lender, arg);
}

/* The same message once more, all its blocks, on the same memory; its windows
 * are its own.  NULL without memory. */
static inline struct berth_message *
berth_message_duplicate(const struct berth_message *m)
{
	return m->calls->duplicate(m);
}

/* A copy with memory of its own. */
static inline struct berth_message *
berth_message_clone(const struct berth_message *m)
{
	return m->calls->clone(m);
}

/* Ends the message, all its blocks; takes NULL. */
static inline void
berth_message_release(struct berth_message *m)
{
	if (m != NULL)
		m->calls->release(m);
}

/* Bytes in this block. */
static inline size_t
berth_message_length(const struct berth_message *m)
{
	return (size_t)(m->write - m->read);
}

/* Bytes in all blocks of the message. */
static inline size_t
berth_message_total(const struct berth_message *m)
{
	size_t total = 0;

	for (; m != NULL; m = m->cont)
		total += berth_message_length(m);
	return total;
}

/* Room behind what was written in this block. */
static inline size_t
berth_message_space(const struct berth_message *m)
{
	return (size_t)(m->base + m->size - m->write);
}

static inline struct berth_bytes
berth_message_bytes(const struct berth_message *m)
{
	return berth_bytes(m->read, berth_message_length(m));
}

/* Nothing is in it; all of its memory is room. */
static inline void
berth_message_reset(struct berth_message *m)
{
	m->read = m->write = m->base;
}

/* So much room at least behind what was written: what was read makes way,
 * memory grows, and shared or borrowed memory is left to the others.  0 or
 * -ENOMEM, and then nothing has changed. */
static inline int
berth_message_reserve(struct berth_message *m, size_t space)
{
	return m->calls->reserve(m, space);
}

/* Adds bytes, for which room is made.  0 or -ENOMEM. */
static inline int
berth_message_add(struct berth_message *m, struct berth_bytes bytes)
{
	int result = berth_message_reserve(m, bytes.size);

	if (result != 0 || bytes.size == 0)
		return result;
	memcpy(m->write, bytes.data, bytes.size);
	m->write += bytes.size;
	return 0;
}

/* --- queues -----------------------------------------------------------------
 * Any thread may call, but the unsynchronised kind's one only.
 */

/* 0 or -ENOMEM; -EINVAL when the low mark is above the high one. */
static inline int
berth_queue_make(struct berth_service *s,
    const struct berth_queue_options *options, struct berth_queue **ret_queue)
{
	return s->host->messages->queue_make(options, ret_queue);
}

/* Releases what is in it.  Nobody may be waiting.  Takes NULL. */
static inline void
berth_queue_free(struct berth_queue *q)
{
	if (q != NULL)
		q->calls->queue_free(q);
}

/*
 * A message is taken when no more than high_bytes are queued before it, so
 * that one may go beyond; else the caller waits until they are low_bytes or
 * less.  0 when it was taken, which makes it the queue's.  Otherwise it stays
 * the caller's: -EWOULDBLOCK when it was full until the deadline, -ESHUTDOWN
 * when the queue is deactivated, or was deactivated or pulsed meanwhile.
 */
static inline int
berth_enqueue(struct berth_queue *q, struct berth_message *m,
    enum berth_queue_end end, uint64_t deadline_ns)
{
	return q->calls->enqueue(q, m, end, deadline_ns);
}

/* 0 and a message, which is the caller's; -EWOULDBLOCK when none came until
 * the deadline; -ESHUTDOWN as above.  end: BERTH_QUEUE_HEAD or _TAIL. */
static inline int
berth_dequeue(struct berth_queue *q, enum berth_queue_end end,
    uint64_t deadline_ns, struct berth_message **ret_message)
{
	return q->calls->dequeue(q, end, deadline_ns, ret_message);
}

/* New marks; a low one above the high one counts as that. */
static inline void
berth_queue_marks(struct berth_queue *q, size_t high_bytes, size_t low_bytes)
{
	q->calls->queue_marks(q, high_bytes, low_bytes);
}

/* Another state; the one before.  Deactivating and pulsing wake all who wait;
 * no change of state loses a message. */
static inline enum berth_queue_state
berth_queue_set(struct berth_queue *q, enum berth_queue_state state)
{
	return q->calls->queue_state(q, state);
}

/* Releases what is in it, and leaves the state as it is.  How many messages. */
static inline size_t
berth_queue_flush(struct berth_queue *q)
{
	return q->calls->queue_flush(q);
}

/* Deactivates it and releases what is in it.  How many messages. */
static inline size_t
berth_queue_close(struct berth_queue *q)
{
	return q->calls->queue_close(q);
}

static inline void
berth_queue_facts(struct berth_queue *q, struct berth_queue_facts *ret_facts)
{
	q->calls->queue_facts(q, ret_facts);
}

#endif
