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

/* --- a turn inside of a hook
 * --------------------------------------------------
 */

struct nesting {
	struct fixture *f;
	struct deferred_probe d;
	struct probe a, b;
	int x[2], y[2];
	int inner;
	unsigned deferred_inside;
};

static int
turn_inside(struct probe *p, int fd)
{
	struct nesting *n = p->context;

	fixture_drain(fd);
	p->act = NULL;
	reactor_defer(n->f->reactor, &n->d.node, deferred);
	n->inner = reactor_turn(n->f->reactor, 0);
	n->deferred_inside = n->d.calls;
	return 0;
}

static int
drain(struct probe *p, int fd)
{
	char byte;

	/* Called for nothing, it would say so. */
	(void)p;
	return read(fd, &byte, 1) == 1 ? 0 : -1;
}

static void
r33_turn_in_a_hook(void **state)
{
	struct fixture *f = *state;
	struct nesting n = {.f = f, .d.f = f};

	fixture_pair(n.x);
	fixture_pair(n.y);
	fixture_feed(n.x[1]);
	fixture_feed(n.y[1]);
	probe_init(&n.a, f, 'a');
	probe_init(&n.b, f, 'b');
	n.a.act = turn_inside;
	n.a.context = &n;
	n.b.act = drain;
	assert_int_equal(
	    reactor_add(&f->owner, &n.a.handler, n.x[0], BERTH_READ), 0);
	assert_int_equal(
	    reactor_add(&f->owner, &n.b.handler, n.y[0], BERTH_READ), 0);
	/* The inner turn serves b; the outer one does not serve it again. */
	assert_int_equal(reactor_turn(f->reactor, REACTOR_FOREVER), 2);
	fixture_expect(f, "ia ib");
	assert_int_equal(n.inner, 1);
	assert_int_equal(n.deferred_inside, 0);
	assert_int_equal(n.d.calls, 1);
	assert_int_equal(reactor_turn(f->reactor, 0), 0);
	reactor_revoke(&f->owner, true);
	fixture_close_pair(n.x);
	fixture_close_pair(n.y);
}

static int
turn_deeper(struct probe *p, int fd)
{
	struct fixture *f = p->context;

	(void)fd;
	return p->calls < 5 ? -(reactor_notify(
				    &f->owner, &p->handler, BERTH_READ) != 0 ||
				  reactor_turn(f->reactor, 0) < 1)
			    : 0;
}

static void
r33_turns_in_turns(void **state)
{
	struct fixture *f = *state;
	struct probe p;

	probe_init(&p, f, 'a');
	p.act = turn_deeper;
	p.context = f;
	assert_int_equal(reactor_notify(&f->owner, &p.handler, BERTH_READ), 0);
	assert_int_equal(reactor_turn(f->reactor, REACTOR_FOREVER), 5);
	fixture_expect(f, "ia ia ia ia ia");
}

/* Timers and what is always ready go on in an inner turn, and are not lost to
 * the outer one. */
static int
turn_in_output(struct probe *p, int fd)
{
	struct nesting *n = p->context;

	(void)fd;
	p->act = NULL;
	n->inner = reactor_turn(n->f->reactor, 0);
	return 0;
}

static void
r33_ready_list_survives(void **state)
{
	struct fixture *f = *state;
	struct nesting n = {.f = f};
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	fixture_pair(n.x);
	fixture_feed(n.x[1]);
	probe_init(&n.a, f, 'a');
	probe_init(&n.b, f, 'b');
	n.a.act = turn_in_output;
	n.a.context = &n;
	assert_int_equal(
	    reactor_add(&f->owner, &n.a.handler, n.x[0], BERTH_WRITE), 0);
	assert_int_equal(
	    reactor_add(&f->owner, &n.b.handler, null, BERTH_READ), 0);
	assert_int_equal(reactor_turn(f->reactor, REACTOR_FOREVER), 3);
	fixture_expect(f, "oa oa ib");
	assert_int_equal(reactor_turn(f->reactor, REACTOR_FOREVER), 2);
	reactor_revoke(&f->owner, true);
	fixture_close_pair(n.x);
	close(null);
}

static void
now_is_that_of_the_turn(void **state)
{
	struct fixture *f = *state;
	uint64_t before = reactor_now(f->reactor).ns;

	assert_true(before > 0);
	assert_true(reactor_now(f->reactor).ns >= before);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    FIXTURE_TEST(defer_runs_at_the_end_of_a_turn),
	    FIXTURE_TEST(r34_stop_from_a_hook_and_before_run),
	    FIXTURE_TEST(r32_wrong_thread_is_refused_and_posts_wake),
	    FIXTURE_TEST(r33_turn_in_a_hook),
	    FIXTURE_TEST(r33_turns_in_turns),
	    FIXTURE_TEST(r33_ready_list_survives),
	    FIXTURE_TEST(now_is_that_of_the_turn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
