/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What other threads may ask of a loop that waits.
 */
#include <pthread.h>
#include <stdatomic.h>

#include "unit/reactor_fixture.h"

typedef void(job_fn)(struct fixture *f, struct probe *p);

struct job {
	struct fixture *f;
	struct probe *probe;
	job_fn *fn;
	pthread_t thread;
};

static void *
run_job(void *arg)
{
	struct job *job = arg;

	job->fn(job->f, job->probe);
	return NULL;
}

static void
start(struct job *job, struct fixture *f, struct probe *p, job_fn *fn)
{
	*job = (struct job){.f = f, .probe = p, .fn = fn};
	assert_int_equal(pthread_create(&job->thread, NULL, run_job, job), 0);
}

static void
join(struct job *job)
{
	assert_int_equal(pthread_join(job->thread, NULL), 0);
}

/* Until the hook is called; a loop that does not notice hangs. */
static void
turn_until_called(struct fixture *f, struct probe *p)
{
	while (p->calls == 0)
		assert_true(reactor_turn(f->reactor, REACTOR_FOREVER) >= 0);
}

static void
schedule_ten(struct fixture *f, struct probe *p)
{
	struct mono *before = p->context;

	*before = mono_now();
	(void)reactor_schedule(
	    &f->owner, &p->handler, NULL, MONO_MS(10), 0, NULL);
}

static void
r31_timer_from_a_second_thread(void **state)
{
	struct fixture *f = *state;
	struct mono before;
	struct probe p;
	struct job job;

	probe_init(&p, f, 'a');
	p.context = &before;
	/* One that is far away is armed already. */
	assert_int_equal(reactor_schedule(&f->owner, &p.handler, NULL,
			     MONO_MS(3600000), 0, NULL),
	    0);
	start(&job, f, &p, schedule_ten);
	turn_until_called(f, &p);
	join(&job);
	assert_true(mono_now().ns - before.ns >= MONO_MS(10));
	assert_true(mono_now().ns - before.ns < MONO_MS(300000));
	assert_int_equal(f->owner.timers, 1);
}

static struct mono
real_clock(void *context)
{
	(void)context;
	return mono_now();
}

/* The same with a clock of the caller's, which has no timerfd. */
static void
r31_timer_with_another_clock(void **state)
{
	struct fixture f = {.reactor = NULL};
	struct reactor_options options = {.clock = real_clock};
	struct mono before;
	struct probe p;
	struct job job;

	(void)state;
	assert_int_equal(reactor_new(&options, &f.reactor), 0);
	assert_int_equal(reactor_owner_init(&f.owner, f.reactor, "test"), 0);
	probe_init(&p, &f, 'a');
	p.context = &before;
	start(&job, &f, &p, schedule_ten);
	turn_until_called(&f, &p);
	join(&job);
	assert_true(mono_now().ns - before.ns >= MONO_MS(10));
	reactor_owner_fini(&f.owner);
	reactor_free(f.reactor);
}

static void
add_readable(struct fixture *f, struct probe *p)
{
	int *fd = p->context;

	if (reactor_add(&f->owner, &p->handler, *fd, BERTH_READ) < 0)
		abort();
}

static void
r31_descriptor_from_a_second_thread(void **state)
{
	struct fixture *f = *state;
	struct probe p;
	struct job job;
	int fds[2];

	fixture_pair(fds);
	fixture_feed(fds[1]);
	probe_init(&p, f, 'a');
	p.context = &fds[0];
	start(&job, f, &p, add_readable);
	turn_until_called(f, &p);
	join(&job);
	assert_int_equal(f->owner.descriptors, 1);
	fixture_expect(f, "ia");

	/* What was added before is there for a removal. */
	reactor_revoke(&f->owner, true);
	start(&job, f, &p, add_readable);
	join(&job);
	assert_int_equal(f->owner.posts, 1);
	assert_int_equal(reactor_remove(&f->owner, fds[0], BERTH_READ), 0);
	fixture_expect(f, "ca");
	assert_int_equal(f->owner.posts, 0);

	/* Revoked on its way in: told like one that had arrived. */
	start(&job, f, &p, add_readable);
	join(&job);
	reactor_revoke(&f->owner, false);
	fixture_expect(f, "ca");
	assert_int_equal(p.close_fd, fds[0]);
	assert_int_equal(p.close_mask, BERTH_READ);
	start(&job, f, &p, add_readable);
	join(&job);
	reactor_revoke(&f->owner, true);
	fixture_expect(f, "");
	assert_int_equal(reactor_turn(f->reactor, 0), 0);
	fixture_close_pair(fds);
}

static void
r31_failure_comes_through_the_close_hook(void **state)
{
	struct fixture *f = *state;
	struct probe p, taken;
	struct job job;
	int fds[2];

	fixture_pair(fds);
	probe_init(&p, f, 'a');
	probe_init(&taken, f, 'b');
	p.context = &fds[0];
	assert_int_equal(
	    reactor_add(&f->owner, &taken.handler, fds[0], BERTH_READ), 0);
	start(&job, f, &p, add_readable);
	while (p.closes == 0)
		(void)reactor_turn(f->reactor, REACTOR_FOREVER);
	join(&job);
	assert_int_equal(p.close_fd, fds[0]);
	assert_int_equal(p.close_mask, BERTH_READ);
	assert_int_equal(taken.closes, 0);
	reactor_revoke(&f->owner, true);
	fixture_close_pair(fds);
}

static void
forbidden(struct fixture *f, struct probe *p)
{
	struct reactor_owner owner;
	int *wrong = p->context;

	*wrong += reactor_turn(f->reactor, 0) != -EPERM;
	*wrong += reactor_run(f->reactor) != -EPERM;
	*wrong += reactor_remove(&f->owner, 0, BERTH_READ) != -EPERM;
	*wrong += reactor_mask(&f->owner, 0, 0, 0) != -EPERM;
	*wrong += reactor_hold(&f->owner, &p->handler, true) != -EPERM;
	*wrong += reactor_cancel(&f->owner, 1, NULL) != -EPERM;
	*wrong += reactor_cancel_all(&f->owner, &p->handler) != -EPERM;
	*wrong += reactor_signal(&f->owner, &p->handler, 1) != -EPERM;
	*wrong += reactor_unsignal(&f->owner, 1) != -EPERM;
	*wrong += reactor_child(&f->owner, &p->handler, 1) != -EPERM;
	*wrong += reactor_unchild(&f->owner, 1) != -EPERM;
	*wrong += reactor_owner_init(&owner, f->reactor, "x") != -EPERM;
	*wrong += reactor_notify(&f->owner, NULL, 0) != 0;
	*wrong += reactor_purge(&f->owner, &p->handler, 0) != 0;
	reactor_wake(f->reactor);
	reactor_stop(f->reactor);
}

static void
r32_only_the_loops_thread(void **state)
{
	struct fixture *f = *state;
	struct probe p;
	struct job job;
	int wrong = 0;

	probe_init(&p, f, 'a');
	p.context = &wrong;
	start(&job, f, &p, forbidden);
	assert_int_equal(reactor_run(f->reactor), 0);
	join(&job);
	assert_int_equal(wrong, 0);
}

static void
adopt_and_run(struct fixture *f, struct probe *p)
{
	int *result = p->context;

	reactor_adopt(f->reactor);
	*result = reactor_run(f->reactor);
}

static void
r32_adopted_by_another_thread(void **state)
{
	struct fixture *f = *state;
	struct probe p;
	struct job job;
	int result = 1;

	probe_init(&p, f, 'a');
	p.context = &result;
	start(&job, f, &p, adopt_and_run);
	reactor_stop(f->reactor);
	join(&job);
	assert_int_equal(result, 0);
	assert_int_equal(reactor_turn(f->reactor, 0), -EPERM);
	reactor_adopt(f->reactor);
	assert_int_equal(reactor_turn(f->reactor, 0), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    FIXTURE_TEST(r31_timer_from_a_second_thread),
	    FIXTURE_TEST(r31_timer_with_another_clock),
	    FIXTURE_TEST(r31_descriptor_from_a_second_thread),
	    FIXTURE_TEST(r31_failure_comes_through_the_close_hook),
	    FIXTURE_TEST(r32_only_the_loops_thread),
	    FIXTURE_TEST(r32_adopted_by_another_thread),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
