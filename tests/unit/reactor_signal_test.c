/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Signals and child processes as events.
 */
#include <signal.h>
#include <sys/wait.h>

#include "unit/reactor_fixture.h"

static int
setup_blocked(void **state)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGUSR2);
	assert_int_equal(pthread_sigmask(SIG_BLOCK, &set, NULL), 0);
	return fixture_setup(state);
}

static void
r20_signals(void **state)
{
	static const struct berth_handler_type none = {.close = NULL};
	struct berth_handler bare = {&none};
	struct fixture *f = *state;
	struct probe p, q;

	probe_init(&p, f, 'a');
	probe_init(&q, f, 'b');
	assert_int_equal(reactor_signal(&f->owner, &bare, SIGUSR1), -EINVAL);
	assert_int_equal(reactor_signal(&f->owner, &p.handler, 0), -EINVAL);
	assert_int_equal(reactor_signal(&f->owner, &p.handler, NSIG), -EINVAL);
	assert_int_equal(reactor_unsignal(&f->owner, SIGUSR1), -ENOENT);
	assert_int_equal(reactor_signal(&f->owner, &p.handler, SIGUSR1), 0);
	assert_int_equal(
	    reactor_signal(&f->owner, &q.handler, SIGUSR1), -EBUSY);
	assert_int_equal(reactor_signal(&f->owner, &q.handler, SIGUSR2), 0);
	assert_int_equal(f->owner.descriptors, 2);
	kill(getpid(), SIGUSR2);
	assert_true(reactor_turn(f->reactor, REACTOR_FOREVER) >= 1);
	fixture_expect(f, "sb");
	assert_int_equal(q.status, SIGUSR2);

	/* Removal is silent; the signal waits for the next handler. */
	assert_int_equal(reactor_unsignal(&f->owner, SIGUSR2), 0);
	kill(getpid(), SIGUSR2);
	assert_int_equal(reactor_turn(f->reactor, 0), 0);
	assert_int_equal(reactor_signal(&f->owner, &p.handler, SIGUSR2), 0);
	p.results[0] = -1;
	assert_true(reactor_turn(f->reactor, REACTOR_FOREVER) >= 1);
	fixture_expect(f, "sa ca");
	assert_int_equal(p.close_mask, BERTH_SIGNAL);
	assert_int_equal(f->owner.descriptors, 1);
	kill(getpid(), SIGUSR1);
	kill(getpid(), SIGUSR1);
	assert_true(reactor_turn(f->reactor, REACTOR_FOREVER) >= 1);
	fixture_expect(f, "sa");
	reactor_revoke(&f->owner, false);
	fixture_expect(f, "");
	assert_int_equal(f->owner.descriptors, 0);
	assert_int_equal(reactor_unsignal(&f->owner, SIGUSR1), -ENOENT);
}

static int
unsignal_self(struct probe *p, int fd)
{
	struct fixture *f = p->context;

	(void)fd;
	assert_int_equal(reactor_unsignal(&f->owner, SIGUSR1), 0);
	return -1;
}

static void
r23_signal_removed_in_its_own_hook(void **state)
{
	struct fixture *f = *state;
	struct probe p;

	probe_init(&p, f, 'a');
	p.act = unsignal_self;
	p.context = f;
	assert_int_equal(reactor_signal(&f->owner, &p.handler, SIGUSR1), 0);
	assert_int_equal(kill(getpid(), SIGUSR1), 0);
	assert_true(reactor_turn(f->reactor, REACTOR_FOREVER) >= 1);
	fixture_expect(f, "sa");
	assert_int_equal(f->owner.descriptors, 0);
}

static pid_t
spawn(int status)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(status);
	assert_true(pid > 0);
	return pid;
}

/* Looks, and leaves it as it is. */
static bool
is_reaped(pid_t pid)
{
	siginfo_t info;

	return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT | WNOHANG) <
		   0 &&
	       errno == ECHILD;
}

static void
wait_for_end(pid_t pid)
{
	siginfo_t info;

	assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
}

static void
r20_children(void **state)
{
	struct fixture *f = *state;
	struct probe p;
	pid_t pid;

	probe_init(&p, f, 'a');
	assert_int_equal(reactor_child(&f->owner, &p.handler, 0), -EINVAL);
	pid = spawn(3);
	assert_int_equal(reactor_child(&f->owner, &p.handler, pid), 0);
	assert_int_equal(f->owner.descriptors, 1);
	while (p.calls == 0)
		(void)reactor_turn(f->reactor, REACTOR_FOREVER);
	fixture_expect(f, "xa");
	assert_int_equal(p.code, CLD_EXITED);
	assert_int_equal(p.status, 3);
	assert_int_equal(f->owner.descriptors, 0);
	assert_true(is_reaped(pid));
	assert_int_equal(reactor_child(&f->owner, &p.handler, pid), -ESRCH);

	/* Killed, with a negative result. */
	p.calls = 0;
	p.results[0] = -1;
	pid = fork();
	if (pid == 0)
		for (;;)
			pause();
	assert_int_equal(reactor_child(&f->owner, &p.handler, pid), 0);
	assert_int_equal(reactor_turn(f->reactor, 0), 0);
	kill(pid, SIGKILL);
	while (p.calls == 0)
		(void)reactor_turn(f->reactor, REACTOR_FOREVER);
	fixture_expect(f, "xa ca");
	assert_int_equal(p.code, CLD_KILLED);
	assert_int_equal(p.status, SIGKILL);
	assert_int_equal(p.close_mask, BERTH_CHILD);
}

/* Its owner gone, the child is reaped in silence. */
static void
r20_children_of_a_revoked_owner_are_reaped(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 2; i++) {
		struct probe p;
		pid_t pid;

		probe_init(&p, f, 'a');
		pid = spawn(0);
		assert_int_equal(reactor_child(&f->owner, &p.handler, pid), 0);
		if (i == 0) {
			assert_int_equal(reactor_unchild(&f->owner, pid), 0);
			assert_int_equal(
			    reactor_unchild(&f->owner, pid), -ENOENT);
		} else {
			reactor_revoke(&f->owner, false);
		}
		assert_int_equal(f->owner.descriptors, 0);
		wait_for_end(pid);
		assert_false(is_reaped(pid));
		(void)reactor_turn(f->reactor, REACTOR_FOREVER);
		assert_true(is_reaped(pid));
		fixture_expect(f, "");
	}
}

static void
r20_child_that_somebody_else_reaped(void **state)
{
	struct fixture *f = *state;
	struct probe p;
	pid_t pid = spawn(5);

	probe_init(&p, f, 'a');
	assert_int_equal(reactor_child(&f->owner, &p.handler, pid), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	while (p.calls == 0)
		(void)reactor_turn(f->reactor, REACTOR_FOREVER);
	assert_int_equal(p.code, 0);
	assert_int_equal(p.status, 0);
}

/* At the end of the reactor nothing of a child that still runs is kept. */
static void
r35_children_at_the_end(void **state)
{
	struct reactor *reactor;
	struct reactor_owner owner;
	struct fixture *f = *state;
	struct probe p;
	pid_t pid = fork();

	if (pid == 0)
		for (;;)
			pause();
	probe_init(&p, f, 'a');
	assert_int_equal(reactor_new(NULL, &reactor), 0);
	assert_int_equal(reactor_owner_init(&owner, reactor, "end"), 0);
	assert_int_equal(reactor_child(&owner, &p.handler, pid), 0);
	reactor_free(reactor);
	fixture_expect(f, "");
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

#define SIGNAL_TEST(name)                                                      \
	cmocka_unit_test_setup_teardown(name, setup_blocked, fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    SIGNAL_TEST(r20_signals),
	    SIGNAL_TEST(r23_signal_removed_in_its_own_hook),
	    SIGNAL_TEST(r20_children),
	    SIGNAL_TEST(r20_children_of_a_revoked_owner_are_reaped),
	    SIGNAL_TEST(r20_child_that_somebody_else_reaped),
	    SIGNAL_TEST(r35_children_at_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
