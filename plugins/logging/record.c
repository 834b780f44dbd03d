/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * record: the wire format of log records.
 *
 * Nothing is read beyond the bytes that are given, whatever they say of their
 * lengths, and nothing has to be aligned.
 */
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "record.h"

struct type {
	const char *name;
	uint32_t type;
	int severity;
};

static const struct type types[] = {
    {"SHUTDOWN", 01, 6},
    {"TRACE", 02, 7},
    {"DEBUG", 04, 7},
    {"INFO", 010, 6},
    {"NOTICE", 020, 5},
    {"WARNING", 040, 4},
    {"STARTUP", 0100, 6},
    {"ERROR", 0200, 3},
    {"CRITICAL", 0400, 2},
    {"ALERT", 01000, 1},
    {"EMERGENCY", 02000, 0},
};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static uint32_t
get(const unsigned char *at, unsigned form)
{
	if (form & RECORD_LITTLE)
		return (uint32_t)at[0] | (uint32_t)at[1] << 8 |
		       (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
	return (uint32_t)at[3] | (uint32_t)at[2] << 8 | (uint32_t)at[1] << 16 |
	       (uint32_t)at[0] << 24;
}

static void
put(unsigned char *at, uint32_t value, unsigned form)
{
	for (unsigned i = 0; i < 4; i++) {
		unsigned shift = form & RECORD_LITTLE ? 8 * i : 24 - 8 * i;

		at[i] = (unsigned char)(value >> shift & 0xff);
	}
}

static int64_t
get_wide(const unsigned char *at, unsigned form)
{
	uint64_t first = get(at, form), second = get(at + 4, form);

	return (int64_t)(form & RECORD_LITTLE ? second << 32 | first
					      : first << 32 | second);
}

static void
put_wide(unsigned char *at, int64_t value, unsigned form)
{
	uint32_t low = (uint32_t)((uint64_t)value & UINT32_MAX);
	uint32_t high = (uint32_t)((uint64_t)value >> 32);

	put(at, form & RECORD_LITTLE ? low : high, form);
	put(at + 4, form & RECORD_LITTLE ? high : low, form);
}

int
record_measure(const void *data, size_t size, size_t most, size_t *ret_size)
{
	const unsigned char *at = data;
	uint32_t length;

	if (size > 0 && at[0] > 1)
		return -EPROTO;
	if (size < RECORD_HEADER_BYTES)
		return RECORD_E_MORE;
	length = get(at + 4, at[0]);
	if (length < RECORD_FIELD_BYTES)
		return -EPROTO;
	if (most < RECORD_HEADER_BYTES || length > most - RECORD_HEADER_BYTES)
		return -EMSGSIZE;
	*ret_size = RECORD_HEADER_BYTES + length;
	return 0;
}

/*
 * Where the text begins, or 0.  A wide record that is taken for a narrow one
 * would need as many microseconds as it has bytes, and the other way round a
 * text with NULs: so the wide form is looked for first.
 */
static size_t
fields_of(const unsigned char *payload, size_t length, unsigned form)
{
	if (length >= RECORD_WIDE_BYTES &&
	    get(payload + 20, form) == length - RECORD_WIDE_BYTES)
		return RECORD_WIDE_BYTES;
	if (length >= RECORD_FIELD_BYTES &&
	    get(payload + 16, form) <= length - RECORD_FIELD_BYTES)
		return RECORD_FIELD_BYTES;
	return 0;
}

int
record_decode(const void *data, size_t size, struct record *ret_record)
{
	const unsigned char *at = data, *payload = at + RECORD_HEADER_BYTES;
	struct record record = {0};
	size_t whole = 0, fields;

	if (record_measure(data, size, size, &whole) != 0)
		return -EPROTO;
	record.form = at[0];
	fields = fields_of(payload, whole - RECORD_HEADER_BYTES, record.form);
	if (fields == 0)
		return -EPROTO;
	record.type = get(payload, record.form);
	record.pid = (int32_t)get(payload + 4, record.form);
	record.usecs = (int32_t)get(payload + fields - 8, record.form);
	record.text_size = get(payload + fields - 4, record.form);
	record.text = (const char *)payload + fields;
	if (fields == RECORD_WIDE_BYTES) {
		record.secs = get_wide(payload + 8, record.form);
		record.form |= RECORD_WIDE;
	} else {
		record.secs = (int32_t)get(payload + 8, record.form);
	}
	while (
	    record.text_size > 0 && record.text[record.text_size - 1] == '\0')
		record.text_size--;
	*ret_record = record;
	return 0;
}

int
record_encode(
    const struct record *record, void *buffer, size_t room, size_t *ret_size)
{
	unsigned form = record->form;
	size_t fields = form & RECORD_WIDE ? RECORD_WIDE_BYTES
					   : RECORD_FIELD_BYTES;
	size_t most = room < UINT32_MAX ? room : UINT32_MAX;
	unsigned char *at = buffer, *payload = at + RECORD_HEADER_BYTES;

	if (most < RECORD_HEADER_BYTES + fields ||
	    record->text_size > most - RECORD_HEADER_BYTES - fields)
		return -EMSGSIZE;
	memset(at, 0, RECORD_HEADER_BYTES);
	at[0] = form & RECORD_LITTLE;
	put(at + 4, (uint32_t)(fields + record->text_size), form);
	put(payload, record->type, form);
	put(payload + 4, (uint32_t)record->pid, form);
	if (form & RECORD_WIDE)
		put_wide(payload + 8, record->secs, form);
	else
		put(payload + 8, (uint32_t)(uint64_t)record->secs, form);
	put(payload + fields - 8, (uint32_t)record->usecs, form);
	put(payload + fields - 4, record->text_size, form);
	if (record->text_size > 0)
		memcpy(payload + fields, record->text, record->text_size);
	*ret_size = RECORD_HEADER_BYTES + fields + record->text_size;
	return 0;
}

unsigned
record_native_form(void)
{
	const uint16_t one = 1;
	unsigned char first;

	memcpy(&first, &one, 1);
	return first == 1 ? RECORD_LITTLE : 0;
}

const char *
record_type_name(uint32_t type)
{
	for (size_t i = 0; i < COUNT(types); i++)
		if (types[i].type == type)
			return types[i].name;
	return NULL;
}

int
record_type_of(const char *name, uint32_t *ret_type)
{
	if (strncasecmp(name, "LM_", 3) == 0)
		name += 3;
	for (size_t i = 0; i < COUNT(types); i++)
		if (strcasecmp(types[i].name, name) == 0) {
			*ret_type = types[i].type;
			return 0;
		}
	return -ENOENT;
}

int
record_severity(uint32_t type)
{
	for (size_t i = 0; i < COUNT(types); i++)
		if (types[i].type == type)
			return types[i].severity;
	return 6;
}
