/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Timers, on a clock that the test sets.  Allocations are counted.
 */
#include "unit/reactor_fixture.h"

static unsigned allocations;

void *__real_malloc(size_t);
void *__real_calloc(size_t, size_t);
void *__real_realloc(void *, size_t);
void *__wrap_malloc(size_t);
void *__wrap_calloc(size_t, size_t);
void *__wrap_realloc(void *, size_t);

void *
__wrap_malloc(size_t size)
{
	allocations++;
	return __real_malloc(size);
}

void *
__wrap_calloc(size_t count, size_t size)
{
	allocations++;
	return __real_calloc(count, size);
}

void *
__wrap_realloc(void *old, size_t size)
{
	allocations++;
	return __real_realloc(old, size);
}

static berth_timer_id
schedule(struct fixture *f, struct probe *p, void *token, uint64_t delay,
    uint64_t interval)
{
	berth_timer_id id = 0;

	assert_int_equal(reactor_schedule(&f->owner, &p->handler, token, delay,
			     interval, &id),
	    0);
	assert_int_not_equal(id, 0);
	return id;
}

static void
r28_once_and_periodic_with_tokens(void **state)
{
	struct fixture *f = *state;
	struct probe p;
	char once, every;
	void *token = NULL;
	berth_timer_id id;

	probe_init(&p, f, 'a');
	(void)schedule(f, &p, &once, 100, 0);
	id = schedule(f, &p, &every, 200, 50);
	assert_int_equal(f->owner.timers, 2);
	assert_int_equal(fixture_turn_at(f, 1000099), 0);
	assert_int_equal(
	    fixture_turn_at(f, 1000100), 1); /* due at the time itself */
	assert_ptr_equal(p.token, &once);
	assert_int_equal(f->owner.timers, 1);
	assert_int_equal(fixture_turn_at(f, 1000199), 0);
	for (uint64_t at = 1000200; at < 1000500; at += 50) {
		assert_int_equal(fixture_turn_at(f, at), 1);
		assert_ptr_equal(p.token, &every);
		assert_int_equal(fixture_turn_at(f, at + 49), 0);
	}
	assert_int_equal(reactor_cancel(&f->owner, id, &token), 0);
	assert_ptr_equal(token, &every);
	assert_int_equal(reactor_cancel(&f->owner, id, &token), -ENOENT);
	assert_int_equal(fixture_turn_at(f, 2000000), 0);
	assert_int_equal(p.closes, 0);
}

static void
r28_missed_periods_are_skipped(void **state)
{
	struct fixture *f = *state;
	struct probe p;

	probe_init(&p, f, 'a');
	(void)schedule(f, &p, NULL, 100, 100);
	assert_int_equal(fixture_turn_at(f, 1000950), 1);
	assert_int_equal(fixture_turn_at(f, 1000999), 0);
	assert_int_equal(fixture_turn_at(f, 1001000), 1); /* still in step */
	assert_int_equal(fixture_turn_at(f, 1001100), 1);
	assert_int_equal(fixture_turn_at(f, 1001200), 1);
	assert_int_equal(reactor_turn(f->reactor, 0), 0);
}

static void
r28_cancel_by_handler(void **state)
{
	struct fixture *f = *state;
	struct probe p, q;
	struct reactor_owner other;

	probe_init(&p, f, 'a');
	probe_init(&q, f, 'b');
	assert_int_equal(reactor_owner_init(&other, f->reactor, "other"), 0);
	for (int i = 0; i < 3; i++) {
		(void)schedule(f, &p, NULL, 100, 0);
		(void)schedule(f, &q, NULL, 100, 0);
	}
	assert_int_equal(reactor_cancel_all(&other, &p.handler), 0);
	assert_int_equal(reactor_cancel_all(&f->owner, &p.handler), 3);
	assert_int_equal(reactor_cancel_all(&f->owner, &p.handler), 0);
	assert_int_equal(reactor_cancel_all(&f->owner, NULL), -EINVAL);
	assert_int_equal(fixture_turn_at(f, 1000100), 3);
	fixture_expect(f, "tb tb tb");
	reactor_owner_fini(&other);
}

static void
r23_cancel_is_silent_negative_is_not(void **state)
{
	struct fixture *f = *state;
	struct probe p;
	berth_timer_id id;

	probe_init(&p, f, 'a');
	id = schedule(f, &p, NULL, 100, 0);
	assert_int_equal(reactor_cancel(&f->owner, id, NULL), 0);
	assert_int_equal(p.closes, 0);
	/* A negative result: a periodic one ends, both are told. */
	for (uint64_t interval = 0; interval <= 10; interval += 10) {
		p.calls = p.closes = 0;
		p.results[0] = -1;
		id = schedule(f, &p, NULL, 0, interval);
		assert_int_equal(reactor_turn(f->reactor, 0), 1);
		assert_int_equal(p.closes, 1);
		assert_int_equal(p.close_fd, -1);
		assert_int_equal(p.close_mask, BERTH_TIMER);
		assert_int_equal(reactor_cancel(&f->owner, id, NULL), -ENOENT);
		assert_int_equal(f->owner.timers, 0);
	}
}

struct self_cancel {
	struct fixture *f;
	berth_timer_id id;
	bool all;
	int result;
};

static int
cancel_self(struct probe *p, int fd)
{
	struct self_cancel *c = p->context;

	(void)fd;
	c->result = c->all ? reactor_cancel_all(&c->f->owner, &p->handler)
			   : reactor_cancel(&c->f->owner, c->id, NULL);
	return -1;
}

/* Then a negative result is not told: the handler may be freed by then. */
static void
r28_cancel_in_its_own_timeout(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 4; i++) {
		struct self_cancel c = {.f = f, .all = i & 1};
		bool once = i & 2;
		struct probe p;

		probe_init(&p, f, 'a');
		p.act = cancel_self;
		p.context = &c;
		c.id = schedule(f, &p, NULL, 0, once ? 0 : 10);
		assert_int_equal(reactor_turn(f->reactor, 0), 1);
		assert_int_equal(c.result, c.all ? !once : once ? -ENOENT : 0);
		assert_int_equal(f->owner.timers, 0);
		assert_int_equal(p.closes, 0);
		assert_int_equal(
		    fixture_turn_at(f, atomic_load(&f->now_ns) + 100), 0);
	}
}

static int
schedule_now(struct probe *p, int fd)
{
	struct fixture *f = p->context;

	(void)fd;
	if (p->calls == 1)
		(void)schedule(f, p, NULL, 0, 0);
	return 0;
}

static void
r28_order_and_newcomers(void **state)
{
	struct fixture *f = *state;
	struct probe a, b, c;

	probe_init(&a, f, 'a');
	probe_init(&b, f, 'b');
	probe_init(&c, f, 'c');
	a.act = schedule_now;
	a.context = f;
	(void)schedule(f, &c, NULL, 300, 0);
	(void)schedule(f, &b, NULL, 200, 0);
	(void)schedule(f, &a, NULL, 100, 0);
	(void)schedule(f, &b, NULL, 300, 0); /* equal: as scheduled */
	assert_int_equal(fixture_turn_at(f, 1000300), 4);
	fixture_expect(f, "ta tb tc tb");
	/* The clock stands; what a hook adds comes in the next turn. */
	assert_int_equal(reactor_turn(f->reactor, REACTOR_FOREVER), 1);
	fixture_expect(f, "ta");
	assert_int_equal(reactor_turn(f->reactor, 0), 0);
}

static void
r28_arguments_and_ids(void **state)
{
	static const struct berth_handler_type none = {.close = NULL};
	struct fixture *f = *state;
	struct berth_handler bare = {&none};
	struct reactor_owner other;
	struct probe p;
	berth_timer_id id, last = 0;

	probe_init(&p, f, 'a');
	assert_int_equal(
	    reactor_schedule(&f->owner, NULL, NULL, 0, 0, NULL), -EINVAL);
	assert_int_equal(
	    reactor_schedule(&f->owner, &bare, NULL, 0, 0, NULL), -EINVAL);
	assert_int_equal(reactor_cancel(&f->owner, 0, NULL), -ENOENT);
	assert_int_equal(reactor_cancel(&f->owner, UINT64_MAX, NULL), -ENOENT);
	/* No id comes back, though places do. */
	for (int i = 0; i < 1000; i++) {
		id = schedule(f, &p, NULL, 100, 0);
		assert_true(id != last);
		assert_int_equal(
		    reactor_cancel(&f->owner, last, NULL), -ENOENT);
		assert_int_equal(reactor_cancel(&f->owner, id, NULL), 0);
		last = id;
	}
	/* Another owner's are not ours. */
	assert_int_equal(reactor_owner_init(&other, f->reactor, "other"), 0);
	id = schedule(f, &p, NULL, 100, 0);
	assert_int_equal(reactor_cancel(&other, id, NULL), -ENOENT);
	assert_int_equal(reactor_cancel(&f->owner, id, NULL), 0);
	reactor_owner_fini(&other);
	/* For ever is not at once. */
	(void)schedule(f, &p, NULL, UINT64_MAX, UINT64_MAX);
	assert_int_equal(fixture_turn_at(f, UINT64_MAX / 2), 0);
}

/* A day forward or back: nothing fires twice, nothing is lost. */
static void
r29_clock_that_jumps(void **state)
{
	const uint64_t day = UINT64_C(86400) * 1000000000;
	struct fixture *f = *state;
	struct probe p, q;

	atomic_store(&f->now_ns, 2 * day);
	probe_init(&p, f, 'a');
	probe_init(&q, f, 'b');
	(void)schedule(f, &p, NULL, 100, 0);
	(void)schedule(f, &q, NULL, 100, 1000);
	assert_int_equal(fixture_turn_at(f, 3 * day), 2);
	assert_int_equal(fixture_turn_at(f, 3 * day), 0);
	assert_int_equal(fixture_turn_at(f, day), 0);
	(void)schedule(f, &p, NULL, 100, 0);
	assert_int_equal(fixture_turn_at(f, day + 100), 1);
	assert_int_equal(fixture_turn_at(f, 3 * day), 0);
	assert_int_equal(fixture_turn_at(f, 3 * day + 1000), 1);
}

static void
r38_no_allocation_in_steady_state(void **state)
{
	struct fixture *f = *state;
	berth_timer_id ids[100];
	struct probe p;
	int fds[2];

	fixture_pair(fds);
	probe_init(&p, f, 'a');
	p.drain = true;
	assert_int_equal(
	    reactor_add(&f->owner, &p.handler, fds[0], BERTH_READ), 0);
	assert_int_equal(
	    reactor_notify(&f->owner, &p.handler, BERTH_EXCEPT), 0);
	assert_int_equal(reactor_turn(f->reactor, 0), 1);
	allocations = 0;
	for (int round = 0; round < 100; round++) {
		for (int i = 0; i < 100; i++)
			ids[i] = schedule(f, &p, NULL, 100 + (uint64_t)i, 0);
		for (int i = 0; i < 100; i += 2)
			assert_int_equal(
			    reactor_cancel(&f->owner, ids[i], NULL), 0);
		assert_int_equal(
		    reactor_notify(&f->owner, &p.handler, BERTH_EXCEPT), 0);
		fixture_feed(fds[1]);
		assert_int_equal(
		    fixture_turn_at(f, atomic_load(&f->now_ns) + 1000), 52);
		assert_int_equal(
		    reactor_mask(&f->owner, fds[0], BERTH_READ, 0), 0);
		assert_int_equal(
		    reactor_mask(&f->owner, fds[0], 0, BERTH_READ), 0);
	}
	assert_int_equal(allocations, 0);
	reactor_revoke(&f->owner, true);
	fixture_close_pair(fds);
}

#define FAKE_TEST(name)                                                        \
	cmocka_unit_test_setup_teardown(                                       \
	    name, fixture_setup_clock, fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    FAKE_TEST(r28_once_and_periodic_with_tokens),
	    FAKE_TEST(r28_missed_periods_are_skipped),
	    FAKE_TEST(r28_cancel_by_handler),
	    FAKE_TEST(r23_cancel_is_silent_negative_is_not),
	    FAKE_TEST(r28_cancel_in_its_own_timeout),
	    FAKE_TEST(r28_order_and_newcomers),
	    FAKE_TEST(r28_arguments_and_ids),
	    FAKE_TEST(r29_clock_that_jumps),
	    FAKE_TEST(r38_no_allocation_in_steady_state),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
