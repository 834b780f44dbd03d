/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Replies that may be longer than a client reads at once.
 *
 * The host takes from berth_write() what its output limit allows; the rest
 * waits here until output_ready.  All outboxes of one service together keep to
 * one budget, so that many clients that ask for long replies and do not read
 * them cost bounded memory.  An empty outbox holds none.
 */
#include "services_priv.h"

#include <errno.h>
#include <stdlib.h>

#define FIRST_ROOM 256

void
outbox_init(struct outbox *outbox, struct outbox_budget *budget)
{
	*outbox = (struct outbox){.budget = budget};
}

void
outbox_fini(struct outbox *outbox)
{
	if (outbox->room > 0)
		__atomic_sub_fetch(
		    &outbox->budget->used, outbox->room, __ATOMIC_RELAXED);
	free(outbox->data);
	outbox_init(outbox, outbox->budget);
}

bool
outbox_pending(const struct outbox *outbox)
{
	return outbox->sent < outbox->size;
}

static int
grow(struct outbox *outbox, size_t need)
{
	size_t room = outbox->room == 0 ? FIRST_ROOM : outbox->room, more;
	char *grown;

	while (room < need)
		room *= 2;
	more = room - outbox->room;
	if (__atomic_add_fetch(&outbox->budget->used, more, __ATOMIC_RELAXED) >
	    OUTBOX_BUDGET) {
		__atomic_sub_fetch(
		    &outbox->budget->used, more, __ATOMIC_RELAXED);
		return -ENOBUFS;
	}
	grown = realloc(outbox->data, room);
	if (grown == NULL) {
		__atomic_sub_fetch(
		    &outbox->budget->used, more, __ATOMIC_RELAXED);
		return -ENOMEM;
	}
	outbox->data = grown;
	outbox->room = room;
	return 0;
}

int
outbox_add(struct outbox *outbox, struct berth_bytes bytes)
{
	int result;

	if (bytes.size == 0)
		return 0;
	if (bytes.size > OUTBOX_BUDGET - outbox->size)
		return -ENOBUFS;
	if (outbox->size + bytes.size > outbox->room) {
		result = grow(outbox, outbox->size + bytes.size);
		if (result < 0)
			return result;
	}
	memcpy(outbox->data + outbox->size, bytes.data, bytes.size);
	outbox->size += bytes.size;
	return 0;
}

int
outbox_send(struct outbox *outbox, struct berth_session *session,
    struct berth_bytes bytes)
{
	int taken = 0;

	if (!outbox_pending(outbox) && bytes.size > 0) {
		taken = berth_write(session, bytes);
		if (taken < 0)
			return taken;
	}
	return outbox_add(outbox, berth_bytes((const char *)bytes.data + taken,
				      bytes.size - (size_t)taken));
}

int
outbox_flush(struct outbox *outbox, struct berth_session *session)
{
	size_t left;
	int taken;

	while (outbox_pending(outbox)) {
		left = outbox->size - outbox->sent;
		taken = berth_write(
		    session, berth_bytes(outbox->data + outbox->sent, left));
		if (taken < 0)
			return taken;
		outbox->sent += (size_t)taken;
		if ((size_t)taken < left)
			return 0;
	}
	outbox_fini(outbox);
	return 0;
}
