/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * listeners: all listening sockets of a host, by address.
 *
 * The registry holds no reference of its own: a listener is in it while
 * somebody has one.  Adopted sockets wait here until an endpoint of the same
 * address asks for them.
 *
 * Results: 0, or a negative errno that was told at the endpoint's place.
 */
#include "net/net_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PORT_BYTES ((UINT16_MAX + 1) / 8)

int
listeners_new(
    struct reactor *reactor, struct log *log, struct listeners **ret_listeners)
{
	struct listeners *listeners = calloc(1, sizeof(*listeners));
	int result = -ENOMEM;

	if (listeners == NULL)
		return -ENOMEM;
	TAILQ_INIT(&listeners->all);
	LIST_INIT(&listeners->adopted);
	listeners->reactor = reactor;
	listeners->log = log;
	listeners->shared.buffer = malloc(LISTENERS_BUFFER_BYTES);
	if (listeners->shared.buffer != NULL)
		result = reactor_owner_init(
		    &listeners->owner, reactor, "listeners");
	if (result != 0) {
		free(listeners->shared.buffer);
		free(listeners);
		return result;
	}
	*ret_listeners = listeners;
	return 0;
}

static void
adopted_free(struct adopted *adopted)
{
	LIST_REMOVE(adopted, link);
	fd_close(&adopted->fd);
	free(adopted);
}

struct listeners *
listeners_free(struct listeners *listeners)
{
	if (listeners == NULL)
		return NULL;
	BASE_ASSERT(TAILQ_EMPTY(&listeners->all));
	while (!LIST_EMPTY(&listeners->adopted))
		adopted_free(LIST_FIRST(&listeners->adopted));
	reactor_owner_fini(&listeners->owner);
	free(listeners->datagram_ports);
	free(listeners->shared.buffer);
	free(listeners);
	return NULL;
}

/* --- what the sessions of a host share -------------------------------------*/

struct listeners_shared *
listeners_shared(struct listeners *listeners)
{
	return &listeners->shared;
}

uint64_t
listeners_next_id(struct listeners *listeners)
{
	return ++listeners->ids;
}

/* --- the listeners of a worker ---------------------------------------------*/

void
listeners_borrow(struct listeners *listeners)
{
	listeners->borrowed = true;
}

void
listeners_hold(struct listeners *listeners, bool hold)
{
	struct listener *listener;

	listeners->held = hold;
	TAILQ_FOREACH (listener, &listeners->all, link)
		listener_settle(listener);
}

void
listeners_set_quota(struct listeners *listeners, uint64_t connections,
    void (*spent)(void *context), void *context)
{
	listeners->quota = connections;
	listeners->spent = spent;
	listeners->spent_context = context;
}

void
listeners_count(struct listeners *listeners)
{
	if (--listeners->quota > 0)
		return;
	listeners_hold(listeners, true);
	listeners->spent(listeners->spent_context);
}

/* --- datagram ports --------------------------------------------------------*/

static unsigned
datagram_port(const struct listener *listener)
{
	const void *any = &listener->binding.address.storage;

	return listener_is_datagram(listener) ? address_port(any) : 0;
}

static int
note_port(struct listeners *listeners, const struct listener *listener)
{
	unsigned port = datagram_port(listener);

	if (port == 0)
		return 0;
	if (listeners->datagram_ports == NULL)
		listeners->datagram_ports = calloc(1, PORT_BYTES);
	if (listeners->datagram_ports == NULL)
		return -ENOMEM;
	listeners->datagram_ports[port / 8] |= (unsigned char)(1u
							       << (port % 8));
	return 0;
}

static void
forget_port(struct listeners *listeners, const struct listener *gone)
{
	unsigned port = datagram_port(gone);
	struct listener *other;

	if (port == 0 || listeners->datagram_ports == NULL)
		return;
	TAILQ_FOREACH (other, &listeners->all, link) {
		if (other != gone && datagram_port(other) == port)
			return;
	}
	listeners->datagram_ports[port / 8] &= (unsigned char)~(
	    1u << (port % 8));
}

bool
listeners_own_datagram(const struct listeners *listeners,
    const struct sockaddr *address, socklen_t size)
{
	struct binding binding = {.address = {.socket_type = SOCK_DGRAM}};
	unsigned port = address_port(address);
	struct listener *found;
	char text[NET_TEXT_MAX];

	if (port != 0)
		return listeners->datagram_ports != NULL &&
		       (listeners->datagram_ports[port / 8] >> (port % 8) &
			   1) != 0;
	if (address->sa_family != AF_UNIX ||
	    size > sizeof(binding.address.storage))
		return false;
	memcpy(&binding.address.storage, address, size);
	binding.address.size = size;
	binding_print(&binding, text, sizeof(text));
	HASH_FIND_STR(listeners->by_key, text, found);
	return found != NULL;
}

/* --- the registry ----------------------------------------------------------*/

static struct listener *
find(struct listeners *listeners, const char *key)
{
	struct listener *found;

	HASH_FIND_STR(listeners->by_key, key, found);
	return found;
}

/* One whose port the kernel chose is found by that port as well. */
static struct listener *
find_bound(struct listeners *listeners, const char *text)
{
	struct listener *listener;

	TAILQ_FOREACH (listener, &listeners->all, link)
		if (strcmp(listener_text(listener), text) == 0)
			return listener;
	return NULL;
}

static int
insert(struct listeners *listeners, struct listener *listener)
{
	int result = note_port(listeners, listener);

	if (result != 0)
		return result;
	HASH_ADD_KEYPTR(hh, listeners->by_key, listener->key,
	    strlen(listener->key), listener);
	if (listener->hh.tbl == NULL)
		return -ENOMEM;
	TAILQ_INSERT_TAIL(&listeners->all, listener, link);
	return 0;
}

void
listeners_forget(struct listeners *listeners, struct listener *listener)
{
	forget_port(listeners, listener);
	HASH_DELETE(hh, listeners->by_key, listener);
	TAILQ_REMOVE(&listeners->all, listener, link);
}

void
listeners_each(struct listeners *listeners,
    void (*fn)(void *context, struct listener *listener), void *context)
{
	struct listener *listener, *next;

	for (listener = TAILQ_FIRST(&listeners->all); listener != NULL;
	     listener = next) {
		next = TAILQ_NEXT(listener, link);
		fn(context, listener);
	}
}

/* --- adopted sockets -------------------------------------------------------*/

static int
make_ours(int fd)
{
	int flags = fcntl(fd, F_GETFD);

	if (flags < 0 || fcntl(fd, F_SETFD, flags | FD_CLOEXEC) < 0)
		return -errno;
	return fd_nonblock(fd);
}

int
listeners_adopt(struct listeners *listeners, int fd)
{
	struct adopted *adopted = calloc(1, sizeof(*adopted));
	int result = -ENOMEM;

	if (adopted != NULL)
		result = make_ours(fd);
	if (result == 0)
		result = binding_of_socket(fd, &adopted->binding);
	if (result == 0)
		result = socket_prepare(fd, &adopted->binding);
	if (result != 0) {
		free(adopted);
		fd_close(&fd);
		return result;
	}
	adopted->fd = fd;
	LIST_INSERT_HEAD(&listeners->adopted, adopted, link);
	return 0;
}

/* The descriptor of an adopted socket, ours now; -ENOENT: there is none; or
 * why it can't be as the settings say. */
static int
take_adopted(struct listeners *listeners, struct binding *binding,
    const struct settings *settings, const struct complaint *complaint)
{
	char wanted[NET_TEXT_MAX], text[NET_TEXT_MAX];
	struct adopted *adopted;
	int fd, result;

	binding_print(binding, wanted, sizeof(wanted));
	LIST_FOREACH (adopted, &listeners->adopted, link) {
		binding_print(&adopted->binding, text, sizeof(text));
		if (strcmp(text, wanted) == 0)
			break;
	}
	if (adopted == NULL)
		return -ENOENT;
	result = options_set(adopted->fd, binding, settings, complaint);
	if (result != 0)
		return result;
	fd = base_take_fd(&adopted->fd);
	adopted_free(adopted);
	/* Whoever bound it may have left the listening to us. */
	socket_tune(fd, binding, settings);
	return fd;
}

/* --- acquiring -------------------------------------------------------------*/

struct request {
	struct complaint complaint;
	const struct settings *settings;
	const char *service;
	unsigned number;
	struct binding binding;
	char text[NET_TEXT_MAX]; /* as asked for, port 0 included */
};

static const char *
holder(const struct listener *listener)
{
	return listener->consumer != NULL ? listener->consumer->name
					  : listener->service;
}

static int
refuse(struct listeners *listeners, const struct request *request, int code)
{
	struct listener *other = NULL;

	if (code == -EEXIST)
		return code;
	if (code == -EADDRINUSE) {
		TAILQ_FOREACH (other, &listeners->all, link) {
			if (binding_overlaps(
				&other->binding, &request->binding))
				break;
		}
	}
	if (other == NULL)
		return net_complain(&request->complaint, code,
		    "cannot listen on %s: %s", request->text, strerror(-code));
	return net_complain(&request->complaint, code,
	    "cannot listen on %s: %s; service '%s' holds %s", request->text,
	    strerror(-code), holder(other), other->text);
}

static char *
make_key(const struct request *request, bool chosen_by_kernel)
{
	char *key;

	if (!chosen_by_kernel)
		return strdup(request->text);
	/* A blank separates: neither part has one. */
	if (asprintf(&key, "%s %s %u", request->text, request->service,
		request->number) < 0)
		return NULL;
	return key;
}

static int
open_socket(struct listeners *listeners, struct request *request,
    struct socket_path *ret_path)
{
	int fd = take_adopted(listeners, &request->binding, request->settings,
	    &request->complaint);

	if (fd != -ENOENT) /* its path belongs to who made it */
		return fd;
	if (listeners->borrowed) {
		net_complain(&request->complaint, -EPERM,
		    "%s: a service in workers has the endpoints of its "
		    "attributes, and no other",
		    request->text);
		return -EEXIST; /* told */
	}
	return socket_open(&request->binding, request->settings,
	    &request->complaint, ret_path);
}

/* Takes the key. */
static int
make_listener(struct listeners *listeners, struct request *request, char *key,
    struct listener **ret_listener)
{
	struct socket_path path = {.name = NULL};
	char text[NET_TEXT_MAX];
	struct listener *listener;
	int result = open_socket(listeners, request, &path);

	if (result >= 0)
		result = listener_new(
		    listeners, &request->binding, result, &listener);
	if (result != 0) {
		socket_path_fini(&path);
		free(key);
		return refuse(listeners, request, result);
	}
	listener->path = path;
	listener->key = key;
	binding_print(&request->binding, text, sizeof(text));
	listener->text = strdup(text);
	listener->service = strdup(request->service);
	result = -ENOMEM;
	if (listener->text != NULL && listener->service != NULL)
		result = insert(listeners, listener);
	if (result != 0) {
		listener_free(listener);
		return refuse(listeners, request, result);
	}
	*ret_listener = listener;
	return 0;
}

/* It can be as the settings say, and will be when they are in force. */
static int
share(struct listeners *listeners, const struct request *request,
    struct listener *found, struct listener **ret_listener)
{
	int result = options_try(
	    &found->binding, request->settings, &request->complaint);

	if (result == 0)
		result = socket_path_find_owner(
		    &found->path, request->settings, &request->complaint);
	if (result != 0)
		return refuse(listeners, request, result);
	*ret_listener = listener_ref(found);
	return 0;
}

int
listeners_acquire(struct listeners *listeners, const struct endpoint_spec *spec,
    const struct settings *settings, const char *service, unsigned number,
    struct errors *errors, struct listener **ret_listener)
{
	struct request request = {.complaint = {errors, spec},
	    .settings = settings,
	    .service = service,
	    .number = number};
	const void *any = &request.binding.address.storage;
	struct listener *found;
	char *key;
	int result = binding_resolve(
	    spec, settings->v6only, errors, &request.binding);

	if (result != 0)
		return result;
	binding_print(&request.binding, request.text, sizeof(request.text));
	key = make_key(
	    &request, request.binding.address.storage.ss_family != AF_UNIX &&
			  address_port(any) == 0);
	if (key == NULL)
		return refuse(listeners, &request, -ENOMEM);
	found = find(listeners, key);
	if (found == NULL)
		found = find_bound(listeners, request.text);
	if (found == NULL)
		return make_listener(listeners, &request, key, ret_listener);
	free(key);
	return share(listeners, &request, found, ret_listener);
}
