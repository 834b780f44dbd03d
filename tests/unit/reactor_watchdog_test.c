/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The watchdog names the owner of a hook that lasts.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "unit/reactor_fixture.h"

struct reports {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	unsigned count;
	char owner[64];
	uint64_t busy_ms;
};

static void
overrun(void *context, const char *owner, uint64_t busy_ms)
{
	struct reports *r = context;

	pthread_mutex_lock(&r->lock);
	r->count++;
	snprintf(r->owner, sizeof(r->owner), "%s", owner);
	r->busy_ms = busy_ms;
	pthread_cond_broadcast(&r->changed);
	pthread_mutex_unlock(&r->lock);
}

/* The hook lasts until it was reported. */
static int
last_until_reported(struct probe *p, int fd)
{
	struct reports *r = p->context;

	(void)fd;
	pthread_mutex_lock(&r->lock);
	while (r->count == 0)
		pthread_cond_wait(&r->changed, &r->lock);
	pthread_mutex_unlock(&r->lock);
	/* It lasts on, for several limits, and is not reported again. */
	(void)usleep(150000);
	return 0;
}

static void
rct8_watchdog_names_the_owner(void **state)
{
	struct fixture *f = *state;
	struct reports reports = {.lock = PTHREAD_MUTEX_INITIALIZER,
	    .changed = PTHREAD_COND_INITIALIZER};
	struct reactor_owner slow;
	struct probe p;

	assert_int_equal(reactor_owner_init(&slow, f->reactor, "slow one"), 0);
	probe_init(&p, f, 'a');
	p.act = last_until_reported;
	p.context = &reports;
	assert_int_equal(
	    reactor_watchdog_start(f->reactor, 0, overrun, &reports), -EINVAL);
	assert_int_equal(
	    reactor_watchdog_start(f->reactor, 20, NULL, &reports), -EINVAL);
	assert_int_equal(
	    reactor_watchdog_start(f->reactor, 20, overrun, &reports), 0);
	assert_int_equal(
	    reactor_watchdog_start(f->reactor, 20, overrun, &reports), -EBUSY);
	/* A loop that waits is not busy. */
	assert_int_equal(reactor_turn(f->reactor, MONO_MS(100)), 0);
	assert_int_equal(reports.count, 0);
	assert_int_equal(reactor_notify(&slow, &p.handler, BERTH_READ), 0);
	assert_int_equal(reactor_turn(f->reactor, REACTOR_FOREVER), 1);
	reactor_watchdog_stop(f->reactor);
	reactor_watchdog_stop(f->reactor);
	assert_int_equal(reports.count, 1);
	assert_string_equal(reports.owner, "slow one");
	assert_true(reports.busy_ms >= 20);
	reactor_owner_fini(&slow);
}

/* Owners come and go while the watchdog looks. */
static void
rct8_watchdog_and_owners_that_go(void **state)
{
	struct fixture *f = *state;
	struct reports reports = {.lock = PTHREAD_MUTEX_INITIALIZER,
	    .changed = PTHREAD_COND_INITIALIZER};

	assert_int_equal(
	    reactor_watchdog_start(f->reactor, 1, overrun, &reports), 0);
	for (int i = 0; i < 2000; i++) {
		struct reactor_owner *owner = malloc(sizeof(*owner));
		char *name = strdup("for a moment");
		struct probe p;

		assert_non_null(owner);
		assert_non_null(name);
		probe_init(&p, f, 'a');
		assert_int_equal(
		    reactor_owner_init(owner, f->reactor, name), 0);
		assert_int_equal(
		    reactor_notify(owner, &p.handler, BERTH_READ), 0);
		assert_int_equal(reactor_turn(f->reactor, 0), 1);
		reactor_owner_fini(owner);
		free(owner);
		free(name);
	}
	/* reactor_free() stops it. */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    FIXTURE_TEST(rct8_watchdog_names_the_owner),
	    FIXTURE_TEST(rct8_watchdog_and_owners_that_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
