/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * serve: sequential services, on a session machine that knows events only.
 *
 * The service's type is replaced by an adapter whose hooks drive its serve as
 * a coroutine.  It begins in the open hook, runs until a call of
 * <berth/serve.h> has to wait, and goes on in the hook that has what it waits
 * for; so it always runs within a hook of its own session, and what is said of
 * hooks is true of it.
 *
 * What it reads is what the input hook is offered, in place: nothing is copied
 * or allocated for a service that takes all that has come before it waits
 * again.  While it waits for something else and bytes are left, nothing is read
 * from its client.
 *
 * When its session ends, each call says so at once and for ever, so that serve
 * returns; the closed hook is called after it has.  A coroutine can therefore
 * not outlive its session, nor its code.
 */
#include <errno.h>
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#include "session/session_priv.h"

/* So many calls after the end are no longer a service on its way out. */
#define DEAF_CALLS 1000u

enum waiting { WAITS_NOT, WAITS_INPUT, WAITS_OUTPUT, WAITS_TIME };

/* Behind the service's own state. */
struct serving {
	struct coroutine *coroutine; /* NULL: serve has returned */
	struct berth_bytes in;	     /* what the hook is offered, the rest */
	size_t taken;		     /* of what peek gave; see settle_taken() */
	size_t have;		     /* it waits for more bytes than these */
	uint64_t deadline_ns;	     /* 0: none */
	uint64_t sleep_ns;	     /* until then; 0: it does not sleep */
	uint64_t armed_ns;	     /* the timer of the session; 0: not */
	int result;		     /* of serve */
	unsigned deaf;		     /* calls after the end */
	enum waiting waits;
	bool offered; /* in an input hook: `in` counts, not what is kept */
};

static size_t
align(size_t size)
{
	return (size + alignof(max_align_t) - 1) / alignof(max_align_t) *
	       alignof(max_align_t);
}

static struct serving *
serving_of(const struct session *session)
{
	const struct berth_session_type *type =
	    session->lane->server->sequential;
	char *state = session->public.state;
	void *behind = state + align(type->state_size);

	return behind;
}

static uint64_t
now_of(const struct session *session)
{
	return reactor_now(session->lane->reactor).ns;
}

static bool
is_served(const struct session *session)
{
	return session->lane->server->sequential != NULL &&
	       (session->flags & SESSION_DATAGRAM) == 0;
}

bool
serve_waits(const struct session *session)
{
	return is_served(session) && serving_of(session)->waits != WAITS_NOT;
}

bool
serve_is_current(const struct session *session)
{
	const struct coroutine *coroutine;

	if (!is_served(session))
		return false;
	coroutine = serving_of(session)->coroutine;
	return coroutine != NULL && coroutine_is_current(coroutine);
}

/* --- outside of the coroutine ----------------------------------------------*/

static void
body(void *context)
{
	struct session *session = context;

	serving_of(session)->result = session->lane->server->sequential->serve(
	    &session->public);
}

/* Goes on until it waits again; then or when it returns we do. */
static void
go_on(struct session *session)
{
	struct serving *serving = serving_of(session);

	serving->waits = WAITS_NOT;
	coroutine_resume(serving->coroutine);
	if (!coroutine_is_over(serving->coroutine))
		return;
	serving->coroutine = coroutine_free(
	    &session->lane->stacks, serving->coroutine);
	if (serving->result < 0 && session->phase == PHASE_OPEN)
		session_doom(session, BERTH_CLOSED_ABORTED);
	else
		session_shut(session, BERTH_CLOSED_ORDERLY);
}

static int
on_open(struct berth_session *public)
{
	struct session *session = session_of(public);
	struct lane *lane = session->lane;
	const struct berth_session_type *type = lane->server->sequential;
	int result = type->open != NULL ? type->open(public) : 0;

	if (result < 0 || session->phase != PHASE_OPEN)
		return result;
	result = coroutine_new(
	    &lane->stacks, body, session, &serving_of(session)->coroutine);
	if (result == 0)
		go_on(session);
	else if (type->closed != NULL)
		type->closed(public, result);
	return result;
}

static int
on_input(struct berth_session *public, struct berth_bytes in)
{
	struct session *session = session_of(public);
	struct serving *serving = serving_of(session);

	if (serving->waits == WAITS_INPUT) {
		if (in.size <= serving->have)
			return 0;
		serving->in = in;
		serving->offered = true;
		go_on(session);
		serving->offered = false;
		in.size -= serving->in.size;
	} else {
		serving->in = in;
		in.size = 0;
	}
	if (serving->waits != WAITS_INPUT && serving->in.size > 0)
		session->flags |= SESSION_PAUSED;
	return (int)in.size;
}

static int
on_eof(struct berth_session *public, struct berth_bytes rest)
{
	struct session *session = session_of(public);

	/* The rest is still the session's. */
	(void)rest;
	if (serving_of(session)->waits == WAITS_INPUT)
		go_on(session);
	return 0;
}

static int
on_output_ready(struct berth_session *public)
{
	struct session *session = session_of(public);

	if (serving_of(session)->waits == WAITS_OUTPUT)
		go_on(session);
	return 0;
}

static void
on_closed(struct berth_session *public, int reason)
{
	struct session *session = session_of(public);
	const struct berth_session_type *type =
	    session->lane->server->sequential;
	struct serving *serving = serving_of(session);

	if (serving->coroutine != NULL)
		go_on(session);
	BASE_ASSERT(serving->coroutine == NULL);
	if (type->closed != NULL)
		type->closed(public, reason);
}

void
serve_notice(struct session *session)
{
	if (session->phase != PHASE_OPEN && serve_waits(session))
		go_on(session);
}

/* --- time ------------------------------------------------------------------*/

static int
arm(struct session *session, uint64_t at_ns)
{
	struct serving *serving = serving_of(session);
	uint64_t now = now_of(session);
	int result;

	/* One that is early does no harm. */
	if (at_ns == 0 ||
	    (serving->armed_ns != 0 && serving->armed_ns <= at_ns))
		return 0;
	session_cancel_timer(session);
	result = reactor_schedule(session->lane->owner, &session->handler, NULL,
	    at_ns > now ? at_ns - now : 0, 0, &session->timer);
	serving->armed_ns = result == 0 ? at_ns : 0;
	return result;
}

static bool
is_due(const struct session *session, uint64_t at_ns)
{
	return at_ns != 0 && now_of(session) >= at_ns;
}

static int
on_timeout(struct berth_session *public)
{
	struct session *session = session_of(public);
	struct serving *serving = serving_of(session);
	int result;

	serving->armed_ns = 0;
	if (serving->waits != WAITS_NOT &&
	    (is_due(session, serving->deadline_ns) ||
		is_due(session, serving->sleep_ns)))
		go_on(session);
	if (session->phase != PHASE_OPEN)
		return 0;
	result = is_due(session, serving->deadline_ns)
		     ? 0
		     : arm(session, serving->deadline_ns);
	return result != 0 ? result : arm(session, serving->sleep_ns);
}

/* --- within the coroutine --------------------------------------------------*/

/* What a call says when the session has ended. */
static int
ended(const struct session *session)
{
	if (session->phase == PHASE_OPEN)
		return 0;
	if (session->phase == PHASE_DOOMED && session->reason < 0)
		return session->reason;
	return -ECANCELED;
}

static int
refuse(struct session *session, int result)
{
	struct server *server = session->lane->server;

	if (++serving_of(session)->deaf == DEAF_CALLS)
		log_printf(server->options.log, BERTH_WARNING,
		    server->options.service->name,
		    "serve does not return after %u calls that said that its "
		    "session has ended",
		    DEAF_CALLS);
	return result;
}

static struct berth_bytes
available(const struct session *session, const struct serving *serving)
{
	if (serving->offered)
		return serving->in;
	if (session->input == NULL)
		return berth_bytes("", 0);
	return berth_bytes(
	    buffer_data(session->input), buffer_size(session->input));
}

/* What was taken stays readable until the next call that may wait. */
static void
settle_taken(struct session *session, struct serving *serving)
{
	size_t taken = serving->taken;

	serving->taken = 0;
	if (serving->offered)
		serving->in = berth_bytes_from(serving->in, taken);
	else
		buffer_consume(&session->input, taken);
}

static int
wait_for(struct session *session, enum waiting what)
{
	struct serving *serving = serving_of(session);
	int result = ended(session);

	if (result != 0)
		return refuse(session, result);
	if (is_due(session, serving->deadline_ns))
		return -ETIMEDOUT;
	settle_taken(session, serving);
	serving->waits = what;
	coroutine_yield(serving->coroutine);
	result = ended(session);
	return result != 0 ? refuse(session, result) : 0;
}

static int
may_wait(const struct session *session)
{
	if (!is_served(session))
		return -EOPNOTSUPP;
	return serve_is_current(session) ? 0 : -EPERM;
}

int
session_peek(
    struct berth_session *public, size_t have, struct berth_bytes *ret_bytes)
{
	struct session *session = session_of(public);
	int result = may_wait(session);
	struct serving *serving;

	if (result != 0)
		return result;
	serving = serving_of(session);
	settle_taken(session, serving);
	while ((result = ended(session)) == 0) {
		*ret_bytes = available(session, serving);
		if (ret_bytes->size > have)
			return 1;
		if ((session->flags & SESSION_EOF) != 0)
			return 0;
		serving->have = have;
		session->flags &= (uint16_t)~SESSION_PAUSED;
		result = wait_for(session, WAITS_INPUT);
		if (result != 0)
			return result;
	}
	return refuse(session, result);
}

void
session_take(struct berth_session *public, size_t size)
{
	struct session *session = session_of(public);
	struct serving *serving;
	size_t left;

	if (may_wait(session) != 0)
		return;
	serving = serving_of(session);
	left = available(session, serving).size - serving->taken;
	serving->taken += size < left ? size : left;
}

int
session_sleep(struct berth_session *public, uint32_t ms)
{
	struct session *session = session_of(public);
	int result = may_wait(session);
	struct serving *serving;

	if (result != 0)
		return result;
	serving = serving_of(session);
	result = ended(session);
	if (result != 0)
		return refuse(session, result);
	serving->sleep_ns = now_of(session) + MONO_MS(ms);
	result = arm(session, serving->sleep_ns);
	while (result == 0 && !is_due(session, serving->sleep_ns))
		result = wait_for(session, WAITS_TIME);
	serving->sleep_ns = 0;
	return result;
}

int
session_deadline(struct berth_session *public, uint32_t ms)
{
	struct session *session = session_of(public);
	int result = may_wait(session);
	struct serving *serving;

	if (result != 0)
		return result;
	serving = serving_of(session);
	serving->deadline_ns = ms == 0 ? 0 : now_of(session) + MONO_MS(ms);
	if (session->phase != PHASE_OPEN)
		return 0;
	return arm(session, serving->deadline_ns);
}

/* Does it send what it was lent, which is another's when it has waited? */
static bool
is_lent(const struct session *session, const char *data)
{
	struct berth_bytes in = available(session, serving_of(session));
	uintptr_t from = (uintptr_t)in.data, at = (uintptr_t)data;

	return at >= from && at - from < in.size;
}

int
serve_write(struct session *session, const char *data, size_t size, size_t done)
{
	AUTO_FREE char *copy = NULL;
	int result;

	if (is_lent(session, data)) {
		copy = malloc(size);
		if (copy == NULL)
			return -ENOMEM;
		data = memcpy(copy, data, size);
	}
	while (done < size) {
		result = wait_for(session, WAITS_OUTPUT);
		if (result != 0)
			return result;
		result = session_put_some(session, data + done, size - done);
		if (result < 0)
			return result;
		done += (size_t)result;
	}
	return (int)size;
}

/* --- the adapter -----------------------------------------------------------*/

int
serve_adapt(struct server *server)
{
	const struct berth_session_type *type = server->options.type;

	if (type->serve == NULL)
		return 0;
	server->adapter = malloc(sizeof(*server->adapter));
	if (server->adapter == NULL)
		return -ENOMEM;
	server->sequential = type;
	*server->adapter = (struct berth_session_type){
	    .state_size = align(type->state_size) + sizeof(struct serving),
	    .open = on_open,
	    .input = on_input,
	    .output_ready = on_output_ready,
	    .timeout = on_timeout,
	    .eof = on_eof,
	    .closed = on_closed,
	    .datagram = type->datagram,
	};
	server->options.type = server->adapter;
	return 0;
}
