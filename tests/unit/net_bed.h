/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * net_bed: what the tests of net and session share: a reactor with listeners,
 * endpoints written as words, a log that is kept, clients that never block.
 */
#ifndef UNIT_NET_BED_H
#define UNIT_NET_BED_H

#include "unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "net/net.h"

/* How long a test waits for what must come. */
#define PATIENCE_S 30

struct bed {
	struct reactor *reactor;
	struct listeners *listeners;
	struct settings settings;
	struct errors *errors;
	struct log log;
	struct text lines; /* of the log */
	char folder[64];   /* for sockets; removed at the end */
	char path[128];
	int descriptors;   /* that were open before */
	uint64_t ahead_ns; /* of the real time, with bed_setup_ahead() */
};

int bed_setup(void **state);
/* With a clock that the test moves on. */
int bed_setup_ahead(void **state);
int bed_teardown(void **state);

/* "tcp:127.0.0.1:0", "tcp4:*:0", "unix:PATH", "unix:@name", … */
struct endpoint_spec bed_spec(const char *word);
/* As it is really used: a name that is not in a folder is made unique.  The
 * text of one of the last few calls. */
const char *bed_word(const char *word);
/* Fails the test when it can't. */
struct listener *bed_listen(struct bed *bed, const char *word);
int bed_try_listen(
    struct bed *bed, const char *word, struct listener **ret_listener);
/* A file name in the bed's folder; valid until the next call. */
const char *bed_path(struct bed *bed, const char *prefix, const char *name);
/* The text of the last error, "" without one. */
const char *bed_error(const struct bed *bed);

/* Turns the loop until the condition holds; fails the test after a while. */
typedef bool(bed_condition_fn)(void *context);
void bed_until(struct bed *bed, bed_condition_fn *condition, void *context);
/* Until nothing is ready. */
void bed_settle(struct bed *bed);
void bed_turn(struct bed *bed);

/* A client socket that is bound to nothing; connected to the listener. */
int bed_connect(const struct listener *listener);
/* Unconnected, of the listener's family and type, bound to the loopback. */
int bed_datagram_client(const struct listener *listener, const char *path);
int bed_address(const struct listener *listener,
    struct sockaddr_storage *ret_address, socklen_t *ret_size);
unsigned bed_port(const struct listener *listener);
/* Closes with a reset. */
void bed_reset(int fd);
int bed_count_descriptors(void);
bool bed_has_v6(void);

#endif
