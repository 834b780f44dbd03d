/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * time_clerk: asks time servers how far this machine's clock is off, after
 * the time service of ACE.  The manual is berth-time-service(8).
 *
 * The offset is the median of those of the servers that answer: one that is
 * wrong by a day moves a mean by hours, and a median not at all.  Nothing is
 * done to the clock.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "clerk.h"

#define EVERY_S 5
#define READY_MS 100

static int
compare(const void *a, const void *b)
{
	const int64_t *one = a, *other = b;

	return (*one > *other) - (*one < *other);
}

void
clerk_reckon(struct clerk *clerk)
{
	int64_t offsets[SERVERS_MOST];
	unsigned count = 0;

	clerk->trip_ns = 0;
	for (unsigned i = 0; i < clerk->count; i++) {
		const struct server *server = &clerk->servers[i];

		if (!server->known)
			continue;
		offsets[count++] = server->offset_ns;
		if (server->trip_ns > clerk->trip_ns)
			clerk->trip_ns = server->trip_ns;
	}
	clerk->known = count;
	if (count > 0) {
		qsort(offsets, count, sizeof(offsets[0]), compare);
		/* Of two in the middle, what lies between them. */
		clerk->offset_ns = offsets[(count - 1) / 2] / 2 +
				   offsets[count / 2] / 2;
	}
	page_write(clerk);
}

static int
on_timer(struct berth_handler *handler, uint64_t now_ns, void *token)
{
	struct clerk *clerk = (struct clerk *)handler;

	(void)now_ns;
	(void)token;
	for (unsigned i = 0; i < clerk->count; i++)
		link_ask(&clerk->servers[i]);
	return 0;
}

static const struct berth_handler_type handler_type = {.timeout = on_timer};

static void
fini(struct berth_service *service)
{
	struct clerk *clerk = service->state;

	for (unsigned i = 0; i < clerk->count; i++)
		link_close(&clerk->servers[i]);
	berth_cancel_all(service, &clerk->handler);
	page_close(clerk);
}

static int
start(struct clerk *clerk, int argc, char **argv)
{
	struct berth_service *service = clerk->service;
	uint64_t every_ns;
	int result = clerk_options(clerk, argc, argv);

	if (result != 0)
		return result;
	if (clerk->path != NULL)
		result = page_open(clerk);
	if (result != 0)
		return berth_fail(
		    service, -result, "%s: %s", clerk->path, strerror(-result));
	for (unsigned i = 0; i < clerk->count && result == 0; i++) {
		clerk->servers[i].clerk = clerk;
		result = link_open(&clerk->servers[i]);
	}
	if (result != 0)
		return result;
	clerk->handler.type = &handler_type;
	every_ns = clerk->every_s * SECOND_NS;
	return berth_schedule(
	    service, &clerk->handler, NULL, every_ns, every_ns, NULL);
}

static int
init(struct berth_service *service, int argc, char **argv)
{
	struct clerk *clerk = service->state;
	int result;

	clerk->service = service;
	clerk->every_s = EVERY_S;
	result = start(clerk, argc, argv);
	if (result != 0)
		fini(service);
	return result;
}

static int
ready(struct berth_service *service)
{
	struct clerk *clerk = service->state;

	return clerk->must_know && clerk->known == 0 ? READY_MS : 0;
}

static void
add_seconds(struct berth_text *text, int64_t ns)
{
	uint64_t size = ns < 0 ? -(uint64_t)ns : (uint64_t)ns;

	berth_text_printf(text, "%c%" PRIu64 ".%06" PRIu64 " s",
	    ns < 0 ? '-' : '+', size / SECOND_NS, size % SECOND_NS / 1000);
}

static void
info(struct berth_service *service, struct berth_text *text)
{
	const struct clerk *clerk = service->state;

	berth_text_printf(text, "offset ");
	if (clerk->known > 0)
		add_seconds(text, clerk->offset_ns);
	else
		berth_text_printf(text, "not known");
	berth_text_printf(
	    text, " by %u of %u servers", clerk->known, clerk->count);
	for (unsigned i = 0; i < clerk->count; i++) {
		const struct server *server = &clerk->servers[i];

		berth_text_printf(
		    text, "%s %s ", i == 0 ? ":" : ",", server->name);
		if (server->known)
			add_seconds(text, server->offset_ns);
		else
			berth_text_printf(text, "away");
	}
}

BERTH_SERVICE(make_time_clerk, .summary = "asks time servers",
    .flags = BERTH_EXCLUSIVE, .state_size = sizeof(struct clerk), .init = init,
    .fini = fini, .info = info, .ready = ready);
