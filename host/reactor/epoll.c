/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The back end epoll(7), level-triggered.
 *
 * Waits without a limit or not at all are plain epoll_wait(2); others are
 * rounded up, never down, so that a wait is not over before its time and
 * repeated for the rest: to nanoseconds with epoll_pwait2(2), to milliseconds
 * where the kernel lacks it.
 */
#include <errno.h>
#include <limits.h>
#include <time.h>
#include <unistd.h>

#include "reactor/reactor_priv.h"

static int
control(struct reactor *r, int op, int fd, uint32_t events, uint64_t data)
{
	struct epoll_event event = {.events = events, .data.u64 = data};

	return epoll_ctl(r->epoll_fd, op, fd, &event) < 0 ? -errno : 0;
}

static int
backend_add(struct reactor *r, int fd, uint32_t events, uint64_t data)
{
	int result = control(r, EPOLL_CTL_ADD, fd, events, data);

	/* Closed too soon before, and now the same file has the same number
	 * again: it is still in the set. */
	if (result == -EEXIST)
		result = control(r, EPOLL_CTL_MOD, fd, events, data);
	return result;
}

static int
backend_change(struct reactor *r, int fd, uint32_t events, uint64_t data)
{
	return control(r, EPOLL_CTL_MOD, fd, events, data);
}

static int
backend_remove(struct reactor *r, int fd)
{
	return control(r, EPOLL_CTL_DEL, fd, 0, 0);
}

static void
backend_close(struct reactor *r)
{
	fd_close(&r->epoll_fd);
}

static int
backend_open(struct reactor *r)
{
	int result;

	r->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (r->epoll_fd < 0)
		return -errno;
	result = backend_add(r, r->notes.fd, EPOLLIN | EPOLLET, EVENT_WAKE);
	if (result == 0 && r->timers.fd >= 0)
		result = backend_add(
		    r, r->timers.fd, EPOLLIN | EPOLLET, EVENT_TIMER);
	return result;
}

static int
wait_limited(int fd, struct epoll_event *events, int room, uint64_t wait_ns)
{
	struct timespec limit = {
	    .tv_sec = (time_t)(wait_ns / 1000000000u),
	    .tv_nsec = (long)(wait_ns % 1000000000u),
	};
	uint64_t ms = wait_ns / 1000000u + (wait_ns % 1000000u != 0);
	int count = epoll_pwait2(fd, events, room, &limit, NULL);

	if (count < 0 && errno == ENOSYS)
		count = epoll_wait(
		    fd, events, room, ms < INT_MAX ? (int)ms : INT_MAX);
	return count;
}

static int
backend_wait(struct reactor *r, struct batch *batch, uint64_t wait_ns)
{
	int room = (int)batch->capacity;
	int count;

	if (wait_ns == 0 || wait_ns == REACTOR_FOREVER)
		count = epoll_wait(
		    r->epoll_fd, batch->events, room, wait_ns == 0 ? 0 : -1);
	else
		count = wait_limited(r->epoll_fd, batch->events, room, wait_ns);
	return count < 0 ? -errno : count;
}

const struct backend backend_epoll = {
    .name = "epoll",
    .open = backend_open,
    .close = backend_close,
    .add = backend_add,
    .change = backend_change,
    .remove = backend_remove,
    .wait = backend_wait,
};
