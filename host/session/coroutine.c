/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * coroutine: see coroutine.h.  A resume and a yield are one switch of stacks
 * each, some twenty instructions; with ucontext, a system call more.
 *
 * The sanitizers are told of every switch, which they can't see.
 */
#include "session/coroutine_priv.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "base/base.h"

/* --- sanitizers ------------------------------------------------------------*/

#ifdef COROUTINE_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>

static void
before_resume(struct coroutine *coroutine)
{
	__sanitizer_start_switch_fiber(&coroutine->resumer_fake,
	    stack_bottom(coroutine), stack_size(coroutine));
}

static void
after_resume(struct coroutine *coroutine)
{
	__sanitizer_finish_switch_fiber(coroutine->resumer_fake, NULL, NULL);
}

static void
before_yield(struct coroutine *coroutine, bool for_good)
{
	__sanitizer_start_switch_fiber(for_good ? NULL : &coroutine->own_fake,
	    coroutine->resumer_stack, coroutine->resumer_size);
}

static void
after_yield(struct coroutine *coroutine)
{
	__sanitizer_finish_switch_fiber(coroutine->own_fake,
	    &coroutine->resumer_stack, &coroutine->resumer_size);
}

#elif defined(COROUTINE_TSAN)
#include <sanitizer/tsan_interface.h>

static void
before_resume(struct coroutine *coroutine)
{
	if (coroutine->own_fiber == NULL)
		coroutine->own_fiber = __tsan_create_fiber(0);
	coroutine->resumer_fiber = __tsan_get_current_fiber();
	__tsan_switch_to_fiber(coroutine->own_fiber, 0);
}

static void
after_resume(struct coroutine *coroutine)
{
	if (coroutine->over)
		__tsan_destroy_fiber(coroutine->own_fiber);
}

static void
before_yield(struct coroutine *coroutine, bool for_good)
{
	(void)for_good;
	__tsan_switch_to_fiber(coroutine->resumer_fiber, 0);
}

static void
after_yield(struct coroutine *coroutine)
{
	(void)coroutine;
}

#else

#define before_resume(coroutine) ((void)(coroutine))
#define after_resume(coroutine) ((void)(coroutine))
#define before_yield(coroutine, for_good) ((void)(coroutine), (void)(for_good))
#define after_yield(coroutine) ((void)(coroutine))

#endif

/* --- switching -------------------------------------------------------------*/

static void switch_to(coroutine_place *save, coroutine_place *load);

/* Where every coroutine begins. */
static _Noreturn void
run(void *context)
{
	struct coroutine *coroutine = context;

	after_yield(coroutine);
	coroutine->fn(coroutine->arg);
	coroutine->over = true;
	before_yield(coroutine, true);
	switch_to(&coroutine->own, &coroutine->resumer);
	__builtin_unreachable();
}

#ifdef COROUTINE_UCONTEXT

static void
switch_to(coroutine_place *save, coroutine_place *load)
{
	swapcontext(save, load);
}

/* makecontext(3) hands over int only. */
static void
run_halves(unsigned high, unsigned low)
{
	uintptr_t address = (uintptr_t)((uint64_t)high << 32 | low);

	run((void *)address);
}

static void
prepare(struct coroutine *coroutine)
{
	uint64_t address = (uintptr_t)coroutine;

	getcontext(&coroutine->own);
	coroutine->own.uc_stack.ss_sp = stack_bottom(coroutine);
	coroutine->own.uc_stack.ss_size = stack_size(coroutine);
	coroutine->own.uc_link = NULL;
	makecontext(&coroutine->own, (void (*)(void))run_halves, 2,
	    (unsigned)(address >> 32), (unsigned)address);
}

#else

void coroutine_switch(void **save, void *load);
void coroutine_entry(void);

static void
switch_to(coroutine_place *save, coroutine_place *load)
{
	coroutine_switch(save, *load);
}

/* What coroutine_switch() takes from a stack, from its pointer upwards. */
#if defined(__x86_64__)
struct frame {
	uint64_t control; /* mxcsr and the x87 control word */
	uint64_t r15, r14, r13;
	void (*r12)(void *);
	void *rbx;
	uint64_t rbp;
	void (*rip)(void);
	uint64_t beyond[2]; /* keeps the entry's stack aligned */
};

static void
fill(struct frame *frame, struct coroutine *coroutine)
{
	uint32_t mxcsr;
	uint16_t x87;

	__asm__ volatile("stmxcsr %0" : "=m"(mxcsr));
	__asm__ volatile("fnstcw %0" : "=m"(x87));
	frame->control = (uint64_t)x87 << 32 | mxcsr;
	frame->r12 = run;
	frame->rbx = coroutine;
	frame->rip = coroutine_entry;
}
#elif defined(__aarch64__)
struct frame {
	void *x19;
	void (*x20)(void *);
	uint64_t x21_to_x29[9];
	void (*x30)(void);
	uint64_t d8_to_d15[8];
	uint64_t control; /* fpcr */
	uint64_t beyond;
};

static void
fill(struct frame *frame, struct coroutine *coroutine)
{
	__asm__ volatile("mrs %0, fpcr" : "=r"(frame->control));
	frame->x19 = coroutine;
	frame->x20 = run;
	frame->x30 = coroutine_entry;
}
#else
#error no switch for this architecture: configure --with-coroutine=ucontext
#endif

static void
prepare(struct coroutine *coroutine)
{
	uintptr_t top = (uintptr_t)coroutine / 16 * 16;
	struct frame *frame = (struct frame *)(top - sizeof(*frame));

	memset(frame, 0, sizeof(*frame));
	fill(frame, coroutine);
	coroutine->own = frame;
}

#endif

/* --- the interface ---------------------------------------------------------*/

int
coroutine_new(struct stacks *stacks, coroutine_fn *fn, void *arg,
    struct coroutine **ret_coroutine)
{
	struct coroutine *coroutine;
	int result = stacks_take(stacks, &coroutine);

	if (result != 0)
		return result;
	coroutine->fn = fn;
	coroutine->arg = arg;
	coroutine->over = false;
#ifdef COROUTINE_ASAN
	coroutine->own_fake = NULL;
#endif
#ifdef COROUTINE_TSAN
	coroutine->own_fiber = NULL;
#endif
	prepare(coroutine);
	*ret_coroutine = coroutine;
	return 0;
}

struct coroutine *
coroutine_free(struct stacks *stacks, struct coroutine *coroutine)
{
	if (coroutine != NULL)
		stacks_give(stacks, coroutine);
	return NULL;
}

void
coroutine_resume(struct coroutine *coroutine)
{
	BASE_ASSERT(!coroutine->over);
	before_resume(coroutine);
	switch_to(&coroutine->resumer, &coroutine->own);
	after_resume(coroutine);
}

void
coroutine_yield(struct coroutine *coroutine)
{
	before_yield(coroutine, false);
	switch_to(&coroutine->own, &coroutine->resumer);
	after_yield(coroutine);
}

bool
coroutine_is_over(const struct coroutine *coroutine)
{
	return coroutine->over;
}

bool
coroutine_is_current(const struct coroutine *coroutine)
{
	uintptr_t here = (uintptr_t)__builtin_frame_address(0);

	return here >= (uintptr_t)coroutine->mapping &&
	       here < (uintptr_t)coroutine;
}
