/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fuzzes the readers of log records and of log files: what is taken lies in
 * what was given, and is written again as it was.
 */
#include "fuzz/fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "logging/entry.h"

static void
expect(int condition)
{
	if (!condition)
		abort();
}

static void
try_record(const uint8_t *data, size_t size)
{
	const uint8_t *end = data + size;
	struct record record, again;
	size_t whole, written;
	char *buffer;

	if (record_measure(data, size, RECORD_MOST, &whole) != 0 ||
	    whole > size || record_decode(data, whole, &record) != 0)
		return;
	expect((const uint8_t *)record.text + record.text_size <= end);
	buffer = malloc(whole);
	if (buffer == NULL)
		return;
	expect(record_encode(&record, buffer, whole, &written) == 0);
	expect(record_decode(buffer, written, &again) == 0);
	expect(again.text_size == record.text_size &&
	       again.secs == record.secs && again.pid == record.pid);
	free(buffer);
}

static void
try_entries(const uint8_t *data, size_t size, FILE *out)
{
	const char *at = (const char *)data;
	struct entry entry;

	while (entry_decode(at, size, RECORD_MOST, &entry) == 0) {
		expect(entry.size > 0 && entry.size <= size);
		entry_print(&entry, "|", out);
		entry_print_json(&entry, out);
		at += entry.size;
		size -= entry.size;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);

	try_record(data, size);
	if (out == NULL)
		return 0;
	try_entries(data, size, out);
	fclose(out);
	free(text);
	return 0;
}
