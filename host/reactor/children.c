/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The end of a child process as an event: a pidfd in the loop, one a child.
 *
 * A child that was handed in is reaped whatever happens.  When its owner is
 * revoked, or has lost interest, the reactor keeps the pidfd under its own
 * name and reaps in silence; only reactor_free() gives up.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "reactor/reactor_priv.h"

/* Of the kernel's interface; not every libc has the names. */
#ifndef P_PIDFD
#define P_PIDFD 3
#endif
#ifndef PIDFD_NONBLOCK
#define PIDFD_NONBLOCK O_NONBLOCK
#endif

struct child {
	struct berth_handler base; /* of the pidfd */
	struct reactor *reactor;
	struct berth_handler *handler; /* NULL: reap in silence */
	pid_t pid;
};

static void
tell(struct reactor *r, struct reactor_owner *owner, const struct child *child,
    const siginfo_t *info, const struct rusage *usage)
{
	struct berth_handler *handler = child->handler;
	uint32_t index = owner->index;
	uint64_t era = owner->era;
	int result;

	if (handler == NULL)
		return;
	mark_call(r, index);
	r->child_usage = info->si_code != 0 ? usage : NULL;
	result = handler->type->child(
	    handler, child->pid, info->si_code, info->si_status);
	r->child_usage = NULL;
	if (result >= 0)
		return;
	owner = r->owners[index].owner;
	if (owner != NULL && owner->era == era)
		call_close(handler, -1, BERTH_CHILD);
}

/* Somebody else may have reaped it: then nothing is known of its end. */
static int
child_input(struct berth_handler *base, int fd)
{
	struct child *child = BASE_CONTAINER(base, struct child, base);
	struct reactor *r = child->reactor;
	struct reactor_owner *owner = r->owners[r->slots[fd].owner].owner;
	siginfo_t info = {.si_pid = 0};
	struct rusage usage;
	/* The libc's has no place for what was used. */
	int result = (int)syscall(
	    SYS_waitid, P_PIDFD, fd, &info, WEXITED | WNOHANG, &usage);

	if (result < 0 && errno != ECHILD)
		return 0;
	if (result == 0 && info.si_pid == 0)
		return 0;
	if (result < 0)
		info.si_code = info.si_status = 0;
	slots_close(r, fd);
	tell(r, owner, child, &info, &usage);
	free(child);
	return 0;
}

/* The owner is revoked, or the reactor ends. */
static void
child_close(struct berth_handler *base, int fd, unsigned mask)
{
	struct child *child = BASE_CONTAINER(base, struct child, base);
	struct reactor *r = child->reactor;

	(void)mask;
	child->handler = NULL;
	if (!r->closing &&
	    slots_add(&r->self, &child->base, fd, BERTH_READ, true) == 0)
		return;
	fd_close(&fd);
	free(child);
}

static const struct berth_handler_type child_type = {
    .input = child_input,
    .close = child_close,
};

const struct rusage *
reactor_child_usage(const struct reactor *reactor)
{
	return reactor->child_usage;
}

int
reactor_child(
    struct reactor_owner *owner, struct berth_handler *handler, pid_t pid)
{
	struct reactor *r = owner->reactor;
	struct child *child;
	int fd, result;

	if (!in_loop(r))
		return -EPERM;
	if (handler == NULL || handler->type == NULL ||
	    handler->type->child == NULL || pid <= 0)
		return -EINVAL;
	if (r->closing || owner->revoking)
		return -ECANCELED;
	child = malloc(sizeof(*child));
	if (child == NULL)
		return -ENOMEM;
	*child = (struct child){{&child_type}, r, handler, pid};
	fd = (int)syscall(SYS_pidfd_open, pid, PIDFD_NONBLOCK);
	result = fd < 0 ? -errno
			: slots_add(owner, &child->base, fd, BERTH_READ, true);
	if (result < 0) {
		fd_close(&fd);
		free(child);
	}
	return result;
}

int
reactor_unchild(struct reactor_owner *owner, pid_t pid)
{
	struct reactor *r = owner->reactor;

	if (!in_loop(r))
		return -EPERM;
	for (int fd = owner->first_fd; fd >= 0; fd = r->slots[fd].next) {
		struct berth_handler *base = r->slots[fd].handler;

		if (base->type != &child_type ||
		    BASE_CONTAINER(base, struct child, base)->pid != pid)
			continue;
		return slots_drop(r, fd, BERTH_READ, true);
	}
	return -ENOENT;
}
