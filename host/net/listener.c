/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * listener: one listening socket, whoever serves it at the moment.
 *
 * It is registered with the reactor from its birth to its end; attaching,
 * pausing and waiting change its interest only, so that none of them can
 * fail.  While connections are not taken they wait in the backlog: nothing is
 * refused.
 *
 * When the process or the system has no descriptor or memory left for one
 * more connection, the listener waits and tries again by itself, later each
 * time; this is said once, not once a try.
 */
#include "net/net_priv.h"

#include <berth/host.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Connections in one readiness; then the others have their turn. */
#define ACCEPT_BUDGET 64u
#define RETRY_FIRST_NS MONO_MS(20)
#define RETRY_LAST_NS MONO_MS(1000)

static struct listener *
listener_of(struct berth_handler *handler)
{
	return BASE_CONTAINER(handler, struct listener, handler);
}

static unsigned
interest_of(const struct listener *listener)
{
	return listener_is_datagram(listener) ? BERTH_READ : BERTH_ACCEPT;
}

static bool
wants_events(const struct listener *listener)
{
	return listener->consumer != NULL && !listener->paused &&
	       !listener->starved && !listener->listeners->held;
}

void
listener_settle(struct listener *listener)
{
	unsigned interest = interest_of(listener);
	bool wanted = wants_events(listener);

	if (!listener->registered)
		return;
	reactor_mask(&listener->listeners->owner, listener->fd,
	    wanted ? 0 : interest, wanted ? interest : 0);
}

/* --- when there is no room -------------------------------------------------*/

static void
starve(struct listener *listener, int error)
{
	struct listeners *all = listener->listeners;

	/* Without memory for the timer the loop itself is the retry. */
	if (reactor_schedule(&all->owner, &listener->handler, NULL,
		listener->retry_ns, 0, &listener->retry) != 0)
		return;
	if (listener->retry_ns == RETRY_FIRST_NS && all->starved == 0)
		log_printf(all->log, BERTH_WARNING, NULL,
		    "cannot accept on %s: %s; connections wait until there is "
		    "room",
		    listener->text, strerror(error));
	if (listener->retry_ns == RETRY_FIRST_NS)
		all->starved++;
	listener->retry_ns *= 2;
	if (listener->retry_ns > RETRY_LAST_NS)
		listener->retry_ns = RETRY_LAST_NS;
	listener->starved = true;
	listener_settle(listener);
}

static void
recover(struct listener *listener)
{
	struct listeners *all = listener->listeners;

	listener->retry_ns = RETRY_FIRST_NS;
	if (--all->starved == 0)
		log_printf(all->log, BERTH_NOTICE, NULL,
		    "there is room again: connections are accepted");
}

static int
retry(struct berth_handler *handler, uint64_t now_ns, void *token)
{
	struct listener *listener = listener_of(handler);

	(void)now_ns;
	(void)token;
	listener->retry = 0;
	listener->starved = false;
	listener_settle(listener);
	return 0;
}

/* --- events ----------------------------------------------------------------*/

/*
 * The fate of one connection, which the kernel reports here (accept(2), "Error
 * handling"), and not the listener's.
 */
static bool
is_connections_own(int error)
{
	static const int errors[] = {EINTR, ECONNABORTED, ECONNRESET, EPROTO,
	    EPERM, ENETDOWN, ENOPROTOOPT, EHOSTDOWN, ENONET, EHOSTUNREACH,
	    ENETUNREACH, ETIMEDOUT};
	unsigned i;

	for (i = 0; i < BASE_COUNT(errors); i++) {
		if (errors[i] == error)
			return true;
	}
	return false;
}

/* >0: go on, 0: nothing more now. */
static int
accept_failed(struct listener *listener, int error)
{
	if (error == EAGAIN)
		return 0;
	if (is_connections_own(error))
		return 1;
	starve(listener, error);
	return 0;
}

/* >0: go on, 0: nothing more now. */
static int
accept_one(struct listener *listener)
{
	struct listener_consumer *consumer = listener->consumer;
	int fd, result;

	if (!wants_events(listener))
		return 0;
	if (!consumer->type->ready(consumer)) {
		listener_pause(listener);
		return 0;
	}
	fd = accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd < 0)
		return accept_failed(listener, errno);
	if (listener->retry_ns != RETRY_FIRST_NS)
		recover(listener);
	result = consumer->type->accepted(consumer, listener, fd);
	if (listener->listeners->quota > 0)
		listeners_count(listener->listeners);
	/* Other workers wait on the same socket: who is busy leaves it. */
	return result <= 0 && !listener->listeners->borrowed;
}

static int
accept_some(struct listener *listener)
{
	unsigned budget;

	for (budget = ACCEPT_BUDGET; budget > 0; budget--) {
		if (accept_one(listener) == 0)
			return 0;
	}
	return wants_events(listener);
}

static int
input(struct berth_handler *handler, int fd)
{
	struct listener *listener = listener_of(handler);
	struct listener_consumer *consumer = listener->consumer;
	int result = 0;

	(void)fd;
	if (!wants_events(listener))
		return 0;
	/* A hook may drop the last reference. */
	listener_ref(listener);
	if (!listener_is_datagram(listener) && consumer->type->accepted != NULL)
		result = accept_some(listener);
	else if (consumer->type->readable(consumer, listener, listener->fd) > 0)
		result = wants_events(listener);
	listener_unref(listener);
	return result;
}

/* The reactor ends before us. */
static void
forgotten(struct berth_handler *handler, int fd, unsigned mask)
{
	(void)fd;
	if ((mask & BERTH_TIMER) == 0)
		listener_of(handler)->registered = false;
}

const struct berth_handler_type listener_handler_type = {
    .input = input,
    .timeout = retry,
    .close = forgotten,
};

/* --- life ------------------------------------------------------------------*/

int
listener_new(struct listeners *listeners, const struct binding *binding, int fd,
    struct listener **ret_listener)
{
	struct listener *listener = calloc(1, sizeof(*listener));
	int result;

	if (listener == NULL) {
		fd_close(&fd);
		return -ENOMEM;
	}
	listener->handler.type = &listener_handler_type;
	listener->listeners = listeners;
	listener->binding = *binding;
	listener->fd = fd;
	listener->references = 1;
	listener->retry_ns = RETRY_FIRST_NS;
	result = reactor_add(
	    &listeners->owner, &listener->handler, fd, interest_of(listener));
	if (result != 0) {
		listener_free(listener);
		return result;
	}
	listener->registered = true;
	listener_settle(listener);
	*ret_listener = listener;
	return 0;
}

struct listener *
listener_free(struct listener *listener)
{
	struct listeners *all;

	if (listener == NULL)
		return NULL;
	all = listener->listeners;
	if (listener->retry_ns != RETRY_FIRST_NS)
		all->starved--;
	if (listener->retry != 0)
		reactor_cancel(&all->owner, listener->retry, NULL);
	if (listener->registered)
		reactor_remove(&all->owner, listener->fd,
		    BERTH_IO_EVENTS | BERTH_DONT_CALL);
	socket_path_fini(&listener->path);
	fd_close(&listener->fd);
	free(listener->key);
	free(listener->text);
	free(listener->service);
	free(listener);
	return NULL;
}

struct listener *
listener_ref(struct listener *listener)
{
	listener->references++;
	return listener;
}

struct listener *
listener_unref(struct listener *listener)
{
	if (listener == NULL)
		return NULL;
	BASE_ASSERT(listener->references > 0);
	if (--listener->references > 0)
		return NULL;
	BASE_ASSERT(listener->consumer == NULL);
	listeners_forget(listener->listeners, listener);
	return listener_free(listener);
}

/* --- consumers -------------------------------------------------------------*/

void
listener_attach(struct listener *listener, struct listener_consumer *consumer)
{
	listener->consumer = consumer;
	listener->paused = false;
	listener_settle(listener);
}

void
listener_detach(struct listener *listener, struct listener_consumer *consumer)
{
	if (listener->consumer != consumer)
		return;
	listener->consumer = NULL;
	listener_settle(listener);
}

struct listener_consumer *
listener_consumer(const struct listener *listener)
{
	return listener->consumer;
}

void
listener_pause(struct listener *listener)
{
	listener->paused = true;
	listener_settle(listener);
}

void
listener_resume(struct listener *listener)
{
	listener->paused = false;
	listener_settle(listener);
}

void
listener_restore(struct listener *listener)
{
	int flags = fcntl(listener->fd, F_GETFL);

	if (flags >= 0 && (flags & O_NONBLOCK) == 0)
		fcntl(listener->fd, F_SETFL, flags | O_NONBLOCK);
}

void
listener_set_backlog(struct listener *listener, unsigned backlog)
{
	if (!listener_is_datagram(listener))
		listen(
		    listener->fd, backlog > INT_MAX ? INT_MAX : (int)backlog);
}

void
listener_tune(struct listener *listener, const struct settings *settings)
{
	socket_tune(listener->fd, &listener->binding, settings);
	(void)socket_path_own(&listener->path, settings);
	if (settings->socket_mode == listener->binding.mode)
		return;
	listener->binding.mode = settings->socket_mode;
	socket_path_mode(&listener->path, settings->socket_mode);
}

int
listener_fd(const struct listener *listener)
{
	return listener->fd;
}

bool
listener_is_datagram(const struct listener *listener)
{
	return binding_is_datagram(&listener->binding);
}

int
listener_socket_type(const struct listener *listener)
{
	return listener->binding.address.socket_type;
}

bool
listener_is_tcp(const struct listener *listener)
{
	return listener->binding.address.socket_type == SOCK_STREAM &&
	       listener->binding.address.storage.ss_family != AF_UNIX;
}

const char *
listener_text(const struct listener *listener)
{
	return listener->text;
}
