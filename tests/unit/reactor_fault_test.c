/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every allocation and every system call that makes something is made to fail
 * in turn, the first, the second, … until the scenario passes.  Each failure is
 * forwarded as it is, leaves nothing behind, and the loop goes on.
 */
#include <dirent.h>
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/wait.h>

#include "unit/fault.h"
#include "unit/reactor_fixture.h"

FAULT(int, epoll_create1, (int flags), (flags), EMFILE, -1);
FAULT(int, eventfd, (unsigned n, int flags), (n, flags), EMFILE, -1);
FAULT(int, timerfd_create, (int id, int flags), (id, flags), EMFILE, -1);
FAULT(int, signalfd, (int fd, const sigset_t *set, int flags), (fd, set, flags),
    EMFILE, -1);
FAULT(int, pthread_create,
    (pthread_t * thread, const pthread_attr_t *attributes, void *(*run)(void *),
	void *arg),
    (thread, attributes, run, arg), EAGAIN, EAGAIN);
FAULT(int, epoll_ctl, (int set, int op, int fd, struct epoll_event *event),
    (set, op, fd, event), ENOSPC, -1);

static void
posted(void *arg)
{
	++*(int *)arg;
}

static void
overrun(void *context, const char *owner, uint64_t busy_ms)
{
	(void)context;
	(void)owner;
	(void)busy_ms;
}

struct scenario {
	struct fixture f;
	struct probe p;
	int fds[2];
	pid_t child;
	int posts;
};

/* Stops at the first step that fails, with its result. */
static int
steps(struct scenario *s)
{
	struct fixture *f = &s->f;
	struct berth_handler *h = &s->p.handler;
	int result = reactor_new(NULL, &f->reactor);

	if (result == 0)
		result = reactor_owner_init(&f->owner, f->reactor, "faulty");
	if (result == 0)
		result = reactor_add(&f->owner, h, s->fds[0], BERTH_READ);
	if (result == 0)
		result = reactor_schedule(&f->owner, h, NULL, 0, 0, NULL);
	if (result == 0)
		result = reactor_post(&f->owner, posted, &s->posts);
	if (result == 0)
		result = reactor_notify(&f->owner, h, BERTH_EXCEPT);
	if (result == 0)
		result = reactor_signal(&f->owner, h, SIGUSR1);
	if (result == 0)
		result = reactor_child(&f->owner, h, s->child);
	if (result == 0)
		result = reactor_watchdog_start(
		    f->reactor, 1000000, overrun, NULL);
	if (result == 0)
		result = reactor_turn(f->reactor, 0);
	return result < 0 ? result : 0;
}

/* What was there already works on; what failed is not there. */
static void
go_on(struct scenario *s)
{
	struct fixture *f = &s->f;

	countdown = 0;
	if (f->owner.reactor != NULL) {
		assert_true(reactor_turn(f->reactor, 0) >= 0);
		assert_int_equal(reactor_post(&f->owner, posted, &s->posts), 0);
		assert_true(reactor_turn(f->reactor, 0) >= 1);
		reactor_owner_fini(&f->owner);
		assert_int_equal(f->owner.descriptors, 0);
		assert_int_equal(f->owner.timers, 0);
		assert_int_equal(f->owner.posts, 0);
	}
	reactor_free(f->reactor);
}

static unsigned
open_descriptors(void)
{
	DIR *folder = opendir("/proc/self/fd");
	unsigned count = 0;

	assert_non_null(folder);
	while (readdir(folder) != NULL)
		count++;
	closedir(folder);
	return count;
}

static void
every_failure_is_forwarded(void **state)
{
	unsigned before = open_descriptors();
	sigset_t set;
	int n = 0;

	(void)state;
	(void)alarm(300);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	assert_int_equal(pthread_sigmask(SIG_BLOCK, &set, NULL), 0);
	do {
		struct scenario s = {.posts = 0};
		int result;

		probe_init(&s.p, &s.f, 'a');
		fixture_pair(s.fds);
		fixture_feed(s.fds[1]);
		s.child = fork();
		if (s.child == 0)
			for (;;)
				pause();
		failed = false;
		countdown = ++n;
		result = steps(&s);
		assert_int_equal(result < 0, failed);
		assert_true(result == 0 || result == -ENOMEM ||
			    result == -EMFILE || result == -EAGAIN ||
			    result == -ENOSPC);
		go_on(&s);
		fixture_close_pair(s.fds);
		kill(s.child, SIGKILL);
		assert_int_equal(waitpid(s.child, NULL, 0), s.child);
		assert_int_equal(open_descriptors(), before);
	} while (failed);
	assert_true(n > 15);
}

/* A batch that cannot grow serves all the same. */
static void
a_batch_that_cannot_grow(void **state)
{
	struct fixture *f = *state;
	enum { COUNT = 600 };
	static struct probe probes[COUNT];
	static int fds[COUNT][2];

	assert_int_equal(reactor_turn(f->reactor, 0), 0); /* has its batch */
	for (int i = 0; i < COUNT; i++) {
		fixture_pair(fds[i]);
		fixture_feed(fds[i][1]);
		probe_init(&probes[i], f, 'x');
		assert_int_equal(reactor_add(&f->owner, &probes[i].handler,
				     fds[i][0], BERTH_READ),
		    0);
	}
	failed = false;
	countdown = 1;
	assert_true(reactor_turn(f->reactor, 0) >= COUNT);
	assert_true(failed);
	for (int i = 0; i < COUNT; i++)
		assert_true(probes[i].calls > 0);
	reactor_revoke(&f->owner, true);
	for (int i = 0; i < COUNT; i++)
		fixture_close_pair(fds[i]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_failure_is_forwarded),
	    FIXTURE_TEST(a_batch_that_cannot_grow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
