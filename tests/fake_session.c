/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sessions of the fake host.  Nothing is sent: output gathers until the test
 * says that the client has read it.
 */
#include "fake_host_priv.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static struct fake_session *
session_of(struct berth_session *session)
{
	return (struct fake_session *)(void *)session;
}

static bool
cannot_write(const struct fake_session *session)
{
	return session->closing || session->half_closed || session->aborted ||
	       session->ended;
}

static size_t
session_writable(struct berth_session *public)
{
	struct fake_session *session = session_of(public);
	size_t pending = session->output.size - session->sent;

	if (cannot_write(session) || pending >= session->output_limit)
		return 0;
	return session->output_limit - pending;
}

static int
session_write(struct berth_session *public, struct berth_bytes bytes)
{
	struct fake_session *session = session_of(public);
	size_t room = session_writable(public), size = bytes.size;

	if (cannot_write(session))
		return -EPIPE;
	if (size > room && session->serves && session->wait_result < 0)
		return session->wait_result;
	if (size > room && !session->serves) {
		size = room;
		session->wants_output = true;
	}
	fake_buffer_add(&session->output, bytes.data, size);
	session->writes++;
	return (int)size;
}

BERTH_PRINTF(2, 0)
static int
session_vprintf(struct berth_session *public, const char *format, va_list ap)
{
	struct fake_session *session = session_of(public);
	struct fake_buffer text;
	int r = -EAGAIN;

	fake_buffer_init(&text);
	fake_buffer_vprintf(&text, format, ap);
	if (text.size <= session_writable(public) || session->serves ||
	    cannot_write(session))
		r = session_write(public, berth_bytes(text.data, text.size));
	else
		session->wants_output = true;
	fake_buffer_fini(&text);
	return r;
}

static void
session_close(struct berth_session *public)
{
	session_of(public)->closing = true;
}

static int
session_half_close(struct berth_session *public)
{
	struct fake_session *session = session_of(public);

	if (session->closing || session->aborted || session->ended)
		return -EPIPE;
	session->half_closed = true;
	return 0;
}

static void
session_abort(struct berth_session *public)
{
	session_of(public)->aborted = true;
}

static void
session_pause(struct berth_session *public, int pause)
{
	session_of(public)->paused = pause != 0;
}

static int
session_timeout(struct berth_session *public, uint32_t ms)
{
	session_of(public)->timeout_ms = ms;
	return 0;
}

static int
copy_name(char *buffer, size_t size, const char *name)
{
	if (strlen(name) >= size)
		return -ENOSPC;
	strcpy(buffer, name);
	return (int)strlen(name);
}

static int
session_peer(struct berth_session *public, char *buffer, size_t size)
{
	return copy_name(buffer, size, session_of(public)->peer);
}

static int
session_local(struct berth_session *public, char *buffer, size_t size)
{
	return copy_name(buffer, size, session_of(public)->local);
}

static int
session_peer_user(
    struct berth_session *public, uint32_t *ret_uid, uint32_t *ret_gid)
{
	const struct fake_host *host = fake_host_of(public->service);

	if (!host->peers_are_unix)
		return -EOPNOTSUPP;
	*ret_uid = host->peer_uid;
	*ret_gid = host->peer_gid;
	return 0;
}

static uint64_t
session_id(struct berth_session *public)
{
	return session_of(public)->id;
}

/* --- within serve ----------------------------------------------------------
 */

static int
session_peek(
    struct berth_session *public, size_t have, struct berth_bytes *ret_bytes)
{
	struct fake_session *session = session_of(public);
	size_t left, chunk = session->chunk ? session->chunk : SIZE_MAX;

	if (!session->serves)
		return -EPERM;
	fake_buffer_cut(&session->input, session->taken);
	session->come -= session->taken;
	session->taken = 0;
	while (session->come <= have) {
		left = session->input.size - session->come;
		if (session->closing || session->aborted)
			return -ECANCELED;
		if (left == 0 && session->wait_result < 0)
			return session->wait_result;
		if (left == 0)
			break;
		session->come += left < chunk ? left : chunk;
	}
	*ret_bytes = berth_bytes(session->input.data, session->come);
	return session->come > have;
}

static void
session_take(struct berth_session *public, size_t size)
{
	struct fake_session *session = session_of(public);

	session->taken += size;
	FAKE_CHECK(session->taken <= session->come);
}

static int
session_sleep(struct berth_session *public, uint32_t ms)
{
	struct fake_session *session = session_of(public);

	if (!session->serves)
		return -EPERM;
	fake_host_of(public->service)->now_ns += ms * UINT64_C(1000000);
	return session->wait_result;
}

static int
session_deadline(struct berth_session *public, uint32_t ms)
{
	session_of(public)->timeout_ms = ms;
	return session_of(public)->serves ? 0 : -EPERM;
}

void
fake_session_table(struct berth_host *table)
{
	table->peek = session_peek;
	table->take = session_take;
	table->sleep = session_sleep;
	table->deadline = session_deadline;
	table->write = session_write;
	table->vprintf = session_vprintf;
	table->writable = session_writable;
	table->close = session_close;
	table->half_close = session_half_close;
	table->abort = session_abort;
	table->pause = session_pause;
	table->session_timeout = session_timeout;
	table->peer = session_peer;
	table->local = session_local;
	table->peer_user = session_peer_user;
	table->session_id = session_id;
}

/* --- what the test does ----------------------------------------------------
 */

static void
session_init(struct fake_session *session, struct fake_service *service)
{
	memset(session, 0, sizeof(*session));
	session->public.service = &service->public;
	session->type = &service->type->session;
	session->public.state = fake_alloc(session->type->state_size);
	session->output_limit = SIZE_MAX;
	strcpy(session->peer, "127.0.0.1:40000");
	strcpy(session->local, "127.0.0.1:7");
	session->id = ++service->host->last_id;
	fake_buffer_init(&session->output);
	fake_buffer_init(&session->input);
}

/* After every hook: a negative result or berth_abort() ends the session. */
static int
settle(struct fake_session *session, int result)
{
	if (result < 0)
		session->aborted = true;
	if (session->aborted)
		fake_session_end(session, BERTH_CLOSED_ABORTED);
	return result;
}

int
fake_session_open(struct fake_session *session, struct fake_service *service)
{
	int r = 0;

	session_init(session, service);
	if (session->type->open)
		r = session->type->open(&session->public);
	session->is_open = r >= 0;
	if (r < 0)
		session->ended = true;
	return settle(session, r);
}

void
fake_session_end(struct fake_session *session, int reason)
{
	if (session->ended)
		return;
	session->ended = true;
	session->reason = reason;
	if (session->is_open && session->type->closed)
		session->type->closed(&session->public, reason);
}

void
fake_session_fini(struct fake_session *session)
{
	fake_session_end(session, BERTH_CLOSED_ORDERLY);
	free(session->public.state);
	session->public.state = NULL;
	fake_buffer_fini(&session->output);
	fake_buffer_fini(&session->input);
}

static int
offer(struct fake_session *session)
{
	int r;

	if (session->ended || session->paused || session->closing ||
	    !session->type->input)
		return 0;
	r = session->type->input(&session->public,
	    berth_bytes(session->input.data, session->input.size));
	if (r > 0)
		fake_buffer_cut(&session->input, (size_t)r);
	return settle(session, r);
}

int
fake_session_input(struct fake_session *session, const void *data, size_t size)
{
	fake_buffer_add(&session->input, data, size);
	return offer(session);
}

int
fake_session_send(struct fake_session *session, const char *text)
{
	return fake_session_input(session, text, strlen(text));
}

int
fake_session_serve(struct fake_session *session, const void *data, size_t size)
{
	int r;

	FAKE_CHECK(session->type->serve && session->is_open);
	fake_buffer_add(&session->input, data, size);
	session->serves = true;
	r = session->type->serve(&session->public);
	session->serves = false;
	session->closing = true;
	return settle(session, r);
}

int
fake_session_drain(struct fake_session *session)
{
	int r = 0;

	session->sent = session->output.size;
	if (session->wants_output && !session->ended) {
		session->wants_output = false;
		if (session->type->output_ready)
			r = settle(session,
			    session->type->output_ready(&session->public));
	}
	if (r >= 0 && session->input.size)
		r = offer(session);
	return r;
}

int
fake_session_eof(struct fake_session *session)
{
	if (session->ended)
		return 0;
	if (!session->type->eof) {
		session->closing = true;
		return 0;
	}
	return settle(session,
	    session->type->eof(&session->public,
		berth_bytes(session->input.data, session->input.size)));
}

int
fake_session_expire(struct fake_session *session)
{
	FAKE_CHECK(session->timeout_ms);
	session->timeout_ms = 0;
	if (session->ended || !session->type->timeout)
		return 0;
	return settle(session, session->type->timeout(&session->public));
}

void
fake_session_clear(struct fake_session *session)
{
	fake_buffer_cut(&session->output, session->output.size);
	session->sent = 0;
	session->writes = 0;
}

int
fake_session_datagram(struct fake_session *session,
    struct fake_service *service, const char *peer, const void *data,
    size_t size)
{
	int r;

	session_init(session, service);
	if (peer)
		snprintf(session->peer, sizeof(session->peer), "%s", peer);
	FAKE_CHECK(session->type->datagram);
	r = session->type->datagram(&session->public, berth_bytes(data, size));
	session->ended = true;
	return r;
}
