/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * words: reads the options of a module by its table.
 *
 * Results: 0, or -EINVAL and the module has told why.
 */
#include "words.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct unit {
	const char *name;
	uint64_t factor;
};

static const struct unit sizes[] = {{"", 1}, {"K", 1024},
    {"M", UINT64_C(1024) * 1024}, {"G", UINT64_C(1024) * 1024 * 1024},
    {NULL, 0}};
static const struct unit counts[] = {{"", 1}, {NULL, 0}};
static const struct unit times[] = {{"", 1000}, {"s", 1000}, {"ms", 1},
    {"m", 60000}, {"h", 3600000}, {NULL, 0}};

static const struct {
	const struct unit *units;
	uint64_t high;
	const char *such;
} numbers[] = {
    [WORD_SIZE] = {sizes, UINT64_C(1) << 30, "size, such as 512, 64K or 1M"},
    [WORD_COUNT] = {counts, 1000000, "number"},
    [WORD_TIME] = {times, 86400000, "time, such as 500ms, 5s or 1m"},
};

static int
read_number(struct berth_service *module, const struct word *word,
    const char *value, uint64_t *ret_number)
{
	uint64_t high = word->high != 0 ? word->high : numbers[word->kind].high;
	const struct unit *unit = numbers[word->kind].units;
	unsigned long long number;
	char *end;

	errno = 0;
	number = strtoull(value, &end, 10);
	while (unit->name != NULL && strcmp(unit->name, end) != 0)
		unit++;
	if (!isdigit((unsigned char)value[0]) || unit->name == NULL ||
	    errno != 0)
		return berth_fail(module, EINVAL, "-%c: '%s' is no %s",
		    word->letter, value, numbers[word->kind].such);
	if (number > high / unit->factor || number * unit->factor < word->low)
		return berth_fail(module, EINVAL,
		    "-%c: '%s' is not between %llu and %llu", word->letter,
		    value, (unsigned long long)word->low,
		    (unsigned long long)high);
	*ret_number = number * unit->factor;
	return 0;
}

static int
hex(char digit)
{
	const char *digits = "0123456789abcdef", *at;

	at = digit == '\0' ? NULL
			   : strchr(digits, tolower((unsigned char)digit));
	return at == NULL ? -1 : (int)(at - digits);
}

/* What is behind the backslash at *from, which moves on; or -1. */
static int
read_escape(const char **from)
{
	static const char names[] = "rnt0\\", values[] = "\r\n\t\0\\";
	const char *at = *from, *name;

	if (*at == 'x' && hex(at[1]) >= 0 && hex(at[2]) >= 0) {
		*from = at + 3;
		return hex(at[1]) * 16 + hex(at[2]);
	}
	name = *at == '\0' ? NULL : strchr(names, *at);
	if (name == NULL)
		return -1;
	*from = at + 1;
	return (unsigned char)values[name - names];
}

static int
read_bytes(struct berth_service *module, const struct word *word, char *value,
    struct berth_bytes *ret_bytes)
{
	const char *from = value;
	char *to = value;
	int byte;

	while (*from != '\0') {
		byte = (unsigned char)*from++;
		if (byte == '\\')
			byte = read_escape(&from);
		if (byte < 0)
			return berth_fail(module, EINVAL,
			    "-%c: a backslash stands before r, n, t, 0, "
			    "another, or xHH",
			    word->letter);
		*to++ = (char)byte;
	}
	*ret_bytes = berth_bytes(value, (size_t)(to - value));
	return 0;
}

static int
take(struct berth_service *module, const struct word *word, void *to,
    char *value)
{
	void *at = (char *)to + word->offset;
	uint64_t number = 0;
	int result;

	if (word->kind == WORD_TEXT) {
		*(const char **)at = value;
		return 0;
	}
	if (word->kind == WORD_BYTES)
		return read_bytes(module, word, value, at);
	result = read_number(module, word, value, &number);
	if (result != 0)
		return result;
	if (word->kind == WORD_TIME)
		*(uint32_t *)at = (uint32_t)number;
	else
		*(size_t *)at = (size_t)number;
	return 0;
}

static const struct word *
find(const struct word *table, char letter)
{
	while (table->kind != WORD_END && table->letter != letter)
		table++;
	return table->kind == WORD_END ? NULL : table;
}

int
words_read(struct berth_service *module, const struct word *table, void *to,
    int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		const struct word *word = NULL;
		char *value = argv[i];
		int result;

		if (value[0] == '-' && value[1] != '\0')
			word = find(table, value[1]);
		if (word == NULL)
			return berth_fail(module, EINVAL,
			    "'%s' is no option of this module", value);
		value += 2;
		if (word->kind == WORD_FLAG && *value == '\0') {
			*(bool *)((char *)to + word->offset) = true;
			continue;
		}
		if (*value == '\0' && i + 1 < argc)
			value = argv[++i];
		if (*value == '\0' || word->kind == WORD_FLAG)
			return berth_fail(module, EINVAL,
			    word->kind == WORD_FLAG ? "option -%c has no value"
						    : "option -%c needs a "
						      "value",
			    word->letter);
		result = take(module, word, to, value);
		if (result != 0)
			return result;
	}
	return 0;
}
