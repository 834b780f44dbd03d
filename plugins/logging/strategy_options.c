/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * strategy_options: the words of logging_strategy, those of ACE's, as a table.
 */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "strategy.h"

enum kind {
	KIND_FLAG,   /* int */
	KIND_WORD,   /* const char * */
	KIND_NUMBER, /* uint64_t, times the factor */
	KIND_FLAGS,
	KIND_MASK /* uint32_t */
};

struct option_row {
	char letter;
	enum kind kind;
	size_t at; /* in struct strategy */
	uint64_t least, most, factor;
	unsigned implies;
};

#define AT(member) offsetof(struct strategy, member)
#define DAYS_MOST (366u * 86400u)

static const struct option_row rows[] = {
    {'f', KIND_FLAGS, AT(flags), 0, 0, 0, 0},
    {'i', KIND_NUMBER, AT(poll_s), 1, DAYS_MOST, 1, 0},
    {'k', KIND_WORD, AT(link.key), 0, 0, 0, TO_LOGGER},
    {'m', KIND_NUMBER, AT(file.most), 0, 1u << 30, 1024, 0},
    {'N', KIND_NUMBER, AT(file.keep), 1, 9999, 1, 0},
    {'n', KIND_WORD, AT(program), 0, 0, 0, 0},
    {'o', KIND_FLAG, AT(file.ordered), 0, 0, 0, 0},
    {'p', KIND_MASK, AT(process), 0, 0, 0, 0},
    {'r', KIND_NUMBER, AT(age_s), 1, DAYS_MOST, 1, 0},
    {'s', KIND_WORD, AT(file.path), 0, 0, 0, TO_FILE},
    {'t', KIND_MASK, AT(thread), 0, 0, 0, 0},
    {'w', KIND_FLAG, AT(file.wipe), 0, 0, 0, 0},
};

struct word {
	const char *name;
	uint32_t value;
};

static const struct word flags[] = {
    {"STDERR", TO_STDERR},
    {"LOGGER", TO_LOGGER},
    {"OSTREAM", TO_FILE},
    {"SYSLOG", TO_SYSLOG},
    {"SILENT", SILENT},
    {"VERBOSE", VERBOSE},
    {"VERBOSE_LITE", VERBOSE_LITE},
};

/* Three priorities of ACE's that no line of the host has. */
static const struct word levels[] = {
    {"SHUTDOWN", 0},
    {"TRACE", 0},
    {"DEBUG", 1u << 7},
    {"INFO", 1u << 6},
    {"NOTICE", 1u << 5},
    {"WARNING", 1u << 4},
    {"STARTUP", 0},
    {"ERROR", 1u << 3},
    {"CRITICAL", 1u << 2},
    {"ALERT", 1u << 1},
    {"EMERGENCY", 1u << 0},
};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* 0, or -ENOENT. */
static int
look_up(const struct word *table, size_t count, const char *name, size_t size,
    uint32_t *ret_value)
{
	for (size_t i = 0; i < count; i++)
		if (strlen(table[i].name) == size &&
		    strncasecmp(table[i].name, name, size) == 0) {
			*ret_value = table[i].value;
			return 0;
		}
	return -ENOENT;
}

/* Words with | between them, to value; ~ before a word takes it away. */
static int
take_words(struct strategy *strategy, const struct option_row *row,
    const char *words, uint32_t *value)
{
	const struct word *table = row->kind == KIND_MASK ? levels : flags;
	size_t count = row->kind == KIND_MASK ? COUNT(levels) : COUNT(flags);
	uint32_t bit = 0;

	for (size_t size; *words != '\0'; words += size) {
		int off = row->kind == KIND_MASK && *words == '~';

		words += strspn(words, "|") + (size_t)off;
		size = strcspn(words, "|");
		if (size > 0 && look_up(table, count, words, size, &bit) != 0)
			return berth_fail(strategy->service, EINVAL,
			    "-%c: there is no '%.*s', but %s", row->letter,
			    (int)size, words,
			    row->kind == KIND_MASK
				? "DEBUG, INFO, NOTICE, WARNING, ERROR, "
				  "CRITICAL, ALERT, EMERGENCY"
				: "STDERR, LOGGER, OSTREAM, SYSLOG, SILENT, "
				  "VERBOSE, VERBOSE_LITE");
		*value = off ? *value & ~bit : *value | bit;
		bit = 0;
	}
	return 0;
}

static int
take_number(struct strategy *strategy, const struct option_row *row,
    const char *word, uint64_t *ret_number)
{
	char *end;
	unsigned long long number;

	errno = 0;
	number = strtoull(word, &end, 10);
	if (end == word || *end != '\0' || *word == '-' || errno != 0 ||
	    number < row->least || number > row->most)
		return berth_fail(strategy->service, EINVAL,
		    "-%c: a number from %llu to %llu, not '%s'", row->letter,
		    (unsigned long long)row->least,
		    (unsigned long long)row->most, word);
	*ret_number = number * row->factor;
	return 0;
}

static int
take(struct strategy *strategy, const struct option_row *row, const char *value)
{
	void *at = (char *)strategy + row->at;
	uint32_t bits = 0;
	int result;

	strategy->flags |= row->implies;
	switch (row->kind) {
	case KIND_FLAG:
		*(int *)at = 1;
		return 0;
	case KIND_WORD:
		*(const char **)at = value;
		return 0;
	case KIND_NUMBER:
		return take_number(strategy, row, value, at);
	case KIND_FLAGS:
		result = take_words(strategy, row, value, &bits);
		strategy->flags |= bits;
		return result;
	case KIND_MASK:
	default:
		return take_words(strategy, row, value, at);
	}
}

static int
check(struct strategy *strategy)
{
	struct berth_service *service = strategy->service;

	if ((strategy->flags & TO_FILE) && strategy->file.path == NULL)
		return berth_fail(service, EINVAL,
		    "-f OSTREAM: which file? "
		    "(-s)");
	if ((strategy->flags & TO_LOGGER) && strategy->link.key == NULL)
		strategy->link.key = "localhost:20012";
	if (!(strategy->flags & (TO_ANYWHERE | SILENT)))
		strategy->flags |= TO_STDERR;
	return 0;
}

int
strategy_options(struct strategy *strategy, int argc, char **argv)
{
	const struct option_row *end = rows + COUNT(rows);
	int result;

	for (int at = 1; at < argc; at++) {
		const struct option_row *row = rows;
		const char *value;

		while (row < end &&
		       (argv[at][0] != '-' || row->letter != argv[at][1]))
			row++;
		if (row == end)
			return berth_fail(strategy->service, EINVAL,
			    "'%s' is no option", argv[at]);
		value = argv[at] + 2;
		if (*value == '\0' && row->kind != KIND_FLAG && at + 1 < argc)
			value = argv[++at];
		if (*value == '\0' && row->kind != KIND_FLAG)
			return berth_fail(strategy->service, EINVAL,
			    "option -%c needs a value", row->letter);
		result = take(strategy, row, value);
		if (result != 0)
			return result;
	}
	return check(strategy);
}
