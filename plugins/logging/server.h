/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * server: what the files of logging_server share.  Sessions may be in many
 * threads: what they share is touched under the lock alone.
 */
#ifndef LOGGING_SERVER_H
#define LOGGING_SERVER_H

#include <berth/berth.h>
#include <pthread.h>
#include <sys/queue.h>
#include <sys/uio.h>

#include "entry.h"

#define BATCH_MOST 256u /* records of one writev(2), two parts each */

enum sink { SINK_HOSTS, SINK_ONE, SINK_SYSLOG, SINK_JOURNAL };

/* A log file that is open; the one used last comes first. */
struct file {
	TAILQ_ENTRY(file) link;
	int fd;
	uint64_t size;
	uint64_t checked_ns; /* when it was still the one of its name */
	char name[];
};

struct server {
	struct berth_service *service;
	pthread_mutex_t lock; /* of what changes after init */
	enum sink sink;
	const char *folder;
	const char *path;     /* of the one file, or of the daemon's socket */
	const char *port;     /* NULL: nobody named one */
	uint64_t rotate_size; /* 0: never */
	uint32_t keep;	      /* old files of each name */
	uint64_t most;	      /* bytes of a record, with its header */
	int acknowledge;
	int folder_fd;	   /* -1: not open */
	int socket_fd;	   /* of the daemon; -1: not open */
	uint64_t start_ns; /* wall clock: files not written since are checked */
	unsigned file_count;
	TAILQ_HEAD(file_list, file) files;
	struct iovec parts[2 * BATCH_MOST];
	uint64_t records, clients, refused, dropped;
};

/* The state of a session. */
struct client {
	uint64_t taken;		 /* records that were written */
	uint64_t told;		 /* in the last acknowledgement */
	unsigned char unsent[8]; /* what is left of an acknowledgement */
	size_t unsent_size;
	char host[ENTRY_HOST_BYTES]; /* "" before its first record */
};

/* --- server_options.c --- */
int options_read(struct server *server, int argc, char **argv);

/* --- store.c: files --- */
int store_open(struct server *server);
void store_close(struct server *server);
/* Appends so many of server->parts, to the file of that host; all of them or
 * none.  0 or a negative errno. */
int store_append(struct server *server, const char *host, unsigned parts);

/* --- repair.c --- */
/* Cuts off what is left of an entry that was not written whole.  0 or a
 * negative errno. */
int repair(struct server *server, const char *name, int fd, uint64_t *size);

/* --- daemon.c: syslogd and journald --- */
int daemon_open(struct server *server);
/* What the daemon does not take at once is lost, and counted. */
void daemon_send(
    struct server *server, const char *host, const struct record *record);

#endif
