/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Formatter and Separator: records become text, and their fields lines.
 *
 * Both put a message of their own to the next, and release the one that came
 * when that was taken: so whoever finds no room may try the same one again.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "display.h"

/* Hands on what was made of a message, and ends the message.  Results as of
 * put. */
static int
hand_on(struct berth_side *side, struct berth_message *m,
    struct berth_message *made, uint64_t deadline_ns)
{
	int result = made != NULL ? berth_put_next(side, made, deadline_ns)
				  : -ENOMEM;

	if (result == 0)
		berth_message_release(m);
	else
		berth_message_release(made);
	return result;
}

/* --- Formatter -------------------------------------------------------------*/

struct formatter {
	int json;
};

static int
formatter_init(struct berth_service *service, int argc, char **argv)
{
	struct formatter *formatter = service->state;

	if (argc == 2 && strcmp(argv[1], "-j") == 0)
		formatter->json = 1;
	else if (argc > 1)
		return berth_fail(
		    service, EINVAL, "'%s': -j is all that it knows", argv[1]);
	return 0;
}

static void
print_field(
    const struct berth_message *block, const struct entry *entry, FILE *out)
{
	char time[ENTRY_TIME_BYTES];

	switch (block->type) {
	case FIELD_TYPE:
		fprintf(out, "%" PRIu32, entry->record.type);
		break;
	case FIELD_PID:
		fprintf(out, "%" PRId32, entry->record.pid);
		break;
	case FIELD_TIME:
		entry_time(&entry->record, time);
		fputs(time, out);
		break;
	default:
		entry_print_safely((const char *)block->read,
		    berth_message_length(block), out);
		break;
	}
}

/* A block of the field's text; NULL without memory. */
static struct berth_message *
format_field(struct berth_side *side, const struct berth_message *block,
    const struct entry *entry)
{
	struct berth_message *made = NULL;
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	if (out == NULL)
		return NULL;
	if (block != NULL)
		print_field(block, entry, out);
	else
		entry_print_json(entry, out);
	/* A line's end is the separator's. */
	if (fclose(out) == 0)
		made = display_block(side->module,
		    block != NULL ? block->type : (uint32_t)FIELD_LINE, text,
		    block != NULL ? size : size - 1);
	free(text);
	return made;
}

static struct berth_message *
format(struct berth_side *side, const struct berth_message *m)
{
	const struct formatter *formatter = side->module->state;
	struct berth_message *first = NULL, **last = &first;
	char host[ENTRY_HOST_BYTES];
	struct entry entry;

	display_entry(m, &entry, host);
	if (formatter->json)
		return format_field(side, NULL, &entry);
	for (; m != NULL; m = m->cont) {
		*last = format_field(side, m, &entry);
		if (*last == NULL) {
			berth_message_release(first);
			return NULL;
		}
		last = &(*last)->cont;
	}
	return first;
}

static int
formatter_put(
    struct berth_side *side, struct berth_message *m, uint64_t deadline_ns)
{
	if (!is_record(m))
		return berth_put_next(side, m, deadline_ns);
	return hand_on(side, m, format(side, m), deadline_ns);
}

BERTH_MODULE(make_formatter, .summary = "makes text of log records",
    .state_size = sizeof(struct formatter), .init = formatter_init,
    .down = {.put = formatter_put});

/* --- Separator -------------------------------------------------------------*/

/* One block of each, of which all lines have duplicates. */
struct separator {
	struct berth_message *between, *end;
};

static void
separator_fini(struct berth_service *service)
{
	struct separator *separator = service->state;

	berth_message_release(separator->between);
	berth_message_release(separator->end);
}

static int
separator_init(struct berth_service *service, int argc, char **argv)
{
	struct separator *separator = service->state;
	const char *between = argc > 1 ? argv[1] : "|";

	if (argc > 2)
		return berth_fail(service, EINVAL, "one separator at most");
	separator->between = display_block(
	    service, BERTH_MB_DATA, between, strlen(between));
	separator->end = display_block(service, BERTH_MB_DATA, "\n", 1);
	if (separator->between != NULL && separator->end != NULL)
		return 0;
	separator_fini(service);
	return -ENOMEM;
}

/* The same blocks with ours between them; NULL without memory. */
static struct berth_message *
separate(const struct separator *separator, const struct berth_message *m)
{
	struct berth_message *made = berth_message_duplicate(m), *block, *next;

	for (block = made; block != NULL; block = next) {
		struct berth_message *mine;

		next = block->cont;
		mine = berth_message_duplicate(
		    next != NULL ? separator->between : separator->end);
		if (mine == NULL) {
			berth_message_release(made);
			return NULL;
		}
		mine->cont = next;
		block->cont = mine;
	}
	return made;
}

static int
separator_put(
    struct berth_side *side, struct berth_message *m, uint64_t deadline_ns)
{
	if (!is_record(m))
		return berth_put_next(side, m, deadline_ns);
	return hand_on(side, m, separate(side->module->state, m), deadline_ns);
}

BERTH_MODULE(make_separator, .summary = "puts fields into lines",
    .state_size = sizeof(struct separator), .init = separator_init,
    .fini = separator_fini, .down = {.put = separator_put});
