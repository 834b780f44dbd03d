/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lines out of a client's bytes: the same lines come out however the bytes
 * were cut.
 */
#include "services_priv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define BYTES(text) text, sizeof(text) - 1

static const struct {
	const char *bytes;
	size_t size;
	const char *lines; /* "[a][b]", a last line without an end too */
} cases[] = {
    {BYTES(""), ""},
    {BYTES("help\n"), "[help]"},
    {BYTES("help\r\n"), "[help]"},
    {BYTES("help\r"), "[help]"},
    {BYTES("help\r\0"), "[help]"},
    {BYTES("help"), "[help]"},
    {BYTES("help\r\nlist\r\n"), "[help][list]"},
    {BYTES("help\nlist\nquit"), "[help][list][quit]"},
    {BYTES("\n\r\n \n\t\r\n"), ""},
    {BYTES("  a b \n"), "[  a b ]"},
    {BYTES("a\0b\0\n\0"), "[ab]"},
    {BYTES("Gr\xc3\xbc\xc3\x9f\n"), "[Gr\xc3\xbc\xc3\x9f]"},
    /* telnet: WILL, WONT, DO, DONT take one byte, whatever it is */
    {BYTES("\xff\xfb\x01he\xff\xfc\nlp\xff\xfd\r\n\xff\xfe\xff"), "[help]"},
    /* options between SB and SE, with an escaped 255 and a line end */
    {BYTES("a\xff\xfa\x18\0x\nt\xff\xff\xff\xf0"
	   "b\n"),
	"[ab]"},
    /* commands of two bytes; an escaped 255 is a byte */
    {BYTES("a\xff\xf1\xff\xf6"
	   "b\xff\xff\n"),
	"[ab\xff]"},
    {BYTES("a\n\xff"), "[a]"},
    {BYTES("a\n\xff\xfa\x01"
	   "b\nc\n"),
	"[a]"},
};

struct seen {
	char text[256];
	size_t used;
};

static void
see(struct seen *seen, struct line *line, int what)
{
	assert_true(what >= 0);
	if (what == 0)
		return;
	seen->used += (size_t)snprintf(seen->text + seen->used,
	    sizeof(seen->text) - seen->used, "[%s]",
	    what == LINE_E_LONG ? "long" : line->data);
	if (what == LINE_E_READY)
		assert_int_equal(line->size, strlen(line->data));
	line_reset(line);
}

static void
feed(struct seen *seen, struct line *line, const char *bytes, size_t size)
{
	size_t taken;
	int what;

	while (size > 0) {
		what = line_feed(line, berth_bytes(bytes, size), &taken);
		assert_true(taken > 0 && taken <= size);
		assert_true(what != 0 || taken == size);
		see(seen, line, what);
		bytes += taken;
		size -= taken;
	}
}

static void
finish(struct seen *seen, struct line *line, const char *lines)
{
	see(seen, line, line_end(line));
	assert_null(line->data);
	assert_string_equal(seen->text, lines);
}

static void
cuts(void **state)
{
	size_t i, cut, at;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (cut = 0; cut <= cases[i].size; cut++) {
			struct line line = {0};
			struct seen seen = {0};

			feed(&seen, &line, cases[i].bytes, cut);
			feed(&seen, &line, cases[i].bytes + cut,
			    cases[i].size - cut);
			finish(&seen, &line, cases[i].lines);
		}
		struct line line = {0};
		struct seen seen = {0};

		for (at = 0; at < cases[i].size; at++)
			feed(&seen, &line, cases[i].bytes + at, 1);
		finish(&seen, &line, cases[i].lines);
	}
}

/* A line of so many bytes, and another behind it. */
static void
lengths(void **state)
{
	static const struct {
		size_t size;
		bool fits;
	} sizes[] = {{126, true}, {127, true}, {128, true}, {129, true},
	    {LINE_LIMIT - 1, true}, {LINE_LIMIT, true}, {LINE_LIMIT + 1, false},
	    {9000, false}, {100000, false}};
	char *bytes = malloc(100010);
	size_t i, taken;

	(void)state;
	assert_non_null(bytes);
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct line line = {0};

		memset(bytes, 'x', sizes[i].size);
		memcpy(bytes + sizes[i].size, "\r\nnext\n", 7);
		assert_int_equal(
		    line_feed(
			&line, berth_bytes(bytes, sizes[i].size + 7), &taken),
		    sizes[i].fits ? LINE_E_READY : LINE_E_LONG);
		assert_int_equal(
		    taken, sizes[i].fits ? sizes[i].size + 1 : LINE_LIMIT + 1);
		assert_true(!sizes[i].fits || line.size == sizes[i].size);
		line_reset(&line);
		assert_int_equal(
		    line_feed(&line,
			berth_bytes(bytes + taken, sizes[i].size + 7 - taken),
			&taken),
		    LINE_E_READY);
		assert_string_equal(line.data, "next");
		line_reset(&line);
	}
	free(bytes);
}

/* While the rest of an overlong line is skipped nothing is held, and the
 * client's end does not make a line of it. */
static void
skipping(void **state)
{
	struct line line = {0};
	char bytes[LINE_LIMIT + 1];
	size_t taken;

	(void)state;
	memset(bytes, 'x', sizeof(bytes));
	assert_int_equal(
	    line_feed(&line, berth_bytes(bytes, sizeof(bytes)), &taken),
	    LINE_E_LONG);
	assert_int_equal(
	    line_feed(&line, berth_bytes(bytes, sizeof(bytes)), &taken), 0);
	assert_null(line.data);
	assert_int_equal(line_end(&line), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(cuts),
	    cmocka_unit_test(lengths),
	    cmocka_unit_test(skipping),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
