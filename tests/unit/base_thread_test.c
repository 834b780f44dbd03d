/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Threads: which signals are for them, and the stack that a fault is told on.
 */
#include "unit/unit.h"

#include <pthread.h>
#include <signal.h>

#include "base/base.h"

struct seen {
	sigset_t blocked;
	stack_t stack;
};

static void *
look(void *arg)
{
	struct seen *seen = arg;

	pthread_sigmask(SIG_SETMASK, NULL, &seen->blocked);
	sigaltstack(NULL, &seen->stack);
	return arg;
}

static void
test_start(void **state)
{
	static const struct {
		int signum;
		bool blocked;
	} cases[] = {{SIGTERM, true}, {SIGHUP, true}, {SIGCHLD, true},
	    {SIGUSR1, true}, {SIGSEGV, false}, {SIGBUS, false}, {SIGFPE, false},
	    {SIGILL, false}};
	sigset_t before, after;
	struct seen seen;
	pthread_t thread;
	void *result;

	(void)state;
	pthread_sigmask(SIG_SETMASK, NULL, &before);
	assert_int_equal(thread_start(look, &seen, &thread), 0);
	assert_int_equal(pthread_join(thread, &result), 0);
	assert_ptr_equal(result, &seen);
	for (size_t i = 0; i < BASE_COUNT(cases); i++)
		assert_int_equal(
		    sigismember(&seen.blocked, cases[i].signum) == 1,
		    cases[i].blocked);
	assert_int_equal(seen.stack.ss_flags & SS_DISABLE, 0);
	assert_true(seen.stack.ss_size >= 32768);
	/* Who started it has his signals as before. */
	pthread_sigmask(SIG_SETMASK, NULL, &after);
	assert_int_equal(
	    sigismember(&after, SIGTERM), sigismember(&before, SIGTERM));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_start)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
