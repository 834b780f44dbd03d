/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * <berth/filter.h>: modules around connections.  berth_filter(3) is the manual.
 *
 * With `stream = NAME` a service's connections run through the modules of a
 * stream: what a client sends goes up through them to the service, what the
 * service writes goes down to the client.  A filter is one module around one
 * connection, with a state of its own.  Its hooks and calls belong to the
 * thread of the connection; those of one connection never run at the same time,
 * those of several may, so what the module's instance holds is only read after
 * its init, or has a lock.
 *
 * Nothing here waits, and nothing is queued by the module: what it does not
 * take the host keeps, within input_limit and output_limit, and who sends too
 * much is held up.
 *
 * Since 1.2.
 */
#ifndef BERTH_FILTER_H
#define BERTH_FILTER_H

#include <berth/stream.h>

struct sockaddr;

struct berth_filter {
	struct berth_service *module; /* its handle: name, state, host */
	/* For berth_peer(), berth_local(), berth_session_id(); it is never
	 * written to, read, paused or closed by a filter. */
	struct berth_session *session;
	void *state; /* state_size bytes, zeroed before open */
};

/* What comes down in one call is one frame: the host hands it down whole or not
 * at all.  For modules next to the service. */
#define BERTH_FILTER_FRAMES 0x1u
#define BERTH_FILTER_FLAGS_KNOWN BERTH_FILTER_FRAMES

/* A missing hook passes on; a negative result ends the connection with it. */
struct berth_filter_type {
	size_t state_size;
	uint32_t flags;

	/*
	 * A connection has come; those nearer to the client are ready.  0: and
	 * so is this one.  Positive: it will be once it has called
	 * berth_filter_ready(), within so many milliseconds, or the connection
	 * ends with -ETIMEDOUT.  Meanwhile it is offered what comes, and those
	 * nearer to the service, and the service itself, are not yet opened.
	 */
	int (*open)(struct berth_filter *);

	/*
	 * Bytes have come from the client's side; what is for the service goes
	 * on with berth_pass_up().  Returns how many were taken, from the
	 * front; the rest is kept, and offered again with what comes next, or
	 * when there is room above again, it is ready, or is held no more.
	 */
	int (*up)(struct berth_filter *, struct berth_bytes);

	/*
	 * The same from the service's side, with berth_pass_down(): all is
	 * taken, but for what is to wait until berth_hold_down() ends.
	 */
	int (*down)(struct berth_filter *, struct berth_bytes);

	/* The client has ended its side; rest is what up did not take, and is
	 * lost.  What is passed up now is the last; the host then tells the
	 * next. */
	int (*up_end)(struct berth_filter *, struct berth_bytes rest);

	/* The service has ended its side, in order, and down has taken all.
	 * What is passed down now is the last; the host then tells the next. */
	int (*down_end)(struct berth_filter *);

	/* The time of berth_filter_timeout() is over. */
	int (*timeout)(struct berth_filter *);

	/* The connection is over; called if open gave 0 or more.  reason: as
	 * for closed of a session. */
	void (*close)(struct berth_filter *, int reason);
	void (*reserved[8])(void);
};

struct berth_filter_calls {
	uint32_t magic; /* BERTH_MAGIC */
	uint16_t abi_major;
	uint16_t abi_minor;
	uint32_t size;

	int (*pass_up)(struct berth_filter *, struct berth_bytes);
	int (*pass_down)(struct berth_filter *, struct berth_bytes);
	int (*room_up)(struct berth_filter *);
	size_t (*room_down)(struct berth_filter *);
	void (*hold_up)(struct berth_filter *, int);
	void (*hold_down)(struct berth_filter *, int);
	int (*end_up)(struct berth_filter *);
	int (*ready)(struct berth_filter *);
	int (*timeout)(struct berth_filter *, uint32_t);
	int (*fail)(struct berth_filter *, int, const char *, va_list);
	int (*set_peer)(struct berth_filter *, const struct sockaddr *,
	    const struct sockaddr *);
	int (*set_identity)(struct berth_filter *, const char *);
	int (*peer_identity)(struct berth_session *, char *, size_t);
};

/*
 * On to the next, towards the service.  All of it is taken: what the next one
 * does not take the host keeps.  0, or a negative errno when the connection
 * ends, which a hook may return as it is.
 */
static inline int
berth_pass_up(struct berth_filter *f, struct berth_bytes bytes)
{
	return f->module->host->filters->pass_up(f, bytes);
}

/* The same towards the client. */
static inline int
berth_pass_down(struct berth_filter *f, struct berth_bytes bytes)
{
	return f->module->host->filters->pass_down(f, bytes);
}

/* 1 when what is passed up reaches the service now.  0 when somebody above
 * is held up: a module that takes in pieces stops here, and up is called again
 * with the rest when that is over. */
static inline int
berth_room_up(struct berth_filter *f)
{
	return f->module->host->filters->room_up(f);
}

/* How many bytes the host still keeps for a client that does not read, until
 * the service has to wait. */
static inline size_t
berth_room_down(struct berth_filter *f)
{
	return f->module->host->filters->room_down(f);
}

/*
 * From now on (1) up is not called, what comes is kept, and nothing is read
 * from the client; or it goes on (0), soon, not inside this call.
 */
static inline void
berth_hold_up(struct berth_filter *f, int hold)
{
	f->module->host->filters->hold_up(f, hold);
}

/* The same for down: the service has to wait when output_limit is reached. */
static inline void
berth_hold_down(struct berth_filter *f, int hold)
{
	f->module->host->filters->hold_down(f, hold);
}

/* The client has ended its side, as the module sees it: up is called no more,
 * and the next is told, soon.  0 or -EPIPE. */
static inline int
berth_end_up(struct berth_filter *f)
{
	return f->module->host->filters->end_up(f);
}

/* After an open that was positive: soon the next is opened, at last the
 * service.  0, -EALREADY, or -EPIPE when the connection ends. */
static inline int
berth_filter_ready(struct berth_filter *f)
{
	return f->module->host->filters->ready(f);
}

/* Call the timeout hook once in so many milliseconds, instead of what was asked
 * for before; 0 cancels.  0, -ENOMEM, -EPIPE. */
static inline int
berth_filter_timeout(struct berth_filter *f, uint32_t ms)
{
	return (f->module->host->filters->timeout)(f, ms);
}

/* Why it is about to give a negative result: a line for the log.  Returns the
 * code, made negative. */
BERTH_PRINTF(3, 4)
static inline int
berth_filter_fail(struct berth_filter *f, int code, const char *format, ...)
{
	va_list ap;
	int result;

	va_start(ap, format);
	result = (f->module->host->filters->fail)(f, code, format, ap);
	va_end(ap);
	return result;
}

/* The client is another one than the socket's, and connected to that address:
 * AF_INET or AF_INET6, to may be NULL.  Access was judged before by the
 * socket's own.  0, -EINVAL, -ENOMEM. */
static inline int
berth_filter_set_peer(struct berth_filter *f, const struct sockaddr *from,
    const struct sockaddr *to)
{
	return f->module->host->filters->set_peer(f, from, to);
}

/* Who the client has proved to be; the text is copied, NULL takes it back.
 * 0 or -ENOMEM. */
static inline int
berth_filter_set_identity(struct berth_filter *f, const char *identity)
{
	return f->module->host->filters->set_identity(f, identity);
}

/* For the service: what a module says that the client has proved, such as the
 * subject of its certificate.  The length as snprintf(3) gives it; -ENODATA,
 * nobody says anything. */
static inline int
berth_peer_identity(struct berth_session *s, char *buffer, size_t size)
{
	return s->service->host->filters->peer_identity(s, buffer, size);
}

/*
 * BERTH_FILTER(make_upper, .summary = "…", .filter = &upper); exports the
 * factory make_upper() of `dynamic Upper Module * x:make_upper()`: as
 * BERTH_MODULE(), and the host knows that it may stand around connections.
 */
#define BERTH_FILTER(symbol_, ...)                                             \
	BERTH_STREAM_FACTORY_(BERTH_KIND_MODULE, BERTH_FORM_FILTER,            \
	    berth_module_type, symbol_, __VA_ARGS__)

#endif
