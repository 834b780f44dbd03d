/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * <berth/sender.h>: answers to datagrams when their session is over.
 *
 * A datagram's session lives for one call.  A service whose answer comes later
 * keeps the sender, and writes to it when it is there.  berth_session(3) is
 * the manual.
 *
 * Since 1.3.
 */
#ifndef BERTH_SENDER_H
#define BERTH_SENDER_H

#include <berth/host.h>

/* Who sent a datagram, and to which address. */
struct berth_sender {
	struct berth_service *service;
};

/*
 * Within the datagram hook: keeps the sender in *sender, or, when that is one
 * already, counts this datagram to it.  What is written to it may be as long
 * as what it sent, as within the hook.  It is the service's to forget; the end
 * of the service forgets all.
 * 0; -EOPNOTSUPP: no datagram, or its sender has no name; -ENOMEM.
 */
static inline int
berth_sender_keep(struct berth_session *s, struct berth_sender **sender)
{
	return s->service->host->sender_keep(s, sender);
}

/* One datagram, sent or dropped.  Its size; -EMSGSIZE when none can be so long;
 * -EPIPE: the endpoint that it came to is not the service's any more. */
static inline int
berth_sender_write(struct berth_sender *sender, struct berth_bytes bytes)
{
	return sender->service->host->sender_write(sender, bytes);
}

/* Takes a sender, not NULL. */
static inline void
berth_sender_forget(struct berth_sender *sender)
{
	sender->service->host->sender_forget(sender);
}

#endif
