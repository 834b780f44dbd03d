/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * signal_name: signals as people write them: HUP, SIGHUP, hup, 1, RTMIN+2.
 *
 * Names come from the C library.  0 and numbers without a signal are -EINVAL;
 * so are the real-time signals that the C library keeps for itself.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "main/main.h"

static int
parse_realtime(const char *name)
{
	bool from_end = strncasecmp(name, "RTMAX", 5) == 0;
	int number = from_end ? SIGRTMAX : SIGRTMIN;
	char *end = NULL;
	long offset = 0;

	if (!from_end && strncasecmp(name, "RTMIN", 5) != 0)
		return -EINVAL;
	name += 5;
	if (*name != '\0') {
		if (*name != (from_end ? '-' : '+'))
			return -EINVAL;
		offset = strtol(name, &end, 10);
		if (end == name || *end != '\0' || labs(offset) > NSIG)
			return -EINVAL;
	}
	number += (int)offset;
	return number >= SIGRTMIN && number <= SIGRTMAX ? number : -EINVAL;
}

static int
parse_number(const char *text)
{
	char *end;
	long number = strtol(text, &end, 10);

	if (*end != '\0' || number <= 0 || number > SIGRTMAX)
		return -EINVAL;
	if (number >= SIGRTMIN || sigabbrev_np((int)number) != NULL)
		return (int)number;
	return -EINVAL;
}

int
signal_parse(const char *name)
{
	const char *known;

	if (*name >= '0' && *name <= '9')
		return parse_number(name);
	if (strncasecmp(name, "SIG", 3) == 0)
		name += 3;
	for (int number = 1; number < SIGRTMIN; number++) {
		known = sigabbrev_np(number);
		if (known != NULL && strcasecmp(known, name) == 0)
			return number;
	}
	return parse_realtime(name);
}

void
signal_name(int number, char name[SIGNAL_NAME_SIZE])
{
	const char *known = sigabbrev_np(number);

	if (known != NULL)
		snprintf(name, SIGNAL_NAME_SIZE, "%s", known);
	else if (number >= SIGRTMIN && number <= SIGRTMAX)
		snprintf(name, SIGNAL_NAME_SIZE, "RTMIN+%d", number - SIGRTMIN);
	else
		snprintf(name, SIGNAL_NAME_SIZE, "%d", number);
}

const char *
signal_refusal(int number)
{
	switch (number) {
	case SIGKILL:
	case SIGSTOP:
		return "it cannot be caught";
	case SIGTERM:
	case SIGINT:
		return "it stops the host";
	case SIGSEGV:
	case SIGBUS:
	case SIGFPE:
	case SIGILL:
	case SIGABRT:
	case SIGTRAP:
	case SIGSYS:
		return "it reports a fault";
	case SIGPIPE:
	case SIGCHLD:
		return "the host has another use for it";
	default:
		return NULL;
	}
}
