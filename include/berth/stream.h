/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * <berth/stream.h>: modules, and the streams that they make up, after C++NPv2
 * chapter 9.  berth_stream(3) is the manual.
 *
 * A stream is an ordered list of modules between a head and a tail.  Messages
 * go down from the head and up from the tail; each module has a side for
 * either direction, and a side that it does not have passes on what comes.
 *
 * A module is a service without sessions: the same five hooks with the same
 * handle, called once.  It may stand in many streams at once, for example one
 * for each connection; what belongs to one place in one stream is the state
 * of its two sides there.
 */
#ifndef BERTH_STREAM_H
#define BERTH_STREAM_H

#include <berth/message.h>

struct berth_filter_type;
struct berth_stream_calls;
struct berth_stream;

/* One direction of a module in one stream. */
struct berth_side {
	struct berth_service *module; /* its handle: name, state, host */
	struct berth_stream *stream;
	void *state; /* layer_size bytes, zeroed before open; both sides' */
};

struct berth_side_type {
	/* The module comes into a stream: the down side is opened, then the
	 * other.  A negative result keeps it out; berth_fail() tells why. */
	int (*open)(struct berth_side *);

	/* It leaves, or the stream ends.  Called if open succeeded, or is
	 * missing while the side's other hooks are there; its threads have
	 * ended. */
	void (*close)(struct berth_side *);

	/*
	 * A message comes.  0: it is the side's now, who puts it to the next,
	 * queues or releases it.  Negative, and then it is still the caller's:
	 * -EWOULDBLOCK at the deadline, -ESHUTDOWN when there is no way on.
	 * Without it: berth_putq() when the side has svc, else it is passed on.
	 */
	int (*put)(
	    struct berth_side *, struct berth_message *, uint64_t deadline_ns);

	/*
	 * Runs in threads of the side's own, from open on: serves berth_getq()
	 * until that says -ESHUTDOWN, hands on what it still holds, and
	 * returns.
	 */
	void (*svc)(struct berth_side *);
	unsigned threads;  /* 0: one */
	size_t high_bytes; /* marks of its queue; 0: BERTH_QUEUE_BYTES */
	size_t low_bytes;  /* 0: high_bytes */
	void (*reserved[4])(void);
};

/*
 * What a module's factory returns.  The hooks are those of a service, and mean
 * the same; berth_service(3) tells of them.
 */
struct berth_module_type {
	struct berth_type_header header;

	const char *summary; /* one line for people */
	uint32_t flags;	     /* 0 */
	size_t state_size;   /* bytes of state for each instance */
	int (*init)(struct berth_service *, int argc, char **argv);
	void (*fini)(struct berth_service *);
	void (*suspend)(struct berth_service *);
	int (*resume)(struct berth_service *);
	void (*info)(struct berth_service *, struct berth_text *);

	size_t layer_size; /* bytes of state for each place in a stream */
	struct berth_side_type down;
	struct berth_side_type up;
	/* What it does around a connection, <berth/filter.h>; NULL: it can't
	 * stand there.  Since 1.2, with BERTH_FILTER(). */
	const struct berth_filter_type *filter;
	void (*reserved[7])(void);
};

/* What a STREAM's factory returns: how the streams are that are made of it. */
struct berth_stream_type {
	struct berth_type_header header;

	const char *summary;
	uint32_t flags; /* 0 */
	size_t state_size;
	int (*init)(struct berth_service *, int argc, char **argv);
	void (*fini)(struct berth_service *);
	void (*suspend)(struct berth_service *);
	int (*resume)(struct berth_service *);
	void (*info)(struct berth_service *, struct berth_text *);

	size_t high_bytes; /* marks of the head's queue; 0: as of any queue */
	size_t low_bytes;
	void (*reserved[8])(void);
};

typedef const struct berth_module_type *(berth_module_factory_fn)(void);
typedef const struct berth_stream_type *(berth_stream_factory_fn)(void);

/* It belongs to the loop: no locks, nothing waits, no side has threads. */
#define BERTH_STREAM_UNSYNCHRONISED 0x1u

struct berth_stream_options {
	unsigned flags;
	size_t high_bytes; /* marks of the head's queue */
	size_t low_bytes;
	/* What comes up to the head, instead of being queued for
	 * berth_stream_get(), and what comes down to the tail, instead of being
	 * released.  As a side's put. */
	int (*at_head)(void *arg, struct berth_message *, uint64_t);
	int (*at_tail)(void *arg, struct berth_message *, uint64_t);
	void *arg;
	/* Called after every message that is queued at the head. */
	void (*notify)(void *arg);
};

struct berth_stream {
	const struct berth_stream_calls *calls;
};

struct berth_stream_calls {
	uint32_t magic; /* BERTH_MAGIC */
	uint16_t abi_major;
	uint16_t abi_minor;
	uint32_t size;

	int (*make)(
	    const struct berth_stream_options *, struct berth_stream **);
	void (*free)(struct berth_stream *);
	int (*put)(struct berth_stream *, struct berth_message *, uint64_t);
	int (*get)(struct berth_stream *, struct berth_message **, uint64_t);
	int (*feed)(struct berth_stream *, struct berth_message *, uint64_t);
	int (*link)(struct berth_stream *, struct berth_stream *);
	void (*unlink)(struct berth_stream *);
	int (*wait)(struct berth_stream *, uint64_t);
	const char *(*name)(struct berth_stream *, unsigned);

	int (*put_next)(struct berth_side *, struct berth_message *, uint64_t);
	int (*can_put)(struct berth_side *);
	int (*reply)(struct berth_side *, struct berth_message *, uint64_t);
	struct berth_side *(*sibling)(struct berth_side *);
	int (*putq)(struct berth_side *, struct berth_message *,
	    enum berth_queue_end, uint64_t);
	int (*getq)(struct berth_side *, struct berth_message **, uint64_t);
	struct berth_queue *(*queue)(struct berth_side *);
};

/* --- for a side -------------------------------------------------------------
 * In any thread, as long as the stream is there.
 */

/* To the next side in this direction, in this thread.  Results as of put. */
static inline int
berth_put_next(
    struct berth_side *side, struct berth_message *m, uint64_t deadline_ns)
{
	return side->stream->calls->put_next(side, m, deadline_ns);
}

/* 1 when berth_put_next() would find room without waiting, as far as can be
 * told: others may be quicker. */
static inline int
berth_can_put(struct berth_side *side)
{
	return side->stream->calls->can_put(side);
}

/* Back where it came from: to the next of the sibling. */
static inline int
berth_reply(
    struct berth_side *side, struct berth_message *m, uint64_t deadline_ns)
{
	return side->stream->calls->reply(side, m, deadline_ns);
}

/* The module's other side in the same place. */
static inline struct berth_side *
berth_sibling(struct berth_side *side)
{
	return side->stream->calls->sibling(side);
}

/* Into the side's own queue, for its svc; -ENOTSUP without one. */
static inline int
berth_putq(
    struct berth_side *side, struct berth_message *m, uint64_t deadline_ns)
{
	return side->stream->calls->putq(
	    side, m, BERTH_QUEUE_TAIL, deadline_ns);
}

/* Back to the head of the queue; never waits, and takes no heed of marks. */
static inline int
berth_ungetq(struct berth_side *side, struct berth_message *m)
{
	return side->stream->calls->putq(
	    side, m, BERTH_QUEUE_HEAD, BERTH_NO_WAIT);
}

/* For svc: the next message; -EWOULDBLOCK at the deadline; -ESHUTDOWN when the
 * side shall end, which is after the last message. */
static inline int
berth_getq(struct berth_side *side, struct berth_message **ret_message,
    uint64_t deadline_ns)
{
	return side->stream->calls->getq(side, ret_message, deadline_ns);
}

/* Its queue, NULL without svc. */
static inline struct berth_queue *
berth_side_queue(struct berth_side *side)
{
	return side->stream->calls->queue(side);
}

/* --- for who uses a stream --------------------------------------------------
 */

/* One that a `stream` directive made, by its name.  It stays until it is
 * released, also when it is removed meanwhile: calls then give -ESHUTDOWN.
 * -ENOENT.  Both belong to the loop. */
static inline int
berth_stream_find(struct berth_service *service, const char *name,
    struct berth_stream **ret_stream)
{
	return service->host->stream_find(service, name, ret_stream);
}

static inline void
berth_stream_release(struct berth_service *service, struct berth_stream *s)
{
	service->host->stream_release(service, s);
}

/*
 * The stream of a name, whichever that is: fn is called with it soon, and again
 * whenever another takes its place; with NULL when there is none.  It is good
 * until fn is called with the next one and returns, so that what goes through
 * it can be moved; the one before can end then.  Called on the loop, never
 * inside this call.  0; -ENOMEM; -EPERM; -ESHUTDOWN.  Since 1.3.
 */
static inline int
berth_stream_watch(struct berth_service *service, const char *name,
    berth_stream_watch_fn *fn, void *arg, struct berth_stream_watch **ret_watch)
{
	return service->host->stream_watch(service, name, fn, arg, ret_watch);
}

/* The stream is let go.  Takes NULL; may be called in fn.  At the latest after
 * fini the host does it. */
static inline void
berth_stream_watch_end(
    struct berth_service *service, struct berth_stream_watch *watch)
{
	service->host->stream_watch_end(service, watch);
}

/* Or one of one's own; see struct berth_stream_options.  0; -EINVAL; -ENOMEM.
 */
static inline int
berth_stream_make(struct berth_service *service,
    const struct berth_stream_options *options,
    struct berth_stream **ret_stream)
{
	return service->host->streams->make(options, ret_stream);
}

/* Takes NULL. */
static inline void
berth_stream_free(struct berth_stream *s)
{
	if (s != NULL)
		s->calls->free(s);
}

/* Down, from the head.  0 and the message is taken; else as put. */
static inline int
berth_stream_put(
    struct berth_stream *s, struct berth_message *m, uint64_t deadline_ns)
{
	return s->calls->put(s, m, deadline_ns);
}

/* What came up to the head. */
static inline int
berth_stream_get(struct berth_stream *s, struct berth_message **ret_message,
    uint64_t deadline_ns)
{
	return s->calls->get(s, ret_message, deadline_ns);
}

/* Up, from the tail. */
static inline int
berth_stream_feed(
    struct berth_stream *s, struct berth_message *m, uint64_t deadline_ns)
{
	return s->calls->feed(s, m, deadline_ns);
}

/* What comes down to one's tail comes up from the other's, both ways; -EBUSY
 * when one is linked already. */
static inline int
berth_stream_link(struct berth_stream *s, struct berth_stream *other)
{
	return s->calls->link(s, other);
}

static inline void
berth_stream_unlink(struct berth_stream *s)
{
	s->calls->unlink(s);
}

/* Until every thread of every side has ended by itself, as after a
 * BERTH_MB_STOP.  -EWOULDBLOCK at the deadline. */
static inline int
berth_stream_wait(struct berth_stream *s, uint64_t deadline_ns)
{
	return s->calls->wait(s, deadline_ns);
}

/* The names of its modules from the head on; NULL at the end. */
static inline const char *
berth_stream_name(struct berth_stream *s, unsigned index)
{
	return s->calls->name(s, index);
}

/* --- what a plugin exports --------------------------------------------------
 * BERTH_MODULE(make_upper, .summary = "…", .down = { .put = … }); exports the
 * factory make_upper() of `dynamic Upper Module * x:make_upper()`.  Members are
 * named in the order of the structure.
 */
#define BERTH_STREAM_FACTORY_(kind_, form_, type_, symbol_, ...)               \
	BERTH_NOTE(kind_, form_, struct type_, symbol_);                       \
	BERTH_EXTERN_C BERTH_EXPORT const struct type_ *symbol_(void);         \
	const struct type_ *symbol_(void)                                      \
	{                                                                      \
		static const struct type_ berth_type_ = {                      \
		    .header = BERTH_TYPE_HEADER(kind_, struct type_, symbol_), \
		    __VA_ARGS__};                                              \
		return &berth_type_;                                           \
	}                                                                      \
	struct berth_service

#define BERTH_MODULE(symbol_, ...)                                             \
	BERTH_STREAM_FACTORY_(BERTH_KIND_MODULE, BERTH_FORM_FACTORY,           \
	    berth_module_type, symbol_, __VA_ARGS__)
#define BERTH_STREAM(symbol_, ...)                                             \
	BERTH_STREAM_FACTORY_(BERTH_KIND_STREAM, BERTH_FORM_FACTORY,           \
	    berth_stream_type, symbol_, __VA_ARGS__)

#endif
