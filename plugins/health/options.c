/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * options: the words of the service.
 *
 *	[-c TIME] [-f plain|http|auto] [-s TIME] [-t TIME] PROGRAM [WORD ...]
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "health.h"

#define TIME_MOST_MS 86400000.0

static int
take_time(struct health *health, const char *word, uint32_t *ret_ms)
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
		if (!(number >= 0 && number <= TIME_MOST_MS))
			break;
		*ret_ms = (uint32_t)number;
		return 0;
	}
	return berth_fail(health->service, EINVAL,
	    "'%s' is no time, such as 500ms, 5s or 1m", word);
}

static int
take_form(struct health *health, const char *word)
{
	static const struct {
		const char *word;
		enum form form;
	} forms[] = {
	    {"auto", FORM_UNKNOWN}, {"plain", FORM_PLAIN}, {"http", FORM_HTTP}};

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
		if (strcmp(forms[i].word, word) == 0) {
			health->form = forms[i].form;
			return 0;
		}
	return berth_fail(
	    health->service, EINVAL, "-f: plain, http or auto, not '%s'", word);
}

static int
take_option(struct health *health, char letter, const char *value)
{
	switch (letter) {
	case 'c':
		return take_time(health, value, &health->cache_ms);
	case 'f':
		return take_form(health, value);
	case 's':
		return take_time(health, value, &health->stale_ms);
	case 't':
		return take_time(health, value, &health->timeout_ms);
	default:
		return berth_fail(
		    health->service, EINVAL, "there is no option -%c", letter);
	}
}

int
options_read(struct health *health, int argc, char **argv)
{
	struct berth_service *service = health->service;
	int at = 1, result;

	for (; at < argc && argv[at][0] == '-' && argv[at][1] != '\0'; at++) {
		char letter = argv[at][1];
		const char *value = argv[at] + 2;

		if (*value == '\0' && at + 1 < argc)
			value = argv[++at];
		if (*value == '\0')
			return berth_fail(service, EINVAL,
			    "option -%c needs a value", letter);
		result = take_option(health, letter, value);
		if (result != 0)
			return result;
	}
	if (at >= argc)
		return berth_fail(service, EINVAL, "which program?");
	if (argv[at][0] != '/')
		return berth_fail(service, EINVAL,
		    "'%s': the program has to be an absolute path", argv[at]);
	if (access(argv[at], X_OK) != 0)
		return berth_fail(
		    service, errno, "%s: %s", argv[at], strerror(errno));
	if (health->timeout_ms == 0)
		return berth_fail(service, EINVAL,
		    "-t: a program that has no time gets nothing done");
	health->program = argv + at;
	return 0;
}
