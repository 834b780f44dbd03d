/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * targets: from what the configuration names to addresses.
 *
 * Names are looked up by a thread, at the start and again after each refresh
 * time: the loop never waits for a resolver.  A lookup that fails leaves the
 * addresses that there were.  What the thread finds it lays down under a lock
 * and posts; the loop takes it from there.
 *
 * A target that failed is tried after the others for DOWN_NS.
 */
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "redirect.h"

#define DOWN_NS UINT64_C(10000000000)
#define RETRY_MS 1000 /* after a lookup that found nothing */
#define ADDRESSES_MOST 64u

static int
parse_inet(
    struct target *target, const char *host, size_t size, const char *port)
{
	size_t room = sizeof(target->host_room);

	if (size >= 2 && host[0] == '[' && host[size - 1] == ']') {
		host++;
		size -= 2;
	}
	if (size == 0 || *port == '\0' || size + strlen(port) + 2 > room)
		return -EINVAL;
	memcpy(target->host_room, host, size);
	target->host_room[size] = '\0';
	target->host = target->host_room;
	target->port = strcpy(target->host_room + size + 1, port);
	return 0;
}

int
target_parse(struct target *target, const char *word, const char *port)
{
	static const struct {
		const char *kind;
		int family;
	} kinds[] = {{"tcp:", AF_UNSPEC}, {"tcp4:", AF_INET},
	    {"tcp6:", AF_INET6}, {"udp:", AF_UNSPEC}, {"udp4:", AF_INET},
	    {"udp6:", AF_INET6}};
	const char *colon;

	target->text = word;
	if (port != NULL)
		return parse_inet(target, word, strlen(word), port);
	if (strncmp(word, "unix:", 5) == 0) {
		target->path = word + 5;
		target->family = AF_UNIX;
		return target->path[0] == '/' || target->path[0] == '@'
			   ? 0
			   : -EINVAL;
	}
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		size_t size = strlen(kinds[i].kind);

		colon = strrchr(word, ':');
		if (strncmp(word, kinds[i].kind, size) != 0 ||
		    colon < word + size)
			continue;
		target->family = kinds[i].family;
		return parse_inet(target, word + size,
		    (size_t)(colon - word) - size, colon + 1);
	}
	return -EINVAL;
}

/* --- lists --- */

struct addresses *
addresses_ref(struct addresses *addresses)
{
	addresses->references++;
	return addresses;
}

struct addresses *
addresses_unref(struct addresses *addresses)
{
	if (addresses != NULL && --addresses->references == 0)
		free(addresses);
	return NULL;
}

static void
add(struct addresses *list, struct target *target, const void *data,
    size_t size)
{
	struct address *address = &list->address[list->count];

	if (list->count == ADDRESSES_MOST || size > sizeof(address->storage))
		return;
	memcpy(&address->storage, data, size);
	address->size = (socklen_t)size;
	address->target = target;
	list->count++;
}

static void
add_path(struct addresses *list, struct target *target)
{
	struct sockaddr_un path = {.sun_family = AF_UNIX};
	size_t size = strlen(target->path);

	if (size >= sizeof(path.sun_path))
		return;
	memcpy(path.sun_path, target->path, size);
	if (path.sun_path[0] == '@')
		path.sun_path[0] = '\0';
	else
		size++;
	add(list, target, &path, offsetof(struct sockaddr_un, sun_path) + size);
}

/* 0 or what getaddrinfo(3) says. */
static int
add_names(struct redirect *redirect, struct addresses *list,
    struct target *target, int numeric)
{
	struct addrinfo wanted = {
	    .ai_family = target->family,
	    .ai_socktype = redirect->socket_type,
	    .ai_flags = numeric ? AI_NUMERICHOST : 0,
	};
	struct addrinfo *found;
	int result = getaddrinfo(target->host, target->port, &wanted, &found);

	if (result != 0)
		return result;
	for (struct addrinfo *each = found; each != NULL; each = each->ai_next)
		add(list, target, each->ai_addr, each->ai_addrlen);
	freeaddrinfo(found);
	return 0;
}

struct addresses *
targets_resolve(struct redirect *redirect, int numeric)
{
	struct addresses *list = calloc(
	    1, sizeof(*list) + ADDRESSES_MOST * sizeof(list->address[0]));
	int missing = 0;

	if (list == NULL)
		return NULL;
	list->references = 1;
	for (unsigned i = 0; i < redirect->target_count; i++) {
		struct target *target = &redirect->targets[i];
		int result = 0;

		if (target->path != NULL)
			add_path(list, target);
		else
			result = add_names(redirect, list, target, numeric);
		if (result != 0 && !numeric)
			berth_log(redirect->service, BERTH_WARNING, "%s: %s",
			    target->text, gai_strerror(result));
		missing |= result != 0;
	}
	/* All are numbers, or it is not known yet. */
	if (list->count == 0 || (numeric && missing))
		return addresses_unref(list);
	return list;
}

/* --- the thread --- */

static void
adopt(void *arg)
{
	struct redirect *redirect = arg;
	struct addresses *fresh;

	pthread_mutex_lock(&redirect->lock);
	fresh = redirect->fresh;
	redirect->fresh = NULL;
	pthread_mutex_unlock(&redirect->lock);
	if (fresh == NULL)
		return;
	addresses_unref(redirect->addresses);
	redirect->addresses = fresh;
}

static void
lay_down(struct redirect *redirect, struct addresses *list)
{
	struct addresses *old;

	pthread_mutex_lock(&redirect->lock);
	old = redirect->fresh;
	redirect->fresh = list;
	pthread_mutex_unlock(&redirect->lock);
	addresses_unref(old);
	berth_post(redirect->service, adopt, redirect);
}

void
targets_thread(struct berth_thread *thread, void *arg)
{
	struct redirect *redirect = arg;
	struct pollfd stop = {
	    .fd = berth_thread_stop_fd(redirect->service, thread),
	    .events = POLLIN,
	};
	struct addresses *list;
	int wait_ms;

	do {
		list = targets_resolve(redirect, 0);
		if (list != NULL)
			lay_down(redirect, list);
		wait_ms = list != NULL || redirect->refresh_ms < RETRY_MS
			      ? (int)redirect->refresh_ms
			      : RETRY_MS;
	} while (poll(&stop, 1, wait_ms) <= 0);
}

/* --- attempts --- */

int
address_endpoint(const struct address *address, char to[ENDPOINT_BYTES])
{
	const void *any = &address->storage;
	char host[128], port[16];
	int size, result;

	if (address->target->path != NULL) {
		size = snprintf(
		    to, ENDPOINT_BYTES, "%s", address->target->text);
		return size < ENDPOINT_BYTES ? 0 : -ENAMETOOLONG;
	}
	result = getnameinfo(any, address->size, host, sizeof(host), port,
	    sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV);
	if (result != 0)
		return -EAFNOSUPPORT;
	snprintf(to, ENDPOINT_BYTES, "tcp:[%s]:%s", host, port);
	if (address->storage.ss_family == AF_INET)
		snprintf(to, ENDPOINT_BYTES, "tcp:%s:%s", host, port);
	return 0;
}

static int
is_down(const struct target *target, uint64_t now_ns)
{
	return target->down_ns > now_ns;
}

const struct address *
attempt_next(struct attempt *attempt, uint64_t now_ns)
{
	const struct addresses *list = attempt->addresses;

	for (; attempt->pass < 2; attempt->pass++, attempt->next = 0)
		while (attempt->next < list->count) {
			const struct address *address =
			    &list->address[attempt->next++];

			/* What failed in this very attempt is down by now,
			 * and tried a second time: it is the last hope. */
			if (is_down(address->target, now_ns) ==
			    (attempt->pass == 1))
				return address;
		}
	return NULL;
}

void
attempt_end(struct attempt *attempt)
{
	attempt->addresses = addresses_unref(attempt->addresses);
}

void
target_failed(struct redirect *redirect, struct target *target, int error)
{
	uint64_t now_ns = berth_now(redirect->service);

	if (!is_down(target, now_ns))
		berth_log(redirect->service, BERTH_WARNING, "%s: %s",
		    target->text, strerror(error));
	target->down_ns = now_ns + DOWN_NS;
}
