/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lines: what the ledger is told of a session, and of those who got none.
 *
 * The peer is asked for, which is a system call, only when a line says it.  A
 * socket that was reset has none any more, so a line about the end uses what
 * was found at the beginning.
 */
#include <stdlib.h>

#include "session/session_priv.h"

/* NULL: it is not known. */
static const char *
find_peer(struct session *session, char *buffer, size_t size)
{
	return session_peer(&session->public, buffer, size) < 0 ? NULL : buffer;
}

/* Without memory the line of the end may do without it. */
static void
keep_peer(struct session *session)
{
	struct session_name *name = calloc(1, sizeof(*name));
	void *any;

	if (name == NULL)
		return;
	any = &name->peer;
	name->size = sizeof(name->peer);
	if (getpeername(session->fd, any, &name->size) == 0)
		*session_name_at(session) = name;
	else
		free(name);
}

/* xinetd's word where it has one. */
static const char *
word_of(enum guard_reason reason)
{
	if (reason == GUARD_INSTANCES)
		return "service_limit";
	if (reason == GUARD_PER_SOURCE)
		return "per_source_limit";
	return guard_reason_name(reason);
}

void
session_tell_refusal(struct visitor *visitor)
{
	struct ledger *ledger = visitor->server->options.ledger;
	const char *word = word_of(visitor->reason);
	const struct sockaddr *address = NULL;
	socklen_t size = 0;

	if ((ledger_wants(ledger) & LEDGER_REFUSAL_PEER) != 0)
		address = visitor_peer(visitor, &size);
	if (address != NULL)
		ledger_refused(ledger, word, address, size);
	else
		ledger_refused_peer(ledger, word, NULL);
}

void
session_tell_begin(struct session *session)
{
	struct ledger *ledger = session->lane->ledger;
	unsigned wants = ledger_wants(ledger);
	char peer[SESSION_ADDRESS_MAX];
	struct ledger_visit visit = {.session = session->id};

	if ((wants & LEDGER_END_PEER) != 0 && *session_name_at(session) == NULL)
		keep_peer(session);
	if ((wants & LEDGER_BEGIN_PEER) != 0)
		visit.peer = find_peer(session, peer, sizeof(peer));
	ledger_began(ledger, &visit);
}

void
session_tell_end(struct session *session)
{
	struct ledger *ledger = session->lane->ledger;
	uint64_t now = reactor_now(session->lane->reactor).ns;
	unsigned wants = ledger_wants(ledger);
	char peer[SESSION_ADDRESS_MAX];
	struct ledger_visit visit = {.session = session->id};
	const struct ledger_end end = {
	    .failed = session_is_failure(session->reason),
	    .reason = session_reason_text(session->reason),
	    .duration_ns = now - session->born_ns,
	    .counts_bytes = true,
	    .bytes_in = session->bytes_in,
	    .bytes_out = session->bytes_out,
	    .identity = session_identity(session),
	};

	if ((wants & LEDGER_END) == 0)
		return;
	if ((wants & LEDGER_END_PEER) != 0)
		visit.peer = find_peer(session, peer, sizeof(peer));
	ledger_ended(ledger, &visit, &end);
}
