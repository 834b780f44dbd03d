/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcpmux (RFC 1078): a client sends the name of a service and CR LF, and has
 * that service from then on.
 *
 * Only services that say so in svc.conf are reached (CVE-2012-0862), each
 * under its own limits and as its own user (CVE-2013-4342): the connection is
 * handed to the host, which gives it to the service as if that had accepted
 * it.  What follows the name is left where it is until then, so that a program
 * finds it, to the byte.
 *
 * The answer is a line: "-" and a reason, after which the connection ends; or
 * "+", which the host or the service sends.  `help` lists the services.  A name
 * that is too long, or is not there in time (-t), ends the connection.
 */
#include "services_priv.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <strings.h>

#define NAME_LIMIT 255
#define TIME_DEFAULT_MS 10000
#define TIME_LIMIT_S 3600

struct tcpmux {
	uint32_t time_ms;
};

struct request {
	uint16_t size;
	char name[NAME_LIMIT + 1];
};

static int
tcpmux_init(struct berth_service *service, int argc, char **argv)
{
	struct tcpmux *tcpmux = service->state;
	struct service_options options;
	char *end;
	long seconds;
	int letter;

	tcpmux->time_ms = TIME_DEFAULT_MS;
	service_options_init(&options, argc, argv, "t:");
	while ((letter = service_options_next(&options, service)) > 0) {
		seconds = strtol(options.value, &end, 10);
		if (*end != '\0' || seconds < 1 || seconds > TIME_LIMIT_S)
			return berth_fail(service, EINVAL,
			    "-t wants 1 to %d seconds, not '%s'", TIME_LIMIT_S,
			    options.value);
		tcpmux->time_ms = (uint32_t)seconds * 1000;
	}
	return letter;
}

static int
tcpmux_open(struct berth_session *session)
{
	const struct tcpmux *tcpmux = session->service->state;

	return berth_session_timeout(session, tcpmux->time_ms);
}

static int
refuse(struct berth_session *session, const char *reason)
{
	int result = berth_printf(session, "-%s\r\n", reason);

	berth_close(session);
	return result < 0 ? result : 0;
}

static void
list_one(void *arg, const char *name)
{
	struct berth_session *session = arg;

	(void)berth_printf(session, "%s\r\n", name);
}

static int
answer(struct berth_session *session, const char *name, size_t size)
{
	int result;

	if (size == 0)
		return refuse(session, "which service?");
	if (strlen(name) != size)
		return refuse(session, "no such service");
	if (strcasecmp(name, "help") == 0) {
		berth_heirs(session->service, list_one, session);
		berth_close(session);
		return 0;
	}
	result = berth_hand_over(session, name);
	if (result == -ENOENT)
		return refuse(session, "no such service");
	if (result < 0)
		return refuse(session, "not now");
	return 0;
}

static int
tcpmux_input(struct berth_session *session, struct berth_bytes in)
{
	struct request *request = session->state;
	const char *data = in.data;
	const char *newline = memchr(data, '\n', in.size);
	size_t size = newline != NULL ? (size_t)(newline - data) : in.size;
	int result;

	if (request->size + size > NAME_LIMIT) {
		result = refuse(session, "the name is too long");
		return result < 0 ? result : (int)in.size;
	}
	memcpy(request->name + request->size, data, size);
	request->size = (uint16_t)(request->size + size);
	if (newline == NULL)
		return (int)in.size;
	if (request->size > 0 && request->name[request->size - 1] == '\r')
		request->size--;
	request->name[request->size] = '\0';
	result = answer(session, request->name, request->size);
	return result < 0 ? result : (int)size + 1;
}

static int
tcpmux_timeout(struct berth_session *session)
{
	return refuse(session, "no name came in time");
}

BERTH_SERVICE(make_tcpmux, .summary = "service multiplexer (RFC 1078)",
    .flags = BERTH_PEEKS, .state_size = sizeof(struct tcpmux),
    .init = tcpmux_init,
    .session = {.state_size = sizeof(struct request),
	.open = tcpmux_open,
	.input = tcpmux_input,
	.timeout = tcpmux_timeout});
