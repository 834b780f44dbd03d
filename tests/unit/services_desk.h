/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * services_desk: a manager on the fake host, with a client that types and a
 * host that answers each command as soon as the hooks have returned.
 */
#ifndef TESTS_SERVICES_DESK_H
#define TESTS_SERVICES_DESK_H

#include "fake_host.h"

struct desk {
	struct fake_host host;
	struct fake_service service;
	struct fake_session client;
	unsigned answered; /* commands */
};

/*
 * The answers:	`fail`     status 1, "no such thing"
 *		`big`      100,000 bytes of lines
 *		`empty`    no text
 *		`report`   "A (active)  info of A", "B (paused)  "
 *		any other  "ran: LINE [control]"
 * In JSON the same as one JSON value.
 */

/* Returns the result of init. */
int desk_start(struct desk *desk, const char *arguments);
void desk_stop(struct desk *desk);

void desk_connect(struct desk *desk);
/* Bytes of the client; goes on until nothing more happens by itself. */
void desk_type(struct desk *desk, const void *bytes, size_t size);
void desk_say(struct desk *desk, const char *text);
/* Until nothing more happens by itself. */
void desk_settle(struct desk *desk);
/* The client ends its side. */
void desk_hang_up(struct desk *desk);
/* The client has read all that was written to it. */
void desk_read(struct desk *desk);
void desk_disconnect(struct desk *desk);

#endif
