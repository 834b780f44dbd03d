/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * flows: datagrams, whose answers come when their sessions are over.
 *
 * A peer is an address that sent something to one of ours; it has a socket of
 * its own that is connected to the first target, so that an answer is known by
 * where it comes to, and is a sender that the host keeps.  A peer from which
 * and for which nothing came for the expiry time is forgotten.  At most
 * PEERS_MOST are kept: beyond that, newcomers are not served, and nothing
 * grows.  Who may send at all is the host's to say.
 */
#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <unistd.h>

#include "redirect.h"

#define PEERS_MOST 4096u
#define BUCKETS 1024u
#define TURN_MOST 64 /* datagrams before others have their turn */
#define NAME_BYTES 256

struct peer {
	struct berth_handler handler; /* of fd */
	LIST_ENTRY(peer) in_bucket;
	TAILQ_ENTRY(peer) by_age;
	struct flows *flows;
	struct target *target;
	struct berth_sender *sender;
	uint64_t used_ns;
	int fd;
	char name[]; /* its address and ours */
};

struct flows {
	struct berth_handler handler; /* of the timer */
	struct redirect *redirect;
	unsigned count;
	LIST_HEAD(, peer) bucket[BUCKETS];
	TAILQ_HEAD(, peer) peers; /* the one that was idle longest first */
};

static unsigned
hash(const char *name)
{
	unsigned value = 5381;

	for (; *name != '\0'; name++)
		value = value * 33 + (unsigned char)*name;
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
	if (peer->sender != NULL)
		berth_sender_forget(peer->sender);
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
	ssize_t size = 0;

	for (int i = 0; i < TURN_MOST; i++) {
		size = recv(fd, redirect->buffer, BUFFER_BYTES, 0);
		if (size < 0)
			break;
		touch(peer);
		/* One that the kernel does not take is lost, as they are. */
		berth_sender_write(
		    peer->sender, berth_bytes(redirect->buffer, (size_t)size));
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
find_peer(struct flows *flows, const char *name)
{
	struct peer *peer;

	LIST_FOREACH (peer, &flows->bucket[hash(name)], in_bucket)
		if (strcmp(peer->name, name) == 0)
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
make_peer(struct flows *flows, const char *name)
{
	struct peer *peer;

	if (flows->redirect->addresses == NULL || flows->count >= PEERS_MOST)
		return NULL;
	peer = calloc(1, sizeof(*peer) + strlen(name) + 1);
	if (peer == NULL)
		return NULL;
	peer->handler.type = &peer_type;
	peer->flows = flows;
	peer->fd = -1;
	strcpy(peer->name, name);
	LIST_INSERT_HEAD(&flows->bucket[hash(name)], peer, in_bucket);
	TAILQ_INSERT_TAIL(&flows->peers, peer, by_age);
	flows->count++;
	return connect_peer(peer) == 0 ? peer : drop_peer(peer);
}

/* "10.0.0.1:4711 10.0.0.2:53"; 0 or a negative errno. */
static int
name_peer(struct berth_session *session, char name[NAME_BYTES])
{
	int size = berth_peer(session, name, NAME_BYTES / 2);

	if (size < 0 || size >= NAME_BYTES / 2)
		return size < 0 ? size : -ENAMETOOLONG;
	name[size++] = ' ';
	size = berth_local(session, name + size, NAME_BYTES / 2 - 1);
	if (size < 0 || size >= NAME_BYTES / 2 - 1)
		return size < 0 ? size : -ENAMETOOLONG;
	return 0;
}

int
flows_datagram(struct berth_session *session, struct berth_bytes in)
{
	struct redirect *redirect = session->service->state;
	char name[NAME_BYTES];
	struct peer *peer;
	int result;

	if (redirect->flows == NULL)
		return -EPROTOTYPE;
	result = name_peer(session, name);
	if (result != 0)
		return result;
	peer = find_peer(redirect->flows, name);
	if (peer == NULL)
		peer = make_peer(redirect->flows, name);
	if (peer == NULL) {
		redirect->failed++;
		return 0;
	}
	result = berth_sender_keep(session, &peer->sender);
	if (result != 0) {
		if (peer->sender == NULL)
			drop_peer(peer);
		return result;
	}
	touch(peer);
	send(peer->fd, in.data, in.size, MSG_NOSIGNAL);
	return 0;
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

static const struct berth_handler_type flows_type = {.timeout = on_timer};

/* --- start and end --- */

/* The endpoint of -u; others are of the attribute. */
static int
listen_to(struct redirect *redirect)
{
	struct target where;

	if (redirect->listen == NULL)
		return 0;
	if (strncmp(redirect->listen, "udp", 3) != 0 ||
	    target_parse(&where, redirect->listen, NULL) != 0)
		return berth_fail(redirect->service, EINVAL,
		    "-u '%s': udp:ADDRESS:PORT is expected", redirect->listen);
	return berth_listen(redirect->service, redirect->listen);
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
	TAILQ_INIT(&flows->peers);
	result = listen_to(redirect);
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
	free(flows);
	redirect->flows = NULL;
}
