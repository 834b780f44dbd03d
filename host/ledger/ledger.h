/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ledger: lines about the clients of a service: who came, who went and how,
 * who was refused and why.  Where they go, how they look and how many there
 * may be is the service's (log_type, log_on_success, log_on_failure,
 * log_format, log_rate); what they share (files, sockets) is the host's.
 *
 * A service that asks for no line has no ledger: who keeps the pointer tests
 * it, and that is all it costs.
 *
 * Whoever writes is never held up by a full disk or a missing daemon: such
 * lines are lost, which the host's log says once, and counted.
 */
#ifndef LEDGER_LEDGER_H
#define LEDGER_LEDGER_H

#include <sys/resource.h>
#include <sys/socket.h>

#include "config/config_settings.h"
#include "reactor/reactor.h"

struct ledgers; /* of one host */
struct ledger;	/* of one service, with one set of attributes */

/* Neither is taken over; the log may be NULL. */
int ledgers_new(
    struct reactor *reactor, struct log *log, struct ledgers **ret_ledgers);
/* Before the reactor; no ledger is left.  Takes NULL; gives NULL. */
struct ledgers *ledgers_free(struct ledgers *ledgers);
/* Where syslog and the journal are, NULL: where they always are.  The strings
 * stay the caller's, and good until others are set. [any thread] */
void ledgers_set_sockets(
    struct ledgers *ledgers, const char *syslog, const char *journal);
/* Opens every file anew, for those who have moved it away; one that cannot be
 * opened goes on as it was, and the host's log says so. [any thread] */
void ledgers_reopen(struct ledgers *ledgers);

/*
 * A ledger as the settings say; NULL when they ask for no line.  Opens what it
 * writes to: what fails is told at the place of log_type and returned as a
 * negative errno.  A file that was made stays, also when this comes to
 * nothing.
 */
int ledger_new(struct ledgers *ledgers, const char *service,
    const struct settings *settings, struct errors *errors,
    struct ledger **ret_ledger);
struct ledger *ledger_ref(struct ledger *ledger); /* takes NULL [any thread] */
/* The last one closes what nobody else writes to; takes and gives NULL.
 * [any thread] */
struct ledger *ledger_unref(struct ledger *ledger);

/* What a line would say, so that nothing is found out in vain. */
#define LEDGER_BEGIN 0x01u
#define LEDGER_BEGIN_PEER 0x02u
#define LEDGER_END 0x04u
#define LEDGER_END_PEER 0x08u
#define LEDGER_REFUSAL 0x10u
#define LEDGER_REFUSAL_PEER 0x20u
unsigned ledger_wants(const struct ledger *ledger); /* [any thread] */

/* One session or process. */
struct ledger_visit {
	uint64_t session; /* its number; 0: it has none */
	int pid;	  /* 0: none of its own */
	const char *peer; /* as address_print() has it; NULL: not known */
};

struct ledger_end {
	int code;   /* CLD_EXITED, …, of a process; 0: another kind of end */
	int status; /* exit status or signal, by the code */
	bool failed;
	const char *reason; /* without a code: why; may be NULL */
	uint64_t duration_ns;
	bool counts_bytes; /* the two are known */
	uint64_t bytes_in;
	uint64_t bytes_out;
	const struct rusage *usage; /* NULL: not known */
	const char *identity;	    /* that the client has proved; NULL: none */
};

/* --- lines: each [any thread]; nothing where it is not wanted --------------*/

void ledger_began(struct ledger *ledger, const struct ledger_visit *visit);
void ledger_ended(struct ledger *ledger, const struct ledger_visit *visit,
    const struct ledger_end *end);
/*
 * A client that was not served.  The reason is a word, xinetd's where it has
 * one: address, time, service_limit, per_source_limit, libwrap, load, fork,
 * process_limit.
 */
void ledger_refused(struct ledger *ledger, const char *reason,
    const struct sockaddr *peer, socklen_t size);
/* The same for an address that is text already; NULL: not known. */
void ledger_refused_peer(
    struct ledger *ledger, const char *reason, const char *peer);

#endif
