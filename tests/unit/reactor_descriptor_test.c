/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Descriptors: masks, results of hooks, order of dispatch, holding, what epoll
 * refuses.  A test's name begins with the requirement's row.
 */
#include <poll.h>
#include <netinet/in.h>

#include "unit/reactor_fixture.h"

static int
add(struct fixture *f, struct probe *p, int fd, unsigned mask)
{
	return reactor_add(&f->owner, &p->handler, fd, mask);
}

static void
rct1_arguments(void **state)
{
	static const struct berth_handler_type none = {.close = NULL};
	struct berth_handler bare = {&none}, typeless = {NULL};
	struct fixture *f = *state;
	struct probe p, q;
	int fds[2];

	fixture_pair(fds);
	probe_init(&p, f, 'a');
	probe_init(&q, f, 'b');
	assert_int_equal(add(f, &p, -1, BERTH_READ), -EBADF);
	assert_int_equal(add(f, &p, 9999, BERTH_READ), -EBADF);
	assert_int_equal(add(f, &p, INT32_MAX, BERTH_READ), -EBADF);
	assert_int_equal(add(f, &p, fds[0], BERTH_TIMER), -EINVAL);
	assert_int_equal(
	    reactor_add(&f->owner, NULL, fds[0], BERTH_READ), -EINVAL);
	assert_int_equal(
	    reactor_add(&f->owner, &typeless, fds[0], BERTH_READ), -EINVAL);
	for (unsigned bit = 1; bit & BERTH_IO_EVENTS; bit <<= 1)
		assert_int_equal(
		    reactor_add(&f->owner, &bare, fds[0], bit), -EINVAL);
	assert_int_equal(f->owner.descriptors, 0);

	assert_int_equal(add(f, &p, fds[0], BERTH_READ), 0);
	assert_int_equal(add(f, &q, fds[0], BERTH_WRITE), -EBUSY);
	assert_int_equal(
	    reactor_remove(&f->owner, fds[0], BERTH_WRITE), -ENOENT);
	assert_int_equal(reactor_remove(&f->owner, fds[0], 0), -EINVAL);
	assert_int_equal(reactor_remove(&f->owner, -1, BERTH_READ), -EBADF);
	assert_int_equal(reactor_mask(&f->owner, -1, 0, BERTH_READ), -EBADF);
	assert_int_equal(
	    reactor_mask(&f->owner, fds[1], 0, BERTH_READ), -ENOENT);
	assert_int_equal(
	    reactor_mask(&f->owner, fds[0], 0, BERTH_SIGNAL), -EINVAL);
	assert_int_equal(reactor_hold(&f->owner, &q.handler, true), -ENOENT);
	reactor_revoke(&f->owner, true);
	fixture_expect(f, "");
	fixture_close_pair(fds);
}

static void
rct1_events_are_independent(void **state)
{
	struct fixture *f = *state;
	struct probe p;
	int fds[2];

	fixture_pair(fds);
	fixture_feed(fds[1]);
	probe_init(&p, f, 'a');
	assert_int_equal(add(f, &p, fds[0], BERTH_READ), 0);
	assert_int_equal(add(f, &p, fds[0], BERTH_WRITE), 0);
	assert_int_equal(reactor_turn(f->reactor, 0), 2);
	fixture_expect(f, "oa ia");
	assert_int_equal(reactor_mask(&f->owner, fds[0], BERTH_READ, 0), 0);
	assert_int_equal(reactor_turn(f->reactor, 0), 1);
	fixture_expect(f, "oa");
	assert_int_equal(reactor_mask(&f->owner, fds[0], BERTH_WRITE, 0), 0);
	assert_int_equal(reactor_turn(f->reactor, 0), 0);
	assert_int_equal(f->owner.descriptors, 1);
	assert_int_equal(reactor_mask(&f->owner, fds[0], 0, BERTH_READ), 0);
	assert_int_equal(reactor_turn(f->reactor, 0), 1);
	fixture_expect(f, "ia");
	/* Removal tells which; the masked one counts as registered. */
	assert_int_equal(reactor_remove(&f->owner, fds[0], BERTH_WRITE), 0);
	assert_int_equal(p.close_mask, BERTH_WRITE);
	assert_int_equal(f->owner.descriptors, 1);
	assert_int_equal(reactor_remove(&f->owner, fds[0], BERTH_IO_EVENTS), 0);
	assert_int_equal(p.close_mask, BERTH_READ);
	assert_int_equal(f->owner.descriptors, 0);
	fixture_close_pair(fds);
}

static void
r21_positive_calls_again_with_others_between(void **state)
{
	struct fixture *f = *state;
	struct probe again, other;
	int a[2], b[2];

	fixture_pair(a);
	fixture_pair(b);
	fixture_feed(a[1]);
	fixture_feed(b[1]);
	probe_init(&again, f, 'a');
	probe_init(&other, f, 'b');
	again.drain = true;
	again.results[0] = again.results[1] = again.results[2] = 1;
	assert_int_equal(add(f, &again, a[0], BERTH_READ), 0);
	assert_int_equal(add(f, &other, b[0], BERTH_READ), 0);
	for (int i = 0; i < 6; i++)
		assert_true(reactor_turn(f->reactor, 0) > 0);
	assert_int_equal(again.calls, 4);
	/* The other, always ready, has its turn each time. */
	f->record.text[f->record.size] = '\0';
	assert_null(strstr(f->record.text, "ia ia"));
	assert_int_equal(other.calls, 6);
	reactor_revoke(&f->owner, true);
	fixture_close_pair(a);
	fixture_close_pair(b);
}

static void
r21_positive_does_not_block(void **state)
{
	struct fixture *f = *state;
	struct probe p;
	int fds[2];

	fixture_pair(fds);
	fixture_feed(fds[1]);
	probe_init(&p, f, 'a');
	p.drain = true;
	p.results[0] = p.results[1] = p.results[2] = 1;
	assert_int_equal(add(f, &p, fds[0], BERTH_READ), 0);
	for (int i = 0; i < 4; i++)
		assert_int_equal(reactor_turn(f->reactor, REACTOR_FOREVER), 1);
	assert_int_equal(reactor_turn(f->reactor, 0), 0);
	assert_int_equal(p.calls, 4);

	/* Ready for the kernel too: once a turn all the same. */
	p.calls = 0;
	p.drain = false;
	fixture_feed(fds[1]);
	assert_int_equal(reactor_turn(f->reactor, 0), 1);
	assert_int_equal(reactor_turn(f->reactor, 0), 1);
	assert_int_equal(p.calls, 2);

	/* What asked for it and was removed, held or masked is not called. */
	p.drain = true;
	p.calls = 0;
	assert_int_equal(reactor_turn(f->reactor, 0), 1);
	assert_int_equal(reactor_hold(&f->owner, &p.handler, true), 0);
	assert_int_equal(reactor_turn(f->reactor, 0), 0);
	assert_int_equal(reactor_hold(&f->owner, &p.handler, false), 0);
	assert_int_equal(reactor_turn(f->reactor, 0), 1);
	assert_int_equal(reactor_mask(&f->owner, fds[0], BERTH_READ, 0), 0);
	assert_int_equal(reactor_mask(&f->owner, fds[0], 0, BERTH_READ), 0);
	assert_int_equal(reactor_turn(f->reactor, 0), 0);
	assert_int_equal(p.calls, 2);
	reactor_revoke(&f->owner, true);
	fixture_close_pair(fds);
}

static void
r22_negative_ends_one_event(void **state)
{
	struct fixture *f = *state;
	struct probe p;
	int fds[2];

	fixture_pair(fds);
	probe_init(&p, f, 'a');
	p.results[0] = -1;
	assert_int_equal(add(f, &p, fds[0], BERTH_READ | BERTH_WRITE), 0);
	assert_int_equal(reactor_turn(f->reactor, REACTOR_FOREVER), 1);
	fixture_expect(f, "oa ca");
	assert_int_equal(p.close_mask, BERTH_WRITE);
	assert_int_equal(p.close_fd, fds[0]);
	assert_int_equal(f->owner.descriptors, 1);

	fixture_feed(fds[1]);
	assert_int_equal(reactor_turn(f->reactor, REACTOR_FOREVER), 1);
	fixture_expect(f, "ia");
	assert_int_equal(reactor_remove(&f->owner, fds[0], BERTH_READ), 0);
	fixture_expect(f, "ca");
	assert_int_equal(p.close_mask, BERTH_READ);
	assert_int_equal(f->owner.descriptors, 0);
	assert_int_equal(
	    reactor_remove(&f->owner, fds[0], BERTH_READ), -ENOENT);
	fixture_close_pair(fds);
}

static int
mask_off(struct probe *p, int fd)
{
	struct fixture *f = p->context;

	assert_int_equal(reactor_mask(&f->owner, fd, BERTH_READ, 0), 0);
	return -1;
}

static int
remove_input(struct probe *p, int fd)
{
	struct fixture *f = p->context;

	assert_int_equal(reactor_remove(&f->owner, fd, BERTH_READ), 0);
	return -1;
}

static void
r22_negative_after_mask_or_removal_is_told_once(void **state)
{
	struct fixture *f = *state;
	static probe_fn *const acts[] = {mask_off, remove_input};
	static const unsigned masks[] = {BERTH_READ, BERTH_READ | BERTH_WRITE};

	for (unsigned i = 0; i < 4; i++) {
		struct probe p;
		int fds[2];

		fixture_pair(fds);
		fixture_feed(fds[1]);
		fixture_fill(fds[0]);
		probe_init(&p, f, 'a');
		p.act = acts[i & 1];
		p.context = f;
		assert_int_equal(add(f, &p, fds[0], masks[i >> 1]), 0);
		assert_int_equal(reactor_turn(f->reactor, 0), 1);
		assert_int_equal(p.closes, 1);
		assert_int_equal(p.close_mask, BERTH_READ);
		assert_int_equal(f->owner.descriptors, i >> 1);
		reactor_revoke(&f->owner, true);
		fixture_close_pair(fds);
	}
}

static void
r23_removal_tells_unless_asked_not_to(void **state)
{
	struct fixture *f = *state;
	struct probe p;
	int fds[2];

	fixture_pair(fds);
	probe_init(&p, f, 'a');
	assert_int_equal(add(f, &p, fds[0], BERTH_READ), 0);
	assert_int_equal(
	    reactor_remove(&f->owner, fds[0], BERTH_READ | BERTH_DONT_CALL), 0);
	assert_int_equal(p.closes, 0);
	/* End of file closes nothing by itself. */
	assert_int_equal(add(f, &p, fds[0], BERTH_READ), 0);
	close(fds[1]);
	assert_int_equal(reactor_turn(f->reactor, 0), 1);
	assert_int_equal(reactor_turn(f->reactor, 0), 1);
	fixture_expect(f, "ia ia");
	/* An empty mask: known, and told of as it was asked. */
	assert_int_equal(reactor_remove(&f->owner, fds[0], BERTH_READ), 0);
	assert_int_equal(add(f, &p, fds[0], 0), 0);
	assert_int_equal(f->owner.descriptors, 1);
	assert_int_equal(reactor_remove(&f->owner, fds[0], BERTH_IO_EVENTS), 0);
	assert_int_equal(f->owner.descriptors, 0);
	close(fds[0]);
}

static void
r24_hold_concerns_descriptors_only(void **state)
{
	struct fixture *f = *state;
	struct probe p;
	int fds[2];

	fixture_pair(fds);
	probe_init(&p, f, 'a');
	assert_int_equal(add(f, &p, fds[0], BERTH_READ), 0);
	assert_int_equal(reactor_hold(&f->owner, &p.handler, true), 0);
	fixture_feed(fds[1]);
	assert_int_equal(
	    reactor_schedule(&f->owner, &p.handler, NULL, 0, 0, NULL), 0);
	assert_int_equal(
	    reactor_notify(&f->owner, &p.handler, BERTH_EXCEPT), 0);
	assert_int_equal(reactor_turn(f->reactor, REACTOR_FOREVER), 2);
	fixture_expect(f, "ta ea");
	assert_int_equal(reactor_turn(f->reactor, 0), 0);
	/* Interest may change meanwhile. */
	assert_int_equal(reactor_mask(&f->owner, fds[0], 0, BERTH_WRITE), 0);
	assert_int_equal(reactor_turn(f->reactor, 0), 0);
	assert_int_equal(reactor_mask(&f->owner, fds[0], BERTH_WRITE, 0), 0);
	assert_int_equal(reactor_hold(&f->owner, &p.handler, false), 0);
	assert_int_equal(reactor_turn(f->reactor, 0), 1);
	fixture_expect(f, "ia");
	reactor_revoke(&f->owner, true);
	fixture_close_pair(fds);
}

static int
hold_first(struct probe *p, int fd)
{
	struct probe *first = p->context;
	struct fixture *f = first->context;

	(void)fd;
	return reactor_hold(&f->owner, &first->handler, true);
}

/* It asked to be called again, and was held before its turn came. */
static void
r24_again_survives_a_hold(void **state)
{
	struct fixture *f = *state;
	struct probe first, holder;
	int a[2], b[2];

	fixture_pair(a);
	fixture_pair(b);
	fixture_feed(a[1]);
	probe_init(&first, f, 'a');
	probe_init(&holder, f, 'h');
	first.drain = true;
	first.results[0] = 1;
	first.context = f;
	holder.act = hold_first;
	holder.context = &first;
	assert_int_equal(add(f, &first, a[0], BERTH_READ), 0);
	assert_int_equal(reactor_turn(f->reactor, 0), 1);
	assert_int_equal(add(f, &holder, b[0], BERTH_WRITE), 0);
	assert_int_equal(reactor_turn(f->reactor, 0), 1);
	assert_int_equal(
	    reactor_remove(&f->owner, b[0], BERTH_WRITE | BERTH_DONT_CALL), 0);
	assert_int_equal(reactor_turn(f->reactor, 0), 0);
	assert_int_equal(reactor_hold(&f->owner, &first.handler, false), 0);
	assert_int_equal(reactor_turn(f->reactor, REACTOR_FOREVER), 1);
	assert_int_equal(reactor_turn(f->reactor, 0), 0);
	fixture_expect(f, "ia oh ia");
	reactor_revoke(&f->owner, true);
	fixture_close_pair(a);
	fixture_close_pair(b);
}

/* A connected pair of TCP sockets: urgent data needs them. */
static void
tcp_pair(int ret_fds[2])
{
	struct sockaddr_in address = {
	    .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct sockaddr *at = (struct sockaddr *)&address;
	socklen_t size = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(listener, at, size), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(getsockname(listener, at, &size), 0);
	ret_fds[1] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(ret_fds[1], at, size), 0);
	ret_fds[0] = accept4(
	    listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	assert_true(ret_fds[0] >= 0);
	close(listener);
}

static void
r25_all_five_in_order(void **state)
{
	struct fixture *f = *state;
	struct probe io, timer, note;
	int fds[2];

	tcp_pair(fds);
	probe_init(&io, f, '1');
	probe_init(&timer, f, '2');
	probe_init(&note, f, '3');
	fixture_feed(fds[1]);
	assert_int_equal(send(fds[1], "!", 1, MSG_OOB), 1);
	{
		struct pollfd all = {fds[0], POLLPRI, 0};

		assert_int_equal(poll(&all, 1, -1), 1);
	}
	assert_int_equal(
	    add(f, &io, fds[0], BERTH_READ | BERTH_WRITE | BERTH_EXCEPT), 0);
	assert_int_equal(
	    reactor_notify(&f->owner, &note.handler, BERTH_EXCEPT), 0);
	assert_int_equal(
	    reactor_schedule(&f->owner, &timer.handler, NULL, 0, 0, NULL), 0);
	assert_int_equal(reactor_turn(f->reactor, REACTOR_FOREVER), 5);
	fixture_expect(f, "t2 e3 o1 e1 i1");
	reactor_revoke(&f->owner, true);
	fixture_close_pair(fds);
}

static void
r25_output_of_all_before_input_of_any(void **state)
{
	struct fixture *f = *state;
	struct probe a, b;
	int x[2], y[2];

	fixture_pair(x);
	fixture_pair(y);
	fixture_feed(x[1]);
	fixture_feed(y[1]);
	probe_init(&a, f, 'a');
	probe_init(&b, f, 'b');
	assert_int_equal(add(f, &a, x[0], BERTH_READ | BERTH_WRITE), 0);
	assert_int_equal(add(f, &b, y[0], BERTH_READ | BERTH_WRITE), 0);
	assert_int_equal(reactor_turn(f->reactor, 0), 4);
	fixture_expect(f, "oa ob ia ib");
	reactor_revoke(&f->owner, true);
	fixture_close_pair(x);
	fixture_close_pair(y);
}

static void
r27_results_of_a_turn(void **state)
{
	struct fixture *f = *state;
	struct probe p;
	int fds[2];
	struct mono before;

	fixture_pair(fds);
	probe_init(&p, f, 'a');
	assert_int_equal(add(f, &p, fds[0], BERTH_READ), 0);
	before = mono_now();
	assert_int_equal(reactor_turn(f->reactor, 3000001), 0);
	assert_true(mono_now().ns - before.ns >= 3000001);
	before = mono_now();
	assert_int_equal(
	    reactor_schedule(&f->owner, &p.handler, NULL, MONO_MS(2), 0, NULL),
	    0);
	assert_int_equal(reactor_turn(f->reactor, REACTOR_FOREVER), 1);
	assert_true(mono_now().ns - before.ns >= MONO_MS(2));
	reactor_revoke(&f->owner, true);
	fixture_close_pair(fds);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    FIXTURE_TEST(rct1_arguments),
	    FIXTURE_TEST(rct1_events_are_independent),
	    FIXTURE_TEST(r21_positive_calls_again_with_others_between),
	    FIXTURE_TEST(r21_positive_does_not_block),
	    FIXTURE_TEST(r22_negative_ends_one_event),
	    FIXTURE_TEST(r22_negative_after_mask_or_removal_is_told_once),
	    FIXTURE_TEST(r23_removal_tells_unless_asked_not_to),
	    FIXTURE_TEST(r24_hold_concerns_descriptors_only),
	    FIXTURE_TEST(r24_again_survives_a_hold),
	    FIXTURE_TEST(r25_all_five_in_order),
	    FIXTURE_TEST(r25_output_of_all_before_input_of_any),
	    FIXTURE_TEST(r27_results_of_a_turn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
