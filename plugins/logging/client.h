/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * client: what the files of logging_client share.  All of it belongs to the
 * thread of the reactor.
 */
#ifndef LOGGING_CLIENT_H
#define LOGGING_CLIENT_H

#include <berth/berth.h>
#include <sys/queue.h>

#include "record.h"

/*
 * Records that are not known to have arrived, in their order:
 *
 *	head ... sent	given to the kernel, kept for when the connection breaks
 *	sent ... tail	not sent yet
 *	the spool	those that came when there was no room
 */
struct queue {
	char *data;
	size_t room, head, sent, tail; /* of data */
	size_t most;		       /* of room */
	const char *path;	       /* of the spool; NULL: none */
	int fd;			       /* of the spool; -1: none */
	uint64_t spool_most, spool_size, spool_at; /* bytes; used up */
};

struct relay {
	struct berth_handler handler; /* of fd and of the timers */
	struct berth_service *service;
	struct queue queue;
	LIST_HEAD(, source) waiting; /* clients, until there is room */

	/* what was asked for */
	const char *listen_port, *server_port, *server;
	uint64_t connect_ms, flush_ms, retry_ms, retry_most_ms, window;
	int acknowledged; /* the server tells what it wrote */

	/* the server */
	struct berth_connector *connector;
	int fd; /* -1: no connection */
	int connected;
	uint64_t told; /* records that it says it wrote */
	unsigned char ack[8];
	size_t ack_size;
	berth_timer_id flush_timer, quiet_timer;

	uint64_t taken, connections, resent_bytes;
	char line[512]; /* why it failed last; not told twice */
};

/* The state of a session. */
struct source {
	LIST_ENTRY(source) link;
	struct berth_session *session;
	int waits;
};

/* --- client_options.c --- */
int client_options(struct relay *relay, int argc, char **argv);

/* --- queue.c --- */
int queue_open(struct queue *queue);
/* Takes whole records.  0, -ENOSPC when there is no room, or what the spool
 * met with. */
int queue_put(struct queue *queue, const void *data, size_t size);
/* Brings what was spooled back into memory, as far as there is room.  0 or a
 * negative errno. */
int queue_refill(struct queue *queue);
/* So many records have arrived. */
void queue_arrived(struct queue *queue, uint64_t count);
/* Keeps no more than so much of what was sent, in whole records. */
void queue_trim(struct queue *queue, size_t window);
/* Leaves in the spool what has not arrived; how many bytes are lost without
 * one, or a negative errno. */
int64_t queue_close(struct queue *queue);

/* --- link.c: the connection to the server --- */
int link_open(struct relay *relay);
void link_close(struct relay *relay);
/* There is something to send. */
void link_kick(struct relay *relay);

/* --- client.c --- */
/* There may be room again. */
void resume_sources(struct relay *relay);

#endif
