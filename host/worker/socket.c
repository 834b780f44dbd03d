/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * wait = yes: the program is handed the endpoint's own socket, listening or of
 * datagrams, on 0, 1, 2 and as descriptor 3 with LISTEN_FDS, when a first
 * client is there.  Until the program ends the host does not look at that
 * socket.
 *
 * A program that ends and has read nothing would be started again at once, for
 * ever.  Of datagrams the first in the queue is remembered: still there, it
 * was not read.  Connections that wait can't be told apart; a program that
 * leaves some after less than a second has come to nothing.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "worker/worker_priv.h"

#define QUICK_NS MONO_MS(1000)
#define HEAD_BYTES 64u

/* FNV-1a: not against an adversary, who could as well send more. */
static uint64_t
mix(uint64_t hash, const void *data, size_t size)
{
	const unsigned char *byte = data;

	for (size_t i = 0; i < size; i++)
		hash = (hash ^ byte[i]) * UINT64_C(0x100000001b3);
	return hash;
}

/* Of the first datagram, whose sender is given back; 0: there is none. */
static uint64_t
look(int fd, struct sockaddr_storage *ret_peer, socklen_t *ret_size)
{
	unsigned char head[HEAD_BYTES];
	uint64_t hash = UINT64_C(0xcbf29ce484222325);
	socklen_t size = sizeof(*ret_peer);
	void *peer = ret_peer;
	ssize_t got = recvfrom(fd, head, sizeof(head),
	    MSG_PEEK | MSG_DONTWAIT | MSG_TRUNC, peer, &size);

	if (got < 0)
		return 0;
	hash = mix(hash, &got, sizeof(got));
	hash = mix(hash, head,
	    (size_t)got < sizeof(head) ? (size_t)got : sizeof(head));
	*ret_size = size;
	return mix(hash, peer, size) | 1;
}

/* Throws away what may not be answered; false: nothing is left to serve. */
static bool
find_head(struct external *program, int fd, struct description *description,
    uint64_t *ret_head)
{
	struct sockaddr_storage peer;
	const void *address = &peer;
	socklen_t size;
	uint64_t head = look(fd, &peer, &size);
	char none;

	while (head != 0 &&
	       server_refuses_datagram(program->server, address, size)) {
		recv(fd, &none, sizeof(none), MSG_DONTWAIT | MSG_TRUNC);
		head = look(fd, &peer, &size);
	}
	if (head == 0)
		return false;
	address_print(
	    address, size, description->peer, sizeof(description->peer));
	description->peer_known = true;
	*ret_head = head;
	return true;
}

static bool
has_clients(int fd)
{
	struct pollfd poll_fd = {.fd = fd, .events = POLLIN};

	return poll(&poll_fd, 1, 0) > 0;
}

static bool
is_handed_over(const struct external *program, const struct listener *listener)
{
	const struct external_child *child;

	LIST_FOREACH (child, &program->children, link)
		if (child->listener == listener)
			return true;
	return false;
}

static int
start(struct external *program, struct listener *listener,
    struct description *description, uint64_t head)
{
	int fd = listener_fd(listener);
	struct spawn start = {.fds = {fd, fd, fd}, .listen_fd = fd};
	struct external_child *child = external_child_new(program);
	int result = -ENOMEM;

	if (child != NULL) {
		child->head = head;
		result = external_start(program, description, &start, child);
	}
	if (result == 0) {
		child->listener = listener_ref(listener);
		return 0;
	}
	free(child);
	/* The child may have come so far. */
	listener_restore(listener);
	return result;
}

int
external_hand_over(void *units, struct listener *listener, int fd)
{
	struct external *program = units;
	struct description description;
	uint64_t head = 0;

	if (is_handed_over(program, listener) ||
	    !server_has_room(program->server)) {
		listener_pause(listener);
		return 0;
	}
	describe_socket(
	    &description, program->template, program->options.service->name);
	if (!listener_is_datagram(listener))
		memcpy(description.peer, "clients", sizeof("clients"));
	else if (!find_head(program, fd, &description, &head))
		return 0;
	if (!listener_is_datagram(listener))
		server_hands_over(program->server);
	if (start(program, listener, &description, head) == 0) {
		listener_pause(listener);
		return 0;
	}
	server_unit_begins(program->server);
	external_failed(program);
	server_unit_ends(program->server, true);
	return 0;
}

/* Has it done nothing of what it was started for? */
static bool
came_to_nothing(const struct external_child *child)
{
	uint64_t now = reactor_now(child->program->reactor).ns;
	int fd = listener_fd(child->listener);
	struct sockaddr_storage peer;
	socklen_t size;

	if (listener_is_datagram(child->listener))
		return look(fd, &peer, &size) == child->head;
	return now - child->born_ns < QUICK_NS && has_clients(fd);
}

void
external_take_back(struct external_child *child, bool failed)
{
	struct external *program = child->program;

	(void)failed;
	listener_restore(child->listener);
	if (came_to_nothing(child))
		external_failed(program);
	else
		program->failures = 0;
	if (server_has_room(program->server))
		server_wake_listener(program->server, child->listener);
}
