/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * clerk: what the files of time_clerk share.  All of it belongs to the thread
 * of the reactor.
 */
#ifndef TIMING_CLERK_H
#define TIMING_CLERK_H

#include <berth/berth.h>

#include "wire.h"

#define SERVERS_MOST 16u

struct clerk;

struct server {
	struct berth_handler handler; /* of fd */
	struct clerk *clerk;
	const char *name; /* HOST:PORT, or a path */
	struct berth_connector *connector;
	int fd;		 /* -1: no connection */
	uint32_t number; /* of the last question */
	int waits;	 /* for its answer */
	int known;	 /* there are numbers of it */
	int told;	 /* that it is away */
	int64_t offset_ns, trip_ns;
	unsigned char answer[WIRE_BYTES];
	size_t answer_size;
};

/*
 * What other processes map; berth-time-service(8) has it.  The sequence is odd
 * while the rest is being changed.
 */
struct page {
	char magic[4]; /* "BTSP" */
	uint32_t version;
	uint32_t sequence;
	uint32_t servers; /* that the offset is from; 0: it is not known */
	int64_t offset_ns;
	int64_t trip_ns; /* the longest of theirs */
	int64_t updated_ns;
};

struct clerk {
	struct berth_handler handler; /* of the timer */
	struct berth_service *service;
	struct server servers[SERVERS_MOST];
	unsigned count;
	uint64_t every_s;
	int must_know; /* before it is ready */
	const char *path;
	struct page *page; /* NULL: none */

	unsigned known; /* servers that the offset is from */
	int64_t offset_ns, trip_ns;
};

/* --- clerk_options.c --- */
int clerk_options(struct clerk *clerk, int argc, char **argv);

/* --- clerk_page.c --- */
/* 0 or a negative errno. */
int page_open(struct clerk *clerk);
void page_write(struct clerk *clerk);
void page_close(struct clerk *clerk);

/* --- clerk_link.c: one server --- */
int link_open(struct server *server);
void link_close(struct server *server);
/* Sends a question; one that has not answered the last one is away. */
void link_ask(struct server *server);

/* --- clerk.c --- */
/* What is known of a server has changed. */
void clerk_reckon(struct clerk *clerk);

#endif
