/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a switch of stacks has to keep, checked where it runs: for processors
 * that the machine of the tests does not have, in an emulator, and with nothing
 * but libc.  It prints what was wrong, and ends with 1 then.
 *
 * registers_across() loads every register that a callee has to keep, calls a
 * function that yields, and says what was in them when it came back.
 */
#include <fenv.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "session/coroutine.h"

#define STACK_BYTES 65536u
#define MANY 10000u
#define ROUNDS 5u

#if defined(__aarch64__)
#define REGISTERS 18u /* x19 to x28, d8 to d15 */
__asm__(".text\n"
	".p2align 4\n"
	"registers_across:\n"
	"	stp	x29, x30, [sp, #-176]!\n"
	"	stp	x19, x20, [sp, #16]\n"
	"	stp	x21, x22, [sp, #32]\n"
	"	stp	x23, x24, [sp, #48]\n"
	"	stp	x25, x26, [sp, #64]\n"
	"	stp	x27, x28, [sp, #80]\n"
	"	stp	d8, d9, [sp, #96]\n"
	"	stp	d10, d11, [sp, #112]\n"
	"	stp	d12, d13, [sp, #128]\n"
	"	stp	d14, d15, [sp, #144]\n"
	"	str	x1, [sp, #160]\n"
	"	ldp	x19, x20, [x0, #0]\n"
	"	ldp	x21, x22, [x0, #16]\n"
	"	ldp	x23, x24, [x0, #32]\n"
	"	ldp	x25, x26, [x0, #48]\n"
	"	ldp	x27, x28, [x0, #64]\n"
	"	ldp	d8, d9, [x0, #80]\n"
	"	ldp	d10, d11, [x0, #96]\n"
	"	ldp	d12, d13, [x0, #112]\n"
	"	ldp	d14, d15, [x0, #128]\n"
	"	mov	x0, x3\n"
	"	blr	x2\n"
	"	ldr	x1, [sp, #160]\n"
	"	stp	x19, x20, [x1, #0]\n"
	"	stp	x21, x22, [x1, #16]\n"
	"	stp	x23, x24, [x1, #32]\n"
	"	stp	x25, x26, [x1, #48]\n"
	"	stp	x27, x28, [x1, #64]\n"
	"	stp	d8, d9, [x1, #80]\n"
	"	stp	d10, d11, [x1, #96]\n"
	"	stp	d12, d13, [x1, #112]\n"
	"	stp	d14, d15, [x1, #128]\n"
	"	ldp	x19, x20, [sp, #16]\n"
	"	ldp	x21, x22, [sp, #32]\n"
	"	ldp	x23, x24, [sp, #48]\n"
	"	ldp	x25, x26, [sp, #64]\n"
	"	ldp	x27, x28, [sp, #80]\n"
	"	ldp	d8, d9, [sp, #96]\n"
	"	ldp	d10, d11, [sp, #112]\n"
	"	ldp	d12, d13, [sp, #128]\n"
	"	ldp	d14, d15, [sp, #144]\n"
	"	ldp	x29, x30, [sp], #176\n"
	"	ret\n");
#elif defined(__x86_64__)
#define REGISTERS 6u /* rbx, rbp, r12 to r15 */
__asm__(".text\n"
	".p2align 4\n"
	"registers_across:\n"
	"	pushq	%rbx\n"
	"	pushq	%rbp\n"
	"	pushq	%r12\n"
	"	pushq	%r13\n"
	"	pushq	%r14\n"
	"	pushq	%r15\n"
	"	pushq	%rsi\n"
	"	movq	0(%rdi), %rbx\n"
	"	movq	8(%rdi), %rbp\n"
	"	movq	16(%rdi), %r12\n"
	"	movq	24(%rdi), %r13\n"
	"	movq	32(%rdi), %r14\n"
	"	movq	40(%rdi), %r15\n"
	"	movq	%rcx, %rdi\n"
	"	call	*%rdx\n"
	"	popq	%rsi\n"
	"	movq	%rbx, 0(%rsi)\n"
	"	movq	%rbp, 8(%rsi)\n"
	"	movq	%r12, 16(%rsi)\n"
	"	movq	%r13, 24(%rsi)\n"
	"	movq	%r14, 32(%rsi)\n"
	"	movq	%r15, 40(%rsi)\n"
	"	popq	%r15\n"
	"	popq	%r14\n"
	"	popq	%r13\n"
	"	popq	%r12\n"
	"	popq	%rbp\n"
	"	popq	%rbx\n"
	"	ret\n");
#else
#error which registers does a callee keep here?
#endif

void registers_across(
    const uint64_t *in, uint64_t *ret_out, void (*fn)(void *arg), void *arg);

struct job {
	struct coroutine *coroutine;
	unsigned number;
	unsigned depth;
	uint64_t sum;
};

static unsigned failures;

static void
check(int good, const char *what, unsigned number)
{
	if (good)
		return;
	failures++;
	printf("%s is not what it was (%u)\n", what, number);
}

static void
begin(struct stacks *stacks, struct job *job, coroutine_fn *fn, unsigned number)
{
	memset(job, 0, sizeof(*job));
	job->number = number;
	if (coroutine_new(stacks, fn, job, &job->coroutine) != 0) {
		printf("no memory for coroutine %u\n", number);
		exit(1);
	}
}

static void
yield(void *arg)
{
	struct job *job = arg;

	coroutine_yield(job->coroutine);
}

static void
resume(void *arg)
{
	struct job *job = arg;

	coroutine_resume(job->coroutine);
}

/* Patterns of its own in all registers, over each switch, from either side. */
static void
keep_registers(const char *what, void (*fn)(void *arg), struct job *job)
{
	uint64_t in[REGISTERS], out[REGISTERS];

	for (unsigned i = 0; i < REGISTERS; i++)
		in[i] = 0x0101010101010101u * (i + 1) ^
			(uint64_t)job->number << 40 ^ (uintptr_t)what;
	registers_across(in, out, fn, job);
	for (unsigned i = 0; i < REGISTERS; i++)
		check(in[i] == out[i], what, i);
}

static void
registers(void *arg)
{
	struct job *job = arg;

	for (unsigned i = 0; i < ROUNDS; i++)
		keep_registers("a register of a coroutine", yield, job);
}

static void
test_registers(struct stacks *stacks)
{
	struct job jobs[2];

	for (unsigned i = 0; i < 2; i++)
		begin(stacks, &jobs[i], registers, i);
	for (unsigned i = 0; i < 2 * (ROUNDS + 1); i++)
		keep_registers(
		    "a register of who resumed", resume, &jobs[i % 2]);
	for (unsigned i = 0; i < 2; i++) {
		check(coroutine_is_over(jobs[i].coroutine), "the end", i);
		coroutine_free(stacks, jobs[i].coroutine);
	}
}

/* How it rounds is each one's own; a new one begins as who made it. */
static void
rounds(void *arg)
{
	struct job *job = arg;

	check(fegetround() == FE_TONEAREST, "rounding at the start", 0);
	fesetround(FE_UPWARD);
	coroutine_yield(job->coroutine);
	check(fegetround() == FE_UPWARD, "rounding of a coroutine", 0);
}

static void
test_floating(struct stacks *stacks)
{
	struct job job;

	begin(stacks, &job, rounds, 0);
	coroutine_resume(job.coroutine);
	check(fegetround() == FE_TONEAREST, "rounding of who resumed", 0);
	fesetround(FE_DOWNWARD);
	coroutine_resume(job.coroutine);
	check(fegetround() == FE_DOWNWARD, "rounding of who resumed", 1);
	fesetround(FE_TONEAREST);
	coroutine_free(stacks, job.coroutine);
}

/* Yields in the middle, some forty thousand bytes down; every frame is there
 * when it is left. */
static uint64_t
descend(struct job *job, unsigned depth)
{
	volatile uint64_t frame[32];
	uint64_t sum = 0;

	for (unsigned i = 0; i < 32; i++)
		frame[i] = (uint64_t)depth * i;
	if (depth == 0)
		coroutine_yield(job->coroutine);
	else
		sum = descend(job, depth - 1);
	check((uintptr_t)frame % 16 == 0, "the alignment of a stack", depth);
	for (unsigned i = 0; i < 32; i++)
		sum += frame[i];
	return sum;
}

static void
deep(void *arg)
{
	struct job *job = arg;

	job->sum = descend(job, 100);
}

static void
test_deep(struct stacks *stacks)
{
	struct job jobs[3];

	for (unsigned i = 0; i < 3; i++) {
		begin(stacks, &jobs[i], deep, i);
		coroutine_resume(jobs[i].coroutine);
	}
	for (unsigned i = 0; i < 3; i++) {
		coroutine_resume(jobs[i].coroutine);
		check(jobs[i].sum == 496u * 5050u, "what is deep down", i);
		coroutine_free(stacks, jobs[i].coroutine);
	}
}

static void
count(void *arg)
{
	struct job *job = arg;
	volatile double value = job->number;

	for (unsigned i = 0; i < ROUNDS; i++) {
		value = value + 0.5;
		coroutine_yield(job->coroutine);
	}
	job->sum = (uint64_t)(value * 2);
}

static void
test_many(struct stacks *stacks)
{
	struct job *jobs = calloc(MANY, sizeof(*jobs));

	if (jobs == NULL)
		exit(1);
	for (unsigned i = 0; i < MANY; i++)
		begin(stacks, &jobs[i], count, i);
	for (unsigned round = 0; round <= ROUNDS; round++)
		for (unsigned i = 0; i < MANY; i++)
			coroutine_resume(jobs[i].coroutine);
	for (unsigned i = 0; i < MANY; i++) {
		check(jobs[i].sum == 2u * i + ROUNDS, "what was counted", i);
		check(coroutine_is_over(jobs[i].coroutine), "the end", i);
		coroutine_free(stacks, jobs[i].coroutine);
	}
	free(jobs);
}

int
main(void)
{
	struct stacks stacks;

	stacks_init(&stacks, STACK_BYTES);
	test_registers(&stacks);
	test_floating(&stacks);
	test_deep(&stacks);
	test_many(&stacks);
	stacks_fini(&stacks);
	printf("%u coroutines, %u failures\n", MANY, failures);
	return failures > 0;
}
