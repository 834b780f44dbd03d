/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * server_options: the words of logging_server.
 *
 *	[-a] [-d FOLDER] [-k COUNT] [-m SIZE] [-s SIZE]
 *	[-o hosts | one FILE | syslog [SOCKET] | journal [SOCKET]] [PORT]
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "server.h"

struct words {
	struct server *server;
	char **next;
};

static int
take_number(struct server *server, const char *word, uint64_t least,
    uint64_t *ret_value)
{
	static const struct {
		const char *unit;
		unsigned shift;
	} units[] = {{"", 0}, {"k", 10}, {"m", 20}, {"g", 30}};
	char *end;
	uint64_t number;

	errno = 0;
	number = strtoull(word, &end, 10);
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (end == word || *word == '-' || errno != 0 ||
		    strcasecmp(end, units[i].unit) != 0)
			continue;
		if (number > UINT64_MAX >> 31)
			break;
		number <<= units[i].shift;
		if (number < least)
			break;
		*ret_value = number;
		return 0;
	}
	return berth_fail(server->service, EINVAL,
	    "'%s' is no number of at least %llu, such as 100, 64K or 10M", word,
	    (unsigned long long)least);
}

static int
take_sink(struct words *words, const char *word)
{
	static const struct {
		const char *word;
		enum sink sink;
		const char *path;
	} sinks[] = {{"hosts", SINK_HOSTS, NULL}, {"one", SINK_ONE, NULL},
	    {"syslog", SINK_SYSLOG, "/dev/log"},
	    {"journal", SINK_JOURNAL, "/run/systemd/journal/socket"}};
	struct server *server = words->server;

	for (size_t i = 0; i < sizeof(sinks) / sizeof(sinks[0]); i++) {
		if (strcmp(sinks[i].word, word) != 0)
			continue;
		server->sink = sinks[i].sink;
		server->path = sinks[i].path;
		if (server->sink == SINK_HOSTS)
			return 0;
		if (*words->next != NULL &&
		    (server->sink == SINK_ONE || **words->next == '/'))
			server->path = *words->next++;
		if (server->path == NULL)
			return berth_fail(server->service, EINVAL,
			    "-o one: into which file?");
		return 0;
	}
	return berth_fail(server->service, EINVAL,
	    "-o: hosts, one FILE, syslog or journal, not '%s'", word);
}

static int
take_option(struct words *words, char letter, const char *value)
{
	struct server *server = words->server;
	uint64_t number = 0;
	int result;

	switch (letter) {
	case 'd':
		server->folder = value;
		return 0;
	case 'k':
		result = take_number(server, value, 0, &number);
		server->keep = number < 1000 ? (uint32_t)number : 1000;
		return result;
	case 'm':
		return take_number(server, value,
		    RECORD_HEADER_BYTES + RECORD_WIDE_BYTES, &server->most);
	case 'o':
		return take_sink(words, value);
	case 's':
		return take_number(server, value, 1, &server->rotate_size);
	default:
		return berth_fail(
		    server->service, EINVAL, "there is no option -%c", letter);
	}
}

static int
take_word(struct words *words)
{
	const char *word = *words->next++, *value = word + 2;

	if (strcmp(word, "-a") == 0) {
		words->server->acknowledge = 1;
		return 0;
	}
	if (*value == '\0' && *words->next != NULL)
		value = *words->next++;
	if (*value == '\0')
		return berth_fail(words->server->service, EINVAL,
		    "option -%c needs a value", word[1]);
	return take_option(words, word[1], value);
}

int
options_read(struct server *server, int argc, char **argv)
{
	struct words words = {server, argv + (argc > 0)};
	int result;

	while (*words.next != NULL && (*words.next)[0] == '-' &&
	       (*words.next)[1] != '\0') {
		result = take_word(&words);
		if (result != 0)
			return result;
	}
	if (*words.next != NULL)
		server->port = *words.next++;
	if (*words.next != NULL)
		return berth_fail(server->service, EINVAL,
		    "'%s': one port at most is expected", *words.next);
	return 0;
}
