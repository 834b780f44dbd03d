/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * datagram: what is kept of a datagram in order to answer it, for datagram.c
 * and sender.c.
 */
#ifndef SESSION_DATAGRAM_H
#define SESSION_DATAGRAM_H

#include <netinet/in.h>

#include "session/session_priv.h"

/* Any datagram may be answered by so much: with the headers of both that is
 * hardly more than it cost to send. */
#define DATAGRAM_ANSWER_BYTES 64u

struct datagram_way {
	size_t allowance; /* bytes that may still be answered */
	struct sockaddr_storage peer;
	socklen_t peer_size; /* 0: unnamed */
	bool v4_known, v6_known;
	struct in_pktinfo v4; /* the address that it was sent to */
	struct in6_pktinfo v6;
};

/* What is kept of the datagram of this session. */
const struct datagram_way *datagram_way(struct session *session);
/* Sends, or drops what is more than is allowed; counts.  The size, or
 * -EMSGSIZE. */
int datagram_answer(struct server *server, struct datagram_way *way, int fd,
    struct berth_bytes bytes);
/* What may be answered by right of a datagram of so many bytes. */
size_t datagram_allowance(size_t size);

#endif
