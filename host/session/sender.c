/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sender: who sent a datagram, kept by the service for a later answer.
 *
 * A sender answers from the socket that the datagram came to, and holds no
 * reference to it: when that socket is no more one of the server's, what is
 * written fails.  What may be answered adds up with what was sent, so that
 * nobody is sent more than he seems to have asked for.
 */
#include "session/datagram.h"

#include <errno.h>
#include <stdlib.h>

#define SENDER_MAGIC 0x53454e44u
#define ALLOWANCE_MOST (1u << 20)

struct sender {
	struct berth_sender public; /* first */
	uint32_t magic;
	LIST_ENTRY(sender) link;
	struct server *server;
	struct listener *listener; /* NULL: it is gone */
	struct datagram_way way;
};

static struct sender *
sender_of(struct berth_sender *public)
{
	struct sender *sender = BASE_CONTAINER(public, struct sender, public);

	BASE_ASSERT(sender->magic == SENDER_MAGIC);
	return sender;
}

static struct listener *
find_listener(const struct server *server, int fd)
{
	for (unsigned i = 0; i < server->listener_count; i++)
		if (listener_fd(server->listeners[i]) == fd)
			return server->listeners[i];
	return NULL;
}

static int
sender_new(struct session *session, struct sender **ret_sender)
{
	struct server *server = session->lane->server;
	struct sender *sender = calloc(1, sizeof(*sender));

	if (sender == NULL)
		return -ENOMEM;
	sender->public.service = server->options.service;
	sender->magic = SENDER_MAGIC;
	sender->server = server;
	LIST_INSERT_HEAD(&server->senders, sender, link);
	*ret_sender = sender;
	return 0;
}

int
sender_keep(struct berth_session *public, struct berth_sender **sender)
{
	struct session *session = session_of(public);
	const struct datagram_way *way;
	struct sender *kept = NULL;
	size_t allowance = 0;
	int result = 0;

	if ((session->flags & SESSION_DATAGRAM) == 0)
		return -EOPNOTSUPP;
	way = datagram_way(session);
	if (way->peer_size == 0)
		return -EOPNOTSUPP;
	if (*sender == NULL)
		result = sender_new(session, &kept);
	else
		kept = sender_of(*sender);
	if (result < 0)
		return result;
	allowance = kept->way.allowance + way->allowance;
	kept->way = *way;
	kept->way.allowance = allowance < ALLOWANCE_MOST ? allowance
							 : ALLOWANCE_MOST;
	kept->listener = find_listener(kept->server, session->fd);
	*sender = &kept->public;
	return 0;
}

int
sender_write(struct berth_sender *public, struct berth_bytes bytes)
{
	struct sender *sender = sender_of(public);

	if (sender->listener == NULL)
		return -EPIPE;
	return datagram_answer(
	    sender->server, &sender->way, listener_fd(sender->listener), bytes);
}

void
sender_forget(struct berth_sender *public)
{
	struct sender *sender = sender_of(public);

	LIST_REMOVE(sender, link);
	sender->magic = 0;
	free(sender);
}

void
senders_miss(struct server *server, const struct listener *listener)
{
	struct sender *sender;

	LIST_FOREACH (sender, &server->senders, link)
		if (sender->listener == listener)
			sender->listener = NULL;
}

void
senders_free(struct server *server)
{
	struct sender *sender;

	while ((sender = LIST_FIRST(&server->senders)) != NULL)
		sender_forget(&sender->public);
}
