/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * limit_words: limits of control groups, in the words and units of
 * systemd.resource-control(5).
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/config_priv.h"

#define PID_MAX "/proc/sys/kernel/pid_max"
#define PID_MAX_LEAST 32768u
/* 100,000 %, more processors than there are. */
#define PERCENT_MOST 100000u

/* "12", "12.5" or "12.55" before a `%`: in hundredths. */
static int
read_percent(const char *word, uint64_t *ret_value)
{
	char *end;
	unsigned long whole = strtoul(word, &end, 10), part = 0;
	size_t digits = 0;

	if (*end == '.') {
		const char *point = ++end;

		part = strtoul(point, &end, 10);
		digits = (size_t)(end - point);
		if (digits == 0 || digits > 2 ||
		    !isdigit((unsigned char)*point))
			return -EINVAL;
	}
	if (strcmp(end, "%") != 0 || whole > PERCENT_MOST)
		return -EINVAL;
	*ret_value = whole * 100 + (digits == 1 ? 10 * part : part);
	return *ret_value > 0 ? 0 : -EINVAL;
}

static int
read_number(const char *word, const char *suffixes, uint64_t *ret_value)
{
	char *end;
	unsigned long long value;
	const char *suffix;
	unsigned bits;

	errno = 0;
	value = strtoull(word, &end, 10);
	if (errno != 0 || value == 0)
		return -EINVAL;
	if (*end == '\0') {
		*ret_value = value;
		return 0;
	}
	suffix = strchr(suffixes, *end);
	if (suffix == NULL || end[1] != '\0')
		return -EINVAL;
	bits = 10 * (unsigned)(suffix - suffixes + 1);
	/* The kernel counts with a sign. */
	if (value > (uint64_t)INT64_MAX >> bits)
		return -EINVAL;
	*ret_value = value << bits;
	return 0;
}

/* What 100 % are; each machine has some. */
static uint64_t
whole_of(enum limit_kind kind)
{
	unsigned long long most = PID_MAX_LEAST;
	FILE *file;
	char line[32];

	if (kind == LIMIT_MEMORY)
		return (uint64_t)sysconf(_SC_PHYS_PAGES) *
		       (uint64_t)sysconf(_SC_PAGESIZE);
	file = fopen(PID_MAX, "re");
	if (file == NULL)
		return most;
	if (fgets(line, sizeof(line), file) != NULL)
		most = strtoull(line, NULL, 10);
	fclose(file);
	return most > 0 ? most : PID_MAX_LEAST;
}

int
limit_read(enum limit_kind kind, const char *word, uint64_t *ret_value)
{
	uint64_t percent;

	if (strcmp(word, "infinity") == 0) {
		*ret_value = LIMIT_NONE;
		return 0;
	}
	if (!isdigit((unsigned char)word[0]))
		return -EINVAL;
	if (word[strlen(word) - 1] != '%')
		return kind == LIMIT_CPU
			   ? -EINVAL
			   : read_number(word,
				 kind == LIMIT_MEMORY ? "KMGTPE" : "",
				 ret_value);
	if (read_percent(word, &percent) < 0 ||
	    (kind != LIMIT_CPU && percent > LIMIT_WHOLE))
		return -EINVAL;
	if (kind == LIMIT_CPU) {
		*ret_value = percent;
		return 0;
	}
	/* In this order: neither overflows, nor becomes 0. */
	*ret_value = whole_of(kind) / LIMIT_WHOLE * percent;
	if (*ret_value == 0)
		*ret_value = 1;
	return 0;
}

const char *
attribute_check_memory(const char *word)
{
	uint64_t value;

	return limit_read(LIMIT_MEMORY, word, &value) == 0
		   ? NULL
		   : "no number of bytes such as 64M, 10% or infinity";
}

const char *
attribute_check_tasks(const char *word)
{
	uint64_t value;

	return limit_read(LIMIT_TASKS, word, &value) == 0
		   ? NULL
		   : "no number, 10% or infinity";
}

const char *
attribute_check_cpu(const char *word)
{
	uint64_t value;

	/* The kernel's least is a thousandth of a second in a tenth of one. */
	return limit_read(LIMIT_CPU, word, &value) == 0 &&
		       value >= LIMIT_WHOLE / 100
		   ? NULL
		   : "no share of a processor such as 20%, or infinity";
}
