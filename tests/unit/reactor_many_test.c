/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Many descriptors.
 */
#include <sys/eventfd.h>

#include "unit/reactor_fixture.h"

static int
add(struct fixture *f, struct probe *p, int fd, unsigned mask)
{
	return reactor_add(&f->owner, &p->handler, fd, mask);
}

static void
r26_all_ready_before_any_twice(void **state)
{
	struct fixture *f = *state;
	enum { COUNT = 500 };
	static struct probe probes[COUNT];
	static int fds[COUNT];
	unsigned most = 0, called = 0;

	for (int i = 0; i < COUNT; i++) {
		fds[i] = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);
		probe_init(&probes[i], f, 'x');
		assert_int_equal(add(f, &probes[i], fds[i], BERTH_READ), 0);
	}
	/* None reads, so all stay ready; one turn serves them all. */
	assert_true(reactor_turn(f->reactor, REACTOR_FOREVER) >= COUNT);
	for (int i = 0; i < COUNT; i++) {
		called += probes[i].calls != 0;
		if (probes[i].calls > most)
			most = probes[i].calls;
	}
	assert_int_equal(called, COUNT);
	assert_true(most <= 2);
	reactor_revoke(&f->owner, true);
	for (int i = 0; i < COUNT; i++)
		close(fds[i]);
}

static void
r37_five_thousand_descriptors(void **state)
{
	struct fixture *f = *state;
	enum { COUNT = 5000 };
	static struct probe probes[COUNT];
	static int fds[COUNT];

	assert_int_equal(fd_raise_limit(), 0);
	for (int i = 0; i < COUNT; i++) {
		fds[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		assert_true(fds[i] >= 0);
		probe_init(&probes[i], f, 'x');
		assert_int_equal(add(f, &probes[i], fds[i], BERTH_READ), 0);
	}
	assert_int_equal(f->owner.descriptors, COUNT);
	assert_int_equal(reactor_turn(f->reactor, 0), 0);
	for (int i = 0; i < COUNT; i++) {
		assert_int_equal(eventfd_write(fds[i], 1), 0);
		if (i % 2 == 0)
			continue;
		assert_int_equal(reactor_turn(f->reactor, 0), 2);
		assert_int_equal(eventfd_read(fds[i], &(eventfd_t){0}), 0);
		assert_int_equal(eventfd_read(fds[i - 1], &(eventfd_t){0}), 0);
	}
	for (int i = 0; i < COUNT; i++)
		assert_int_equal(probes[i].calls, 1);
	reactor_revoke(&f->owner, false);
	for (int i = 0; i < COUNT; i++) {
		assert_int_equal(probes[i].closes, 1);
		close(fds[i]);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    FIXTURE_TEST(r26_all_ready_before_any_twice),
	    FIXTURE_TEST(r37_five_thousand_descriptors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
