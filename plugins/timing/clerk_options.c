/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * clerk_options: the words of time_clerk.
 *
 *	[-b] [-p FILE] [-t SECONDS] -h SERVER [-h SERVER ...]
 */
#include <errno.h>
#include <stdlib.h>

#include "clerk.h"

#define SECONDS_MOST 86400u

static int
take_server(struct clerk *clerk, const char *name)
{
	if (clerk->count == SERVERS_MOST)
		return berth_fail(clerk->service, EINVAL,
		    "-h: more than %u servers", SERVERS_MOST);
	clerk->servers[clerk->count++].name = name;
	return 0;
}

static int
take_time(struct clerk *clerk, const char *word)
{
	char *end;
	unsigned long number = strtoul(word, &end, 10);

	if (*word < '0' || *word > '9' || *end != '\0' || number < 1 ||
	    number > SECONDS_MOST)
		return berth_fail(clerk->service, EINVAL,
		    "-t: a number of seconds from 1 to %u, not '%s'",
		    SECONDS_MOST, word);
	clerk->every_s = number;
	return 0;
}

static int
take(struct clerk *clerk, char letter, const char *value)
{
	switch (letter) {
	case 'h':
		return take_server(clerk, value);
	case 't':
		return take_time(clerk, value);
	case 'p':
		clerk->path = value;
		return 0;
	default:
		return berth_fail(
		    clerk->service, EINVAL, "there is no option -%c", letter);
	}
}

int
clerk_options(struct clerk *clerk, int argc, char **argv)
{
	int result;

	for (int at = 1; at < argc; at++) {
		const char *value;

		if (argv[at][0] != '-' || argv[at][1] == '\0')
			return berth_fail(clerk->service, EINVAL,
			    "'%s' is no option", argv[at]);
		if (strcmp(argv[at], "-b") == 0) {
			clerk->must_know = 1;
			continue;
		}
		value = argv[at] + 2;
		result = argv[at][1];
		if (*value == '\0' && at + 1 < argc)
			value = argv[++at];
		if (*value == '\0')
			return berth_fail(clerk->service, EINVAL,
			    "option -%c needs a value", (char)result);
		result = take(clerk, (char)result, value);
		if (result != 0)
			return result;
	}
	if (clerk->count == 0)
		return berth_fail(
		    clerk->service, EINVAL, "which servers? (-h HOST:PORT)");
	return 0;
}
