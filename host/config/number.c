/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * number: counts, sizes and times as people write them, within the limits of
 * their attribute.
 *
 * Values print in the largest unit that divides them, and read back the same.
 */
#include "config/config_priv.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

struct unit {
	const char *name;
	uint64_t factor;
};

/* Largest first; the last one ends the table. */
static const struct unit counts[] = {{"", 1}, {NULL, 0}};
static const struct unit sizes[] = {{"G", UINT64_C(1) << 30},
    {"M", UINT64_C(1) << 20}, {"K", UINT64_C(1) << 10}, {"", 1}, {NULL, 0}};
static const struct unit times[] = {
    {"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1}, {NULL, 0}};

static void
print(uint64_t value, const struct unit *units, struct text *text)
{
	if (value == 0) {
		text_add(text, "0", 1);
		return;
	}
	while (value % units->factor != 0)
		units++;
	text_printf(text, "%" PRIu64 "%s", value / units->factor, units->name);
}

/* 0, -EINVAL: no such number, -ERANGE: too large for any limit. */
static int
parse(const char *word, const struct unit *units, uint64_t bare,
    uint64_t *ret_value)
{
	uint64_t value = 0, factor = bare;
	const char *at = word;

	for (; *at >= '0' && *at <= '9'; at++)
		if (__builtin_mul_overflow(value, 10u, &value) ||
		    __builtin_add_overflow(
			value, (uint64_t)(*at - '0'), &value))
			return -ERANGE;
	if (at == word)
		return -EINVAL;
	if (*at != '\0') {
		while (units->name != NULL && strcasecmp(at, units->name) != 0)
			units++;
		factor = units->factor;
	}
	if (factor == 0)
		return -EINVAL;
	if (__builtin_mul_overflow(value, factor, &value))
		return -ERANGE;
	*ret_value = value;
	return 0;
}

struct form {
	const struct unit *units;
	uint64_t bare; /* factor of a number without unit */
	const char *what;
};

static const struct form count_form = {counts, 1, "a number"};
static const struct form size_form = {
    sizes, 1, "a size such as 512, 64K, 1M or 2G"};
static const struct form time_form = {
    times, 1000, "a time such as 500ms, 30s, 5m or 2h"};

static int
read_within(const struct attribute *attribute, const char *word,
    const struct form *form, uint64_t *ret_value, struct message *ret_message)
{
	uint64_t value = 0;
	int result = parse(word, form->units, form->bare, &value);
	AUTO_TEXT limits = {0};

	if (result == 0 && value >= attribute->low &&
	    value <= attribute->high) {
		*ret_value = value;
		return 0;
	}
	print(attribute->low, form->units, &limits);
	text_printf(&limits, " to ");
	print(attribute->high, form->units, &limits);
	if (attribute->kind == VALUE_LIMIT)
		text_printf(&limits, ", or 'unlimited'");
	if (limits.failed)
		return -ENOMEM;
	if (result == -EINVAL)
		snprintf(ret_message->text, sizeof(ret_message->text),
		    "%s: '%.60s' is not %s (%s)", attribute->name, word,
		    form->what, text_string(&limits));
	else
		snprintf(ret_message->text, sizeof(ret_message->text),
		    "%s: '%.60s' is out of range (%s)", attribute->name, word,
		    text_string(&limits));
	return -EINVAL;
}

int
number_read(const struct attribute *attribute, const char *word, void *field,
    struct message *ret_message)
{
	uint64_t value = 0;
	int result = 0;

	if (attribute->kind != VALUE_LIMIT ||
	    strcasecmp(word, "unlimited") != 0)
		result = read_within(
		    attribute, word, &count_form, &value, ret_message);
	if (result == 0)
		*(unsigned *)field = (unsigned)value;
	return result;
}

int
size_read(const struct attribute *attribute, const char *word, void *field,
    struct message *ret_message)
{
	return read_within(attribute, word, &size_form, field, ret_message);
}

int
time_read(const struct attribute *attribute, const char *word, void *field,
    struct message *ret_message)
{
	return read_within(attribute, word, &time_form, field, ret_message);
}

int
mode_read(const struct attribute *attribute, const char *word, void *field,
    struct message *ret_message)
{
	unsigned mode = 0;
	const char *at = word;

	for (; *at >= '0' && *at <= '7' && mode <= attribute->high; at++)
		mode = mode * 8 + (unsigned)(*at - '0');
	if (at != word && *at == '\0' && mode <= attribute->high) {
		*(unsigned *)field = mode;
		return 0;
	}
	snprintf(ret_message->text, sizeof(ret_message->text),
	    "%s: '%.60s' is not an octal mode such as 0660", attribute->name,
	    word);
	return -EINVAL;
}

void
mode_print(
    const struct attribute *attribute, const void *field, struct text *text)
{
	(void)attribute;
	text_printf(text, "%04o", *(const unsigned *)field);
}

int
nice_read(const struct attribute *attribute, const char *word, void *field,
    struct message *ret_message)
{
	const char *digits = word + (word[0] == '-' ? 1 : 0);
	uint64_t value = 0;

	if (parse(digits, counts, 1, &value) == 0 &&
	    value <= (digits == word ? 19u : 20u)) {
		*(int *)field = digits == word ? (int)value : -(int)value;
		return 0;
	}
	snprintf(ret_message->text, sizeof(ret_message->text),
	    "%s: '%.60s' is no number from -20 to 19", attribute->name, word);
	return -EINVAL;
}

void
nice_print(
    const struct attribute *attribute, const void *field, struct text *text)
{
	(void)attribute;
	text_printf(text, "%d", *(const int *)field);
}

/* "2", "2.5" or "2.55", as percent. */
static int
parse_load(const char *word, uint64_t *ret_percent)
{
	size_t whole = strspn(word, "0123456789"), digits;
	const char *at = word + whole;
	uint64_t value = 0;

	if (whole == 0 || whole > 6)
		return -EINVAL;
	for (size_t i = 0; i < whole; i++)
		value = value * 10 + (uint64_t)(word[i] - '0');
	value *= 100;
	if (*at == '.') {
		digits = strspn(++at, "0123456789");
		if (digits == 0 || digits > 2)
			return -EINVAL;
		value += (uint64_t)(at[0] - '0') * 10;
		value += digits == 2 ? (uint64_t)(at[1] - '0') : 0;
		at += digits;
	}
	if (*at != '\0')
		return -EINVAL;
	*ret_percent = value;
	return 0;
}

int
load_read(const struct attribute *attribute, const char *word, void *field,
    struct message *ret_message)
{
	uint64_t value = 0;

	if (parse_load(word, &value) == 0 && value <= attribute->high) {
		*(unsigned *)field = (unsigned)value;
		return 0;
	}
	snprintf(ret_message->text, sizeof(ret_message->text),
	    "%s: '%.60s' is no load such as 2.5", attribute->name, word);
	return -EINVAL;
}

void
load_print(
    const struct attribute *attribute, const void *field, struct text *text)
{
	unsigned value = *(const unsigned *)field;

	(void)attribute;
	text_printf(text, "%u", value / 100);
	if (value % 100 != 0)
		text_printf(text, value % 10 == 0 ? ".%u" : ".%02u",
		    value % 10 == 0 ? value % 100 / 10 : value % 100);
}

int
rlimit_read(const struct attribute *attribute, const char *word, void *field,
    struct message *ret_message)
{
	bool size = attribute->kind == VALUE_RLIMIT_SIZE;

	if (strcasecmp(word, "unlimited") == 0)
		*(uint64_t *)field = RLIMIT_UNLIMITED;
	else if (strcmp(word, "inherit") == 0)
		*(uint64_t *)field = RLIMIT_INHERIT;
	else
		return read_within(attribute, word,
		    size ? &size_form : &count_form, field, ret_message);
	return 0;
}

void
rlimit_print(
    const struct attribute *attribute, const void *field, struct text *text)
{
	uint64_t value = *(const uint64_t *)field;
	bool size = attribute->kind == VALUE_RLIMIT_SIZE;

	if (value == RLIMIT_UNLIMITED)
		text_printf(text, "unlimited");
	else if (value == RLIMIT_INHERIT)
		text_printf(text, "inherit");
	else
		print(value, size ? sizes : counts, text);
}

int
config_count(const char *word, uint64_t *ret_count)
{
	return parse(word, counts, 1, ret_count) == 0 ? 0 : -EINVAL;
}

void
print_time(uint64_t time_ms, struct text *text)
{
	print(time_ms, times, text);
}

int
config_time(const char *word, uint64_t *ret_ms)
{
	return parse(word, time_form.units, time_form.bare, ret_ms) == 0
		   ? 0
		   : -EINVAL;
}

void
number_print(
    const struct attribute *attribute, const void *field, struct text *text)
{
	unsigned value = *(const unsigned *)field;

	if (attribute->kind == VALUE_LIMIT && value == 0)
		text_printf(text, "unlimited");
	else
		print(value, counts, text);
}

void
size_print(
    const struct attribute *attribute, const void *field, struct text *text)
{
	(void)attribute;
	print(*(const uint64_t *)field, sizes, text);
}

void
time_print(
    const struct attribute *attribute, const void *field, struct text *text)
{
	(void)attribute;
	print(*(const uint64_t *)field, times, text);
}
