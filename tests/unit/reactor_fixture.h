/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the tests of the reactor share: a handler that writes down who was
 * called and gives the results it was told to, and pairs of sockets.
 */
#ifndef UNIT_REACTOR_FIXTURE_H
#define UNIT_REACTOR_FIXTURE_H

#include "unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <stdatomic.h>

#include "reactor/reactor.h"

/* What was called: a letter for the hook, then the handler's name. */
struct record {
	char text[4096];
	size_t size;
};

struct probe;
typedef int(probe_fn)(struct probe *probe, int fd);

struct probe {
	struct berth_handler handler;
	struct record *record;
	char name;
	bool drain;	/* input reads what is there */
	int results[8]; /* of input, output, except, timeout, in turn; then 0 */
	unsigned calls;
	probe_fn *act; /* called first, by any hook but close */
	int close_fd;
	unsigned close_mask;
	unsigned closes;
	int status; /* of the child, or the signal's number */
	int code;
	void *token;
	void *context;
};

struct fixture {
	struct reactor *reactor;
	struct reactor_owner owner;
	struct record record;
	_Atomic uint64_t now_ns; /* of the clock that a test sets */
};

extern const struct berth_handler_type probe_type;

void probe_init(struct probe *probe, struct fixture *f, char name);
void fixture_pair(int ret_fds[2]);
void fixture_fill(int fd);  /* until it would block */
void fixture_drain(int fd); /* until it would block */
void fixture_feed(int fd);  /* one byte */
void fixture_close_pair(const int fds[2]);
int fixture_setup(void **state);
int fixture_teardown(void **state);
/* With a clock that stands, places for 100 timers, and 1 ms on the clock. */
int fixture_setup_clock(void **state);
/* With at most three notifications a turn. */
int fixture_setup_limit(void **state);
/* To this time, with one turn there; how many hooks were called. */
int fixture_turn_at(struct fixture *f, uint64_t ns);
/* A test of its own fixture; one that hangs is ended by SIGALRM. */
#define FIXTURE_TEST(name)                                                     \
	cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
/* And forgets. */
void fixture_expect(struct fixture *f, const char *text);

#endif
