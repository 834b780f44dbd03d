/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * entry: what a log file of logging_server consists of, taken apart and
 * printed.
 *
 * A text comes from anywhere: control characters are printed as escapes, so
 * that an entry is one line.  In JSON, what is no UTF-8 stands as U+FFFD.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "entry.h"

int
entry_decode(
    const char *data, size_t size, size_t most, struct entry *ret_entry)
{
	size_t near = size < ENTRY_HOST_BYTES ? size : ENTRY_HOST_BYTES;
	const char *end = memchr(data, '\0', near);
	struct entry entry = {.host = data};
	size_t name, whole;
	int result;

	if (end == NULL)
		return size < ENTRY_HOST_BYTES ? RECORD_E_MORE : -EPROTO;
	name = (size_t)(end - data) + 1;
	result = record_measure(data + name, size - name, most, &whole);
	if (result != 0)
		return result;
	if (size - name < whole)
		return RECORD_E_MORE;
	result = record_decode(data + name, whole, &entry.record);
	if (result != 0)
		return result;
	entry.size = name + whole;
	*ret_entry = entry;
	return 0;
}

void
entry_time(const struct record *record, char text[ENTRY_TIME_BYTES])
{
	time_t secs = (time_t)record->secs;
	struct tm parts;
	char day[32], year[16];

	if (localtime_r(&secs, &parts) == NULL ||
	    strftime(day, sizeof(day), "%b %e %H:%M:%S", &parts) == 0 ||
	    strftime(year, sizeof(year), "%Y", &parts) == 0) {
		snprintf(text, ENTRY_TIME_BYTES, "%" PRId64, record->secs);
		return;
	}
	snprintf(text, ENTRY_TIME_BYTES, "%s.%03d %s", day,
	    record->usecs / 1000, year);
}

void
entry_print_safely(const char *text, size_t size, FILE *out)
{
	for (size_t i = 0; i < size; i++) {
		unsigned char byte = (unsigned char)text[i];

		if (byte == '\n')
			fputs("\\n", out);
		else if ((byte < 0x20 && byte != '\t') || byte == 0x7f)
			fprintf(out, "\\x%02x", byte);
		else
			putc(byte, out);
	}
}

void
entry_print(const struct entry *entry, const char *separator, FILE *out)
{
	const struct record *record = &entry->record;
	char time[ENTRY_TIME_BYTES];

	entry_time(record, time);
	entry_print_safely(entry->host, strlen(entry->host), out);
	fprintf(out, "%s%" PRIu32 "%s%" PRId32 "%s%s%s", separator,
	    record->type, separator, record->pid, separator, time, separator);
	entry_print_safely(record->text, record->text_size, out);
	putc('\n', out);
}

/* Bytes of the character of UTF-8 that begins here, or 0 if none does. */
static size_t
utf8_size(const char *text, size_t size)
{
	static const struct {
		unsigned char mask, value;
		unsigned least;
	} forms[] = {{0x80, 0, 0}, {0xe0, 0xc0, 0x80}, {0xf0, 0xe0, 0x800},
	    {0xf8, 0xf0, 0x10000}};
	const unsigned char *at = (const unsigned char *)text;
	unsigned code;
	size_t more = 0;

	while (more < 4 && (at[0] & forms[more].mask) != forms[more].value)
		more++;
	if (more == 4 || more >= size)
		return 0;
	code = (unsigned)(at[0] & (unsigned char)~forms[more].mask);
	for (size_t i = 1; i <= more; i++) {
		if ((at[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (at[i] & 0x3f);
	}
	if (code < forms[more].least || code > 0x10ffff ||
	    (code >= 0xd800 && code < 0xe000))
		return 0;
	return more + 1;
}

static void
print_json_string(const char *text, size_t size, FILE *out)
{
	size_t step;

	putc('"', out);
	for (size_t i = 0; i < size; i += step) {
		unsigned char byte = (unsigned char)text[i];

		step = utf8_size(text + i, size - i);
		if (step == 0) {
			fputs("\\ufffd", out);
			step = 1;
		} else if (byte == '"' || byte == '\\') {
			fprintf(out, "\\%c", byte);
		} else if (byte < 0x20 || byte == 0x7f) {
			fprintf(out, "\\u%04x", byte);
		} else {
			fwrite(text + i, 1, step, out);
		}
	}
	putc('"', out);
}

void
entry_print_json(const struct entry *entry, FILE *out)
{
	const struct record *record = &entry->record;
	const char *name = record_type_name(record->type);

	fputs("{\"host\":", out);
	print_json_string(entry->host, strlen(entry->host), out);
	fprintf(out, ",\"type\":%" PRIu32, record->type);
	if (name != NULL)
		fprintf(out, ",\"priority\":\"%s\"", name);
	fprintf(out,
	    ",\"pid\":%" PRId32 ",\"secs\":%" PRId64 ",\"usecs\":%" PRId32
	    ",\"text\":",
	    record->pid, record->secs, record->usecs);
	print_json_string(record->text, record->text_size, out);
	fputs("}\n", out);
}
