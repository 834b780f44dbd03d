/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The loop: turns, run and stop, deferred calls, owners that are revoked, the
 * end of a reactor.
 */
#include <pthread.h>

#include "unit/reactor_fixture.h"

struct deferred_probe {
	struct reactor_deferred node;
	struct fixture *f;
	unsigned calls;
	unsigned again;
};

static void
deferred(struct reactor_deferred *node)
{
	struct deferred_probe *p = BASE_CONTAINER(
	    node, struct deferred_probe, node);

	p->calls++;
	if (p->again-- > 1)
		reactor_defer(p->f->reactor, node, deferred);
}

static void
defer_runs_at_the_end_of_a_turn(void **state)
{
	struct fixture *f = *state;
	struct deferred_probe d = {.f = f, .again = 2};

	reactor_defer(f->reactor, &d.node, deferred);
	assert_int_equal(d.calls, 0);
	assert_int_equal(reactor_turn(f->reactor, REACTOR_FOREVER), 0);
	assert_int_equal(d.calls, 1);
	assert_int_equal(reactor_turn(f->reactor, REACTOR_FOREVER), 0);
	assert_int_equal(d.calls, 2);
}

static void
stop_posted(void *arg)
{
	struct fixture *f = arg;

	reactor_stop(f->reactor);
}

static void
r34_stop_from_a_hook_and_before_run(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(reactor_post(&f->owner, stop_posted, f), 0);
	assert_int_equal(reactor_run(f->reactor), 0);
	assert_true(reactor_stopped(f->reactor));
	assert_int_equal(reactor_run(f->reactor), 0);
}

static void *
other_thread(void *arg)
{
	struct fixture *f = arg;

	assert_int_equal(reactor_turn(f->reactor, 0), -EPERM);
	assert_int_equal(reactor_remove(&f->owner, 0, BERTH_READ), -EPERM);
	assert_int_equal(reactor_post(&f->owner, stop_posted, f), 0);
	return NULL;
}

static void
r32_wrong_thread_is_refused_and_posts_wake(void **state)
{
	struct fixture *f = *state;
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, other_thread, f), 0);
	assert_int_equal(reactor_run(f->reactor), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
}

static void
revoke_takes_everything(void **state)
{
	struct fixture *f = *state;
	struct reactor_owner owner;
	struct probe p;
	int fds[2];

	fixture_pair(fds);
	assert_int_equal(write(fds[1], "x", 1), 1);
	probe_init(&p, f, 'a');
	assert_int_equal(reactor_owner_init(&owner, f->reactor, "gone"), 0);
	assert_int_equal(
	    reactor_add(&owner, &p.handler, fds[0], BERTH_READ), 0);
	assert_int_equal(
	    reactor_schedule(&owner, &p.handler, NULL, 0, 1, NULL), 0);
	assert_int_equal(reactor_post(&owner, stop_posted, f), 0);
	assert_int_equal(reactor_notify(&owner, &p.handler, BERTH_EXCEPT), 0);
	assert_int_equal(owner.descriptors, 1);
	assert_int_equal(owner.timers, 1);
	assert_int_equal(owner.posts, 2);
	reactor_revoke(&owner, false);
	fixture_expect(f, "ca");
	assert_int_equal(owner.descriptors, 0);
	assert_int_equal(owner.timers, 0);
	assert_int_equal(owner.posts, 0);
	assert_int_equal(reactor_turn(f->reactor, 0), 0);
	fixture_expect(f, "");
	assert_false(reactor_stopped(f->reactor));
	/* It may start anew. */
	assert_int_equal(
	    reactor_add(&owner, &p.handler, fds[0], BERTH_READ), 0);
	reactor_owner_fini(&owner);
	fixture_expect(f, "ca");
	close(fds[0]);
	close(fds[1]);
}

static void
r20_r25_sources_in_order(void **state)
{
	struct fixture *f = *state;
	struct probe in, out, timer, note;
	int a[2], b[2];

	fixture_pair(a);
	fixture_pair(b);
	probe_init(&in, f, '1');
	probe_init(&out, f, '2');
	probe_init(&timer, f, '3');
	probe_init(&note, f, '4');
	assert_int_equal(write(a[1], "x", 1), 1);
	assert_int_equal(
	    reactor_add(&f->owner, &in.handler, a[0], BERTH_READ), 0);
	assert_int_equal(
	    reactor_add(&f->owner, &out.handler, b[0], BERTH_WRITE), 0);
	assert_int_equal(
	    reactor_notify(&f->owner, &note.handler, BERTH_EXCEPT), 0);
	assert_int_equal(
	    reactor_schedule(&f->owner, &timer.handler, NULL, 0, 0, NULL), 0);
	assert_int_equal(reactor_turn(f->reactor, REACTOR_FOREVER), 4);
	fixture_expect(f, "t3 e4 o2 i1");
	reactor_revoke(&f->owner, true);
	close(a[0]);
	close(a[1]);
	close(b[0]);
	close(b[1]);
}

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(defer_runs_at_the_end_of_a_turn),
	    TEST(r34_stop_from_a_hook_and_before_run),
	    TEST(r32_wrong_thread_is_refused_and_posts_wake),
	    TEST(revoke_takes_everything),
	    TEST(r20_r25_sources_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
