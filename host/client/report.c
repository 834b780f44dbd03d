/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * report: what a plan or a reload does, in the lines that the host's log has:
 * mistakes as a compiler prints them, then one line a change and a summary.
 */
#include <errno.h>
#include <string.h>

#include <jansson.h>

#include "client/client_priv.h"

static const struct {
	const char *fate;
	char sign;
	enum paint paint;
} signs[] = {
    {"add", '+', PAINT_GREEN},
    {"replace", '>', PAINT_YELLOW},
    {"remove", '-', PAINT_RED},
    {"update", '~', PAINT_YELLOW},
    {"suspend", '~', PAINT_YELLOW},
    {"resume", '~', PAINT_YELLOW},
};

bool
report_is(struct json_t *value)
{
	return json_is_array(json_object_get(value, "changes"));
}

static const char *
string_of(json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

static unsigned
number_of(json_t *object, const char *key)
{
	json_int_t number = json_integer_value(json_object_get(object, key));

	return number < 0 || number > 0x7fffffff ? 0 : (unsigned)number;
}

/* --- mistakes --- */

static enum severity
severity_of(json_t *error)
{
	const char *name = string_of(error, "severity");

	if (name != NULL && strcmp(name, "warning") == 0)
		return SEVERITY_WARNING;
	return name != NULL && strcmp(name, "note") == 0 ? SEVERITY_NOTE
							 : SEVERITY_ERROR;
}

static bool
is_rest(json_t *error)
{
	const char *name = string_of(error, "severity");

	return name != NULL && strcmp(name, "more") == 0;
}

static void
print_error(json_t *json, struct text *text)
{
	const char *words = string_of(json, "text");
	struct error error = {
	    .severity = severity_of(json),
	    .place = {.line = number_of(json, "line"),
		.column = number_of(json, "column"),
		.length = number_of(json, "length")},
	    .file = string_of(json, "file"),
	    .text = words != NULL ? words : "",
	    .line_text = string_of(json, "line_text"),
	};

	if (!is_rest(json)) {
		error_print(&error, text);
		return;
	}
	text_printable(text, error.text, strlen(error.text));
	text_add(text, "\n", 1);
}

/* Prints them and counts those that refuse the change. */
static unsigned
print_errors(json_t *errors, struct text *text)
{
	unsigned count = 0;
	json_t *error;
	const char *of;
	size_t i;

	json_array_foreach (errors, i, error) {
		print_error(error, text);
		of = string_of(error, "of");
		if (!is_rest(error))
			count += severity_of(error) == SEVERITY_ERROR;
		else if (of != NULL && strcmp(of, "error") == 0)
			count += number_of(error, "count");
	}
	return count;
}

/* --- changes --- */

static void
print_sign(struct client *client, const char *fate)
{
	char sign = '*';
	enum paint paint = PAINT_NONE;

	for (size_t i = 0; fate != NULL && i < BASE_COUNT(signs); i++)
		if (strcmp(signs[i].fate, fate) == 0) {
			sign = signs[i].sign;
			paint = signs[i].paint;
		}
	screen_paint(&client->screen, paint, &sign, 1, &client->out);
}

static void
print_words(
    const char *before, const char *words, const char *after, struct text *text)
{
	if (words == NULL || *words == '\0')
		return;
	text_add(text, before, strlen(before));
	text_printable(text, words, strlen(words));
	text_add(text, after, strlen(after));
}

static void
print_sessions(json_t *change, struct text *text)
{
	json_t *sessions = json_object_get(change, "sessions");
	json_int_t count = json_integer_value(sessions);

	if (json_is_integer(sessions))
		text_printf(text, ", %lld session%s", (long long)count,
		    count == 1 ? "" : "s");
}

static void
print_change(struct client *client, json_t *change, bool sessions)
{
	struct text *out = &client->out;

	print_sign(client, string_of(change, "fate"));
	print_words(" ", string_of(change, "service"), "", out);
	print_words(" (", string_of(change, "reason"), ")", out);
	if (sessions)
		print_sessions(change, out);
	text_add(out, "\n", 1);
}

static int
print_report(struct client *client, json_t *report, bool sessions)
{
	json_t *changes = json_object_get(report, "changes"), *change;
	unsigned errors = print_errors(
	    json_object_get(report, "errors"), &client->err);
	unsigned kept = number_of(report, "unchanged");
	size_t i;

	if (errors > 0) {
		text_printf(&client->err, "! nothing changed: %u error%s\n",
		    errors, errors == 1 ? "" : "s");
		return 0;
	}
	json_array_foreach (changes, i, change)
		print_change(client, change, sessions);
	if (kept > 0 || json_array_size(changes) == 0)
		text_printf(&client->out, "= %u unchanged\n", kept);
	return client->out.failed || client->err.failed ? -ENOMEM : 0;
}

int
view_report(struct client *client, struct json_t *report)
{
	return print_report(client, report, false);
}

int
view_plan(struct client *client, struct json_t *report)
{
	if (!report_is(report))
		return view_value(client, report);
	return print_report(client, report, true);
}

/* In the words of berthd -t. */
int
view_check(struct client *client, struct json_t *report)
{
	unsigned errors;

	if (!report_is(report))
		return view_value(client, report);
	errors = print_errors(json_object_get(report, "errors"), &client->err);
	if (errors == 0)
		text_printf(&client->out, "the configuration is good\n");
	return client->out.failed || client->err.failed ? -ENOMEM : 0;
}
