/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The growing text, and the three ways to make foreign bytes harmless.
 */
#include "unit/unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"

typedef int(escape_fn)(struct text *, const char *, size_t);

static void
test_add(void **state)
{
	AUTO_TEXT text;

	(void)state;
	text_init(&text);
	assert_null(text.public.host);
	assert_string_equal(text_string(&text), "");
	assert_int_equal(text_add(&text, NULL, 0), 0);
	assert_non_null(text.data);
	for (int i = 0; i < 5000; i++) {
		assert_int_equal(text_add(&text, "ab\0d", 4), 0);
		assert_int_equal(text.size, (size_t)(i + 1) * 4);
		assert_int_equal(text.data[text.size], '\0');
	}
	assert_memory_equal(text.data + 19996, "ab\0d", 5);
	text_reset(&text);
	assert_int_equal(text.size, 0);
	assert_string_equal(text_string(&text), "");
}

static void
test_printf(void **state)
{
	AUTO_TEXT text;
	char expected[2000] = "";

	(void)state;
	text_init(&text);
	/* Every length, so that each edge of the room is met. */
	for (int i = 0; i < 60; i++) {
		char piece[64];

		snprintf(piece, sizeof(piece), "%0*d", i, 0);
		if (i == 0)
			piece[0] = '\0';
		strcat(expected, piece);
		assert_int_equal(text_printf(&text, "%s", piece), 0);
		assert_string_equal(text_string(&text), expected);
		assert_int_equal(text.size, strlen(expected));
	}
}

static void
test_failed(void **state)
{
	AUTO_TEXT text;

	(void)state;
	text_init(&text);
	text_add(&text, "before", 6);
	assert_int_equal(text_add(&text, NULL, SIZE_MAX - 3), -ENOMEM);
	assert_true(text.failed);
	assert_int_equal(text_add(&text, "x", 1), -ENOMEM);
	assert_int_equal(text_printf(&text, "x"), -ENOMEM);
	assert_string_equal(text_string(&text), "before");
	text_reset(&text);
	assert_false(text.failed);
	assert_int_equal(text_add(&text, "x", 1), 0);
	assert_string_equal(text_string(&text), "x");
}

/* size 0: strlen(in) */
static const struct escape_case {
	const char *in;
	size_t size;
	const char *json;
	const char *escaped;
	const char *printable;
} cases[] = {
    {"", 0, "\"\"", "", ""},
    {"plain", 0, "\"plain\"", "plain", "plain"},
    {"a\"b\\c", 0, "\"a\\\"b\\\\c\"", "a\"b\\\\c", "a\"b\\c"},
    {"\n\t\r", 0, "\"\\n\\t\\r\"", "\\n\\t\\r", "\\x0a\t\\x0d"},
    {"\x1b[1m\x7f", 0, "\"\\u001b[1m\\u007f\"", "\\x1b[1m\\x7f",
	"\\x1b[1m\\x7f"},
    {"a\0b", 3, "\"a\\u0000b\"", "a\\x00b", "a\\x00b"},
    {"é€\xf0\x9f\x98\x80", 0, "\"é€\xf0\x9f\x98\x80\"", "é€\xf0\x9f\x98\x80",
	"é€\xf0\x9f\x98\x80"},
    /* C1: valid UTF-8, obeyed by terminals */
    {"\xc2\x9b", 0, "\"\\u009b\"", "\\xc2\\x9b", "\\xc2\\x9b"},
    {"\xc2\xa0", 0, "\"\xc2\xa0\"", "\xc2\xa0", "\xc2\xa0"},
    /* a lone continuation, a lone start, an impossible byte */
    {"x\x80y", 0, "\"x\xef\xbf\xbdy\"", "x\\x80y", "x\\x80y"},
    {"x\xe2\x82", 0, "\"x\xef\xbf\xbd\xef\xbf\xbd\"", "x\\xe2\\x82",
	"x\\xe2\\x82"},
    {"\xff", 0, "\"\xef\xbf\xbd\"", "\\xff", "\\xff"},
    /* a start whose continuation is an ordinary letter */
    {"\xc3(", 0, "\"\xef\xbf\xbd(\"", "\\xc3(", "\\xc3("},
    /* overlong: '/' in two and in three bytes, NUL in two */
    {"\xc0\xaf", 0, "\"\xef\xbf\xbd\xef\xbf\xbd\"", "\\xc0\\xaf", "\\xc0\\xaf"},
    {"\xe0\x80\xaf", 0, "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"",
	"\\xe0\\x80\\xaf", "\\xe0\\x80\\xaf"},
    /* a surrogate; above U+10FFFF */
    {"\xed\xa0\x80", 0, "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"",
	"\\xed\\xa0\\x80", "\\xed\\xa0\\x80"},
    {"\xf4\x90\x80\x80", 0,
	"\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"",
	"\\xf4\\x90\\x80\\x80", "\\xf4\\x90\\x80\\x80"},
    {"\xf4\x8f\xbf\xbf", 0, "\"\xf4\x8f\xbf\xbf\"", "\xf4\x8f\xbf\xbf",
	"\xf4\x8f\xbf\xbf"},
};

static void
expect(escape_fn *escape, const struct escape_case *c, const char *expected)
{
	AUTO_TEXT text;
	size_t size = c->size != 0 ? c->size : strlen(c->in);
	/* From the heap, so that a read past the end is found. */
	char *in = malloc(size + 1);

	assert_non_null(in);
	in = realloc(in, size == 0 ? 1 : size);
	memcpy(in, c->in, size);
	text_init(&text);
	assert_int_equal(escape(&text, in, size), 0);
	assert_string_equal(text_string(&text), expected);
	free(in);
}

static void
test_escape(void **state)
{
	(void)state;
	for (size_t i = 0; i < BASE_COUNT(cases); i++) {
		expect(text_json, &cases[i], cases[i].json);
		expect(text_escape, &cases[i], cases[i].escaped);
		expect(text_printable, &cases[i], cases[i].printable);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_add),
	    cmocka_unit_test(test_printf),
	    cmocka_unit_test(test_failed),
	    cmocka_unit_test(test_escape),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
