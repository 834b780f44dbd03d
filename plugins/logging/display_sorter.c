/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Filter and Sorter: which records are displayed, with which fields, and in
 * which order.  They stand in front of the formatter.
 *
 * A sorter by time holds up to so many records: when they are as many, it sends
 * the earlier half on, and the rest at a BERTH_MB_STOP.  What it holds when it
 * is taken out of a stream is sent on before.
 */
#include <errno.h>
#include <getopt.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "display.h"
#include "wanted.h"

/* --- Filter ----------------------------------------------------------------*/

/* A word with its value: "-p ERROR" or "-pERROR".  0 or negative and told. */
static int
take_condition(struct berth_service *service, struct wanted *wanted,
    const char *word, const char *value)
{
	if (word[0] != '-' || word[1] == '\0' || word[1] == ':' ||
	    strchr(WANTED_OPTIONS, word[1]) == NULL)
		return berth_fail(service, EINVAL, "'%s' is no option", word);
	if (value == NULL)
		return berth_fail(
		    service, EINVAL, "option -%c needs a value", word[1]);
	if (wanted_option(wanted, word[1], value) != 0)
		return berth_fail(service, EINVAL,
		    "'%s' is no priority such as ERROR", value);
	return 0;
}

static int
filter_init(struct berth_service *service, int argc, char **argv)
{
	struct wanted *wanted = service->state;
	struct wanted all = WANTED_ALL;
	int result = 0;

	*wanted = all;
	for (int at = 1; at < argc && result == 0; at++) {
		const char *word = argv[at], *value = word + 2;

		if (strlen(word) < 3)
			value = argv[++at];
		result = take_condition(service, wanted, word, value);
		if (value == NULL)
			break;
	}
	return result;
}

static int
filter_put(
    struct berth_side *side, struct berth_message *m, uint64_t deadline_ns)
{
	char host[ENTRY_HOST_BYTES];
	struct entry entry;

	if (is_record(m)) {
		display_entry(m, &entry, host);
		if (!is_wanted(side->module->state, &entry)) {
			berth_message_release(m);
			return 0;
		}
	}
	return berth_put_next(side, m, deadline_ns);
}

BERTH_MODULE(make_filter, .summary = "lets some log records pass",
    .state_size = sizeof(struct wanted), .init = filter_init,
    .down = {.put = filter_put});

/* --- Sorter: the order of fields -------------------------------------------*/

#define SORTED_MOST 10000u

struct sorter {
	int by_time;
	unsigned count; /* of fields; 0: as they come */
	uint32_t fields[FIELD_COUNT];
};

struct held {
	struct berth_message *message;
	struct moment moment;
	size_t number; /* as it came */
};

/* In one place of one stream. */
struct place {
	pthread_mutex_t lock;
	struct held *held;
	size_t count, sent, number;
};

static int
take_field(
    struct berth_service *service, struct sorter *sorter, const char *word)
{
	static const char *const names[FIELD_COUNT] = {
	    "host", "type", "pid", "time", "text"};

	for (unsigned i = 0; i < FIELD_COUNT; i++)
		if (strcmp(names[i], word) == 0 &&
		    sorter->count < FIELD_COUNT) {
			sorter->fields[sorter->count++] = FIELD_CLIENT + i;
			return 0;
		}
	return berth_fail(service, EINVAL,
	    "'%s': host, type, pid, time or text is expected", word);
}

static int
sorter_init(struct berth_service *service, int argc, char **argv)
{
	struct sorter *sorter = service->state;
	int result = 0;

	for (int at = 1; at < argc && result == 0; at++)
		if (strcmp(argv[at], "-t") == 0)
			sorter->by_time = 1;
		else
			result = take_field(service, sorter, argv[at]);
	return result;
}

/* The fields that are asked for, in their order; NULL without memory. */
static struct berth_message *
arrange(const struct sorter *sorter, const struct berth_message *m)
{
	struct berth_message *first = NULL, **last = &first;

	for (unsigned i = 0; i < sorter->count; i++) {
		const struct berth_message *block = m;
		struct berth_message one;

		while (block != NULL && block->type != sorter->fields[i])
			block = block->cont;
		if (block == NULL)
			continue;
		one = *block;
		one.cont = NULL;
		*last = berth_message_clone(&one);
		if (*last == NULL) {
			berth_message_release(first);
			return NULL;
		}
		last = &(*last)->cont;
	}
	return first;
}

/* Results as of put. */
static int
send_arranged(
    struct berth_side *side, struct berth_message *m, uint64_t deadline_ns)
{
	const struct sorter *sorter = side->module->state;
	struct berth_message *made;
	int result;

	if (sorter->count == 0 || !is_record(m))
		return berth_put_next(side, m, deadline_ns);
	made = arrange(sorter, m);
	if (made == NULL)
		return -ENOMEM;
	result = berth_put_next(side, made, deadline_ns);
	berth_message_release(result == 0 ? m : made);
	return result;
}

/* --- Sorter: the order of records ------------------------------------------*/

static int
compare(const void *left, const void *right)
{
	const struct held *a = left, *b = right;

	if (a->moment.secs != b->moment.secs)
		return a->moment.secs < b->moment.secs ? -1 : 1;
	if (a->moment.usecs != b->moment.usecs)
		return a->moment.usecs < b->moment.usecs ? -1 : 1;
	return a->number < b->number ? -1 : 1;
}

/* Sends the earliest until so many are left.  Results as of put; what could not
 * be sent stays. */
static int
send_held(struct berth_side *side, size_t leave, uint64_t deadline_ns)
{
	struct place *place = side->state;
	size_t sent = 0;
	int result = 0;

	if (place->count <= leave)
		return 0;
	qsort(place->held, place->count, sizeof(*place->held), compare);
	while (result == 0 && place->count - sent > leave) {
		result = send_arranged(
		    side, place->held[sent].message, deadline_ns);
		sent += result == 0;
	}
	memmove(place->held, place->held + sent,
	    (place->count - sent) * sizeof(*place->held));
	place->count -= sent;
	return result;
}

/* Keeps a record, or sends what is kept before what is none.  Under the lock.
 */
static int
sort_put(struct berth_side *side, struct berth_message *m, uint64_t deadline_ns)
{
	struct place *place = side->state;
	char host[ENTRY_HOST_BYTES];
	struct entry entry;
	int result;

	if (!is_record(m)) {
		result = send_held(side, 0, deadline_ns);
		return result == 0 ? berth_put_next(side, m, deadline_ns)
				   : result;
	}
	if (place->count == SORTED_MOST) {
		result = send_held(side, SORTED_MOST / 2, deadline_ns);
		if (place->count == SORTED_MOST)
			return result;
	}
	display_entry(m, &entry, host);
	place->held[place->count++] = (struct held){.message = m,
	    .moment = {entry.record.secs, entry.record.usecs},
	    .number = place->number++};
	return 0;
}

static int
sorter_put(
    struct berth_side *side, struct berth_message *m, uint64_t deadline_ns)
{
	const struct sorter *sorter = side->module->state;
	struct place *place = side->state;
	int result;

	if (!sorter->by_time)
		return send_arranged(side, m, deadline_ns);
	pthread_mutex_lock(&place->lock);
	result = sort_put(side, m, deadline_ns);
	pthread_mutex_unlock(&place->lock);
	return result;
}

static int
sorter_open(struct berth_side *side)
{
	const struct sorter *sorter = side->module->state;
	struct place *place = side->state;

	pthread_mutex_init(&place->lock, NULL);
	if (!sorter->by_time)
		return 0;
	place->held = calloc(SORTED_MOST, sizeof(*place->held));
	if (place->held != NULL)
		return 0;
	pthread_mutex_destroy(&place->lock);
	return -ENOMEM;
}

static void
sorter_close(struct berth_side *side)
{
	struct place *place = side->state;

	/* As far as there is still somebody behind it. */
	(void)send_held(side, 0, BERTH_NO_WAIT);
	while (place->count > 0)
		berth_message_release(place->held[--place->count].message);
	free(place->held);
	pthread_mutex_destroy(&place->lock);
}

BERTH_MODULE(make_sorter, .summary = "orders log records and their fields",
    .state_size = sizeof(struct sorter), .init = sorter_init,
    .layer_size = sizeof(struct place),
    .down = {.open = sorter_open, .close = sorter_close, .put = sorter_put});
