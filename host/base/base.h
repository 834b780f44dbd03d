/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * base: what every room uses.  Time, memory, text, errors with a place,
 * descriptors, log lines.  Lists come from <sys/queue.h>, hashes from uthash.
 *
 * Results everywhere: 0, or a negative errno, or a positive named answer that
 * the room's header lists.
 */
#ifndef BASE_BASE_H
#define BASE_BASE_H

#include <berth/log.h>
#include <berth/text.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/types.h>

#include "base/base_errors.h"

#define BASE_PRINTF(f, a) __attribute__((format(printf, f, a)))
#define BASE_COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define BASE_CONTAINER(pointer, type, member)                                  \
	((type *)(void *)((char *)(pointer)-offsetof(type, member)))

/* Programmers' errors only; stays on in releases. */
#define BASE_ASSERT(x)                                                         \
	((x) ? (void)0 : base_assert_failed(#x, __FILE__, __LINE__))
_Noreturn void base_assert_failed(const char *what, const char *file, int line);

/* --- time: monotonic nanoseconds -------------------------------------- */

struct mono {
	uint64_t ns;
};

struct mono mono_now(void);
#define MONO_MS(ms) ((uint64_t)(ms)*1000000u)

/* --- arena: many allocations, freed whole ------------------------------ */

struct arena;

struct arena *arena_new(void); /* NULL: no memory */
/* For a few small things: the first chunk has so many bytes. */
struct arena *arena_new_sized(size_t first_bytes);
struct arena *arena_free(struct arena *arena); /* takes NULL; gives NULL */
void *arena_alloc(struct arena *arena, size_t size); /* zeroed, aligned */
/* With a NUL behind. */
char *arena_copy(struct arena *arena, const char *from, size_t size);
char *arena_string(struct arena *arena, const char *from);
BASE_PRINTF(2, 3)
char *arena_printf(struct arena *arena, const char *format, ...);

/* --- text: a growing buffer --------------------------------------------- */

/*
 * Embedded; text_init() and text_fini().  `data` is NUL-terminated once
 * something was added.  After a failed allocation `failed` stays set and
 * further additions do nothing, so that a writer checks once, at the end.
 */
struct text {
	struct berth_text public; /* what the info hook is handed */
	char *data;
	size_t size; /* bytes without the NUL */
	size_t room;
	bool failed;
};

void text_init(struct text *text);
void text_fini(struct text *text);
void text_reset(struct text *text); /* empty; memory kept */
int text_add(struct text *text, const char *data, size_t size);
BASE_PRINTF(2, 3)
int text_printf(struct text *text, const char *format, ...);
BASE_PRINTF(2, 0)
int text_vprintf(struct text *text, const char *format, va_list ap);
/* As a JSON string with its quotes; invalid UTF-8 becomes U+FFFD. */
int text_json(struct text *text, const char *data, size_t size);
/* Control characters and backslashes as \xHH, \n, \t: safe in logs. */
int text_escape(struct text *text, const char *data, size_t size);
/* For people: as it is, TAB too, but other control characters as \xHH. */
int text_printable(struct text *text, const char *data, size_t size);
/* "data", or "" while nothing was added. */
const char *text_string(const struct text *text);

/* --- names: did you mean -------------------------------------------------- */

/* Keeps the candidate nearest to word; for a loop over names. */
struct suggestion {
	const char *word;
	const char *best; /* NULL: nothing is near enough */
	unsigned distance;
};

void suggestion_init(struct suggestion *suggestion, const char *word);
void suggestion_offer(struct suggestion *suggestion, const char *candidate);

/* --- descriptors ------------------------------------------------------------
 */

/* Closes *fd if it is not negative, sets it to -1, keeps errno. */
void fd_close(int *fd);
int fd_nonblock(int fd);
/* Raises the soft limit of descriptors to the hard one; 0 or -errno. */
int fd_raise_limit(void);
/* The rest of a file is added to text; -EFBIG when over limit_bytes. */
int fd_read_all(int fd, size_t limit_bytes, struct text *text);

static inline void
base_cleanup_fd(int *fd)
{
	fd_close(fd);
}
void base_cleanup_free(void *pointer); /* frees *(void **)pointer */

#define AUTO_FD __attribute__((cleanup(base_cleanup_fd))) int
#define AUTO_FREE __attribute__((cleanup(base_cleanup_free)))
#define AUTO_TEXT __attribute__((cleanup(text_fini))) struct text

static inline int
base_take_fd(int *fd)
{
	int taken = *fd;

	*fd = -1;
	return taken;
}

/* --- log --------------------------------------------------------------------
 */

/* One who is offered the lines before they are written; embedded. */
struct log_tap {
	LIST_ENTRY(log_tap) link;
	berth_log_fn *fn;
	void *arg;
	const char *who; /* for what is said of it */
	bool active;
	bool failed;
};

/* All of a log, in log_taps.c alone; zeroed it is empty. */
struct log_taps {
	pthread_mutex_t lock;
	LIST_HEAD(, log_tap) all;
	unsigned active;  /* how many */
	uintptr_t holder; /* thread that is in one, or 0 */
};

/* Where lines go; written by main, given to all; NULL: nowhere. [any thread] */
struct log {
	void (*write)(struct log *log, int level, const char *who,
	    const char *line, size_t size);
	int level; /* lines above it are dropped; enum berth_level */
	void *context;
	struct log_taps taps;
};

/* who: the service's name, or NULL for the host itself. */
BASE_PRINTF(4, 5)
void log_printf(
    struct log *log, int level, const char *who, const char *format, ...);
BASE_PRINTF(4, 0)
void log_vprintf(struct log *log, int level, const char *who,
    const char *format, va_list ap);
/*
 * A text of several lines, such as errors_print() makes, one call of write for
 * each.  The lines of log_printf() have their newlines escaped instead, so
 * that what a client sent cannot pass for a line of its own.
 */
void log_text(
    struct log *log, int level, const char *who, const char *text, size_t size);
/* A line that is finished, and not above the level: to the taps, and to the
 * place itself when none takes it, when one wants that, or when one fails. */
void log_put(
    struct log *log, int level, const char *who, const char *line, size_t size);
/* fn, arg and who are set; it is not active yet.  A log of NULL has none. */
void log_tap_add(struct log *log, struct log_tap *tap);
void log_tap_activate(struct log *log, struct log_tap *tap, bool active);
/* When it returns, nobody is in fn.  Twice is once. */
void log_tap_remove(struct log *log, struct log_tap *tap);
/* 0…7, or -EINVAL: error warning notice info debug, or the number. */
int log_level_parse(const char *name);
const char *log_level_name(int level);

/* --- threads ----------------------------------------------------------------
 */

/* One that may run code of services: no signal of the process is for it, but
 * its own faults are told, and the one that asks where it is.  To be joined.
 * -ENOMEM, -EAGAIN.  That signal is seldom used by others; a service that does
 * gets it. */
#define THREAD_TRACE_SIGNAL (SIGRTMAX - 2)
int thread_start(void *(*run)(void *arg), void *arg, pthread_t *ret_thread);

#endif
