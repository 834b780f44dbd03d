/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * channel: what a host and a worker of it say to each other, over a private
 * pair of sockets (SOCK_SEQPACKET): one packet is one message, descriptors go
 * along with it.
 *
 * The host begins with HELLO, which says the versions and the largest payload
 * that it knows; the worker answers with its own.  Both ends are the same
 * binary as a rule; a worker that speaks no version of its host says so and
 * ends.
 *
 *   host to worker   HELLO, PLUGIN (descriptor of a copy, one for each file),
 *                    SOCKET (descriptor), START, APPLY, ACCEPT, DRAIN, PING,
 *                    CONNECTION (descriptor; it ends with its session)
 *   worker to host   HELLO, ANSWER (of START and APPLY, by number), BEAT (of
 *                    PING), SPENT (it has taken its max_requests)
 *
 * Numbers are in the machine's own order: both ends are on it.
 */
#ifndef WORKER_WORKER_CHANNEL_H
#define WORKER_WORKER_CHANNEL_H

#include <sys/socket.h>

#include "base/base.h"

#define CHANNEL_VERSION 1u
#define CHANNEL_PAYLOAD_MAX (128u * 1024)
/* The worker's end is its descriptor 3. */
#define CHANNEL_WORKER_FD 3

enum channel_kind {
	CHANNEL_HELLO = 1,
	CHANNEL_PLUGIN, /* payload: the path of the directive */
	CHANNEL_SOCKET,
	CHANNEL_START, /* struct channel_start, then directives */
	CHANNEL_APPLY, /* directives */
	CHANNEL_ANSWER,
	CHANNEL_ACCEPT, /* id: 1 take connections, 0 let them wait */
	CHANNEL_DRAIN,	/* id: milliseconds that sessions have */
	CHANNEL_PING,	/* id: the level of the log */
	CHANNEL_BEAT,
	CHANNEL_SPENT,
	CHANNEL_CONNECTION, /* struct channel_connection */
	CHANNEL_KINDS
};

struct channel_message {
	enum channel_kind kind;
	uint32_t id;
	const void *data;
	size_t size;
	int fd; /* -1: none */
};

/* What was received: the message points into it. */
struct channel_inbox {
	struct channel_message message;
	void *packet;
};

#define CHANNEL_E_CLOSED 1 /* the other end is gone */

/* Two ends, CLOEXEC and NONBLOCK. */
int channel_pair(int ret_fds[2]);
/* Never waits: -EAGAIN when the other end does not read; -EMSGSIZE; … */
int channel_send(int fd, const struct channel_message *message);
/* 0, CHANNEL_E_CLOSED, -EAGAIN, -EBADMSG (not understood; the next one may be),
 * -ENOMEM.  The inbox is to be finished after 0. */
int channel_receive(int fd, struct channel_inbox *ret_inbox);
void channel_inbox_fini(struct channel_inbox *inbox);
/* A packet's bytes as a message; 0 or -EBADMSG. */
int channel_parse(
    const void *packet, size_t size, struct channel_message *ret_message);

/* --- payloads ----------------------------------------------------------------
 */

struct channel_hello {
	uint32_t oldest, newest; /* versions that it speaks */
	uint32_t payload_max;
	uint32_t reserved;
};

struct channel_start {
	uint32_t log_level;
	uint32_t max_requests; /* 0: no limit */
};

#define CHANNEL_BEAT_FULL UINT64_C(1) /* it can take no more sessions */

struct channel_beat {
	uint64_t sessions_active;
	uint64_t sessions_total;
	uint64_t sessions_failed;
	uint64_t datagrams;
	uint64_t datagrams_refused;
	uint64_t bytes_in;
	uint64_t bytes_out;
	uint64_t flags;
};

/* Who the client is, when its socket says something else. */
struct channel_connection {
	uint32_t peer_size; /* 0: as the socket says */
	uint32_t reserved;
	struct sockaddr_storage peer;
	struct sockaddr_storage local; /* AF_UNSPEC: the socket's own */
};

/* Of a fixed size: 0 or -EBADMSG. */
int channel_read(
    const struct channel_message *message, void *ret_payload, size_t size);

/* An answer is its result, then messages for people with their severity. */
struct channel_words {
	const char *at;
	size_t left;
};

int channel_answer_begin(struct text *answer, int32_t result);
int channel_answer_add(
    struct text *answer, enum severity severity, const char *words);
int channel_answer_read(const struct channel_message *message,
    int32_t *ret_result, struct channel_words *ret_words);
/* The next one, or false; words are not terminated. */
bool channel_answer_next(struct channel_words *words,
    enum severity *ret_severity, const char **ret_text, size_t *ret_size);

#endif
