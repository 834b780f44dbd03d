/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Coroutines: switching, nesting, many at once, the pool of stacks, and what
 * happens to one that overflows.
 */
#include "base/base.h"
#include "session/coroutine.h"
#include "unit/unit.h"

#include <fenv.h>
#include <signal.h>
#include <stdlib.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define STACK 65536u

struct job {
	struct coroutine *coroutine;
	struct job *inner;
	struct stacks *stacks;
	int steps;
	int done;
	double value;
};

static void
count(void *arg)
{
	struct job *job = arg;
	volatile double value = 1.5;

	while (job->done < job->steps) {
		assert_true(coroutine_is_current(job->coroutine));
		job->done++;
		value *= 1.25;
		job->value = value;
		coroutine_yield(job->coroutine);
		/* Registers and stack are as they were. */
		assert_true(value == job->value);
	}
}

static void
start(struct stacks *stacks, struct job *job, coroutine_fn *fn)
{
	job->stacks = stacks;
	assert_int_equal(coroutine_new(stacks, fn, job, &job->coroutine), 0);
	assert_false(coroutine_is_over(job->coroutine));
	assert_false(coroutine_is_current(job->coroutine));
}

static void
finish(struct job *job)
{
	while (!coroutine_is_over(job->coroutine))
		coroutine_resume(job->coroutine);
	job->coroutine = coroutine_free(job->stacks, job->coroutine);
}

static void
test_switch(void **state)
{
	struct job job = {.steps = 3};
	struct stacks stacks;
	int i;

	(void)state;
	stacks_init(&stacks, STACK);
	start(&stacks, &job, count);
	assert_int_equal(job.done, 0);
	for (i = 1; i <= 3; i++) {
		coroutine_resume(job.coroutine);
		assert_int_equal(job.done, i);
		assert_false(coroutine_is_current(job.coroutine));
	}
	finish(&job);
	/* One that never ran. */
	start(&stacks, &job, count);
	job.coroutine = coroutine_free(&stacks, job.coroutine);
	coroutine_free(&stacks, NULL);
	stacks_fini(&stacks);
}

static void
nest(void *arg)
{
	struct job *job = arg;

	start(job->stacks, job->inner, count);
	while (!coroutine_is_over(job->inner->coroutine)) {
		coroutine_resume(job->inner->coroutine);
		assert_true(coroutine_is_current(job->coroutine));
		assert_false(coroutine_is_current(job->inner->coroutine));
		coroutine_yield(job->coroutine);
	}
	finish(job->inner);
}

static void
test_nested(void **state)
{
	struct job inner = {.steps = 5}, outer = {.inner = &inner};
	struct stacks stacks;

	(void)state;
	stacks_init(&stacks, STACK);
	start(&stacks, &outer, nest);
	finish(&outer);
	assert_int_equal(inner.done, 5);
	stacks_fini(&stacks);
}

static void
test_many(void **state)
{
	enum { MANY = 500 };
	static struct job jobs[MANY];
	struct stacks stacks;
	int i, round;

	(void)state;
	stacks_init(&stacks, 16384);
	for (round = 0; round < 3; round++) {
		for (i = 0; i < MANY; i++) {
			jobs[i] = (struct job){.steps = i % 7};
			start(&stacks, &jobs[i], count);
		}
		for (i = 0; i < MANY * 4; i++)
			if (!coroutine_is_over(jobs[i * 7 % MANY].coroutine))
				coroutine_resume(jobs[i * 7 % MANY].coroutine);
		for (i = 0; i < MANY; i++) {
			finish(&jobs[i]);
			assert_int_equal(jobs[i].done, i % 7);
		}
		assert_int_equal(stacks.warm_count + stacks.cold_count, MANY);
	}
	stacks_fini(&stacks);
}

/* Rounding is each coroutine's own, as a called function leaves it. */
static void
round_up(void *arg)
{
	struct job *job = arg;

	fesetround(FE_UPWARD);
	coroutine_yield(job->coroutine);
	assert_int_equal(fegetround(), FE_UPWARD);
}

static void
test_rounding(void **state)
{
	struct job job = {.steps = 0};
	struct stacks stacks;

	(void)state;
	stacks_init(&stacks, STACK);
	start(&stacks, &job, round_up);
	coroutine_resume(job.coroutine);
	assert_int_equal(fegetround(), FE_TONEAREST);
	finish(&job);
	stacks_fini(&stacks);
}

static void
test_resized(void **state)
{
	struct job one = {.steps = 1}, two = {.steps = 1};
	struct stacks stacks;

	(void)state;
	stacks_init(&stacks, STACK);
	start(&stacks, &one, count);
	start(&stacks, &two, count);
	finish(&one);
	assert_int_equal(stacks.warm_count, 1);
	stacks_resize(&stacks, 2 * STACK);
	assert_int_equal(stacks.warm_count, 0);
	/* One of the old size does not come into the pool. */
	finish(&two);
	assert_int_equal(stacks.warm_count, 0);
	start(&stacks, &one, count);
	finish(&one);
	assert_int_equal(stacks.warm_count, 1);
	stacks_fini(&stacks);
}

static int __attribute__((noinline)) dive(volatile char *above, int depth)
{
	volatile char room[512];

	room[0] = above == NULL ? 1 : above[0];
	if (depth == 0)
		return room[0];
	return dive(room, depth - 1) + room[0];
}

static void
overflow(void *arg)
{
	struct job *job = arg;

	job->done = dive(NULL, 1 << 20);
}

/* Not the neighbour's memory, but the guard. */
static void
test_overflow(void **state)
{
	struct rlimit none = {0, 0};
	struct job jobs[2] = {{.steps = 0}};
	struct stacks stacks;
	int status;
	pid_t pid;

	(void)state;
	stacks_init(&stacks, 16384);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		signal(SIGSEGV, SIG_DFL);
		setrlimit(RLIMIT_CORE, &none);
		fclose(stderr);
		start(&stacks, &jobs[0], overflow);
		start(&stacks, &jobs[1], overflow);
		coroutine_resume(jobs[1].coroutine);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	/* A sanitizer takes the signal itself. */
	assert_true((WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV) ||
		    (WIFEXITED(status) && WEXITSTATUS(status) > 0));
	stacks_fini(&stacks);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_switch),
	    cmocka_unit_test(test_nested),
	    cmocka_unit_test(test_many),
	    cmocka_unit_test(test_rounding),
	    cmocka_unit_test(test_resized),
	    cmocka_unit_test(test_overflow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
