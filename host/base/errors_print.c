/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * errors_print: mistakes as a compiler prints them, or as JSON.
 *
 *	svc.conf:12:8: error: no service named 'Ecko' to remove
 *	   12 | remove Ecko
 *	      |        ^~~~
 *
 * Columns are bytes in the message and characters under the line: bytes that
 * continue a UTF-8 character take no place, and TABs stay TABs.  A failed
 * allocation shows in text->failed.
 */
#include "base/base_priv.h"

#include <stdio.h>
#include <string.h>

static const char *
severity_name(enum severity severity)
{
	switch (severity) {
	case SEVERITY_ERROR:
		return "error";
	case SEVERITY_WARNING:
		return "warning";
	case SEVERITY_NOTE:
		break;
	}
	return "note";
}

static bool
continues(char byte)
{
	return ((unsigned char)byte & 0xc0) == 0x80;
}

/* One place wide whatever it is, so that the caret stands right. */
static void
print_line(const char *line, struct text *text)
{
	for (; *line != '\0'; line++) {
		unsigned char byte = (unsigned char)*line;
		bool control = (byte < 0x20 && byte != '\t') || byte == 0x7f;

		text_add(text, control ? "?" : line, 1);
	}
}

static void
print_caret(const struct error *error, struct text *text)
{
	const char *line = error->line_text;
	size_t size = strlen(line), at = error->place.column - 1, end;

	if (at > size)
		at = size;
	end = at + error->place.length;
	if (end > size)
		end = size;
	for (size_t i = 0; i < at; i++)
		if (!continues(line[i]))
			text_add(text, line[i] == '\t' ? "\t" : " ", 1);
	text_add(text, "^", 1);
	for (size_t i = at + 1; i < end; i++)
		if (!continues(line[i]))
			text_add(text, "~", 1);
	text_add(text, "\n", 1);
}

void
error_print(const struct error *error, struct text *text)
{
	const struct place *place = &error->place;
	char number[16];
	int width;

	if (error->file != NULL) {
		text_printable(text, error->file, strlen(error->file));
		if (place->line != 0)
			text_printf(text, ":%u", place->line);
		if (place->line != 0 && place->column != 0)
			text_printf(text, ":%u", place->column);
		text_add(text, ": ", 2);
	}
	text_printf(text, "%s: ", severity_name(error->severity));
	text_printable(text, error->text, strlen(error->text));
	text_add(text, "\n", 1);
	if (error->line_text == NULL || place->column == 0)
		return;
	width = snprintf(number, sizeof(number), "%5u", place->line);
	text_printf(text, "%s | ", number);
	print_line(error->line_text, text);
	text_printf(text, "\n%*s | ", width, "");
	print_caret(error, text);
}

static void
print_more(unsigned count, const char *what, struct text *text)
{
	if (count > 0)
		text_printf(text, "… and %u more %s%s\n", count, what,
		    count == 1 ? "" : "s");
}

void
errors_print(const struct errors *errors, struct text *text)
{
	for (unsigned i = 0; i < errors->kept; i++)
		error_print(&errors->list[i], text);
	print_more(errors->errors_dropped, "error", text);
	print_more(errors->warnings_dropped, "warning", text);
}

/* Between the values of an array, but not before its first. */
static void
print_json_comma(struct text *text)
{
	if (text->size > 0 && text->data[text->size - 1] != '[')
		text_add(text, ",", 1);
}

static void
print_json_field(struct text *text, const char *key, const char *value)
{
	text_printf(text, "\"%s\":", key);
	if (value != NULL)
		text_json(text, value, strlen(value));
	else
		text_printf(text, "null");
}

static void
print_json(const struct error *error, struct text *text)
{
	const struct place *place = &error->place;

	text_add(text, "{", 1);
	print_json_field(text, "file", error->file);
	text_printf(text, ",\"line\":%u,\"column\":%u,\"length\":%u,",
	    place->line, place->column, place->length);
	print_json_field(text, "severity", severity_name(error->severity));
	text_add(text, ",", 1);
	print_json_field(text, "text", error->text);
	text_add(text, ",", 1);
	print_json_field(text, "line_text", error->line_text);
	text_add(text, "}", 1);
}

/* What was left out, in errors_print()'s words. */
static void
print_json_more(unsigned count, const char *what, struct text *text)
{
	if (count == 0)
		return;
	print_json_comma(text);
	text_printf(text,
	    "{\"severity\":\"more\",\"of\":\"%s\",\"count\":%u,"
	    "\"text\":\"… and %u more %s%s\"}",
	    what, count, count, what, count == 1 ? "" : "s");
}

void
errors_print_json(const struct errors *errors, struct text *text)
{
	text_add(text, "[", 1);
	for (unsigned i = 0; i < errors->kept; i++) {
		print_json_comma(text);
		print_json(&errors->list[i], text);
	}
	print_json_more(errors->errors_dropped, "error", text);
	print_json_more(errors->warnings_dropped, "warning", text);
	text_add(text, "]", 1);
}
