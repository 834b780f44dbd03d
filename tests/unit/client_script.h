/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * client_script: a host that knows one conversation by heart, on a socket of
 * its own and in a thread of its own.
 */
#ifndef TESTS_CLIENT_SCRIPT_H
#define TESTS_CLIENT_SCRIPT_H

#include "base/base.h"

/*
 * Lines "> WHAT" that the client has to send, and what it gets, in order:
 * "< WHAT" with a newline, "<<WHAT" without one, "! N" so many times the
 * letter x.  At the end the host hangs up, unless the last line is "...": then
 * it waits for the client to do so.
 */
struct script {
	const char *const *lines; /* ends with NULL */
	bool tcp;		  /* on 127.0.0.1, not on a Unix socket */
};

struct script_host;

/* Aborts the test when it cannot. */
struct script_host *script_start(const struct script *script);
/* Where it listens, as -s takes it. */
const char *script_address(const struct script_host *host);
/* Waits for its end; NULL when all went as written, or what did not. */
const char *script_stop(struct script_host *host);

#endif
