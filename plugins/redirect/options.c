/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * options: the words of the service.
 *
 *	[-c TIME] [-r TIME] [-x TIME] [-P 1|2] [-u ENDPOINT] TARGET ...
 *
 * A TARGET is tcp:HOST:PORT, tcp4:, tcp6:, unix:PATH or, as xinetd has it, the
 * two words HOST PORT.  What is wrong is told to the host.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "redirect.h"

#define TIME_MOST_MS 86400000.0

/* "5", "5s", "500ms", "2m" */
static int
take_time(struct redirect *redirect, const char *word, uint32_t *ret_ms)
{
	static const struct {
		const char *unit;
		double ms;
	} units[] = {{"", 1000}, {"s", 1000}, {"ms", 1}, {"m", 60000}};
	char *end;
	double number = strtod(word, &end);

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (end == word || strcmp(end, units[i].unit) != 0)
			continue;
		number *= units[i].ms;
		if (!(number >= 1 && number <= TIME_MOST_MS))
			break;
		*ret_ms = (uint32_t)number;
		return 0;
	}
	return berth_fail(redirect->service, EINVAL,
	    "'%s' is no time of at least 1ms, such as 5s", word);
}

static int
take_option(struct redirect *redirect, char letter, const char *value)
{
	struct berth_service *service = redirect->service;

	switch (letter) {
	case 'c':
		return take_time(redirect, value, &redirect->connect_ms);
	case 'r':
		return take_time(redirect, value, &redirect->refresh_ms);
	case 'x':
		return take_time(redirect, value, &redirect->expiry_ms);
	case 'u':
		redirect->listen = value;
		return 0;
	case 'P':
		redirect->proxy = atoi(value);
		if (redirect->proxy == 1 || redirect->proxy == 2)
			return 0;
		return berth_fail(service, EINVAL,
		    "-P: there are versions 1 and 2, not '%s'", value);
	default:
		return berth_fail(
		    service, EINVAL, "there is no option -%c", letter);
	}
}

static int
is_endpoint(const char *word)
{
	static const char *const kinds[] = {
	    "tcp:", "tcp4:", "tcp6:", "udp:", "udp4:", "udp6:", "unix:"};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strncmp(word, kinds[i], strlen(kinds[i])) == 0)
			return 1;
	return 0;
}

/* All the same: connections or datagrams.  0 or -EINVAL. */
static int
take_kind(struct redirect *redirect, const char *word)
{
	int type = strncmp(word, "udp", 3) == 0 ? SOCK_DGRAM : SOCK_STREAM;

	if (redirect->socket_type != 0 && redirect->socket_type != type)
		return berth_fail(redirect->service, EINVAL,
		    "'%s': targets are for connections or for datagrams", word);
	redirect->socket_type = type;
	return 0;
}

static int
take_target(struct redirect *redirect, const char *word, const char *port)
{
	struct target *target = &redirect->targets[redirect->target_count];
	int result = target_parse(target, word, port);

	if (result != 0)
		return berth_fail(redirect->service, EINVAL,
		    "'%s' is no target: tcp:HOST:PORT or unix:PATH", word);
	/* With xinetd's two words the protocol is that of the endpoint. */
	if (port == NULL && take_kind(redirect, word) != 0)
		return -EINVAL;
	redirect->target_count++;
	if (target->host != NULL)
		redirect->has_names = 1;
	return 0;
}

static int
take_targets(struct redirect *redirect, char **word)
{
	int result = 0;

	if (word[0] == NULL)
		return berth_fail(redirect->service, EINVAL,
		    "where to? tcp:HOST:PORT, unix:PATH or HOST PORT");
	if (!is_endpoint(word[0])) {
		if (word[1] != NULL && word[2] == NULL)
			return take_target(redirect, word[0], word[1]);
		return take_target(redirect, word[0], NULL);
	}
	for (; result == 0 && *word != NULL; word++)
		result = take_target(redirect, *word, NULL);
	return result;
}

int
options_read(struct redirect *redirect, int argc, char **argv)
{
	int at = 1, result;

	redirect->targets = calloc(
	    (size_t)argc + 1, sizeof(*redirect->targets));
	if (redirect->targets == NULL)
		return berth_fail(redirect->service, ENOMEM, "no memory");
	for (; at < argc && argv[at][0] == '-' && argv[at][1] != '\0'; at++) {
		char letter = argv[at][1];
		const char *value = argv[at] + 2;

		if (*value == '\0' && at + 1 < argc)
			value = argv[++at];
		if (*value == '\0')
			return berth_fail(redirect->service, EINVAL,
			    "option -%c needs a value", letter);
		result = take_option(redirect, letter, value);
		if (result != 0)
			return result;
	}
	result = take_targets(redirect, argv + at);
	if (result == 0 && redirect->socket_type == 0)
		redirect->socket_type = redirect->listen != NULL ? SOCK_DGRAM
								 : SOCK_STREAM;
	if (result == 0 && redirect->listen != NULL &&
	    redirect->socket_type != SOCK_DGRAM)
		result = berth_fail(redirect->service, EINVAL,
		    "-u: targets are udp:HOST:PORT then");
	return result;
}
