/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * format: numbers as people read them, in few characters: two units of time,
 * two digits of bytes.  The exact number is what --json is for.
 */
#include "client/client.h"

static const struct {
	uint64_t seconds;
	char name;
} units[] = {{86400, 'd'}, {3600, 'h'}, {60, 'm'}, {1, 's'}};

void
format_age(uint64_t ms, struct text *text)
{
	uint64_t seconds = ms / 1000;
	size_t i = 0;

	if (ms < 1000) {
		text_printf(text, "%ums", (unsigned)ms);
		return;
	}
	while (seconds < units[i].seconds)
		i++;
	text_printf(text, "%llu%c",
	    (unsigned long long)(seconds / units[i].seconds), units[i].name);
	if (i + 1 < BASE_COUNT(units))
		text_printf(text, "%02llu%c",
		    (unsigned long long)(seconds % units[i].seconds /
					 units[i + 1].seconds),
		    units[i + 1].name);
}

void
format_bytes(uint64_t bytes, struct text *text)
{
	static const char names[] = "KMGTPE";
	uint64_t unit = 1024, tenths;
	size_t i = 0;

	if (bytes < 1024) {
		text_printf(text, "%u", (unsigned)bytes);
		return;
	}
	/* What rounds to 1024 of a unit is one of the next. */
	while (names[i + 1] != '\0' && bytes >= unit * 1024 - unit / 2) {
		unit *= 1024;
		i++;
	}
	tenths = bytes / unit * 10 + (bytes % unit * 10 + unit / 2) / unit;
	if (tenths < 100)
		text_printf(text, "%u.%u%c", (unsigned)(tenths / 10),
		    (unsigned)(tenths % 10), names[i]);
	else
		text_printf(text, "%llu%c",
		    (unsigned long long)((bytes / unit) +
					 (bytes % unit >= unit / 2)),
		    names[i]);
}
