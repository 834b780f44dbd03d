/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * attribute_words: what is wrong with a word of a list, for the table of
 * attributes.  NULL: nothing.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "config/config_access.h"
#include "config/config_priv.h"

/* The kernel's, of what a call may return, and where names end. */
#define ERRNO_MOST 4095ul
#define ERRNO_NAMED_MOST 255

const char *
attribute_check_variable(const char *word)
{
	if (isdigit((unsigned char)word[0]) || word[0] == '\0' ||
	    word[strspn(word, "abcdefghijklmnopqrstuvwxyz_0123456789"
			      "ABCDEFGHIJKLMNOPQRSTUVWXYZ")] != '\0')
		return "no name of a variable";
	return NULL;
}

const char *
attribute_check_env(const char *word)
{
	const char *sign = strchr(word, '=');

	if (sign == NULL || sign == word)
		return "not NAME=VALUE";
	return NULL;
}

const char *
attribute_check_access(const char *word)
{
	struct access_entry entry;

	return access_parse(word, &entry);
}

const char *
attribute_check_capability(const char *word)
{
	return capability_number(word) < 0 ? "no capability of capabilities(7)"
					   : NULL;
}

const char *
attribute_check_path(const char *word)
{
	return word[word[0] == '-' ? 1 : 0] == '/' ? NULL
						   : "not /PATH or -/PATH";
}

int
errno_number(const char *word)
{
	char *end;
	unsigned long number = strtoul(word, &end, 10);

	if (isdigit((unsigned char)word[0]))
		return *end == '\0' && number > 0 && number <= ERRNO_MOST
			   ? (int)number
			   : -1;
	for (int i = 1; i <= ERRNO_NAMED_MOST; i++) {
		const char *name = strerrorname_np(i);

		if (name != NULL && strcmp(name, word) == 0)
			return i;
	}
	return -1;
}

const char *
attribute_check_errno(const char *word)
{
	return strcmp(word, "kill") == 0 || errno_number(word) > 0
		   ? NULL
		   : "neither kill nor an error of errno(3)";
}

/* Whether there is such a call is the machine's to say. */
const char *
attribute_check_call(const char *word)
{
	bool negated = word[0] == '~';
	const char *name = word + (negated ? 1 : 0);
	size_t size;

	if (name[0] == '@')
		name++;
	size = strspn(name, "abcdefghijklmnopqrstuvwxyz_0123456789-");
	if (size == 0 || (name[size] != '\0' && name[size] != ':'))
		return "no name of a system call";
	if (name[size] == '\0')
		return NULL;
	return negated ? attribute_check_errno(name + size + 1)
		       : "only what is refused has an error";
}

/* Minutes of the day at *text, which moves behind them; or -1. */
static int
read_clock(const char **text)
{
	const char *at = *text;
	size_t hours = strspn(at, "0123456789"), minutes;
	int hour, minute;

	if (hours == 0 || hours > 2 || at[hours] != ':')
		return -1;
	minutes = strspn(at + hours + 1, "0123456789");
	if (minutes != 2)
		return -1;
	hour = hours == 1 ? at[0] - '0' : (at[0] - '0') * 10 + at[1] - '0';
	at += hours + 1;
	minute = (at[0] - '0') * 10 + at[1] - '0';
	*text = at + 2;
	if (minute > 59 || hour * 60 + minute > 24 * 60)
		return -1;
	return hour * 60 + minute;
}

const char *
attribute_check_span(const char *word)
{
	int from = read_clock(&word), to;

	if (from < 0 || *word != '-')
		return "not HH:MM-HH:MM";
	word++;
	to = read_clock(&word);
	if (to < 0 || *word != '\0')
		return "not HH:MM-HH:MM";
	return from < to ? NULL : "it ends before it begins";
}
