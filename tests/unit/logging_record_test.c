/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The wire format of log records and the entries of log files, against bytes
 * that are written down here.
 */
#include "unit/unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "logging/entry.h"

#define BYTES(text) text, sizeof(text) - 1

struct sample {
	const char *bytes;
	size_t size;
	struct record record;
};

static const struct sample samples[] = {
    {BYTES("\1\0\0\0\x19\0\0\0\x80\0\0\0\x67\x12\0\0\x2d\x0f\xe0\x3b"
	   "\x78\xe0\1\0\5\0\0\0hello"),
	{128, 4711, 1004539693, 123000, RECORD_LITTLE, "hello", 5}},
    {BYTES("\0\0\0\0\0\0\0\x19\0\0\0\x80\0\0\x12\x67\x3b\xe0\x0f\x2d"
	   "\0\1\xe0\x78\0\0\0\5hello"),
	{128, 4711, 1004539693, 123000, 0, "hello", 5}},
    {BYTES("\1\0\0\0\x1a\0\0\0\x08\0\0\0\1\0\0\0\5\0\0\0\1\0\0\0"
	   "\7\0\0\0\2\0\0\0hi"),
	{8, 1, 0x100000005, 7, RECORD_LITTLE | RECORD_WIDE, "hi", 2}},
    {BYTES("\0\0\0\0\0\0\0\x1a\0\0\0\x08\0\0\0\1\0\0\0\1\0\0\0\5"
	   "\0\0\0\7\0\0\0\2hi"),
	{8, 1, 0x100000005, 7, RECORD_WIDE, "hi", 2}},
    {BYTES("\1\0\0\0\x14\0\0\0\2\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff"
	   "\0\0\0\0\0\0\0\0"),
	{2, -1, -1, 0, RECORD_LITTLE, "", 0}},
};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static void
assert_same(const struct record *one, const struct record *two)
{
	assert_int_equal(one->type, two->type);
	assert_int_equal(one->pid, two->pid);
	assert_true(one->secs == two->secs);
	assert_int_equal(one->usecs, two->usecs);
	assert_int_equal(one->form, two->form);
	assert_int_equal(one->text_size, two->text_size);
	assert_memory_equal(one->text, two->text, one->text_size);
}

/* Where the bytes end, so that the sanitizer sees who reads on. */
static char *
copy(const void *data, size_t size)
{
	char *bytes = malloc(size > 0 ? size : 1);

	assert_non_null(bytes);
	memcpy(bytes, data, size);
	return bytes;
}

static void
test_known_bytes(void **state)
{
	char buffer[256];
	size_t size;

	(void)state;
	for (size_t i = 0; i < COUNT(samples); i++) {
		struct record record;

		assert_int_equal(
		    record_decode(samples[i].bytes, samples[i].size, &record),
		    0);
		assert_same(&record, &samples[i].record);
		assert_int_equal(record_encode(&samples[i].record, buffer,
				     sizeof(buffer), &size),
		    0);
		assert_int_equal(size, samples[i].size);
		assert_memory_equal(buffer, samples[i].bytes, size);
	}
}

static void
test_every_split(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(samples); i++)
		for (size_t at = 0; at <= samples[i].size; at++) {
			char *part = copy(samples[i].bytes, at);
			struct record record;
			size_t size = 0;
			int result = record_measure(
			    part, at, RECORD_MOST, &size);

			if (at < RECORD_HEADER_BYTES) {
				assert_int_equal(result, RECORD_E_MORE);
			} else {
				assert_int_equal(result, 0);
				assert_int_equal(size, samples[i].size);
			}
			assert_int_equal(record_decode(part, at, &record),
			    at < samples[i].size ? -EPROTO : 0);
			free(part);
		}
}

static void
test_room(void **state)
{
	char buffer[64];

	(void)state;
	for (size_t i = 0; i < COUNT(samples); i++)
		for (size_t room = 0; room < samples[i].size; room++) {
			size_t size = 77;

			assert_int_equal(record_encode(&samples[i].record,
					     buffer, room, &size),
			    -EMSGSIZE);
			assert_int_equal(size, 77);
		}
}

static void
test_bad_lengths(void **state)
{
	static const struct {
		const char *bytes;
		size_t size, most;
		int result;
	} cases[] = {
	    {BYTES("\2"), RECORD_MOST, -EPROTO},
	    {BYTES("GET / HTTP/1.0\r\n"), RECORD_MOST, -EPROTO},
	    {BYTES("\1\0\0\0\x13\0\0\0"), RECORD_MOST, -EPROTO},
	    {BYTES("\0\0\0\0\0\0\0\0"), RECORD_MOST, -EPROTO},
	    {BYTES("\1\0\0\0\xff\xff\xff\xff"), RECORD_MOST, -EMSGSIZE},
	    {BYTES("\0\0\0\0\xff\xff\xff\xff"), SIZE_MAX, 0},
	    {BYTES("\1\0\0\0\x19\0\0\0"), 33, 0},
	    {BYTES("\1\0\0\0\x19\0\0\0"), 32, -EMSGSIZE},
	    {BYTES("\1\0\0\0\x19\0\0\0"), 7, -EMSGSIZE},
	};
	size_t size;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_int_equal(record_measure(cases[i].bytes, cases[i].size,
				     cases[i].most, &size),
		    cases[i].result);
}

/* A text that is said to be longer than the record. */
static void
test_long_text(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(samples); i++) {
		char *bytes = copy(samples[i].bytes, samples[i].size);
		size_t fields = samples[i].record.form & RECORD_WIDE
				    ? RECORD_WIDE_BYTES
				    : RECORD_FIELD_BYTES;
		struct record record;

		/* Both places, so that neither form fits. */
		memset(bytes + 8 + 16, 0xff, 4);
		memset(bytes + 8 + fields - 4, 0xff, 4);
		assert_int_equal(
		    record_decode(bytes, samples[i].size, &record), -EPROTO);
		free(bytes);
	}
}

static void
test_types(void **state)
{
	uint32_t type = 0;

	(void)state;
	assert_int_equal(record_type_of("LM_ERROR", &type), 0);
	assert_int_equal(type, 128);
	assert_int_equal(record_type_of("info", &type), 0);
	assert_int_equal(type, 8);
	assert_int_equal(record_type_of("nothing", &type), -ENOENT);
	assert_int_equal(type, 8);
	assert_string_equal(record_type_name(1024), "EMERGENCY");
	assert_null(record_type_name(3));
	assert_int_equal(record_severity(128), 3);
	assert_int_equal(record_severity(3), 6);
}

/* --- entries --- */

static void
test_entries_split(void **state)
{
	const struct sample *sample = &samples[0];
	char whole[128] = "10.0.0.1";
	size_t name = strlen(whole) + 1;
	struct entry entry;

	(void)state;
	memcpy(whole + name, sample->bytes, sample->size);
	for (size_t at = 0; at < name + sample->size; at++) {
		char *part = copy(whole, at);

		assert_int_equal(
		    entry_decode(part, at, RECORD_MOST, &entry), RECORD_E_MORE);
		free(part);
	}
	assert_int_equal(
	    entry_decode(whole, name + sample->size + 3, RECORD_MOST, &entry),
	    0);
	assert_int_equal(entry.size, name + sample->size);
	assert_string_equal(entry.host, "10.0.0.1");
	assert_same(&entry.record, &sample->record);
	memset(whole, 'x', sizeof(whole));
	assert_int_equal(
	    entry_decode(whole, sizeof(whole), RECORD_MOST, &entry),
	    RECORD_E_MORE);
}

static void
test_no_name(void **state)
{
	char whole[ENTRY_HOST_BYTES];
	struct entry entry;

	(void)state;
	memset(whole, 'x', sizeof(whole));
	assert_int_equal(
	    entry_decode(whole, sizeof(whole), RECORD_MOST, &entry), -EPROTO);
}

static char *
print(const struct entry *entry, int json)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	if (json)
		entry_print_json(entry, out);
	else
		entry_print(entry, "|", out);
	fclose(out);
	return text;
}

static void
test_printing(void **state)
{
	struct entry entry = {.host = "tango", .record = samples[0].record};
	char *text;

	(void)state;
	setenv("TZ", "UTC", 1);
	text = print(&entry, 0);
	assert_string_equal(
	    text, "tango|128|4711|Oct 31 14:48:13.123 2001|hello\n");
	free(text);
	entry.record.text = "a\nb\x1b\"\\\xff\xc3\xa4\xc0\x80";
	entry.record.text_size = 11;
	text = print(&entry, 0);
	assert_non_null(strstr(text, "|a\\nb\\x1b\"\\\xff"));
	free(text);
	text = print(&entry, 1);
	assert_string_equal(text,
	    "{\"host\":\"tango\",\"type\":128,\"priority\":\"ERROR\","
	    "\"pid\":4711,\"secs\":1004539693,\"usecs\":123000,"
	    "\"text\":\"a\\u000ab\\u001b\\\"\\\\\\ufffd\xc3\xa4"
	    "\\ufffd\\ufffd\"}\n");
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_known_bytes),
	    cmocka_unit_test(test_every_split),
	    cmocka_unit_test(test_room),
	    cmocka_unit_test(test_bad_lengths),
	    cmocka_unit_test(test_long_text),
	    cmocka_unit_test(test_types),
	    cmocka_unit_test(test_entries_split),
	    cmocka_unit_test(test_no_name),
	    cmocka_unit_test(test_printing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
