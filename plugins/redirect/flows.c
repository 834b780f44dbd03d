/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * flows: datagrams, on a socket of our own, since their answers come when no
 * datagram of the host's lives any more.
 *
 * A peer is an address that sent something; it has a socket of its own that
 * is connected to the first target, so that an answer is known by where it
 * comes to.  A peer from which and for which nothing came for the expiry time
 * is forgotten.  At most PEERS_MOST are kept: beyond that, newcomers are not
 * served, and nothing grows.
 *
 * Peers with a port below 1024 are not served: they are how two servers are
 * set upon each other.
 */
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <unistd.h>

#include "redirect.h"

#define PEERS_MOST 4096u
#define BUCKETS 1024u
#define TURN_MOST 64 /* datagrams before others have their turn */
#define PORT_RESERVED 1024

struct peer {
	struct berth_handler handler; /* of fd */
	LIST_ENTRY(peer) in_bucket;
	TAILQ_ENTRY(peer) by_age;
	struct flows *flows;
	struct target *target;
	struct sockaddr_storage storage;
	socklen_t size;
	uint64_t used_ns;
	int fd;
};

struct flows {
	struct berth_handler handler; /* of fd, and of the timer */
	struct redirect *redirect;
	int fd;
	unsigned count;
	LIST_HEAD(, peer) bucket[BUCKETS];
	TAILQ_HEAD(, peer) peers; /* the one that was idle longest first */
};

static unsigned
hash(const struct sockaddr_storage *storage, socklen_t size)
{
	const unsigned char *byte = (const void *)storage;
	unsigned value = 5381;

	for (socklen_t i = 0; i < size; i++)
		value = value * 33 + byte[i];
	return value % BUCKETS;
}

static struct peer *
drop_peer(struct peer *peer)
{
	struct flows *flows = peer->flows;

	if (peer->fd >= 0) {
		berth_remove(flows->redirect->service, peer->fd,
		    BERTH_IO_EVENTS | BERTH_DONT_CALL);
		close(peer->fd);
	}
	LIST_REMOVE(peer, in_bucket);
	TAILQ_REMOVE(&flows->peers, peer, by_age);
	flows->count--;
	free(peer);
	return NULL;
}

static void
touch(struct peer *peer)
{
	struct flows *flows = peer->flows;

	peer->used_ns = berth_now(flows->redirect->service);
	TAILQ_REMOVE(&flows->peers, peer, by_age);
	TAILQ_INSERT_TAIL(&flows->peers, peer, by_age);
}

/* --- answers --- */

static int
on_answer(struct berth_handler *handler, int fd)
{
	struct peer *peer = (struct peer *)handler;
	struct redirect *redirect = peer->flows->redirect;
	const void *any = &peer->storage;
	ssize_t size = 0;

	for (int i = 0; i < TURN_MOST; i++) {
		size = recv(fd, redirect->buffer, BUFFER_BYTES, 0);
		if (size < 0)
			break;
		touch(peer);
		/* One that the kernel does not take is lost, as they are. */
		sendto(peer->flows->fd, redirect->buffer, (size_t)size,
		    MSG_NOSIGNAL, any, peer->size);
	}
	if (size >= 0)
		return 1;
	if (errno == EAGAIN || errno == EINTR)
		return 0;
	/* Nobody listens there: the next datagram may go elsewhere. */
	target_failed(redirect, peer->target, errno);
	drop_peer(peer);
	return 0;
}

static const struct berth_handler_type peer_type = {.input = on_answer};

/* --- questions --- */

static struct peer *
find_peer(
    struct flows *flows, const struct sockaddr_storage *storage, socklen_t size)
{
	struct peer *peer;

	LIST_FOREACH (peer, &flows->bucket[hash(storage, size)], in_bucket)
		if (peer->size == size &&
		    memcmp(&peer->storage, storage, size) == 0)
			return peer;
	return NULL;
}

/* A socket that is connected to the first target that can be had. */
static int
connect_peer(struct peer *peer)
{
	struct redirect *redirect = peer->flows->redirect;
	uint64_t now_ns = berth_now(redirect->service);
	struct attempt attempt = {.addresses = redirect->addresses};
	const struct address *address;

	while ((address = attempt_next(&attempt, now_ns)) != NULL) {
		const void *any = &address->storage;

		peer->fd = socket(address->storage.ss_family,
		    SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		peer->target = address->target;
		if (peer->fd >= 0 && connect(peer->fd, any, address->size) == 0)
			return berth_add(redirect->service, &peer->handler,
			    peer->fd, BERTH_READ);
		target_failed(redirect, address->target, errno);
		if (peer->fd >= 0)
			close(peer->fd);
		peer->fd = -1;
	}
	return -EHOSTUNREACH;
}

static struct peer *
make_peer(
    struct flows *flows, const struct sockaddr_storage *storage, socklen_t size)
{
	struct peer *peer;

	if (flows->redirect->addresses == NULL || flows->count >= PEERS_MOST)
		return NULL;
	peer = calloc(1, sizeof(*peer));
	if (peer == NULL)
		return NULL;
	peer->handler.type = &peer_type;
	peer->flows = flows;
	peer->fd = -1;
	peer->storage = *storage;
	peer->size = size;
	LIST_INSERT_HEAD(&flows->bucket[hash(storage, size)], peer, in_bucket);
	TAILQ_INSERT_TAIL(&flows->peers, peer, by_age);
	flows->count++;
	return connect_peer(peer) == 0 ? peer : drop_peer(peer);
}

static int
is_reserved(const struct sockaddr_storage *storage)
{
	/* The port is at the same place in both families. */
	const struct sockaddr_in *in = (const void *)storage;

	return ntohs(in->sin_port) < PORT_RESERVED;
}

static void
forward(struct flows *flows, const struct sockaddr_storage *storage,
    socklen_t peer_size, size_t size)
{
	struct peer *peer;

	if (is_reserved(storage))
		return;
	peer = find_peer(flows, storage, peer_size);
	if (peer == NULL)
		peer = make_peer(flows, storage, peer_size);
	if (peer == NULL) {
		flows->redirect->failed++;
		return;
	}
	touch(peer);
	send(peer->fd, flows->redirect->buffer, size, MSG_NOSIGNAL);
}

static int
on_question(struct berth_handler *handler, int fd)
{
	struct flows *flows = (struct flows *)handler;

	for (int i = 0; i < TURN_MOST; i++) {
		struct sockaddr_storage storage = {.ss_family = AF_UNSPEC};
		void *any = &storage;
		socklen_t size = sizeof(storage);
		ssize_t got = recvfrom(
		    fd, flows->redirect->buffer, BUFFER_BYTES, 0, any, &size);

		if (got < 0)
			return 0;
		forward(flows, &storage, size, (size_t)got);
	}
	return 1;
}

static int
on_timer(struct berth_handler *handler, uint64_t now_ns, void *token)
{
	struct flows *flows = (struct flows *)handler;
	uint64_t expiry_ns = (uint64_t)flows->redirect->expiry_ms * 1000000u;
	struct peer *peer;

	(void)token;
	while ((peer = TAILQ_FIRST(&flows->peers)) != NULL &&
	       now_ns - peer->used_ns >= expiry_ns && now_ns >= peer->used_ns)
		drop_peer(peer);
	return 0;
}

static const struct berth_handler_type flows_type = {
    .input = on_question, .timeout = on_timer};

/* --- start and end --- */

static int
bind_socket(struct flows *flows)
{
	struct redirect *redirect = flows->redirect;
	struct target where = {.text = redirect->listen};
	struct addrinfo wanted = {
	    .ai_socktype = SOCK_DGRAM, .ai_flags = AI_PASSIVE | AI_NUMERICHOST};
	struct addrinfo *found;
	int one = 1, result;

	if (strncmp(redirect->listen, "udp", 3) != 0 ||
	    target_parse(&where, redirect->listen, NULL) != 0)
		return berth_fail(redirect->service, EINVAL,
		    "-u '%s': udp:ADDRESS:PORT is expected", redirect->listen);
	wanted.ai_family = where.family;
	result = getaddrinfo(strcmp(where.host, "*") == 0 ? NULL : where.host,
	    where.port, &wanted, &found);
	if (result != 0)
		return berth_fail(redirect->service, EINVAL, "%s: %s",
		    redirect->listen, gai_strerror(result));
	flows->fd = socket(
	    found->ai_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	/* So that a replacement can bind before this one has ended. */
	if (flows->fd < 0 ||
	    setsockopt(
		flows->fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) != 0 ||
	    bind(flows->fd, found->ai_addr, found->ai_addrlen) != 0)
		result = berth_fail(redirect->service, errno, "%s: %s",
		    redirect->listen, strerror(errno));
	freeaddrinfo(found);
	return result;
}

int
flows_open(struct redirect *redirect)
{
	struct flows *flows = calloc(1, sizeof(*flows));
	uint64_t every_ns = (uint64_t)redirect->expiry_ms * 250000u;
	int result;

	if (flows == NULL)
		return berth_fail(redirect->service, ENOMEM, "no memory");
	redirect->flows = flows;
	flows->handler.type = &flows_type;
	flows->redirect = redirect;
	flows->fd = -1;
	TAILQ_INIT(&flows->peers);
	result = bind_socket(flows);
	if (result == 0)
		result = berth_add(
		    redirect->service, &flows->handler, flows->fd, BERTH_READ);
	if (result == 0)
		result = berth_schedule(redirect->service, &flows->handler,
		    NULL, every_ns, every_ns, NULL);
	return result;
}

void
flows_close(struct redirect *redirect)
{
	struct flows *flows = redirect->flows;
	struct peer *peer;

	if (flows == NULL)
		return;
	while ((peer = TAILQ_FIRST(&flows->peers)) != NULL)
		drop_peer(peer);
	berth_cancel_all(redirect->service, &flows->handler);
	if (flows->fd >= 0) {
		berth_remove(redirect->service, flows->fd,
		    BERTH_IO_EVENTS | BERTH_DONT_CALL);
		close(flows->fd);
	}
	free(flows);
	redirect->flows = NULL;
}
