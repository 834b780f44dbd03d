/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * client_options: the words of logging_client, as a table.
 */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "client.h"
#include "port.h"

enum kind { KIND_FLAG, KIND_WORD, KIND_TIME, KIND_SIZE };

struct option_row {
	char letter;
	enum kind kind;
	size_t at; /* in struct relay */
	uint64_t least;
};

#define ROW(letter, kind, member, least)                                       \
	{                                                                      \
		letter, kind, offsetof(struct relay, member), least            \
	}

static const struct option_row rows[] = {
    ROW('a', KIND_FLAG, acknowledged, 0),
    ROW('p', KIND_WORD, listen_port, 0),
    ROW('r', KIND_WORD, server_port, 0),
    ROW('s', KIND_WORD, server, 0),
    ROW('S', KIND_WORD, queue.path, 0),
    ROW('b', KIND_TIME, retry_ms, 1),
    ROW('B', KIND_TIME, retry_most_ms, 1),
    ROW('c', KIND_TIME, connect_ms, 1),
    ROW('f', KIND_TIME, flush_ms, 0),
    ROW('M', KIND_SIZE, queue.spool_most, RECORD_MOST),
    ROW('q', KIND_SIZE, queue.most, 4 * RECORD_MOST),
    ROW('w', KIND_SIZE, window, 0),
};

static const struct unit {
	const char *name;
	enum kind kind;
	uint64_t factor;
} units[] = {{"", KIND_TIME, 1000}, {"ms", KIND_TIME, 1},
    {"s", KIND_TIME, 1000}, {"m", KIND_TIME, 60000}, {"", KIND_SIZE, 1},
    {"k", KIND_SIZE, 1u << 10}, {"m", KIND_SIZE, 1u << 20},
    {"g", KIND_SIZE, 1u << 30}};

static int
take_number(struct relay *relay, const struct option_row *row, const char *word,
    uint64_t *ret_value)
{
	char *end;
	uint64_t number;

	errno = 0;
	number = strtoull(word, &end, 10);
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (end == word || *word == '-' || errno != 0 ||
		    units[i].kind != row->kind ||
		    strcasecmp(end, units[i].name) != 0)
			continue;
		if (number > (UINT64_C(1) << 40) / units[i].factor ||
		    number * units[i].factor < row->least)
			break;
		*ret_value = number * units[i].factor;
		return 0;
	}
	return berth_fail(relay->service, EINVAL, "-%c: '%s' is no %s",
	    row->letter, word,
	    row->kind == KIND_TIME
		? "time, such as 500ms, 5s or 1m"
		: "size of 64K at least, such as 256K or 4M");
}

static int
take(struct relay *relay, const struct option_row *row, const char *value)
{
	void *at = (char *)relay + row->at;

	switch (row->kind) {
	case KIND_FLAG:
		*(int *)at = 1;
		return 0;
	case KIND_WORD:
		*(const char **)at = value;
		return 0;
	case KIND_TIME:
	case KIND_SIZE:
	default:
		return take_number(relay, row, value, at);
	}
}

static int
check(struct relay *relay)
{
	if (relay->retry_most_ms < relay->retry_ms)
		relay->retry_most_ms = relay->retry_ms;
	if (!relay->acknowledged && relay->window > relay->queue.most / 2)
		return berth_fail(relay->service, EINVAL,
		    "-w: the window has to be half of the queue (-q) at most");
	if (relay->server_port == NULL)
		relay->server_port = default_port();
	return 0;
}

int
client_options(struct relay *relay, int argc, char **argv)
{
	const struct option_row *end = rows + sizeof(rows) / sizeof(rows[0]);
	int result;

	for (int at = 1; at < argc; at++) {
		const struct option_row *row = rows;
		const char *value;

		while (row < end &&
		       (argv[at][0] != '-' || row->letter != argv[at][1]))
			row++;
		if (row == end)
			return berth_fail(relay->service, EINVAL,
			    "'%s' is no option", argv[at]);
		value = argv[at] + 2;
		if (*value == '\0' && row->kind != KIND_FLAG && at + 1 < argc)
			value = argv[++at];
		if (*value == '\0' && row->kind != KIND_FLAG)
			return berth_fail(relay->service, EINVAL,
			    "option -%c needs a value", row->letter);
		result = take(relay, row, value);
		if (result != 0)
			return result;
	}
	return check(relay);
}
