/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What epoll(7) refuses, and the list of what is ready by our own account.
 */
#include <stdio.h>
#include <sys/eventfd.h>

#include "unit/reactor_fixture.h"

static int
add(struct fixture *f, struct probe *p, int fd, unsigned mask)
{
	return reactor_add(&f->owner, &p->handler, fd, mask);
}

static int
open_refused(int which)
{
	switch (which) {
	case 0:
		return open("/dev/null", O_RDWR | O_CLOEXEC);
	case 1:
		return open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	default: {
		FILE *file = tmpfile();
		int fd = fcntl(fileno(file), F_DUPFD_CLOEXEC, 0);

		fclose(file);
		return fd;
	}
	}
}

static void
r20_what_epoll_refuses_is_always_ready(void **state)
{
	struct fixture *f = *state;

	for (int which = 0; which < 3; which++) {
		struct probe file, socket, timer;
		int fd = open_refused(which), fds[2];

		assert_true(fd >= 0);
		fixture_pair(fds);
		fixture_feed(fds[1]);
		probe_init(&file, f, 'f');
		probe_init(&socket, f, 's');
		probe_init(&timer, f, 't');
		assert_int_equal(
		    add(f, &file, fd, BERTH_READ | BERTH_EXCEPT), 0);
		assert_int_equal(add(f, &socket, fds[0], BERTH_READ), 0);
		assert_int_equal(reactor_schedule(&f->owner, &timer.handler,
				     NULL, 0, 0, NULL),
		    0);
		/* It waits for nobody, and nobody waits for it. */
		assert_int_equal(reactor_turn(f->reactor, REACTOR_FOREVER), 3);
		fixture_expect(f, "tt is if");
		assert_int_equal(reactor_turn(f->reactor, REACTOR_FOREVER), 2);
		fixture_expect(f, "is if");
		assert_int_equal(
		    reactor_mask(&f->owner, fd, 0, BERTH_WRITE), 0);
		assert_int_equal(reactor_turn(f->reactor, REACTOR_FOREVER), 3);
		fixture_expect(f, "of is if");
		assert_int_equal(
		    reactor_hold(&f->owner, &file.handler, true), 0);
		assert_int_equal(reactor_turn(f->reactor, REACTOR_FOREVER), 1);
		assert_int_equal(
		    reactor_hold(&f->owner, &file.handler, false), 0);
		assert_int_equal(
		    reactor_mask(&f->owner, fd, BERTH_WRITE, 0), 0);
		f->record.size = 0;
		/* A negative result ends it like any other. */
		file.results[file.calls] = -1;
		assert_int_equal(reactor_turn(f->reactor, REACTOR_FOREVER), 2);
		fixture_expect(f, "is if cf");
		assert_int_equal(
		    reactor_remove(&f->owner, fd, BERTH_EXCEPT), 0);
		fixture_drain(fds[0]);
		assert_int_equal(reactor_turn(f->reactor, 0), 0);
		reactor_revoke(&f->owner, true);
		f->record.size = 0;
		fixture_close_pair(fds);
		close(fd);
	}
}

/* Many of them: more than one turn takes, none forgotten. */
static void
r26_many_always_ready(void **state)
{
	struct fixture *f = *state;
	enum { COUNT = 200 };
	static struct probe probes[COUNT];
	static int fds[COUNT];
	unsigned least = UINT32_MAX, most = 0;

	for (int i = 0; i < COUNT; i++) {
		fds[i] = open_refused(0);
		probe_init(&probes[i], f, 'x');
		assert_int_equal(add(f, &probes[i], fds[i], BERTH_READ), 0);
	}
	for (int i = 0; i < 50; i++)
		assert_true(reactor_turn(f->reactor, REACTOR_FOREVER) > 0);
	for (int i = 0; i < COUNT; i++) {
		if (probes[i].calls < least)
			least = probes[i].calls;
		if (probes[i].calls > most)
			most = probes[i].calls;
	}
	assert_true(least > 0);
	assert_true(most - least <= 1);
	reactor_revoke(&f->owner, true);
	for (int i = 0; i < COUNT; i++)
		close(fds[i]);
}

/* Given up while it is in the ready list, and the number used again. */
static void
rct2_ready_list_and_reuse(void **state)
{
	struct fixture *f = *state;
	struct probe p, q;
	int fd = open_refused(0);

	probe_init(&p, f, 'p');
	probe_init(&q, f, 'q');
	assert_int_equal(add(f, &p, fd, BERTH_READ), 0);
	assert_int_equal(
	    reactor_remove(&f->owner, fd, BERTH_READ | BERTH_DONT_CALL), 0);
	close(fd);
	assert_int_equal(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), fd);
	assert_int_equal(add(f, &q, fd, BERTH_READ), 0);
	assert_int_equal(reactor_turn(f->reactor, 0), 0);
	assert_int_equal(eventfd_write(fd, 1), 0);
	assert_int_equal(reactor_turn(f->reactor, REACTOR_FOREVER), 1);
	fixture_expect(f, "iq");
	reactor_revoke(&f->owner, true);
	close(fd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    FIXTURE_TEST(r20_what_epoll_refuses_is_always_ready),
	    FIXTURE_TEST(r26_many_always_ready),
	    FIXTURE_TEST(rct2_ready_list_and_reuse),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
