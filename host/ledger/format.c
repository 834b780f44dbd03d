/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * format: one record as a line of xinetd, as logfmt, as JSON, and as fields of
 * the journal.
 *
 * xinetd.log(5) has the first: START, EXIT and FAIL, with what the lists of
 * words ask for.  What a client could choose, the path that a Unix socket was
 * bound to, has its control characters and blanks escaped, so that it is one
 * word of one line whatever is in it.
 */
#include <ctype.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include "ledger/ledger_priv.h"

/* --- words -----------------------------------------------------------------*/

static void
add(struct text *text, const char *string)
{
	text_add(text, string, strlen(string));
}

/* Without blanks, so that nothing in it looks like the next word. */
static void
add_word(struct text *text, const char *word)
{
	while (*word != '\0') {
		size_t size = strcspn(word, " ");

		text_escape(text, word, size);
		word += size;
		if (*word == ' ') {
			add(text, "\\x20");
			word++;
		}
	}
}

static void
add_ms(struct text *text, uint64_t ms)
{
	text_printf(text, "%" PRIu64 ".%03" PRIu64, ms / 1000, ms % 1000);
}

/* --- xinetd ----------------------------------------------------------------*/

void
format_xinetd_time(struct text *text)
{
	time_t now = time(NULL);
	struct tm parts;

	localtime_r(&now, &parts);
	text_printf(text, "%d/%d/%d@%02d:%02d:%02d: ", parts.tm_year % 100,
	    parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min,
	    parts.tm_sec);
}

static void
add_client(const struct record *record, struct text *text)
{
	if ((record->show & SHOW_HOST) == 0)
		return;
	add(text, " from=");
	if (record->client[0] == '\0')
		add(text, "<no address>");
	else
		add_word(text, record->client);
}

static void
add_pid(const struct record *record, struct text *text)
{
	if ((record->show & SHOW_PID) != 0)
		text_printf(text, " pid=%d", record->visit->pid);
}

static void
xinetd_start(const struct record *record, struct text *text)
{
	add_pid(record, text);
	add_client(record, text);
}

static void
xinetd_end(const struct record *record, struct text *text)
{
	const struct ledger_end *end = record->end;
	bool signalled = end->code != 0 && end->code != CLD_EXITED;
	int status = end->code == 0 ? end->failed : end->status;

	if ((record->show & SHOW_EXIT) != 0)
		text_printf(
		    text, " %s=%d", signalled ? "signal" : "status", status);
	add_pid(record, text);
	if ((record->show & SHOW_DURATION) != 0)
		text_printf(text, " duration=%" PRIu64 "(sec)",
		    end->duration_ns / MONO_MS(1000));
	if ((record->show & SHOW_TRAFFIC) != 0 && end->counts_bytes)
		text_printf(text, " in=%" PRIu64 " out=%" PRIu64, end->bytes_in,
		    end->bytes_out);
}

static void
xinetd_refused(const struct record *record, struct text *text)
{
	add(text, " ");
	add_word(text, record->reason);
	add_client(record, text);
}

static const char *const xinetd_names[] = {
    [EVENT_START] = "START",
    [EVENT_END] = "EXIT",
    [EVENT_REFUSED] = "FAIL",
    [EVENT_SUPPRESSED] = "NOTE",
};

static void
xinetd_suppressed(const struct record *record, struct text *text)
{
	text_printf(text, " %" PRIu64 " %s lines suppressed", record->lines,
	    xinetd_names[record->suppressed]);
}

void
format_xinetd(const struct record *record, struct text *text)
{
	static void (*const rest[])(const struct record *, struct text *) = {
	    [EVENT_START] = xinetd_start,
	    [EVENT_END] = xinetd_end,
	    [EVENT_REFUSED] = xinetd_refused,
	    [EVENT_SUPPRESSED] = xinetd_suppressed,
	};

	text_printf(text, "%s: ", xinetd_names[record->event]);
	add_word(text, record->service);
	rest[record->event](record, text);
}

/* --- logfmt and JSON -------------------------------------------------------*/

static void
add_time(struct text *text)
{
	struct timespec now;
	struct tm parts;
	char date[32];

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &parts);
	strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &parts);
	text_printf(text, "%s.%03ldZ", date, now.tv_nsec / 1000000);
}

static bool
is_plain(const char *word)
{
	if (*word == '\0')
		return false;
	for (; *word != '\0'; word++)
		if ((unsigned char)*word <= ' ' || *word == 0x7f ||
		    strchr("=\"\\", *word) != NULL)
			return false;
	return true;
}

void
format_logfmt(const struct record *record, struct text *text)
{
	struct field fields[FIELDS_MAX];
	unsigned count = record_fields(record, fields);

	add(text, "time=");
	add_time(text);
	for (unsigned i = 0; i < count; i++) {
		const struct field *field = &fields[i];

		text_printf(text, " %s=", field->key);
		if (field->kind == FIELD_NUMBER)
			text_printf(text, "%" PRIu64, field->number);
		else if (field->kind == FIELD_MILLISECONDS)
			add_ms(text, field->number);
		else if (is_plain(field->string))
			text_escape(text, field->string, strlen(field->string));
		else
			text_json(text, field->string, strlen(field->string));
	}
}

void
format_json(const struct record *record, struct text *text)
{
	struct field fields[FIELDS_MAX];
	unsigned count = record_fields(record, fields);

	add(text, "{\"time\":\"");
	add_time(text);
	add(text, "\"");
	for (unsigned i = 0; i < count; i++) {
		const struct field *field = &fields[i];

		text_printf(text, ",\"%s\":", field->key);
		if (field->kind == FIELD_NUMBER)
			text_printf(text, "%" PRIu64, field->number);
		else if (field->kind == FIELD_MILLISECONDS)
			add_ms(text, field->number);
		else
			text_json(text, field->string, strlen(field->string));
	}
	add(text, "}");
}

/* --- the journal -----------------------------------------------------------*/

void
format_journal(const struct record *record, struct text *text)
{
	struct field fields[FIELDS_MAX];
	unsigned count = record_fields(record, fields);

	for (unsigned i = 0; i < count; i++) {
		const struct field *field = &fields[i];

		add(text, "BERTH_");
		for (const char *at = field->key; *at != '\0'; at++) {
			char letter = (char)toupper((unsigned char)*at);

			text_add(text, &letter, 1);
		}
		add(text, "=");
		if (field->kind == FIELD_NUMBER)
			text_printf(text, "%" PRIu64, field->number);
		else if (field->kind == FIELD_MILLISECONDS)
			add_ms(text, field->number);
		else
			text_escape(text, field->string, strlen(field->string));
		add(text, "\n");
	}
}
