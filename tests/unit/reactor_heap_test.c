/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The heap of timers against a plain list, over many random operations and a
 * clock that jumps.
 */
#include "unit/reactor_fixture.h"

enum { MOST = 400 };

struct expected {
	uint64_t deadline;
	uint64_t interval;
	uint64_t age;
	uint64_t token;
	berth_timer_id id;
};

struct oracle {
	struct fixture *f;
	struct expected list[MOST];
	unsigned count;
	uint64_t age;
	uint64_t fired[MOST * 2]; /* tokens, by the oracle */
	unsigned fired_count;
	uint64_t called[MOST * 2]; /* tokens, by the reactor */
	unsigned called_count;
};

static void
oracle_insert(struct oracle *o, struct expected e)
{
	unsigned i = o->count++;

	assert_true(o->count <= MOST);
	e.age = ++o->age;
	while (i > 0 && o->list[i - 1].deadline > e.deadline) {
		o->list[i] = o->list[i - 1];
		i--;
	}
	o->list[i] = e;
}

static struct expected
oracle_take(struct oracle *o, unsigned i)
{
	struct expected e = o->list[i];

	memmove(&o->list[i], &o->list[i + 1],
	    (--o->count - i) * sizeof(o->list[0]));
	return e;
}

static void
oracle_expire(struct oracle *o, uint64_t now)
{
	o->fired_count = 0;
	while (o->count > 0 && o->list[0].deadline <= now) {
		struct expected e = oracle_take(o, 0);

		o->fired[o->fired_count++] = e.token;
		if (e.interval == 0)
			continue;
		e.deadline = now + e.interval - (now - e.deadline) % e.interval;
		oracle_insert(o, e);
	}
}

static int oracle_called(
    struct berth_handler *handler, uint64_t now, void *token);

static const struct berth_handler_type oracle_type = {.timeout = oracle_called};

struct oracle_handler {
	struct berth_handler handler;
	struct oracle *oracle;
};

static int
oracle_called(struct berth_handler *handler, uint64_t now, void *token)
{
	struct oracle *o =
	    BASE_CONTAINER(handler, struct oracle_handler, handler)->oracle;

	(void)now;
	o->called[o->called_count++] = (uint64_t)(uintptr_t)token;
	return 0;
}

static void
random_schedule(struct oracle *o, struct berth_handler *handler, uint64_t now)
{
	struct expected e = {
	    .deadline = now + (uint64_t)(random() % 2000), .token = o->age + 1};

	if (random() % 4 == 0)
		e.interval = 100 + (uint64_t)(random() % 1000);
	assert_int_equal(
	    reactor_schedule(&o->f->owner, handler, (void *)(uintptr_t)e.token,
		e.deadline - now, e.interval, &e.id),
	    0);
	oracle_insert(o, e);
}

static void
random_cancel(struct oracle *o)
{
	struct expected e = oracle_take(o, (unsigned)random() % o->count);
	void *token = NULL;

	assert_int_equal(reactor_cancel(&o->f->owner, e.id, &token), 0);
	assert_int_equal((uint64_t)(uintptr_t)token, e.token);
}

static void
advance(struct oracle *o, uint64_t now)
{
	oracle_expire(o, now);
	o->called_count = 0;
	assert_int_equal(fixture_turn_at(o->f, now), o->fired_count);
	assert_int_equal(o->called_count, o->fired_count);
	assert_memory_equal(
	    o->called, o->fired, o->fired_count * sizeof(o->fired[0]));
	assert_int_equal(o->f->owner.timers, o->count);
}

static void
r28_heap_equals_a_sorted_list(void **state)
{
	const uint64_t day = UINT64_C(86400) * 1000000000;
	static struct oracle o;
	struct oracle_handler handler = {{&oracle_type}, &o};
	uint64_t now = 10 * day;

	o.f = *state;
	srandom(4711);
	atomic_store(&o.f->now_ns, now);
	for (int i = 0; i < 200000; i++) {
		long what = random() % 100;

		if (what < 50 && o.count < MOST)
			random_schedule(&o, &handler.handler, now);
		else if (what < 70 && o.count > 0)
			random_cancel(&o);
		else if (what == 99 && random() % 100 == 0)
			now += random() % 2 == 0 ? day : -day;
		else
			now += (uint64_t)(random() % 100);
		if (what >= 70)
			advance(&o, now);
	}
	assert_true(o.age > 50000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(r28_heap_equals_a_sorted_list,
		fixture_setup_clock, fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
