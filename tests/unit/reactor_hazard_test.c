/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What goes wrong in event loops: hooks that remove, close and reuse while a
 * batch is being called; hang-ups; duplicates; calls of epoll_ctl(2) that
 * nobody needs, which are counted here.
 */
#include <sys/epoll.h>
#include <sys/eventfd.h>

#include "unit/reactor_fixture.h"

static unsigned controls;
int __real_epoll_ctl(int, int, int, struct epoll_event *);
int __wrap_epoll_ctl(int, int, int, struct epoll_event *);

int
__wrap_epoll_ctl(int set, int op, int fd, struct epoll_event *event)
{
	controls++;
	return __real_epoll_ctl(set, op, fd, event);
}

static int
add(struct fixture *f, struct probe *p, int fd, unsigned mask)
{
	return reactor_add(&f->owner, &p->handler, fd, mask);
}

/* Two handlers in one batch; whichever comes first does it to the other. */
struct couple {
	struct fixture *f;
	struct probe probes[2];
	struct probe third;
	int fds[2];
	bool done;
	bool reuse;
};

static int
end_the_other(struct probe *p, int fd)
{
	struct couple *c = p->context;
	int other = c->fds[fd == c->fds[0]];

	if (c->done)
		return 0;
	c->done = true;
	assert_int_equal(
	    reactor_remove(&c->f->owner, other, BERTH_READ | BERTH_DONT_CALL),
	    0);
	close(other);
	if (!c->reuse)
		return 0;
	/* The number comes back, with nothing to read. */
	assert_int_equal(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), other);
	assert_int_equal(add(c->f, &c->third, other, BERTH_READ), 0);
	return 0;
}

static int
end_itself(struct probe *p, int fd)
{
	struct couple *c = p->context;

	assert_int_equal(
	    reactor_remove(&c->f->owner, fd, BERTH_READ | BERTH_DONT_CALL), 0);
	close(fd);
	if (c->reuse) {
		assert_int_equal(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), fd);
		assert_int_equal(add(c->f, &c->third, fd, BERTH_READ), 0);
	}
	return -1;
}

static void
run_couple(struct fixture *f, probe_fn *act, bool reuse, int expected)
{
	struct couple c = {.f = f, .reuse = reuse};

	probe_init(&c.third, f, 'c');
	for (int i = 0; i < 2; i++) {
		probe_init(&c.probes[i], f, (char)('a' + i));
		c.probes[i].act = act;
		c.probes[i].context = &c;
		c.fds[i] = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);
	}
	if (act == end_itself)
		c.probes[1].act = NULL;
	for (int i = 0; i < 2; i++)
		assert_int_equal(add(f, &c.probes[i], c.fds[i], BERTH_READ), 0);
	assert_int_equal(reactor_turn(f->reactor, 0), expected);
	assert_int_equal(c.third.calls, 0);
	assert_int_equal(c.probes[0].closes + c.probes[1].closes, 0);
	assert_int_equal(c.third.closes, 0);
	assert_int_equal(f->owner.descriptors, reuse ? 2 : 1);
	reactor_revoke(&f->owner, true);
	close(c.fds[0]);
	close(c.fds[1]);
	f->record.size = 0;
}

static void
rct2_close_one_while_handling_another(void **state)
{
	run_couple(*state, end_the_other, false, 1);
}

static void
rct2_reused_number_gets_no_stale_event(void **state)
{
	run_couple(*state, end_the_other, true, 1);
}

static void
rct2_self_removal(void **state)
{
	run_couple(*state, end_itself, false, 2);
	run_couple(*state, end_itself, true, 2);
}

static int
mask_other(struct probe *p, int fd)
{
	struct couple *c = p->context;

	return reactor_mask(
	    &c->f->owner, c->fds[fd == c->fds[0]], BERTH_READ, 0);
}

static int
hold_other(struct probe *p, int fd)
{
	struct couple *c = p->context;

	return reactor_hold(
	    &c->f->owner, &c->probes[fd == c->fds[0]].handler, true);
}

/* Neither does what was collected reach them. */
static void
rct2_masked_or_held_in_the_batch(void **state)
{
	struct fixture *f = *state;
	static probe_fn *const acts[] = {mask_other, hold_other};

	for (unsigned i = 0; i < BASE_COUNT(acts); i++) {
		struct couple c = {.f = f};

		for (int j = 0; j < 2; j++) {
			probe_init(&c.probes[j], f, (char)('a' + j));
			c.probes[j].act = acts[i];
			c.probes[j].context = &c;
			c.fds[j] = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);
			assert_int_equal(
			    add(f, &c.probes[j], c.fds[j], BERTH_READ), 0);
		}
		assert_int_equal(reactor_turn(f->reactor, 0), 1);
		assert_int_equal(reactor_turn(f->reactor, 0), 1);
		reactor_revoke(&f->owner, true);
		close(c.fds[0]);
		close(c.fds[1]);
	}
}

static int
grow_table(struct probe *p, int fd)
{
	struct couple *c = p->context;
	int high = fcntl(fd, F_DUPFD_CLOEXEC, 900);

	assert_true(high >= 900);
	assert_int_equal(add(c->f, &c->third, high, 0), 0);
	assert_int_equal(reactor_remove(&c->f->owner, high, BERTH_READ), 0);
	close(high);
	return 1;
}

/* The table moves while a hook runs. */
static void
rct2_table_grows_in_a_hook(void **state)
{
	struct fixture *f = *state;
	struct couple c = {.f = f};
	struct probe p;
	int fd = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);

	probe_init(&c.third, f, 'c');
	probe_init(&p, f, 'a');
	p.act = grow_table;
	p.context = &c;
	assert_int_equal(add(f, &p, fd, BERTH_READ), 0);
	assert_int_equal(reactor_turn(f->reactor, 0), 1);
	assert_int_equal(reactor_turn(f->reactor, 0), 1);
	reactor_revoke(&f->owner, true);
	close(fd);
}

static void
rct7_removed_before_close_a_duplicate_is_silent(void **state)
{
	struct fixture *f = *state;
	struct probe p;
	int fd = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);

	probe_init(&p, f, 'a');
	p.results[0] = -1;
	assert_int_equal(add(f, &p, fd, BERTH_READ), 0);
	assert_int_equal(reactor_turn(f->reactor, 0), 1);
	close(fd);
	assert_int_equal(reactor_turn(f->reactor, 0), 0);
	fixture_expect(f, "ia ca");
	close(copy);
}

/* Closed too soon while a duplicate lives: the set is made anew. */
static void
rct7_closed_before_removal_does_not_spin(void **state)
{
	struct fixture *f = *state;
	struct probe p, other;
	int fd = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);
	int kept = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);

	probe_init(&p, f, 'a');
	probe_init(&other, f, 'b');
	assert_int_equal(add(f, &p, fd, BERTH_READ), 0);
	assert_int_equal(add(f, &other, kept, BERTH_READ), 0);
	close(fd);
	reactor_revoke(&f->owner, true);
	assert_int_equal(add(f, &other, kept, BERTH_READ), 0);
	assert_int_equal(reactor_turn(f->reactor, 0), 0);
	/* With the duplicate still readable this turn would not wait. */
	{
		struct mono before = mono_now();

		assert_int_equal(reactor_turn(f->reactor, MONO_MS(5)), 0);
		assert_true(mono_now().ns - before.ns >= MONO_MS(5));
	}
	/* All else works in the new set: descriptors, timers, posts. */
	assert_int_equal(eventfd_write(kept, 1), 0);
	assert_int_equal(reactor_turn(f->reactor, 0), 1);
	fixture_expect(f, "ib");
	assert_int_equal(reactor_mask(&f->owner, kept, BERTH_READ, 0), 0);
	assert_int_equal(
	    reactor_schedule(&f->owner, &p.handler, NULL, MONO_MS(1), 0, NULL),
	    0);
	assert_int_equal(reactor_turn(f->reactor, REACTOR_FOREVER), 1);
	reactor_wake(f->reactor);
	assert_int_equal(reactor_turn(f->reactor, REACTOR_FOREVER), 0);
	reactor_revoke(&f->owner, true);
	close(copy);
	close(kept);
}

/* Closed too soon, and the number is somebody else's: it is theirs. */
static void
rct7_closed_before_removal_does_not_block_the_number(void **state)
{
	struct fixture *f = *state;
	struct reactor_owner other;
	struct probe p, q;

	probe_init(&p, f, 'p');
	probe_init(&q, f, 'q');
	assert_int_equal(reactor_owner_init(&other, f->reactor, "other"), 0);
	for (int i = 0; i < 4; i++) {
		struct probe *next = i & 1 ? &q : &p;
		int fd = i & 2 ? open("/dev/null", O_RDONLY | O_CLOEXEC)
			       : eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

		assert_int_equal(add(f, &p, fd, BERTH_READ), 0);
		close(fd);
		assert_int_equal(eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK), fd);
		assert_int_equal(reactor_add(i & 1 ? &other : &f->owner,
				     &next->handler, fd, BERTH_READ),
		    0);
		assert_int_equal(reactor_turn(f->reactor, 0), 1);
		fixture_expect(f, i & 1 ? "iq" : "ip");
		assert_int_equal(other.descriptors, i & 1);
		assert_int_equal(f->owner.descriptors, !(i & 1));
		reactor_revoke(&f->owner, true);
		reactor_revoke(&other, true);
		close(fd);
	}
	assert_int_equal(p.closes + q.closes, 0);
	reactor_owner_fini(&other);
}

struct hangup_case {
	unsigned mask;
	const char *expected;
};

static void
rct6_hangups_come_unasked(void **state)
{
	static const struct hangup_case cases[] = {
	    {BERTH_READ, "ia"},
	    {BERTH_ACCEPT, "ia"},
	    {BERTH_WRITE, "oa"},
	    {BERTH_CONNECT, "oa"},
	    {BERTH_EXCEPT, "ea"},
	    {BERTH_READ | BERTH_WRITE, "oa ia"},
	    {0, ""},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < BASE_COUNT(cases); i++) {
		struct probe p;
		int fds[2];

		fixture_pair(fds);
		probe_init(&p, f, 'a');
		assert_int_equal(add(f, &p, fds[0], cases[i].mask), 0);
		assert_int_equal(reactor_turn(f->reactor, 0),
		    (cases[i].mask & (BERTH_WRITE | BERTH_CONNECT)) != 0);
		f->record.size = 0;
		close(fds[1]);
		(void)reactor_turn(f->reactor, 0);
		fixture_expect(f, cases[i].expected);
		reactor_revoke(&f->owner, true);
		close(fds[0]);
	}
}

/* Nothing asked for, and the peer gone: the loop waits, and tells later. */
static void
rct6_hangup_with_empty_mask_does_not_spin(void **state)
{
	struct fixture *f = *state;
	struct probe p;
	struct mono before;
	int fds[2];

	fixture_pair(fds);
	probe_init(&p, f, 'a');
	assert_int_equal(add(f, &p, fds[0], BERTH_READ), 0);
	assert_int_equal(reactor_mask(&f->owner, fds[0], BERTH_READ, 0), 0);
	close(fds[1]);
	(void)reactor_turn(f->reactor, 0);
	(void)reactor_turn(f->reactor, 0);
	before = mono_now();
	assert_int_equal(reactor_turn(f->reactor, MONO_MS(5)), 0);
	assert_true(mono_now().ns - before.ns >= MONO_MS(5));
	assert_int_equal(reactor_mask(&f->owner, fds[0], 0, BERTH_READ), 0);
	assert_int_equal(reactor_turn(f->reactor, 0), 1);
	fixture_expect(f, "ia");
	reactor_revoke(&f->owner, true);
	close(fds[0]);
}

static void
speed_epoll_ctl_only_for_a_change(void **state)
{
	struct fixture *f = *state;
	struct probe p;
	int fds[2];

	fixture_pair(fds);
	probe_init(&p, f, 'a');
	controls = 0;
	assert_int_equal(add(f, &p, fds[0], BERTH_READ), 0);
	assert_int_equal(controls, 1);
	assert_int_equal(
	    reactor_mask(&f->owner, fds[0], BERTH_WRITE, BERTH_READ), 0);
	assert_int_equal(
	    reactor_mask(&f->owner, fds[0], BERTH_READ, BERTH_ACCEPT), 0);
	for (int i = 0; i < 10; i++) {
		fixture_feed(fds[1]);
		assert_int_equal(reactor_turn(f->reactor, 0), 1);
	}
	assert_int_equal(controls, 1);
	assert_int_equal(reactor_mask(&f->owner, fds[0], 0, BERTH_WRITE), 0);
	assert_int_equal(controls, 2);
	assert_int_equal(reactor_hold(&f->owner, &p.handler, true), 0);
	assert_int_equal(reactor_mask(&f->owner, fds[0], BERTH_WRITE, 0), 0);
	assert_int_equal(controls, 3);
	reactor_revoke(&f->owner, true);
	assert_int_equal(controls, 4);
	fixture_close_pair(fds);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    FIXTURE_TEST(rct2_close_one_while_handling_another),
	    FIXTURE_TEST(rct2_reused_number_gets_no_stale_event),
	    FIXTURE_TEST(rct2_self_removal),
	    FIXTURE_TEST(rct2_masked_or_held_in_the_batch),
	    FIXTURE_TEST(rct2_table_grows_in_a_hook),
	    FIXTURE_TEST(rct6_hangups_come_unasked),
	    FIXTURE_TEST(rct6_hangup_with_empty_mask_does_not_spin),
	    FIXTURE_TEST(rct7_removed_before_close_a_duplicate_is_silent),
	    FIXTURE_TEST(rct7_closed_before_removal_does_not_spin),
	    FIXTURE_TEST(rct7_closed_before_removal_does_not_block_the_number),
	    FIXTURE_TEST(speed_epoll_ctl_only_for_a_change),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
