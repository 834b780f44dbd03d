/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Descriptors: masks, results of hooks, order of dispatch, and the hazards of
 * hooks that remove, close and add.  Names begin with the requirement's row.
 */
#include "unit/reactor_fixture.h"

static void
r22_negative_ends_one_event(void **state)
{
	struct fixture *f = *state;
	struct probe p;
	int fds[2];

	fixture_pair(fds);
	probe_init(&p, f, 'a');
	p.results[0] = -1;
	assert_int_equal(reactor_add(&f->owner, &p.handler, fds[0],
			     BERTH_READ | BERTH_WRITE),
	    0);
	assert_int_equal(reactor_turn(f->reactor, REACTOR_FOREVER), 1);
	fixture_expect(f, "oa ca");
	assert_int_equal(p.close_mask, BERTH_WRITE);
	assert_int_equal(p.close_fd, fds[0]);
	assert_int_equal(f->owner.descriptors, 1);

	assert_int_equal(write(fds[1], "x", 1), 1);
	assert_int_equal(reactor_turn(f->reactor, REACTOR_FOREVER), 1);
	fixture_expect(f, "ia");
	assert_int_equal(reactor_remove(&f->owner, fds[0], BERTH_READ), 0);
	fixture_expect(f, "ca");
	assert_int_equal(p.close_mask, BERTH_READ);
	assert_int_equal(f->owner.descriptors, 0);
	assert_int_equal(
	    reactor_remove(&f->owner, fds[0], BERTH_READ), -ENOENT);
	close(fds[0]);
	close(fds[1]);
}

static void
r26_all_ready_before_the_next_wait(void **state)
{
	struct fixture *f = *state;
	enum { COUNT = 500 };
	static struct probe probes[COUNT];
	static int pairs[COUNT][2];
	struct record ignored;
	unsigned called = 0;

	for (int i = 0; i < COUNT; i++) {
		fixture_pair(pairs[i]);
		probe_init(&probes[i], f, 'x');
		probes[i].record = &ignored;
		ignored.size = sizeof(ignored.text);
		assert_int_equal(write(pairs[i][1], "x", 1), 1);
		assert_int_equal(reactor_add(&f->owner, &probes[i].handler,
				     pairs[i][0], BERTH_READ),
		    0);
	}
	/* None reads: all stay ready. */
	while (called < COUNT) {
		unsigned least = UINT32_MAX, most = 0;

		assert_true(reactor_turn(f->reactor, REACTOR_FOREVER) > 0);
		called = 0;
		for (int i = 0; i < COUNT; i++) {
			called += probes[i].calls != 0;
			if (probes[i].calls < least)
				least = probes[i].calls;
			if (probes[i].calls > most)
				most = probes[i].calls;
		}
		assert_true(called == COUNT || most == 1);
	}
	reactor_revoke(&f->owner, true);
	for (int i = 0; i < COUNT; i++) {
		close(pairs[i][0]);
		close(pairs[i][1]);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		r22_negative_ends_one_event, fixture_setup, fixture_teardown),
	    cmocka_unit_test_setup_teardown(r26_all_ready_before_the_next_wait,
		fixture_setup, fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
