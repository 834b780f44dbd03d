/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * display: records as messages.
 */
#include <string.h>

#include "display.h"

int
is_record(const struct berth_message *m)
{
	return m->type >= FIELD_CLIENT && m->type <= FIELD_LINE;
}

struct berth_message *
display_block(
    struct berth_service *service, uint32_t type, const void *data, size_t size)
{
	struct berth_message *m = berth_message_make(
	    service, size > 0 ? size : 1);

	if (m == NULL)
		return NULL;
	m->type = type;
	if (berth_message_add(m, berth_bytes(data, size)) == 0)
		return m;
	berth_message_release(m);
	return NULL;
}

struct berth_message *
display_message(struct berth_service *service, const struct entry *entry)
{
	const struct record *record = &entry->record;
	struct moment moment = {.secs = record->secs, .usecs = record->usecs};
	const struct berth_bytes fields[FIELD_COUNT] = {
	    berth_str(entry->host),
	    berth_bytes(&record->type, sizeof(record->type)),
	    berth_bytes(&record->pid, sizeof(record->pid)),
	    berth_bytes(&moment, sizeof(moment)),
	    berth_bytes(record->text, record->text_size),
	};
	struct berth_message *first = NULL;

	/* From the last one, so that linking is easy. */
	for (unsigned i = FIELD_COUNT; i-- > 0;) {
		struct berth_message *block = display_block(
		    service, FIELD_CLIENT + i, fields[i].data, fields[i].size);

		if (block == NULL) {
			berth_message_release(first);
			return NULL;
		}
		block->cont = first;
		first = block;
	}
	return first;
}

static void
take(const struct berth_message *block, void *field, size_t size)
{
	if (berth_message_length(block) == size)
		memcpy(field, block->read, size);
}

static void
take_block(const struct berth_message *block, struct entry *entry, char *host)
{
	struct moment moment = {.secs = 0};
	size_t size = berth_message_length(block);

	switch (block->type) {
	case FIELD_CLIENT:
		size = size < ENTRY_HOST_BYTES ? size : ENTRY_HOST_BYTES - 1;
		memcpy(host, block->read, size);
		host[size] = '\0';
		break;
	case FIELD_TYPE:
		take(block, &entry->record.type, sizeof(entry->record.type));
		break;
	case FIELD_PID:
		take(block, &entry->record.pid, sizeof(entry->record.pid));
		break;
	case FIELD_TIME:
		take(block, &moment, sizeof(moment));
		entry->record.secs = moment.secs;
		entry->record.usecs = moment.usecs;
		break;
	case FIELD_TEXT:
		entry->record.text = (const char *)block->read;
		entry->record.text_size = (uint32_t)size;
		break;
	default:
		break;
	}
}

void
display_entry(const struct berth_message *m, struct entry *ret_entry,
    char host[ENTRY_HOST_BYTES])
{
	struct entry entry = {.host = host, .record = {.text = ""}};

	host[0] = '\0';
	for (; m != NULL; m = m->cont)
		take_block(m, &entry, host);
	*ret_entry = entry;
}
