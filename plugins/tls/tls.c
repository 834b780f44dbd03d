/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tls: TLS around the connections of a service; the manual is berth-tls(8).
 *
 * This file is the module: one instance for all connections, and a filter with
 * an engine for each.  Connections of several threads may come here at once.
 *
 * Files are looked at when a connection comes, at most once a second.  Those
 * that changed are read beside what is in use, by the connection that saw it;
 * what is bad is told and leaves everything as it was, what is good is for
 * connections that come afterwards.
 */
#include <berth/berth.h>
#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#include "engine.h"

#define LOOK_NS UINT64_C(1000000000)
#define PLAIN_BYTES 16384u /* a record's, so that none is left in an engine */
#define NAME_BYTES 512

struct tls {
	struct berth_service *service;
	struct tls_options options;
	struct tls_tickets tickets;
	pthread_mutex_t lock; /* of the next three */
	struct tls_context *context;
	uint64_t looked_ns;
	char complaint[TLS_WHY_MOST]; /* about files, the last one */
	atomic_ullong made;	      /* handshakes */
	atomic_ullong resumed;
	atomic_ullong failed;
};

/* The state of a filter. */
struct connection {
	struct tls_engine *engine;
	bool is_ready;
};

/* --- the certificates of the moment --- */

static void
warned(void *arg, const char *text)
{
	struct tls *tls = arg;

	berth_log(tls->service, BERTH_WARNING, "%s", text);
}

/* Is it time to look?  One caller a second is told so. */
static struct tls_context *
present(struct tls *tls, bool *ret_look)
{
	uint64_t now_ns = berth_now(tls->service);
	struct tls_context *context;

	pthread_mutex_lock(&tls->lock);
	*ret_look = now_ns - tls->looked_ns >= LOOK_NS;
	if (*ret_look)
		tls->looked_ns = now_ns;
	context = tls_context_ref(tls->context);
	pthread_mutex_unlock(&tls->lock);
	return context;
}

static void
exchange(struct tls *tls, struct tls_context *fresh)
{
	struct tls_context *old;

	pthread_mutex_lock(&tls->lock);
	old = tls->context;
	tls->context = tls_context_ref(fresh);
	tls->complaint[0] = '\0';
	pthread_mutex_unlock(&tls->lock);
	tls_context_unref(old);
	berth_log(tls->service, BERTH_NOTICE,
	    "new certificates are in use for connections from now on");
}

/* The same mistake is told once, however often it is seen. */
static void
complain(struct tls *tls, const char *why)
{
	bool is_new;

	pthread_mutex_lock(&tls->lock);
	is_new = strcmp(tls->complaint, why) != 0;
	memcpy(tls->complaint, why, strlen(why) + 1);
	pthread_mutex_unlock(&tls->lock);
	if (is_new)
		berth_log(tls->service, BERTH_ERROR,
		    "the certificates of before stay in use: %s", why);
}

/* A reference to what a new connection is to use. */
static struct tls_context *
current(struct tls *tls)
{
	struct tls_report report = {.warn = warned, .arg = tls};
	struct tls_context *context, *fresh;
	bool look;

	context = present(tls, &look);
	if (!look || !tls_context_stale(context))
		return context;
	if (tls_context_new(&tls->options, &tls->tickets, &fresh, &report) !=
	    0) {
		complain(tls, report.why);
		return context;
	}
	exchange(tls, fresh);
	tls_context_unref(context);
	return fresh;
}

/* --- connections --- */

static int
failed(struct berth_filter *filter, int result)
{
	struct connection *connection = filter->state;
	struct tls *tls = filter->module->state;

	atomic_fetch_add(&tls->failed, 1);
	return berth_filter_fail(
	    filter, -result, "%s", tls_engine_why(connection->engine));
}

/* What the engine has for the peer goes, also after a failure: alerts. */
static int
flush(struct berth_filter *filter)
{
	struct connection *connection = filter->state;
	struct berth_bytes out = tls_engine_output(connection->engine);
	int result;

	if (out.size == 0)
		return 0;
	result = berth_pass_down(filter, out);
	tls_engine_sent(connection->engine, out.size);
	return result < 0 ? result : 0;
}

static int
become_ready(struct berth_filter *filter)
{
	struct connection *connection = filter->state;
	struct tls *tls = filter->module->state;
	char name[NAME_BYTES];
	struct tls_facts facts;
	int result = 0;

	if (connection->is_ready ||
	    tls_engine_state(connection->engine) == TLS_HANDSHAKING)
		return 0;
	connection->is_ready = true;
	tls_engine_facts(connection->engine, &facts);
	atomic_fetch_add(&tls->made, 1);
	if (facts.resumed)
		atomic_fetch_add(&tls->resumed, 1);
	if (tls_engine_peer(connection->engine, name, sizeof(name)) >= 0)
		result = berth_filter_set_identity(filter, name);
	return result < 0 ? result : berth_filter_ready(filter);
}

static int
open_connection(struct berth_filter *filter)
{
	struct connection *connection = filter->state;
	struct tls *tls = filter->module->state;
	struct tls_report report = {.warn = NULL};
	struct tls_context *context = current(tls);
	int result;

	result = tls_engine_new(context, &connection->engine, &report);
	tls_context_unref(context);
	if (result != 0)
		return berth_filter_fail(filter, -result, "%s", report.why);
	result = flush(filter);
	return result < 0 ? result : (int)tls->options.handshake_ms;
}

/* One record's worth: 1, go on; 0, no more for now. */
static int
take_some(struct berth_filter *filter, struct berth_bytes *in)
{
	struct connection *connection = filter->state;
	char plain[PLAIN_BYTES];
	int size, result;

	size = tls_engine_receive(connection->engine, in, plain, sizeof(plain));
	result = flush(filter);
	if (size < 0)
		return failed(filter, size);
	if (result == 0)
		result = become_ready(filter);
	if (result == 0 && size > 0)
		result = berth_pass_up(
		    filter, berth_bytes(plain, (size_t)size));
	return result < 0 ? result : size > 0;
}

static int
up(struct berth_filter *filter, struct berth_bytes in)
{
	struct connection *connection = filter->state;
	size_t offered = in.size;
	int result = 1;

	while (result > 0 && in.size > 0 &&
	       (!connection->is_ready || berth_room_up(filter)))
		result = take_some(filter, &in);
	if (result < 0)
		return result;
	if (tls_engine_peer_ended(connection->engine)) {
		result = berth_end_up(filter);
		return result < 0 ? result : (int)offered;
	}
	return (int)(offered - in.size);
}

static int
down(struct berth_filter *filter, struct berth_bytes plain)
{
	struct connection *connection = filter->state;
	size_t offered = plain.size;
	int result = 0;

	while (result >= 0 && plain.size > 0) {
		int sent = tls_engine_send(connection->engine, plain);

		result = flush(filter);
		if (sent < 0)
			return failed(filter, sent);
		if (sent == 0)
			break;
		plain = berth_bytes_from(plain, (size_t)sent);
	}
	return result < 0 ? result : (int)(offered - plain.size);
}

static int
up_end(struct berth_filter *filter, struct berth_bytes rest)
{
	struct connection *connection = filter->state;
	int result = 1;

	while (result > 0 && rest.size > 0)
		result = take_some(filter, &rest);
	if (result < 0)
		return result;
	result = tls_engine_eof(connection->engine);
	return result < 0 ? failed(filter, result) : 0;
}

static int
down_end(struct berth_filter *filter)
{
	struct connection *connection = filter->state;
	int result = tls_engine_end(connection->engine);
	int flushed = flush(filter);

	return result < 0 ? failed(filter, result) : flushed;
}

static void
close_connection(struct berth_filter *filter, int reason)
{
	struct connection *connection = filter->state;
	struct tls *tls = filter->module->state;

	(void)reason;
	/* Who did not get ready in time was not told so by the engine. */
	if (!connection->is_ready &&
	    tls_engine_state(connection->engine) != TLS_FAILED)
		atomic_fetch_add(&tls->failed, 1);
	connection->engine = tls_engine_free(connection->engine);
}

/* --- the instance --- */

static void
fini(struct berth_service *service)
{
	struct tls *tls = service->state;

	tls->context = tls_context_unref(tls->context);
	tls_tickets_fini(&tls->tickets);
	tls_options_fini(&tls->options);
	pthread_mutex_destroy(&tls->lock);
}

static int
start(struct tls *tls, int argc, char **argv, struct tls_report *report)
{
	int result = tls_tickets_init(&tls->tickets, report);

	if (result != 0)
		return result;
	result = tls_options_read(&tls->options, argc, argv, report);
	if (result == 0)
		result = tls_context_new(
		    &tls->options, &tls->tickets, &tls->context, report);
	if (result != 0) {
		tls_options_fini(&tls->options);
		tls_tickets_fini(&tls->tickets);
	}
	return result;
}

static int
init(struct berth_service *service, int argc, char **argv)
{
	struct tls *tls = service->state;
	struct tls_report report = {.warn = warned, .arg = tls};
	int result;

	tls->service = service;
	tls->looked_ns = berth_now(service);
	result = start(tls, argc, argv, &report);
	if (result != 0)
		return berth_fail(service, -result, "%s", report.why);
	pthread_mutex_init(&tls->lock, NULL);
	return 0;
}

static void
info(struct berth_service *service, struct berth_text *text)
{
	struct tls *tls = service->state;
	char name[NAME_BYTES], until[64];

	pthread_mutex_lock(&tls->lock);
	if (tls_context_describe(
		tls->context, name, sizeof(name), until, sizeof(until)) == 0)
		berth_text_printf(text, "TLS as %s until %s", name, until);
	else
		berth_text_printf(text, "TLS without a certificate");
	if (tls->complaint[0] != '\0')
		berth_text_printf(text, " (%s)", tls->complaint);
	pthread_mutex_unlock(&tls->lock);
	berth_text_printf(text, ", %llu handshakes, %llu resumed, %llu failed",
	    atomic_load(&tls->made), atomic_load(&tls->resumed),
	    atomic_load(&tls->failed));
}

static const struct berth_filter_type around = {
    .state_size = sizeof(struct connection),
    .open = open_connection,
    .up = up,
    .down = down,
    .up_end = up_end,
    .down_end = down_end,
    .close = close_connection,
};

BERTH_FILTER(make_tls, .summary = "TLS around connections",
    .state_size = sizeof(struct tls), .init = init, .fini = fini, .info = info,
    .filter = &around);
