/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * record: what happened to one client, as one line.
 *
 * The rate is asked before anything is put together.  The line is made in the
 * host's buffer, whose memory is kept; a line that there is no memory for is
 * lost like one that the disk did not take.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ledger/ledger_priv.h"
#include "net/net.h"

/* --- the client ------------------------------------------------------------*/

/* "127.0.0.1:7" and "[::1]:7" fall apart into address and port, others are
 * taken as they are. */
static void
split_peer(struct record *record, const char *peer)
{
	bool v6 = peer[0] == '[';
	const char *colon = strrchr(peer, ':'), *end = colon;
	size_t size = strlen(peer);

	record->port = -1;
	if (colon != NULL && (v6 || (peer[0] >= '0' && peer[0] <= '9'))) {
		record->port = atoi(colon + 1);
		if (v6) {
			peer++;
			end--;
		}
		size = (size_t)(end - peer);
	}
	if (size >= sizeof(record->client))
		size = sizeof(record->client) - 1;
	memcpy(record->client, peer, size);
	record->client[size] = '\0';
}

/* --- what it says ----------------------------------------------------------*/

struct list {
	struct field *fields;
	unsigned count;
};

static void
put_text(struct list *list, const char *key, const char *string)
{
	list->fields[list->count++] = (struct field){
	    .key = key, .kind = FIELD_TEXT, .string = string};
}

static void
put_number(struct list *list, const char *key, uint64_t number)
{
	list->fields[list->count++] = (struct field){
	    .key = key, .kind = FIELD_NUMBER, .number = number};
}

static void
put_ms(struct list *list, const char *key, uint64_t ms)
{
	list->fields[list->count++] = (struct field){
	    .key = key, .kind = FIELD_MILLISECONDS, .number = ms};
}

static uint64_t
ms_of(const struct timeval *time)
{
	return (uint64_t)time->tv_sec * 1000 + (uint64_t)time->tv_usec / 1000;
}

static void
put_exit(struct list *list, const struct ledger_end *end)
{
	if (end->code == CLD_EXITED)
		put_number(list, "status", (uint64_t)end->status);
	else if (end->code != 0)
		put_number(list, "signal", (uint64_t)end->status);
	else if (end->reason != NULL)
		put_text(list, "reason", end->reason);
	if (end->usage == NULL)
		return;
	put_ms(list, "user", ms_of(&end->usage->ru_utime));
	put_ms(list, "system", ms_of(&end->usage->ru_stime));
	put_number(list, "max_rss_kb", (uint64_t)end->usage->ru_maxrss);
}

static void
put_end(struct list *list, const struct record *record)
{
	const struct ledger_end *end = record->end;

	if ((record->show & SHOW_EXIT) != 0)
		put_exit(list, end);
	if ((record->show & SHOW_DURATION) != 0)
		put_ms(list, "duration", end->duration_ns / MONO_MS(1));
	if ((record->show & SHOW_TRAFFIC) != 0 && end->counts_bytes) {
		put_number(list, "in", end->bytes_in);
		put_number(list, "out", end->bytes_out);
	}
}

static const char *const event_names[] = {
    [EVENT_START] = "start",
    [EVENT_END] = "end",
    [EVENT_REFUSED] = "refused",
    [EVENT_SUPPRESSED] = "suppressed",
};

unsigned
record_fields(const struct record *record, struct field fields[FIELDS_MAX])
{
	struct list list = {.fields = fields};

	put_text(&list, "event", event_names[record->event]);
	put_text(&list, "service", record->service);
	if (record->visit != NULL && record->visit->session != 0)
		put_number(&list, "session", record->visit->session);
	if ((record->show & SHOW_PID) != 0 && record->visit->pid > 0)
		put_number(&list, "pid", (uint64_t)record->visit->pid);
	if ((record->show & SHOW_HOST) != 0 && record->client[0] != '\0') {
		put_text(&list, "client", record->client);
		if (record->port >= 0)
			put_number(&list, "port", (uint64_t)record->port);
	}
	if ((record->show & SHOW_HOST) != 0 && record->end != NULL &&
	    record->end->identity != NULL)
		put_text(&list, "identity", record->end->identity);
	if (record->reason != NULL)
		put_text(&list, "reason", record->reason);
	if (record->end != NULL)
		put_end(&list, record);
	if (record->event == EVENT_SUPPRESSED) {
		put_text(&list, "kind", event_names[record->suppressed]);
		put_number(&list, "lines", record->lines);
	}
	BASE_ASSERT(list.count <= FIELDS_MAX);
	return list.count;
}

/* --- its way ---------------------------------------------------------------*/

void
record_write(struct ledger *ledger, const struct record *record)
{
	static void (*const formats[])(const struct record *, struct text *) = {
	    [LOG_FORMAT_XINETD] = format_xinetd,
	    [LOG_FORMAT_LOGFMT] = format_logfmt,
	    [LOG_FORMAT_JSON] = format_json,
	};
	struct text *text = &ledger->ledgers->line;
	struct sink_line line = {record, ledger->priority, NULL, 0};

	text_reset(text);
	/* A memory that was short is not so for ever. */
	text->failed = false;
	if (ledger->format == LOG_FORMAT_XINETD &&
	    ledger->sink->spec.kind == SINK_FILE)
		format_xinetd_time(text);
	formats[ledger->format](record, text);
	line.data = text->failed ? NULL : text_string(text);
	line.size = text->size;
	sink_write(ledger->sink, &line);
}

static void
submit(struct ledger *ledger, struct record *record, const char *peer)
{
	struct ledgers *ledgers = ledger->ledgers;

	pthread_mutex_lock(&ledgers->lock);
	if (rate_allows(ledger, record->event)) {
		record->service = ledger->service;
		record->port = -1;
		if (peer != NULL)
			split_peer(record, peer);
		record_write(ledger, record);
	}
	pthread_mutex_unlock(&ledgers->lock);
}

void
ledger_began(struct ledger *ledger, const struct ledger_visit *visit)
{
	struct record record = {
	    .event = EVENT_START,
	    .show = ledger->show_success,
	    .visit = visit,
	};

	if ((ledger->wants & LEDGER_BEGIN) != 0)
		submit(ledger, &record, visit->peer);
}

void
ledger_ended(struct ledger *ledger, const struct ledger_visit *visit,
    const struct ledger_end *end)
{
	struct record record = {
	    .event = EVENT_END,
	    .show = ledger->show_success,
	    .visit = visit,
	    .end = end,
	};

	if ((ledger->wants & LEDGER_END) != 0)
		submit(ledger, &record, visit->peer);
}

void
ledger_refused_peer(struct ledger *ledger, const char *reason, const char *peer)
{
	struct record record = {
	    .event = EVENT_REFUSED,
	    .show = ledger->show_failure,
	    .reason = reason,
	};

	if ((ledger->wants & LEDGER_REFUSAL) != 0)
		submit(ledger, &record, peer);
}

void
ledger_refused(struct ledger *ledger, const char *reason,
    const struct sockaddr *peer, socklen_t size)
{
	char text[512];

	if ((ledger->show_failure & SHOW_HOST) == 0) {
		ledger_refused_peer(ledger, reason, NULL);
		return;
	}
	address_print(peer, size, text, sizeof(text));
	ledger_refused_peer(ledger, reason, text);
}
