/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Owners: what is revoked, when, and that nothing of it is called or touched
 * afterwards.  Probes and owners are on the heap, for the sanitizers to watch.
 */
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/wait.h>

#include "unit/reactor_fixture.h"

/* What stands in an owner's name is counted, and goes at once. */
static void
revocation_takes_everything(void **state)
{
	struct fixture *f = *state;
	struct reactor_owner owner;
	struct probe p;
	int fd = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);

	probe_init(&p, f, 'a');
	assert_int_equal(reactor_owner_init(&owner, f->reactor, "gone"), 0);
	assert_int_equal(reactor_add(&owner, &p.handler, fd, BERTH_READ), 0);
	assert_int_equal(
	    reactor_schedule(&owner, &p.handler, NULL, 0, 1, NULL), 0);
	assert_int_equal(reactor_notify(&owner, &p.handler, BERTH_EXCEPT), 0);
	assert_int_equal(owner.descriptors, 1);
	assert_int_equal(owner.timers, 1);
	assert_int_equal(owner.posts, 1);
	reactor_revoke(&owner, false);
	fixture_expect(f, "ca");
	assert_int_equal(owner.descriptors, 0);
	assert_int_equal(owner.timers, 0);
	assert_int_equal(owner.posts, 0);
	assert_int_equal(reactor_turn(f->reactor, 0), 0);
	fixture_expect(f, "");
	/* It may start anew, and be told nothing of its end. */
	assert_int_equal(reactor_add(&owner, &p.handler, fd, BERTH_READ), 0);
	assert_int_equal(reactor_turn(f->reactor, 0), 1);
	fixture_expect(f, "ia");
	reactor_revoke(&owner, true);
	fixture_expect(f, "");
	reactor_owner_fini(&owner);
	close(fd);
}

struct victim {
	struct reactor_owner owner;
	struct probe probe;
	struct fixture *f;
	bool *ret_gone;
	int fd;
};

/* Ends its own owner and frees itself, in its own hook. */
static int
end_owner(struct probe *p, int fd)
{
	struct victim *v = p->context;
	int own = v->fd;

	(void)fd;
	*v->ret_gone = true;
	p->act = NULL;
	reactor_owner_fini(&v->owner);
	close(own);
	free(v);
	return -1; /* nobody is left to tell */
}

static struct victim *
victim_new(struct fixture *f, bool *ret_gone)
{
	struct victim *v = calloc(1, sizeof(*v));

	assert_non_null(v);
	*ret_gone = false;
	v->f = f;
	v->ret_gone = ret_gone;
	v->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	probe_init(&v->probe, f, 'v');
	v->probe.act = end_owner;
	v->probe.context = v;
	assert_int_equal(
	    reactor_owner_init(&v->owner, f->reactor, "victim"), 0);
	assert_int_equal(
	    reactor_add(&v->owner, &v->probe.handler, v->fd, BERTH_READ), 0);
	return v;
}

static void
post_end(void *arg)
{
	(void)end_owner(arg, -1);
}

static void
by_input(struct victim *v)
{
	assert_int_equal(eventfd_write(v->fd, 1), 0);
}

static void
by_output(struct victim *v)
{
	assert_int_equal(
	    reactor_mask(&v->owner, v->fd, BERTH_READ, BERTH_WRITE), 0);
}

static void
by_once(struct victim *v)
{
	assert_int_equal(
	    reactor_schedule(&v->owner, &v->probe.handler, NULL, 0, 0, NULL),
	    0);
}

static void
by_period(struct victim *v)
{
	assert_int_equal(
	    reactor_schedule(&v->owner, &v->probe.handler, NULL, 0, 1, NULL),
	    0);
}

static void
by_notify(struct victim *v)
{
	assert_int_equal(reactor_notify(&v->owner, &v->probe.handler,
			     BERTH_READ | BERTH_WRITE),
	    0);
}

static void
by_post(struct victim *v)
{
	assert_int_equal(reactor_post(&v->owner, post_end, &v->probe), 0);
}

static void
by_signal(struct victim *v)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	assert_int_equal(pthread_sigmask(SIG_BLOCK, &set, NULL), 0);
	assert_int_equal(
	    reactor_signal(&v->owner, &v->probe.handler, SIGUSR1), 0);
	assert_int_equal(kill(getpid(), SIGUSR1), 0);
}

static void
by_child(struct victim *v)
{
	siginfo_t info;
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	assert_int_equal(reactor_child(&v->owner, &v->probe.handler, pid), 0);
	assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
}

static void
revoked_in_its_own_hook(void **state)
{
	static void (*const ways[])(struct victim *) = {by_input, by_output,
	    by_once, by_period, by_notify, by_post, by_signal, by_child};
	struct fixture *f = *state;

	for (size_t i = 0; i < BASE_COUNT(ways); i++) {
		bool gone;

		ways[i](victim_new(f, &gone));
		while (!gone)
			assert_true(
			    reactor_turn(f->reactor, REACTOR_FOREVER) >= 0);
		assert_int_equal(reactor_turn(f->reactor, 0), 0);
		/* The descriptor was told of, once; the hook's result not. */
		f->record.text[f->record.size] = '\0';
		assert_non_null(strstr(f->record.text, "cv"));
		assert_ptr_equal(strstr(f->record.text, "cv"),
		    f->record.text + f->record.size - 3);
		f->record.size = 0;
	}
}

static int
end_another(struct probe *p, int fd)
{
	struct victim *v = p->context;

	(void)fd;
	p->act = NULL;
	(void)end_owner(&v->probe, -1);
	return 0;
}

/* In the same batch, and due in the same turn. */
static void
revoked_in_the_hook_of_another(void **state)
{
	static void (*const ways[])(struct victim *) = {
	    by_input, by_once, by_period, by_notify, by_post};
	struct fixture *f = *state;

	for (size_t i = 0; i < BASE_COUNT(ways); i++) {
		struct victim *v;
		struct probe p;
		bool gone;

		probe_init(&p, f, 'p');
		p.act = end_another;
		v = victim_new(f, &gone);
		p.context = v;
		assert_int_equal(
		    reactor_schedule(&f->owner, &p.handler, NULL, 0, 0, NULL),
		    0);
		ways[i](v);
		assert_int_equal(reactor_turn(f->reactor, REACTOR_FOREVER), 1);
		assert_true(gone);
		assert_int_equal(reactor_turn(f->reactor, 0), 0);
		fixture_expect(f, "tp cv");
	}
}

static int
refuse_all(struct fixture *f, struct reactor_owner *owner, struct probe *p)
{
	int wrong = 0;

	(void)f;
	wrong += reactor_add(owner, &p->handler, 0, BERTH_READ) != -ECANCELED;
	wrong += reactor_schedule(owner, &p->handler, NULL, 0, 0, NULL) !=
		 -ECANCELED;
	wrong += reactor_notify(owner, &p->handler, BERTH_READ) != -ECANCELED;
	wrong += reactor_post(owner, post_end, NULL) != -ECANCELED;
	wrong += reactor_signal(owner, &p->handler, 10) != -ECANCELED;
	wrong += reactor_child(owner, &p->handler, getpid()) != -ECANCELED;
	return wrong;
}

struct stubborn {
	struct berth_handler handler;
	struct fixture *f;
	struct probe probe;
	int wrong;
	unsigned closes;
};

static int
stubborn_input(struct berth_handler *handler, int fd)
{
	(void)handler;
	(void)fd;
	return 0;
}

static void
stubborn_close(struct berth_handler *handler, int fd, unsigned mask)
{
	struct stubborn *s = BASE_CONTAINER(handler, struct stubborn, handler);

	(void)fd;
	(void)mask;
	s->closes++;
	s->wrong = refuse_all(s->f, &s->f->owner, &s->probe);
}

/* A close hook that registers anew does not keep the owner alive. */
static void
nothing_new_while_revoked(void **state)
{
	static const struct berth_handler_type type = {
	    .input = stubborn_input, .close = stubborn_close};
	struct fixture *f = *state;
	struct stubborn s = {{&type}, f, .wrong = -1};
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	probe_init(&s.probe, f, 's');
	assert_int_equal(reactor_add(&f->owner, &s.handler, fd, BERTH_READ), 0);
	reactor_revoke(&f->owner, false);
	assert_int_equal(s.closes, 1);
	assert_int_equal(s.wrong, 0);
	/* And at the end of the reactor. */
	assert_int_equal(reactor_add(&f->owner, &s.handler, fd, BERTH_READ), 0);
	reactor_owner_fini(&f->owner);
	assert_int_equal(s.closes, 2);
	close(fd);
}

static void
many_owners_come_and_go(void **state)
{
	enum { COUNT = 1000 };
	static struct reactor_owner owners[COUNT];
	struct fixture *f = *state;
	struct reactor_owner none = {.name = NULL};
	struct probe p;

	reactor_owner_fini(&none);
	probe_init(&p, f, 'a');
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < COUNT; i++) {
			assert_int_equal(reactor_owner_init(&owners[i],
					     f->reactor, "one of many"),
			    0);
			assert_int_equal(
			    reactor_schedule(&owners[i], &p.handler, NULL,
				MONO_MS(1000000), 0, NULL),
			    0);
		}
		for (int i = COUNT; i-- > 0;)
			reactor_owner_fini(&owners[i]);
	}
	assert_int_equal(reactor_turn(f->reactor, 0), 0);
}

/* The reactor goes first: descriptors are told, the rest is dropped. */
static void
r35_end_of_the_reactor(void **state)
{
	struct fixture *f = *state;
	struct reactor *reactor;
	struct reactor_owner owner;
	struct probe p;
	int fds[2];

	fixture_pair(fds);
	fixture_feed(fds[1]);
	probe_init(&p, f, 'a');
	assert_int_equal(reactor_new(NULL, &reactor), 0);
	assert_int_equal(reactor_owner_init(&owner, reactor, "end"), 0);
	assert_int_equal(
	    reactor_add(&owner, &p.handler, fds[0], BERTH_READ | BERTH_WRITE),
	    0);
	assert_int_equal(
	    reactor_schedule(&owner, &p.handler, NULL, 0, 0, NULL), 0);
	assert_int_equal(reactor_notify(&owner, &p.handler, BERTH_EXCEPT), 0);
	assert_null(reactor_free(reactor));
	fixture_expect(f, "ca");
	assert_int_equal(p.close_fd, fds[0]);
	assert_int_equal(p.close_mask, BERTH_READ | BERTH_WRITE);
	reactor_owner_fini(&owner); /* no harm */
	assert_null(reactor_free(NULL));
	fixture_close_pair(fds);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    FIXTURE_TEST(revocation_takes_everything),
	    FIXTURE_TEST(revoked_in_its_own_hook),
	    FIXTURE_TEST(revoked_in_the_hook_of_another),
	    FIXTURE_TEST(nothing_new_while_revoked),
	    FIXTURE_TEST(many_owners_come_and_go),
	    FIXTURE_TEST(r35_end_of_the_reactor),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
