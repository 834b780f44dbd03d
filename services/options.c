/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Options of the static services.
 *
 * getopt(3) keeps its place in global variables, so two services that start
 * on two threads would disturb each other, and it prints its complaints to
 * standard error.  This one keeps its place in the caller's structure and
 * tells the host.  `-p 7`, `-p7` and `-dp 7` are understood; long options and
 * words that are not options are not.
 */
#include "services_priv.h"

#include <errno.h>
#include <stdio.h>

void
service_options_init(
    struct service_options *options, int argc, char **argv, const char *letters)
{
	*options = (struct service_options){
	    .argv = argv, .letters = letters, .argc = argc, .index = 1};
}

/* Where the letter stands in the list of those known, or NULL. */
static const char *
known(const struct service_options *options, char letter)
{
	if (letter == ':')
		return NULL;
	return strchr(options->letters, letter);
}

static int
next_word(struct service_options *options, struct berth_service *service)
{
	const char *word;

	if (options->index >= options->argc)
		return 0;
	word = options->argv[options->index];
	if (word[0] != '-' || word[1] == '\0')
		return berth_fail(
		    service, EINVAL, "unexpected argument '%s'", word);
	options->index++;
	options->rest = word + 1;
	return 1;
}

static int
take_value(
    struct service_options *options, struct berth_service *service, char letter)
{
	if (options->rest[0] != '\0') {
		options->value = options->rest;
	} else {
		if (options->index >= options->argc)
			return berth_fail(service, EINVAL,
			    "option -%c needs a value", letter);
		options->value = options->argv[options->index++];
	}
	options->rest = NULL;
	return 0;
}

int
service_options_next(
    struct service_options *options, struct berth_service *service)
{
	const char *found;
	char letter;
	int result;

	options->value = NULL;
	if (options->rest == NULL || options->rest[0] == '\0') {
		result = next_word(options, service);
		if (result <= 0)
			return result;
	}
	letter = *options->rest++;
	found = known(options, letter);
	if (found == NULL)
		return berth_fail(
		    service, EINVAL, "unknown option -%c", letter);
	if (found[1] == ':') {
		result = take_value(options, service, letter);
		if (result < 0)
			return result;
	}
	return letter;
}

int
service_options_none(struct berth_service *service, int argc, char **argv)
{
	struct service_options options;

	service_options_init(&options, argc, argv, "");
	return service_options_next(&options, service);
}

int
service_options_number(const struct service_options *options,
    struct berth_service *service, uint32_t high, uint32_t *ret_number)
{
	const char *at = options->value;
	uint64_t number = 0;

	do {
		if (*at < '0' || *at > '9' || number > high)
			break;
		number = number * 10 + (uint64_t)(*at - '0');
		at++;
	} while (*at != '\0');
	if (*at != '\0' || at == options->value || number > high)
		return berth_fail(service, EINVAL,
		    "'%s' is not a number from 0 to %u", options->value,
		    (unsigned)high);
	*ret_number = (uint32_t)number;
	return 0;
}

int
service_listen(struct berth_service *service, const char *port)
{
	char endpoint[64];
	int result;

	result = snprintf(endpoint, sizeof(endpoint), "tcp:127.0.0.1:%s", port);
	if (result < 0 || (size_t)result >= sizeof(endpoint))
		return berth_fail(service, EINVAL, "'%s' is not a port", port);
	result = berth_listen(service, endpoint);
	if (result < 0)
		return berth_fail(service, -result, "cannot listen on %s: %s",
		    endpoint, strerror(-result));
	return 0;
}
