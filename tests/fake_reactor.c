/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The reactor of the fake host: one list of what is registered, and a turn that
 * walks it.  Slow and plain; the order is that of <berth/reactor.h>.
 */
#include "fake_host_priv.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

/* Whole before it is seen: another thread may enter what the loop then calls.
 * Returns its id. */
static uint64_t
enter(struct berth_service *service, const struct fake_registration *what)
{
	struct fake_host *host = fake_host_of(service);
	struct fake_registration *r = fake_alloc(sizeof(*r));
	uint64_t one = 1, id;

	*r = *what;
	r->service = service;
	pthread_mutex_lock(&host->lock);
	id = r->id = ++host->last_id;
	TAILQ_INSERT_TAIL(&host->registrations, r, link);
	pthread_mutex_unlock(&host->lock);
	FAKE_CHECK(write(host->wake_fd, &one, sizeof(one)) == sizeof(one));
	return id;
}

static void
leave(struct fake_host *host, struct fake_registration *r)
{
	pthread_mutex_lock(&host->lock);
	TAILQ_REMOVE(&host->registrations, r, link);
	pthread_mutex_unlock(&host->lock);
	free(r);
}

/* By id, because a hook may have removed any of them. */
static struct fake_registration *
by_id(struct fake_host *host, uint64_t id)
{
	struct fake_registration *r;

	pthread_mutex_lock(&host->lock);
	TAILQ_FOREACH (r, &host->registrations, link)
		if (r->id == id)
			break;
	pthread_mutex_unlock(&host->lock);
	return r;
}

static struct fake_registration *
by_fd(struct fake_host *host, int fd)
{
	struct fake_registration *r;

	TAILQ_FOREACH (r, &host->registrations, link)
		if (r->kind == FAKE_DESCRIPTOR && r->fd == fd)
			return r;
	return NULL;
}

/* --- the table ------------------------------------------------------------ */

static int
reactor_add(struct berth_service *service, struct berth_handler *handler,
    int fd, unsigned mask)
{
	struct fake_registration *r = by_fd(fake_host_of(service), fd);
	const struct fake_registration what = {.kind = FAKE_DESCRIPTOR,
	    .handler = handler,
	    .fd = fd,
	    .mask = mask & BERTH_IO_EVENTS};

	if (fd < 0)
		return -EBADF;
	if (r && r->handler != handler)
		return -EBUSY;
	if (r)
		r->mask |= what.mask;
	else
		enter(service, &what);
	return 0;
}

static int
reactor_remove(struct berth_service *service, int fd, unsigned mask)
{
	struct fake_host *host = fake_host_of(service);
	struct fake_registration *r = by_fd(host, fd);
	struct berth_handler *handler;

	if (!r)
		return -ENOENT;
	handler = r->handler;
	r->mask &= ~mask;
	if (!r->mask)
		leave(host, r);
	if (!(mask & BERTH_DONT_CALL) && handler->type->close)
		handler->type->close(handler, fd, mask & BERTH_IO_EVENTS);
	return 0;
}

static int
reactor_mask(struct berth_service *service, int fd, unsigned off, unsigned on)
{
	struct fake_registration *r = by_fd(fake_host_of(service), fd);

	if (!r)
		return -ENOENT;
	r->mask = (r->mask & ~off) | on;
	return 0;
}

static int
reactor_hold(
    struct berth_service *service, struct berth_handler *handler, int hold)
{
	struct fake_registration *r;
	int result = -ENOENT;

	TAILQ_FOREACH (r, &fake_host_of(service)->registrations, link)
		if (r->kind == FAKE_DESCRIPTOR && r->handler == handler) {
			r->held = hold != 0;
			result = 0;
		}
	return result;
}

static int
reactor_schedule(struct berth_service *service, struct berth_handler *handler,
    void *token, uint64_t delay_ns, uint64_t interval_ns,
    berth_timer_id *ret_id)
{
	const struct fake_registration what = {.kind = FAKE_TIMER,
	    .handler = handler,
	    .fd = -1,
	    .arg = token,
	    .due_ns = fake_host_of(service)->now_ns + delay_ns,
	    .interval_ns = interval_ns};
	uint64_t id = enter(service, &what);

	if (ret_id)
		*ret_id = id;
	return 0;
}

static int
reactor_cancel(
    struct berth_service *service, berth_timer_id id, void **ret_token)
{
	struct fake_host *host = fake_host_of(service);
	struct fake_registration *r = by_id(host, id);

	if (!r || r->kind != FAKE_TIMER)
		return -ENOENT;
	if (ret_token)
		*ret_token = r->arg;
	leave(host, r);
	return 0;
}

/* Removes what `handler` has of a kind (with a bit of mask, 0: any). */
static int
forget(struct berth_service *service, enum fake_kind kind,
    struct berth_handler *handler, unsigned mask)
{
	struct fake_host *host = fake_host_of(service);
	struct fake_registration *r, *next;
	int count = 0;

	for (r = TAILQ_FIRST(&host->registrations); r; r = next) {
		next = TAILQ_NEXT(r, link);
		if (r->kind != kind || r->handler != handler)
			continue;
		if (mask && (r->mask &= ~mask) != 0)
			continue;
		leave(host, r);
		count++;
	}
	return count;
}

static int
reactor_cancel_all(struct berth_service *service, struct berth_handler *handler)
{
	return forget(service, FAKE_TIMER, handler, 0);
}

static int
reactor_notify(
    struct berth_service *service, struct berth_handler *handler, unsigned mask)
{
	const struct fake_registration what = {.kind = FAKE_NOTIFICATION,
	    .handler = handler,
	    .fd = -1,
	    .mask = mask};

	enter(service, &what);
	return 0;
}

static int
reactor_purge(
    struct berth_service *service, struct berth_handler *handler, unsigned mask)
{
	return forget(service, FAKE_NOTIFICATION, handler, mask);
}

static int
reactor_post(struct berth_service *service, berth_post_fn *fn, void *arg)
{
	const struct fake_registration what = {
	    .kind = FAKE_POST, .fd = -1, .fn = fn, .arg = arg};

	enter(service, &what);
	return 0;
}

void
fake_reactor_table(struct berth_host *table)
{
	table->add = reactor_add;
	table->remove = reactor_remove;
	table->mask = reactor_mask;
	table->hold = reactor_hold;
	table->schedule = reactor_schedule;
	table->cancel = reactor_cancel;
	table->cancel_all = reactor_cancel_all;
	table->notify = reactor_notify;
	table->purge = reactor_purge;
	table->post = reactor_post;
}

/* --- a turn --------------------------------------------------------------- */

static unsigned
run_timer(struct fake_host *host, struct fake_registration *r)
{
	struct berth_handler *handler = r->handler;
	struct berth_service *service = r->service;
	uint64_t id = r->id;
	void *token = r->arg;

	if (r->due_ns > host->now_ns)
		return 0;
	if (r->interval_ns)
		r->due_ns += r->interval_ns *
			     ((host->now_ns - r->due_ns) / r->interval_ns + 1);
	else
		leave(host, r);
	if (handler->type->timeout(handler, host->now_ns, token) < 0) {
		reactor_cancel(service, id, NULL);
		if (handler->type->close)
			handler->type->close(handler, -1, BERTH_TIMER);
	}
	return 1;
}

/* The hook of one event; NULL when the table has none. */
static int (*hook_of(struct berth_handler *handler, unsigned event))(
    struct berth_handler *, int)
{
	if (event & (BERTH_WRITE | BERTH_CONNECT))
		return handler->type->output;
	if (event & BERTH_EXCEPT)
		return handler->type->except;
	return handler->type->input;
}

/* Calls the hook of each event, in the contract's order. */
static unsigned
run_events(struct fake_host *host, uint64_t id, struct berth_handler *handler,
    int fd, unsigned events)
{
	static const unsigned order[] = {
	    BERTH_CONNECT, BERTH_WRITE, BERTH_EXCEPT, BERTH_ACCEPT, BERTH_READ};
	struct fake_registration *r;
	unsigned called = 0, i;
	int result;

	for (i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		if (!(events & order[i]) || !hook_of(handler, order[i]))
			continue;
		if (id && !by_id(host, id))
			return called;
		do {
			result = hook_of(handler, order[i])(handler, fd);
			called++;
		} while (result > 0 && (!id || by_id(host, id)));
		if (result >= 0)
			continue;
		r = id ? by_id(host, id) : NULL;
		if (r)
			reactor_remove(r->service, fd, order[i]);
		else if (handler->type->close)
			handler->type->close(handler, fd, order[i]);
	}
	return called;
}

static short
poll_events(unsigned mask)
{
	short events = 0;

	if (mask & (BERTH_READ | BERTH_ACCEPT))
		events |= POLLIN;
	if (mask & (BERTH_WRITE | BERTH_CONNECT))
		events |= POLLOUT;
	if (mask & BERTH_EXCEPT)
		events |= POLLPRI;
	return events;
}

static unsigned
run_descriptor(struct fake_host *host, struct fake_registration *r)
{
	struct pollfd p = {r->fd, poll_events(r->mask), 0};
	unsigned events = 0;

	if (r->held || poll(&p, 1, 0) <= 0)
		return 0;
	if (p.revents & (POLLIN | POLLHUP | POLLERR))
		events |= BERTH_READ | BERTH_ACCEPT;
	if (p.revents & (POLLOUT | POLLHUP | POLLERR))
		events |= BERTH_WRITE | BERTH_CONNECT;
	if (p.revents & POLLPRI)
		events |= BERTH_EXCEPT;
	return run_events(host, r->id, r->handler, r->fd, events & r->mask);
}

static unsigned
run_one(struct fake_host *host, struct fake_registration *r)
{
	struct fake_registration copy = *r;

	switch (r->kind) {
	case FAKE_TIMER:
		return run_timer(host, r);
	case FAKE_NOTIFICATION:
		leave(host, r);
		return run_events(host, 0, copy.handler, -1, copy.mask);
	case FAKE_POST:
		leave(host, r);
		copy.fn(copy.arg);
		return 1;
	case FAKE_DESCRIPTOR:
		return run_descriptor(host, r);
	}
	return 0;
}

/* All of a kind that were there when the pass began. */
static unsigned
run_kind(struct fake_host *host, enum fake_kind kind)
{
	struct fake_registration *r;
	uint64_t last = host->last_id, id = 0;
	unsigned called = 0;

	for (;;) {
		pthread_mutex_lock(&host->lock);
		TAILQ_FOREACH (r, &host->registrations, link)
			if (r->kind == kind && r->id > id && r->id <= last)
				break;
		pthread_mutex_unlock(&host->lock);
		if (!r)
			return called;
		id = r->id;
		called += run_one(host, r);
	}
}

static void
wait_ready(struct fake_host *host, int wait_ms)
{
	struct pollfd p[FAKE_MAX + 1] = {{host->wake_fd, POLLIN, 0}};
	struct fake_registration *r;
	nfds_t count = 1;
	uint64_t n;

	pthread_mutex_lock(&host->lock);
	TAILQ_FOREACH (r, &host->registrations, link)
		if (r->kind == FAKE_DESCRIPTOR && !r->held) {
			FAKE_CHECK(count <= FAKE_MAX);
			p[count].fd = r->fd;
			p[count++].events = poll_events(r->mask);
		}
	pthread_mutex_unlock(&host->lock);
	FAKE_CHECK(poll(p, count, wait_ms) >= 0);
	if (p[0].revents)
		FAKE_CHECK(read(host->wake_fd, &n, sizeof(n)) == sizeof(n));
}

unsigned
fake_host_turn(struct fake_host *host, int wait_ms)
{
	wait_ready(host, wait_ms);
	return run_kind(host, FAKE_TIMER) + run_kind(host, FAKE_NOTIFICATION) +
	       run_kind(host, FAKE_POST) + run_kind(host, FAKE_DESCRIPTOR);
}

unsigned
fake_host_advance(struct fake_host *host, uint64_t delta_ns)
{
	host->now_ns += delta_ns;
	return fake_host_turn(host, 0);
}

static void
count_left(struct fake_service *service, enum fake_kind kind)
{
	if (kind == FAKE_DESCRIPTOR)
		service->left_descriptors++;
	else if (kind == FAKE_TIMER)
		service->left_timers++;
	else
		service->left_posts++;
}

void
fake_reactor_revoke(struct fake_host *host, struct fake_service *service)
{
	struct fake_registration *r, *next;

	for (r = TAILQ_FIRST(&host->registrations); r; r = next) {
		next = TAILQ_NEXT(r, link);
		if (service && r->service != &service->public)
			continue;
		if (service)
			count_left(service, r->kind);
		leave(host, r);
	}
}
