/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Signals as events: one signalfd(2) for all of them, and a table of who has
 * which.  The hook runs on the loop and may call anything.  The caller has
 * blocked the signal in every thread; it stays blocked when its handler goes,
 * so that it waits for the next one.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "reactor/reactor_priv.h"

struct signal_entry {
	struct reactor_owner *owner;
	struct berth_handler *handler; /* NULL: nobody */
};

struct signals {
	struct berth_handler base; /* of the signalfd */
	struct reactor *reactor;
	int fd;
	sigset_t set;
	struct signal_entry entries[NSIG];
};

static void
forget(struct signals *s, int signum)
{
	s->entries[signum].owner->descriptors--;
	s->entries[signum] = (struct signal_entry){NULL, NULL};
	(void)sigdelset(&s->set, signum);
	(void)signalfd(s->fd, &s->set, 0);
}

static void
deliver(struct signals *s, int signum)
{
	struct signal_entry *entry = &s->entries[signum];
	struct berth_handler *handler = entry->handler;

	if (handler == NULL)
		return;
	mark_call(s->reactor, entry->owner->index);
	if (handler->type->signal(handler, signum) >= 0)
		return;
	/* It may have gone, or another have come, in the hook. */
	if (entry->handler != handler)
		return;
	forget(s, signum);
	call_close(handler, -1, BERTH_SIGNAL);
}

static int
signals_input(struct berth_handler *base, int fd)
{
	struct signals *s = BASE_CONTAINER(base, struct signals, base);
	struct signalfd_siginfo infos[8];
	ssize_t size = read(fd, infos, sizeof(infos));

	for (ssize_t i = 0; i < size / (ssize_t)sizeof(infos[0]); i++)
		deliver(s, (int)infos[i].ssi_signo);
	return 0;
}

/* At the end of the reactor. */
static void
signals_close(struct berth_handler *base, int fd, unsigned mask)
{
	struct signals *s = BASE_CONTAINER(base, struct signals, base);

	(void)fd;
	(void)mask;
	s->reactor->signals = NULL;
	fd_close(&s->fd);
	free(s);
}

static const struct berth_handler_type signals_type = {
    .input = signals_input,
    .close = signals_close,
};

static int
start(struct reactor *r)
{
	struct signals *s = calloc(1, sizeof(*s));
	int result;

	if (s == NULL)
		return -ENOMEM;
	s->base.type = &signals_type;
	s->reactor = r;
	(void)sigemptyset(&s->set);
	s->fd = signalfd(-1, &s->set, SFD_NONBLOCK | SFD_CLOEXEC);
	result = s->fd < 0
		     ? -errno
		     : slots_add(&r->self, &s->base, s->fd, BERTH_READ, true);
	if (result < 0) {
		fd_close(&s->fd);
		free(s);
		return result;
	}
	r->signals = s;
	return 0;
}

int
reactor_signal(
    struct reactor_owner *owner, struct berth_handler *handler, int signum)
{
	struct reactor *r = owner->reactor;
	sigset_t set;
	int result;

	if (!in_loop(r))
		return -EPERM;
	if (handler == NULL || handler->type == NULL ||
	    handler->type->signal == NULL || signum <= 0 || signum >= NSIG)
		return -EINVAL;
	if (r->closing || owner->revoking)
		return -ECANCELED;
	result = r->signals != NULL ? 0 : start(r);
	if (result < 0)
		return result;
	if (r->signals->entries[signum].handler != NULL)
		return -EBUSY;
	set = r->signals->set;
	if (sigaddset(&set, signum) < 0 ||
	    signalfd(r->signals->fd, &set, 0) < 0)
		return -errno;
	r->signals->set = set;
	r->signals->entries[signum] = (struct signal_entry){owner, handler};
	owner->descriptors++;
	return 0;
}

int
reactor_unsignal(struct reactor_owner *owner, int signum)
{
	struct signals *s = owner->reactor->signals;

	if (!in_loop(owner->reactor))
		return -EPERM;
	if (s == NULL || signum <= 0 || signum >= NSIG ||
	    s->entries[signum].owner != owner)
		return -ENOENT;
	forget(s, signum);
	return 0;
}

void
signals_revoke(struct reactor_owner *owner)
{
	struct signals *s = owner->reactor->signals;

	for (int i = 1; s != NULL && i < NSIG; i++)
		if (s->entries[i].owner == owner)
			forget(s, i);
}
