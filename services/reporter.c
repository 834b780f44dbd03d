/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Service_Reporter (C++NPv2 5.3): whoever connects gets the list of services,
 * one line each, with state and info, and then the end.  What the client sends
 * is thrown away; it may have ended its side already.
 *
 * -p PORT serves tcp:127.0.0.1:PORT besides the endpoints of the `listen`
 * attribute.  A client that reads nothing of a long list for STALL_MS is
 * dropped.
 */
#include "services_priv.h"

#include <errno.h>
#include <limits.h>

#define STALL_MS 60000

struct reporter {
	struct outbox_budget budget;
	const char *port; /* of -p, or NULL */
};

struct report {
	struct berth_command *command; /* on its way, or NULL */
	struct outbox outbox;
	bool done; /* all of the list is in the outbox */
};

static int
reporter_init(struct berth_service *service, int argc, char **argv)
{
	struct reporter *reporter = service->state;
	struct service_options options;
	int letter;

	service_options_init(&options, argc, argv, "p:");
	while ((letter = service_options_next(&options, service)) > 0)
		reporter->port = options.value;
	if (letter < 0)
		return letter;
	return reporter->port == NULL ? 0
				      : service_listen(service, reporter->port);
}

static void
reporter_info(struct berth_service *service, struct berth_text *text)
{
	const struct reporter *reporter = service->state;

	if (reporter->port != NULL)
		berth_text_printf(text, "%s/tcp ", reporter->port);
	berth_text_printf(text, "# reports all services");
}

/* Send what can be sent, and end when that was all. */
static int
advance(struct berth_session *session)
{
	struct report *report = session->state;
	int result;

	result = outbox_flush(&report->outbox, session);
	if (result < 0)
		return result;
	if (!report->done)
		return 0;
	if (outbox_pending(&report->outbox))
		return berth_session_timeout(session, STALL_MS);
	berth_close(session);
	return 0;
}

static void
report_ready(void *arg, int status, struct berth_bytes text)
{
	struct berth_session *session = arg;
	struct report *report = session->state;
	int result;

	report->command = NULL;
	report->done = true;
	if (status != 0)
		berth_log(session->service, BERTH_WARNING,
		    "cannot report: %.*s", (int)(text.size & INT_MAX),
		    text.size == 0 ? "" : (const char *)text.data);
	result = outbox_send(&report->outbox, session, text);
	if (result == 0)
		result = advance(session);
	if (result < 0)
		berth_abort(session);
}

static int
report_open(struct berth_session *session)
{
	struct reporter *reporter = session->service->state;
	struct report *report = session->state;

	outbox_init(&report->outbox, &reporter->budget);
	return berth_command(session->service, "report", 0, report_ready,
	    session, &report->command);
}

static int
report_input(struct berth_session *session, struct berth_bytes in)
{
	(void)session;
	return in.size > INT_MAX ? INT_MAX : (int)in.size;
}

/* The list is still to come. */
static int
report_eof(struct berth_session *session, struct berth_bytes rest)
{
	(void)session;
	(void)rest;
	return 0;
}

static int
report_stalled(struct berth_session *session)
{
	(void)session;
	return -ETIMEDOUT;
}

static void
report_closed(struct berth_session *session, int reason)
{
	struct report *report = session->state;

	(void)reason;
	if (report->command != NULL)
		berth_command_cancel(session->service, report->command);
	outbox_fini(&report->outbox);
}

BERTH_SERVICE(make_reporter, .summary = "reports all services to a client",
    .state_size = sizeof(struct reporter), .init = reporter_init,
    .info = reporter_info,
    .session = {.state_size = sizeof(struct report),
	.open = report_open,
	.input = report_input,
	.output_ready = advance,
	.timeout = report_stalled,
	.eof = report_eof,
	.closed = report_closed});
