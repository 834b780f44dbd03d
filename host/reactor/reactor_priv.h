/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Inside the reactor: its state, and what its files call of each other.
 *
 * `lock` guards timers, notes and the table of owners, which other threads
 * reach; all else belongs to the loop's thread.  No hook is called under it.
 */
#ifndef REACTOR_REACTOR_PRIV_H
#define REACTOR_REACTOR_PRIV_H

#include <pthread.h>
#include <sys/epoll.h>

#include "reactor/reactor.h"
#include "reactor/reactor_notes.h"
#include "reactor/reactor_timers.h"

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

/* The events that lead to one hook. */
#define CLASS_IN (BERTH_READ | BERTH_ACCEPT)
#define CLASS_OUT (BERTH_WRITE | BERTH_CONNECT)
#define CLASS_EXCEPT BERTH_EXCEPT

/*
 * One descriptor; indexed by its number.  The generation changes whenever the
 * slot is given up, so that what the kernel reported before finds nobody.
 */
struct slot {
	struct berth_handler *handler; /* NULL: nobody */
	uint32_t owner;		       /* index */
	uint32_t generation;	       /* 31 bits */
	int32_t previous, next;	       /* of the owner; -1 ends */
	int32_t ready_next;
	uint32_t mask : 5;     /* interest */
	uint32_t armed : 5;    /* interest, or nothing while held */
	uint32_t paused : 5;   /* registered, but masked off */
	uint32_t again : 5;    /* ready by our own account */
	uint32_t held : 1;     /* reactor_hold() */
	uint32_t emulated : 1; /* epoll refuses it: always ready */
	uint32_t queued : 1;   /* is in the ready list */
	uint32_t internal : 1; /* the reactor's own: signals, children */
};

_Static_assert(sizeof(struct slot) <= 32, "memory of a descriptor");

/* What epoll hands back: generation and number, or a thing of the reactor. */
#define EVENT_INTERNAL (UINT64_C(1) << 63)
#define EVENT_WAKE (EVENT_INTERNAL | 0)
#define EVENT_TIMER (EVENT_INTERNAL | 1)

static inline uint64_t
event_data(int fd, uint32_t generation)
{
	return (uint64_t)generation << 32 | (uint32_t)fd;
}

/*
 * The events of one turn; every depth of nested turns has its own.  First
 * come `count` events of the kernel, then from `capacity` on `extra` of the
 * ready list.
 */
struct batch {
	struct batch *inner;
	struct epoll_event *events; /* capacity + EXTRA of them */
	unsigned capacity;
	unsigned count;
	unsigned extra;
	uint64_t given_up; /* reactor->given_up when it was collected */
};

enum { BATCH_FIRST = 256, BATCH_LAST = 4096, BATCH_EXTRA = 64 };

/* A way to wait.  Events are in the bits of poll(2). */
struct backend {
	const char *name;
	int (*open)(struct reactor *);
	void (*close)(struct reactor *);
	int (*add)(struct reactor *, int fd, uint32_t events, uint64_t data);
	int (*change)(struct reactor *, int fd, uint32_t events, uint64_t data);
	int (*remove)(struct reactor *, int fd);
	/* How many there are now in the batch, or a negative errno. */
	int (*wait)(struct reactor *, struct batch *, uint64_t wait_ns);
};

extern const struct backend backend_epoll;

/* --- the reactor -----------------------------------------------------------*/

struct owner_entry {
	struct reactor_owner *owner; /* NULL: free */
	uint32_t next_free;
};

struct signals;
struct watchdog;

struct reactor {
	/* What every turn looks at. */
	struct slot *slots;
	const struct backend *backend;
	int epoll_fd;
	int ready_first, ready_last; /* -1: none */
	/* For the watchdog: hooks called, and whose runs; 0: none does. */
	_Atomic uint64_t calls;
	_Atomic uint32_t busy;
	atomic_bool stopped;
	bool now_known;
	bool closing;
	bool reopen; /* the kernel reports what we gave up: see slots.c */
	struct mono now;
	struct batch *batch; /* of the innermost turn that runs */
	struct batch *batches;
	unsigned depth;
	unsigned registered;
	uint64_t given_up; /* slots, ever */
	struct reactor_deferred *deferred, **deferred_last;

	unsigned slot_count;
	struct timers timers;
	struct notes notes;
	struct mono (*clock)(void *context); /* NULL: the real one */
	void *clock_context;
	struct log *log;

	_Atomic pthread_t thread;
	pthread_mutex_t lock;
	struct owner_entry *owners; /* by index; 0 is nobody */
	uint32_t owner_count;
	uint32_t owner_free; /* 0: none */
	uint64_t era;
	struct reactor_owner self;
	struct signals *signals;
	const struct rusage *child_usage; /* of the hook that runs */
	struct watchdog *watchdog;
};

static inline bool
in_loop(struct reactor *r)
{
	return atomic_load_explicit(&r->thread, memory_order_relaxed) ==
	       pthread_self();
}

static inline void
lock(struct reactor *r)
{
	(void)pthread_mutex_lock(&r->lock);
}

static inline void
unlock(struct reactor *r)
{
	(void)pthread_mutex_unlock(&r->lock);
}

/* A hook of this owner is about to be called. */
static inline void
mark_call(struct reactor *r, uint32_t owner)
{
	uint64_t calls = atomic_load_explicit(&r->calls, memory_order_relaxed);

	atomic_store_explicit(&r->busy, owner, memory_order_relaxed);
	atomic_store_explicit(&r->calls, calls + 1, memory_order_relaxed);
}

static inline void
call_close(struct berth_handler *handler, int fd, unsigned mask)
{
	if (handler->type->close != NULL)
		handler->type->close(handler, fd, mask);
}

struct mono clock_now(struct reactor *r); /* [any thread] */

/* slots.c */
int slots_add(struct reactor_owner *owner, struct berth_handler *handler,
    int fd, unsigned mask, bool internal);
int slots_drop(struct reactor *r, int fd, unsigned bits, bool call);
/* Gives up and closes what is the reactor's own and has no duplicate: then it
 * leaves the back end by being closed. */
void slots_close(struct reactor *r, int fd);
void slots_revoke(struct reactor_owner *owner, bool dont_call);
void slots_ready(struct reactor *r, int fd);
/* All over again with a new back end, without what should not be there. */
int slots_reopen(struct reactor *r);

/* loop.c */
void deferred_call(struct reactor *r);

/* signals.c */
void signals_revoke(struct reactor_owner *owner);

/* dispatch.c */
void dispatch(struct reactor *r, struct batch *batch, uint32_t any);

/* batch.c */
int batch_enter(struct reactor *r, struct batch **ret_batch);
void batch_grow(struct batch *batch);
void batch_free_all(struct reactor *r);

#endif
