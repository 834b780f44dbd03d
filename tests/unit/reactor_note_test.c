/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Notifications and posts.
 */
#include <pthread.h>

#include "unit/reactor_fixture.h"

static int
notify(struct fixture *f, struct probe *p, unsigned mask)
{
	return reactor_notify(&f->owner, &p->handler, mask);
}

static void
r30_wake_only(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(reactor_notify(&f->owner, NULL, BERTH_EXCEPT), 0);
	assert_int_equal(reactor_turn(f->reactor, REACTOR_FOREVER), 0);
	reactor_wake(f->reactor);
	assert_int_equal(reactor_turn(f->reactor, REACTOR_FOREVER), 0);
	assert_int_equal(reactor_turn(f->reactor, 0), 0);
}

static void
r30_hooks_by_mask_without_registration(void **state)
{
	static const struct berth_handler_type none = {.close = NULL};
	struct berth_handler bare = {&none};
	struct fixture *f = *state;
	struct probe p;

	probe_init(&p, f, 'a');
	assert_int_equal(notify(f, &p, 0), -EINVAL);
	assert_int_equal(notify(f, &p, BERTH_TIMER), -EINVAL);
	assert_int_equal(reactor_notify(&f->owner, &bare, BERTH_READ), -EINVAL);
	assert_int_equal(notify(f, &p, BERTH_READ), 0);
	assert_int_equal(notify(f, &p, BERTH_WRITE), 0);
	assert_int_equal(
	    notify(f, &p, BERTH_READ | BERTH_WRITE | BERTH_EXCEPT), 0);
	assert_int_equal(f->owner.posts, 3);
	assert_int_equal(reactor_turn(f->reactor, REACTOR_FOREVER), 5);
	fixture_expect(f, "ia oa oa ea ia");
	assert_int_equal(f->owner.posts, 0);
	assert_int_equal(reactor_turn(f->reactor, 0), 0);
}

static void
r21_results_of_notified_hooks(void **state)
{
	struct fixture *f = *state;
	struct probe p;

	probe_init(&p, f, 'a');
	p.results[0] = 1;
	p.results[1] = -1;
	assert_int_equal(notify(f, &p, BERTH_READ), 0);
	assert_int_equal(reactor_turn(f->reactor, REACTOR_FOREVER), 1);
	assert_int_equal(reactor_turn(f->reactor, REACTOR_FOREVER), 1);
	fixture_expect(f, "ia ia ca");
	assert_int_equal(p.close_fd, -1);
	assert_int_equal(p.close_mask, BERTH_READ);
	assert_int_equal(reactor_turn(f->reactor, 0), 0);
}

static void
r30_limited_number_a_turn(void **state)
{
	struct fixture *f = *state;
	struct probe p;
	int fds[2];

	fixture_pair(fds);
	fixture_feed(fds[1]);
	probe_init(&p, f, 'a');
	assert_int_equal(
	    reactor_add(&f->owner, &p.handler, fds[0], BERTH_READ), 0);
	for (int i = 0; i < 7; i++)
		assert_int_equal(notify(f, &p, BERTH_EXCEPT), 0);
	/* Others have their turn between, and the rest waits for nobody. */
	assert_int_equal(reactor_turn(f->reactor, REACTOR_FOREVER), 4);
	assert_int_equal(reactor_turn(f->reactor, REACTOR_FOREVER), 4);
	fixture_drain(fds[0]);
	assert_int_equal(reactor_turn(f->reactor, REACTOR_FOREVER), 1);
	fixture_expect(f, "ea ea ea ia ea ea ea ia ea");
	reactor_revoke(&f->owner, true);
	fixture_close_pair(fds);
}

static void
r30_purge_by_handler_and_mask(void **state)
{
	struct fixture *f = *state;
	struct probe p, q;

	probe_init(&p, f, 'a');
	probe_init(&q, f, 'b');
	assert_int_equal(notify(f, &p, BERTH_READ), 0);
	assert_int_equal(notify(f, &q, BERTH_READ), 0);
	assert_int_equal(notify(f, &p, BERTH_READ | BERTH_WRITE), 0);
	assert_int_equal(notify(f, &p, BERTH_EXCEPT), 0);
	assert_int_equal(reactor_purge(&f->owner, &p.handler, BERTH_READ), 1);
	assert_int_equal(reactor_purge(&f->owner, &p.handler, BERTH_EXCEPT), 1);
	assert_int_equal(reactor_turn(f->reactor, 0), 2);
	fixture_expect(f, "ib oa");
	assert_int_equal(notify(f, &p, BERTH_READ), 0);
	assert_int_equal(reactor_purge(&f->owner, &p.handler, 0), 1);
	assert_int_equal(reactor_purge(&f->owner, &p.handler, 0), 0);
	assert_int_equal(reactor_turn(f->reactor, 0), 0);
	assert_int_equal(f->owner.posts, 0);
}

static int
purge_self(struct probe *p, int fd)
{
	struct fixture *f = p->context;

	(void)fd;
	assert_int_equal(reactor_purge(&f->owner, &p->handler, 0), 0);
	return -1;
}

/* The handler might be freed: nothing of it is called after that. */
static void
r30_purge_in_its_own_hook(void **state)
{
	struct fixture *f = *state;
	struct probe p;

	probe_init(&p, f, 'a');
	p.act = purge_self;
	p.context = f;
	assert_int_equal(notify(f, &p, BERTH_READ | BERTH_WRITE), 0);
	assert_int_equal(reactor_turn(f->reactor, 0), 1);
	fixture_expect(f, "oa");
	assert_int_equal(f->owner.posts, 0);
}

static int
notify_more(struct probe *p, int fd)
{
	struct fixture *f = p->context;

	(void)fd;
	return p->calls < 1000 ? notify(f, p, BERTH_EXCEPT) : 0;
}

static void
r30_a_million_from_the_loop(void **state)
{
	struct fixture *f = *state;
	struct probe p;
	int called = 0;

	probe_init(&p, f, 'a');
	for (int i = 0; i < 1000000; i++)
		assert_int_equal(notify(f, &p, BERTH_EXCEPT), 0);
	while (called < 1000000)
		called += reactor_turn(f->reactor, REACTOR_FOREVER);
	assert_int_equal(p.calls, 1000000);
	/* From within: each comes in a turn of its own. */
	p.calls = 0;
	p.act = notify_more;
	p.context = f;
	assert_int_equal(notify(f, &p, BERTH_EXCEPT), 0);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(reactor_turn(f->reactor, REACTOR_FOREVER), 1);
	assert_int_equal(reactor_turn(f->reactor, 0), 0);
}

/* --- from other threads ------------------------------------------------------
 */

enum { THREADS = 4, EACH = 20000 };

struct sender {
	struct fixture *f;
	struct probe *probe;
	pthread_t thread;
	unsigned next;	/* seen by the loop */
	unsigned wrong; /* out of order */
	unsigned posted;
};

struct item {
	struct sender *sender;
	unsigned number;
};

static void
take_item(void *arg)
{
	struct item *item = arg;

	item->sender->wrong += item->number != item->sender->next;
	item->sender->next++;
	free(item);
}

static void *
send_all(void *arg)
{
	struct sender *s = arg;

	for (unsigned i = 0; i < EACH; i++) {
		struct item *item = malloc(sizeof(*item));

		if (item == NULL)
			break;
		*item = (struct item){s, i};
		if (reactor_post(&s->f->owner, take_item, item) < 0 ||
		    reactor_notify(
			&s->f->owner, &s->probe->handler, BERTH_EXCEPT) < 0)
			break;
		s->posted++;
	}
	return NULL;
}

static void
r30_none_lost_from_many_threads(void **state)
{
	struct fixture *f = *state;
	struct sender senders[THREADS];
	struct probe p;
	unsigned called = 0;

	probe_init(&p, f, 'a');
	for (int i = 0; i < THREADS; i++) {
		senders[i] = (struct sender){.f = f, .probe = &p};
		assert_int_equal(pthread_create(&senders[i].thread, NULL,
				     send_all, &senders[i]),
		    0);
	}
	while (called < 2 * THREADS * EACH)
		called += (unsigned)reactor_turn(f->reactor, REACTOR_FOREVER);
	for (int i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(senders[i].thread, NULL), 0);
		assert_int_equal(senders[i].posted, EACH);
		assert_int_equal(senders[i].next, EACH);
		assert_int_equal(senders[i].wrong, 0);
	}
	assert_int_equal(p.calls, THREADS * EACH);
	assert_int_equal(f->owner.posts, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    FIXTURE_TEST(r30_wake_only),
	    FIXTURE_TEST(r30_hooks_by_mask_without_registration),
	    FIXTURE_TEST(r21_results_of_notified_hooks),
	    cmocka_unit_test_setup_teardown(r30_limited_number_a_turn,
		fixture_setup_limit, fixture_teardown),
	    FIXTURE_TEST(r30_purge_by_handler_and_mask),
	    FIXTURE_TEST(r30_purge_in_its_own_hook),
	    FIXTURE_TEST(r30_a_million_from_the_loop),
	    FIXTURE_TEST(r30_none_lost_from_many_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
