/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * coroutine_priv: a coroutine lies at the top of its own stack.  How the stacks
 * are switched is the architecture's (coroutine_*.S), or ucontext's.
 */
#ifndef SESSION_COROUTINE_PRIV_H
#define SESSION_COROUTINE_PRIV_H

#include "session/coroutine.h"

#if defined(__SANITIZE_ADDRESS__)
#define COROUTINE_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define COROUTINE_ASAN 1
#endif
#endif

#if defined(__SANITIZE_THREAD__)
#define COROUTINE_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define COROUTINE_TSAN 1
#endif
#endif

#if __has_include(<valgrind/valgrind.h>)
#include <valgrind/valgrind.h>
#else
#define VALGRIND_STACK_REGISTER(from, to) 0u
#define VALGRIND_STACK_DEREGISTER(id) ((void)(id))
#endif

#ifdef COROUTINE_UCONTEXT
#include <ucontext.h>
typedef ucontext_t coroutine_place;
#else
typedef void *coroutine_place; /* the stack pointer, all else below it */
#endif

struct coroutine {
	coroutine_place own;	 /* while it does not run */
	coroutine_place resumer; /* while it runs */
	coroutine_fn *fn;
	void *arg;
	struct coroutine *next; /* in the pool */
	char *mapping;		/* the guard first */
	size_t mapping_size;
#ifdef COROUTINE_ASAN
	void *own_fake;
	void *resumer_fake;
	const void *resumer_stack;
	size_t resumer_size;
#endif
#ifdef COROUTINE_TSAN
	void *own_fiber;
	void *resumer_fiber;
#endif
	unsigned valgrind_id;
	bool over;
};

/* --- stacks.c --------------------------------------------------------------*/

/* From the pool, or a new one; all but the mapping is to be set. */
int stacks_take(struct stacks *stacks, struct coroutine **ret_coroutine);
void stacks_give(struct stacks *stacks, struct coroutine *coroutine);
/* What a coroutine may use: from above the guard to below itself. */
char *stack_bottom(const struct coroutine *coroutine);
size_t stack_size(const struct coroutine *coroutine);

#endif
