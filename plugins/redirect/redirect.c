/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * redirect: hands clients on to another server, over TCP and Unix sockets,
 * and datagrams over UDP.  The words of the service are in options.c; the
 * manual is berth-redirect(8).
 *
 * This file is the service: its start, its end, what it tells of itself.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "redirect.h"

#define CONNECT_MS 5000
#define REFRESH_MS 60000
#define EXPIRY_MS 60000

static void
fini(struct berth_service *service)
{
	struct redirect *redirect = service->state;

	flows_close(redirect);
	addresses_unref(redirect->addresses);
	addresses_unref(redirect->fresh);
	pthread_mutex_destroy(&redirect->lock);
	free(redirect->targets);
	free(redirect->buffer);
}

static int
start(struct redirect *redirect, int argc, char **argv)
{
	struct berth_service *service = redirect->service;
	int result;

	redirect->buffer = malloc(BUFFER_BYTES);
	if (redirect->buffer == NULL)
		return berth_fail(service, ENOMEM, "no memory");
	result = options_read(redirect, argc, argv);
	if (result != 0)
		return result;
	redirect->addresses = targets_resolve(redirect, 1);
	if (redirect->socket_type == SOCK_DGRAM)
		result = flows_open(redirect);
	if (result != 0 || redirect->addresses != NULL)
		return result;
	if (!redirect->has_names)
		return berth_fail(service, EINVAL, "no target can be used");
	result = berth_thread_start(
	    service, "redirect-names", targets_thread, redirect);
	if (result != 0)
		return berth_fail(service, -result, "no thread for names: %s",
		    strerror(-result));
	return 0;
}

static int
init(struct berth_service *service, int argc, char **argv)
{
	struct redirect *redirect = service->state;
	int result;

	redirect->service = service;
	redirect->connect_ms = CONNECT_MS;
	redirect->refresh_ms = REFRESH_MS;
	redirect->expiry_ms = EXPIRY_MS;
	pthread_mutex_init(&redirect->lock, NULL);
	result = start(redirect, argc, argv);
	if (result != 0)
		fini(service);
	return result;
}

static void
info(struct berth_service *service, struct berth_text *text)
{
	const struct redirect *redirect = service->state;
	uint64_t now_ns = berth_now(service);

	berth_text_printf(text, "redirect to");
	for (unsigned i = 0; i < redirect->target_count; i++)
		berth_text_printf(text, " %s%s", redirect->targets[i].text,
		    redirect->targets[i].down_ns > now_ns ? " (down)" : "");
	if (redirect->failed > 0)
		berth_text_printf(text, ", %llu clients not served",
		    (unsigned long long)redirect->failed);
}

BERTH_SERVICE(make_redirect, .summary = "hands clients on to another server",
    .state_size = sizeof(struct redirect), .init = init, .fini = fini,
    .info = info,
    .session = {
	.state_size = sizeof(struct relay),
	.open = relay_open,
	.input = relay_input,
	.output_ready = relay_output_ready,
	.timeout = relay_timeout,
	.eof = relay_eof,
	.closed = relay_closed,
	.datagram = flows_datagram,
    });
