/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Mistakes: what is kept, what is counted, and how they look.
 */
#include "unit/unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"

static void
expect_print(const struct errors *errors, const char *expected)
{
	AUTO_TEXT text;

	text_init(&text);
	errors_print(errors, &text);
	assert_false(text.failed);
	assert_string_equal(text_string(&text), expected);
}

static const struct {
	const char *name;
	const char *data;
	unsigned line, column, length;
	const char *text;
	const char *expected;
} cases[] = {
    {"svc.conf", "\n\n\n\n\n\n\n\n\n\n\nremove Ecko\n", 12, 8, 4,
	"no service named 'Ecko' to remove; did you mean 'Echo'?",
	"svc.conf:12:8: error: no service named 'Ecko' to remove; did you "
	"mean 'Echo'?\n"
	"   12 | remove Ecko\n"
	"      |        ^~~~\n"},
    /* the last line without a newline, the span past its end */
    {"f", "ab", 1, 2, 9, "t", "f:1:2: error: t\n    1 | ab\n      |  ^\n"},
    {"f", "ab\n", 1, 3, 1, "t", "f:1:3: error: t\n    1 | ab\n      |   ^\n"},
    {"f", "ab\n", 1, 90, 1, "t", "f:1:90: error: t\n    1 | ab\n      |   ^\n"},
    {"f", "", 1, 1, 1, "t", "f:1:1: error: t\n    1 | \n      | ^\n"},
    /* TABs stay, in the line and before the caret */
    {"f", "\tx\ty", 1, 4, 1, "t",
	"f:1:4: error: t\n    1 | \tx\ty\n      | \t \t^\n"},
    /* two bytes of one character take one place */
    {"f", "é é€ z", 1, 4, 5, "t",
	"f:1:4: error: t\n    1 | é é€ z\n      |   ^~\n"},
    {"f", "é z", 1, 4, 1, "t", "f:1:4: error: t\n    1 | é z\n      |   ^\n"},
    /* CR before the newline does not show; other controls take a place */
    {"f", "ab\r\ncd", 1, 1, 2, "t",
	"f:1:1: error: t\n    1 | ab\n      | ^~\n"},
    {"f",
	"a\x1b"
	"b",
	1, 3, 1, "t", "f:1:3: error: t\n    1 | a?b\n      |   ^\n"},
    {"f", "x", 1, 1, 1, "a\nb\x1b",
	"f:1:1: error: a\\x0ab\\x1b\n"
	"    1 | x\n      | ^\n"},
    /* no such line, no line, no column, a text that is not there */
    {"f", "ab", 7, 1, 1, "t", "f:7:1: error: t\n"},
    {"f", "ab", 0, 0, 1, "t", "f: error: t\n"},
    {"f", "ab", 1, 0, 1, "t", "f:1: error: t\n"},
    {"f", NULL, 3, 2, 1, "t", "f:3:2: error: t\n"},
    {NULL, NULL, 0, 0, 0, "no place", "error: no place\n"},
    {"f", "1234567", 1, 1, 0, "t",
	"f:1:1: error: t\n    1 | 1234567\n      | ^\n"},
};

static void
test_print(void **state)
{
	(void)state;
	for (size_t i = 0; i < BASE_COUNT(cases); i++) {
		struct source source = {cases[i].name, cases[i].data,
		    cases[i].data != NULL ? strlen(cases[i].data) : 0, true};
		struct place place = {
		    &source, cases[i].line, cases[i].column, cases[i].length};
		struct errors *errors = errors_new(20);

		errors_add(errors, SEVERITY_ERROR, -EINVAL,
		    cases[i].name != NULL ? &place : NULL, "%s", cases[i].text);
		expect_print(errors, cases[i].expected);
		assert_null(errors_free(errors));
	}
}

static void
test_wide_number(void **state)
{
	struct source source = {"f", NULL, 0, true};
	struct place place = {&source, 1000001, 1, 1};
	struct errors *errors = errors_new(0);
	char *data = malloc(1000001);

	(void)state;
	assert_non_null(data);
	memset(data, '\n', 1000000);
	data[1000000] = 'x';
	source.data = data;
	source.size = 1000001;
	errors_add(errors, SEVERITY_ERROR, 0, &place, "t");
	free(data);
	expect_print(
	    errors, "f:1000001:1: error: t\n1000001 | x\n        | ^\n");
	errors_free(errors);
}

static void
test_long_line(void **state)
{
	char data[3000];
	struct source source = {"f", data, sizeof(data), true};
	struct place place = {&source, 1, 2900, 4};
	struct errors *errors = errors_new(0);

	(void)state;
	memset(data, 'x', sizeof(data));
	errors_add(errors, SEVERITY_ERROR, 0, &place, "t");
	expect_print(errors, "f:1:2900: error: t\n");
	errors_free(errors);
}

/* The list is whole when everything it was told of is gone. */
static void
test_outlives(void **state)
{
	char *name = strdup("a.conf"), *data = strdup("one two");
	struct source source = {name, data, 7, true};
	struct place place = {&source, 1, 5, 3};
	struct errors *errors = errors_new(0);
	const struct error *error;

	(void)state;
	errors_add(errors, SEVERITY_WARNING, -EACCES, &place, "w%d", 1);
	memset(name, 'x', 6);
	memset(data, 'x', 7);
	free(name);
	free(data);
	error = errors_get(errors, 0);
	assert_int_equal(error->severity, SEVERITY_WARNING);
	assert_int_equal(error->code, -EACCES);
	assert_null(error->place.source);
	assert_string_equal(error->file, "a.conf");
	assert_string_equal(error->line_text, "one two");
	assert_int_equal(errors_count(errors), 0);
	expect_print(errors, "a.conf:1:5: warning: w1\n"
			     "    1 | one two\n"
			     "      |     ^~~\n");
	errors_free(errors);
}

static void
test_limit(void **state)
{
	struct source a = {"a", NULL, 0, true}, b = {"b", NULL, 0, true};
	struct errors *errors = errors_new(2);

	(void)state;
	for (unsigned i = 1; i <= 5; i++) {
		struct place place = {&a, i, 1, 1};

		errors_add(errors, SEVERITY_ERROR, 0, &place, "e%u", i);
		errors_add(errors, SEVERITY_NOTE, 0, &place, "n%u", i);
	}
	for (unsigned i = 1; i <= 3; i++) {
		struct place place = {&b, i, 1, 1};

		errors_add(errors, SEVERITY_ERROR, 0, &place, "e%u", i);
		errors_add(errors, SEVERITY_WARNING, 0, &place, "w%u", i);
	}
	assert_int_equal(errors_count(errors), 8);
	assert_int_equal(errors_kept(errors), 8);
	expect_print(errors, "a:1:1: error: e1\na:1:1: note: n1\n"
			     "a:2:1: error: e2\na:2:1: note: n2\n"
			     "b:1:1: error: e1\nb:1:1: warning: w1\n"
			     "b:2:1: error: e2\nb:2:1: warning: w2\n"
			     "… and 4 more errors\n"
			     "… and 1 more warning\n");
	errors_reset(errors);
	assert_int_equal(errors_count(errors), 0);
	assert_int_equal(errors_kept(errors), 0);
	expect_print(errors, "");
	errors_add(errors, SEVERITY_ERROR, 0, NULL, "again");
	expect_print(errors, "error: again\n");
	errors_free(errors);
}

static void
test_no_limit(void **state)
{
	struct errors *errors = errors_new(0);

	(void)state;
	for (unsigned i = 0; i < 1000; i++)
		errors_add(errors, SEVERITY_ERROR, 0, NULL, "e%u", i);
	assert_int_equal(errors_kept(errors), 1000);
	assert_string_equal(errors_get(errors, 999)->text, "e999");
	errors_free(errors);
}

static void
test_json(void **state)
{
	struct source source = {"a\"b", "x", 1, true};
	struct place place = {&source, 1, 1, 1};
	struct errors *errors = errors_new(0);
	AUTO_TEXT text;

	(void)state;
	text_init(&text);
	errors_print_json(errors, &text);
	assert_string_equal(text_string(&text), "[]");
	text_reset(&text);
	errors_add(errors, SEVERITY_ERROR, 0, &place, "bad '\n'");
	errors_add(errors, SEVERITY_NOTE, 0, NULL, "so");
	errors_print_json(errors, &text);
	assert_string_equal(text_string(&text),
	    "[{\"file\":\"a\\\"b\",\"line\":1,\"column\":1,\"length\":1,"
	    "\"severity\":\"error\",\"text\":\"bad '\\n'\","
	    "\"line_text\":\"x\"},"
	    "{\"file\":null,\"line\":0,\"column\":0,\"length\":0,"
	    "\"severity\":\"note\",\"text\":\"so\","
	    "\"line_text\":null}]");
	errors_free(errors);
}

static void
test_json_more(void **state)
{
	struct errors *errors = errors_new(1);
	AUTO_TEXT text;

	(void)state;
	text_init(&text);
	for (unsigned i = 0; i < 3; i++)
		errors_add(errors, SEVERITY_ERROR, 0, NULL, "e%u", i);
	errors_print_json(errors, &text);
	assert_string_equal(text_string(&text),
	    "[{\"file\":null,\"line\":0,\"column\":0,\"length\":0,"
	    "\"severity\":\"error\",\"text\":\"e0\",\"line_text\":null},"
	    "{\"severity\":\"more\",\"of\":\"error\",\"count\":2,"
	    "\"text\":\"… and 2 more errors\"}]");
	errors_free(errors);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_print),
	    cmocka_unit_test(test_wide_number),
	    cmocka_unit_test(test_long_line),
	    cmocka_unit_test(test_outlives),
	    cmocka_unit_test(test_limit),
	    cmocka_unit_test(test_no_limit),
	    cmocka_unit_test(test_json),
	    cmocka_unit_test(test_json_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
