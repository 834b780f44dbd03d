/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * health: answers whether something is well, as a program says.  The manual is
 * berth-health(8).
 *
 * However many ask, the program runs once at a time, and its verdict holds for
 * the cache time; those who ask meanwhile wait for the same run.  With a stale
 * time, an old verdict is given while a new one is made.
 *
 * What form the answer has is known from the client's first word; a client
 * that says nothing within SILENCE_MS gets the plain one.
 */
#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "health.h"

#define TIMEOUT_MS 10000
#define CACHE_MS 1000
#define SILENCE_MS 500

/* --- asking --- */

static void
kick(struct health *health)
{
	uint64_t one = 1;

	if (health->runs)
		return;
	health->runs = 1;
	/* The counter of an eventfd that holds one more than none. */
	if (write(health->kick_fd, &one, sizeof(one)) < 0)
		berth_log(health->service, BERTH_ERROR, "eventfd: %s",
		    strerror(errno));
}

static int
is_younger(const struct health *health, uint64_t age_ms)
{
	uint64_t now_ns = berth_now(health->service);

	return health->known &&
	       now_ns - health->verdict_ns < age_ms * UINT64_C(1000000);
}

static int
ask(struct asker *asker)
{
	struct health *health = asker->session->service->state;
	uint64_t cache_ms = health->cache_ms;

	if (is_younger(health, cache_ms))
		return answer(asker);
	kick(health);
	if (is_younger(health, cache_ms + health->stale_ms))
		return answer(asker);
	LIST_INSERT_HEAD(&health->askers, asker, link);
	asker->waits = 1;
	return 0;
}

static int
ask_in(struct asker *asker, enum form form)
{
	if (asker->waits || asker->answered)
		return 0;
	asker->form = form;
	berth_session_timeout(asker->session, 0);
	return ask(asker);
}

/* --- sessions --- */

static int
open_session(struct berth_session *session)
{
	struct health *health = session->service->state;
	struct asker *asker = session->state;

	asker->session = session;
	if (health->form == FORM_PLAIN)
		return ask_in(asker, FORM_PLAIN);
	return berth_session_timeout(session, SILENCE_MS);
}

static enum form
form_of(const struct asker *asker)
{
	if (memcmp(asker->word, "GET ", 4) == 0)
		return FORM_HTTP;
	return memcmp(asker->word, "HEAD ", 5) == 0 ? FORM_HTTP_HEAD
						    : FORM_PLAIN;
}

/* All is taken: what follows the first word is read and not looked at. */
static int
input(struct berth_session *session, struct berth_bytes in)
{
	struct health *health = session->service->state;
	struct asker *asker = session->state;
	size_t room = sizeof(asker->word) - asker->heard;
	size_t size = in.size < room ? in.size : room;
	enum form form;
	int result;

	memcpy(asker->word + asker->heard, in.data, size);
	asker->heard += size;
	if (asker->heard < sizeof(asker->word) &&
	    memchr(asker->word, '\n', asker->heard) == NULL)
		return (int)in.size;
	form = form_of(asker);
	if (health->form == FORM_HTTP && form == FORM_PLAIN)
		form = FORM_HTTP;
	result = ask_in(asker, form);
	return result < 0 ? result : (int)in.size;
}

static int
ask_silently(struct berth_session *session)
{
	struct health *health = session->service->state;

	return ask_in(
	    session->state, health->form == FORM_HTTP ? FORM_HTTP : FORM_PLAIN);
}

static int
eof(struct berth_session *session, struct berth_bytes rest)
{
	(void)rest;
	return ask_silently(session);
}

static void
closed(struct berth_session *session, int reason)
{
	struct asker *asker = session->state;

	(void)reason;
	if (asker->waits)
		LIST_REMOVE(asker, link);
}

/* --- the service --- */

static void
fini(struct berth_service *service)
{
	struct health *health = service->state;

	if (health->kick_fd >= 0)
		close(health->kick_fd);
	pthread_mutex_destroy(&health->lock);
}

static int
start(struct health *health, int argc, char **argv)
{
	struct berth_service *service = health->service;
	int result = options_read(health, argc, argv);

	if (result != 0)
		return result;
	health->kick_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (health->kick_fd < 0)
		return berth_fail(
		    service, errno, "eventfd: %s", strerror(errno));
	result = berth_thread_start(service, "health-run", run_thread, health);
	if (result != 0)
		return berth_fail(
		    service, -result, "no thread: %s", strerror(-result));
	return 0;
}

static int
init(struct berth_service *service, int argc, char **argv)
{
	struct health *health = service->state;
	int result;

	health->service = service;
	health->timeout_ms = TIMEOUT_MS;
	health->cache_ms = CACHE_MS;
	health->kick_fd = -1;
	LIST_INIT(&health->askers);
	pthread_mutex_init(&health->lock, NULL);
	result = start(health, argc, argv);
	if (result != 0)
		fini(service);
	return result;
}

static void
info(struct berth_service *service, struct berth_text *text)
{
	const struct health *health = service->state;

	berth_text_printf(text, "%s: %s, %llu runs", health->program[0],
	    !health->known	   ? "not asked yet"
	    : health->verdict.good ? "good"
				   : "bad",
	    (unsigned long long)health->count);
}

BERTH_SERVICE(make_health, .summary = "says whether something is well",
    .state_size = sizeof(struct health), .init = init, .fini = fini,
    .info = info,
    .session = {
	.state_size = sizeof(struct asker),
	.open = open_session,
	.input = input,
	.timeout = ask_silently,
	.eof = eof,
	.closed = closed,
    });
