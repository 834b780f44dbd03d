/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * coroutine: a function with a stack of its own, which stops in the middle and
 * goes on later, in the thread that resumes it.
 *
 * Stacks come from a pool.  Below each lie pages that nobody may touch, so
 * that one that overflows ends the process rather than its neighbour's memory.
 */
#ifndef SESSION_COROUTINE_H
#define SESSION_COROUTINE_H

#include <stdbool.h>
#include <stddef.h>

struct coroutine;
typedef void(coroutine_fn)(void *arg);

/* Stacks that wait for the next coroutine; owned by one thread. */
struct stacks {
	struct coroutine *warm; /* with their memory */
	struct coroutine *cold; /* address space only, and a page */
	unsigned warm_count;
	unsigned cold_count;
	size_t size; /* of new ones, bytes */
};

void stacks_init(struct stacks *stacks, size_t size);
/* Those that are in use keep their size. */
void stacks_resize(struct stacks *stacks, size_t size);
/* None may be in use. */
void stacks_fini(struct stacks *stacks);

/* It does not run before it is resumed.  -ENOMEM. */
int coroutine_new(struct stacks *stacks, coroutine_fn *fn, void *arg,
    struct coroutine **ret_coroutine);
/* Returns when it yields or has returned. */
void coroutine_resume(struct coroutine *coroutine);
/* Within it: back to who resumed it, until it is resumed again. */
void coroutine_yield(struct coroutine *coroutine);
bool coroutine_is_over(const struct coroutine *coroutine);
/* Are we within it? */
bool coroutine_is_current(const struct coroutine *coroutine);
/* Its stack goes back; it has never run, or is over.  Takes NULL. */
struct coroutine *coroutine_free(
    struct stacks *stacks, struct coroutine *coroutine);

#endif
