/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Service_Manager: steers the host over a connection, one command a line.
 * berth-manager(8) states the protocol; console.c drives a session, and
 * console_commands.c knows what a session may say.
 *
 * A session may look.  It may change something only when the service was
 * started with -c, and then if its peer is the host's own user or root, over a
 * Unix socket, or has logged in with the token of -t.  -l speaks the protocol
 * of ACE instead, where neither counts.
 */
#include "services_priv.h"

#include <errno.h>

#define DEFAULT_PORT "10000" /* ACE's */
#define DEFAULT_IDLE_S 600
#define IDLE_LIMIT_S (7u * 24 * 3600)
#define TOKEN_SHORT_BYTES 16 /* worth a warning */

static int
take_option(struct berth_service *service, int letter,
    const struct service_options *options)
{
	struct manager *manager = service->state;
	uint32_t seconds;
	int result;

	switch (letter) {
	case 'p':
		manager->port = options->value;
		break;
	case 't':
		manager->token_path = options->value;
		break;
	case 'c':
		manager->control = true;
		break;
	case 'l':
		manager->legacy = true;
		break;
	case 'i':
		result = service_options_number(
		    options, service, IDLE_LIMIT_S, &seconds);
		if (result < 0)
			return result;
		manager->idle_ms = seconds * 1000;
		break;
	default: /* -d and -s N, which ACE takes: nothing depends on them */
		break;
	}
	return 0;
}

static int
check_token(struct berth_service *service)
{
	const struct manager *manager = service->state;
	const char *reason = NULL;
	struct token token;
	int result;

	if (manager->legacy && manager->control)
		return berth_fail(service, EINVAL,
		    "-l is ACE's protocol, which has no place for -c");
	if (manager->token_path == NULL)
		return 0;
	if (!manager->control)
		return berth_fail(
		    service, EINVAL, "-t is for -c, which is missing");
	if (manager->token_path[0] != '/')
		return berth_fail(service, EINVAL,
		    "the token file '%s' is not an absolute path",
		    manager->token_path);
	result = token_read(manager->token_path, &token, &reason);
	if (result < 0)
		return berth_fail(service, -result, "token file %s: %s",
		    manager->token_path, reason);
	if (token.size < TOKEN_SHORT_BYTES)
		berth_log(service, BERTH_WARNING,
		    "the token in %s is shorter than %d characters",
		    manager->token_path, TOKEN_SHORT_BYTES);
	token_wipe(&token);
	return 0;
}

static int
manager_init(struct berth_service *service, int argc, char **argv)
{
	struct manager *manager = service->state;
	struct service_options options;
	int letter, result;

	manager->idle_ms = DEFAULT_IDLE_S * 1000;
	service_options_init(&options, argc, argv, "p:t:cli:ds:");
	while ((letter = service_options_next(&options, service)) > 0) {
		result = take_option(service, letter, &options);
		if (result < 0)
			return result;
	}
	if (letter < 0)
		return letter;
	result = check_token(service);
	if (result < 0)
		return result;
	if (manager->port == NULL && berth_endpoints(service) == 0)
		manager->port = DEFAULT_PORT;
	return manager->port == NULL ? 0
				     : service_listen(service, manager->port);
}

static void
manager_info(struct berth_service *service, struct berth_text *text)
{
	const struct manager *manager = service->state;

	if (manager->port != NULL)
		berth_text_printf(text, "%s/tcp ", manager->port);
	berth_text_printf(text, "# lists %sall services in the daemon",
	    manager->control ? "and steers " : "");
}

BERTH_SERVICE(make_manager, .summary = "lists and steers all services",
    .flags = BERTH_EPHEMERAL, .state_size = sizeof(struct manager),
    .init = manager_init, .info = manager_info,
    .session = {.state_size = sizeof(struct console),
	.open = console_open,
	.input = console_input,
	.output_ready = console_output_ready,
	.timeout = console_timeout,
	.eof = console_eof,
	.closed = console_closed});
