/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * strategy: what the files of logging_strategy share.
 *
 * Lines come in any thread, one at a time; timers and the connection belong to
 * the loop.  What both touch is under the lock, and nothing is logged while it
 * is held: that would come back here.
 */
#ifndef LOGGING_STRATEGY_H
#define LOGGING_STRATEGY_H

#include <berth/berth.h>
#include <pthread.h>
#include <sys/uio.h>

#include "record.h"

/* Where lines go, and how they look; the words of -f. */
#define TO_STDERR 0x01u /* the host's own place */
#define TO_LOGGER 0x02u
#define TO_FILE 0x04u
#define TO_SYSLOG 0x08u
#define TO_ANYWHERE 0x0fu
#define SILENT 0x10u
#define VERBOSE 0x20u
#define VERBOSE_LITE 0x40u

/* The file that lines are appended to. */
struct log_file {
	const char *path;
	uint64_t most; /* bytes; 0: any */
	uint64_t keep; /* old ones */
	int ordered;   /* NAME.1 is the newest */
	int wipe;      /* before the first line */

	int fd; /* -1: it could not be opened */
	uint64_t size, rotations, opened_ns;
	uint64_t count; /* of the last name that was given */
	int error;	/* of the last rotation, or 0 */
};

/* Records on their way to a logger. */
struct log_link {
	const char *key; /* where it is */
	struct berth_connector *connector;
	char *queue;
	size_t head, tail; /* whole records */
	size_t sent;	   /* of the first one */
	int fd;		   /* -1: no connection */
	int told;	   /* that it is away */
};

struct strategy {
	struct berth_handler handler;
	struct berth_service *service;
	struct berth_log_sink *sink;
	const char *program; /* NULL: none is named */
	char host[256];
	uint64_t flags;
	uint64_t poll_s, age_s;
	uint32_t process, thread; /* masks of levels */
	uint32_t loop;		  /* its thread */

	pthread_mutex_t lock;
	struct log_file file;
	struct log_link link;
	uint64_t lines;
};

/* --- strategy_options.c --- */
int strategy_options(struct strategy *strategy, int argc, char **argv);

/* --- strategy_file.c: with the lock held.  0 or a negative errno. --- */
int log_file_open(struct log_file *file, uint64_t now_ns);
int log_file_write(
    struct log_file *file, struct iovec *parts, int count, uint64_t now_ns);
/* What was moved away is opened anew; what is too long or older than age_ns, if
 * that is not 0, makes room. */
int log_file_look(struct log_file *file, uint64_t age_ns, uint64_t now_ns);
void log_file_close(struct log_file *file);

/* --- strategy_link.c --- */
int log_link_open(struct strategy *strategy);
/* With the lock held: 0; -ENOBUFS: there is no room. */
int log_link_put(
    struct strategy *strategy, const struct berth_log_record *record);
/* What could not be sent goes to the host's own place. */
void log_link_close(struct strategy *strategy);

#endif
