/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * attribute_words: what is wrong with a word of a list, for the table of
 * attributes.  NULL: nothing.
 */
#include <ctype.h>
#include <string.h>

#include "config/config_access.h"
#include "config/config_priv.h"

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
