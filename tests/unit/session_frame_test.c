/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Frames: every codec at every split of what comes, several in one piece, the
 * limits, and what is left at the end.
 */
#include <berth/berth.h>
#include <stdlib.h>

#include "base/base.h"
#include "unit/unit.h"

#define LINES(limit)                                                           \
	{                                                                      \
		.kind = BERTH_FRAME_LINE, .size = (limit)                      \
	}
#define DELIMITED(limit, text)                                                 \
	{                                                                      \
		.kind = BERTH_FRAME_DELIMITER, .size = (limit), .delimiter = { \
			(text),                                                \
			sizeof(text) - 1                                       \
		}                                                              \
	}
/* As SMPP has it. */
#define PDUS                                                                   \
	{                                                                      \
		.kind = BERTH_FRAME_LENGTH, .flags = BERTH_FRAME_WHOLE,        \
		.size = 64, .header = 16, .length_size = 4                     \
	}
#define IN(text)                                                               \
	{                                                                      \
		(text), sizeof(text) - 1                                       \
	}

struct frame_case {
	struct berth_frame_codec codec;
	struct berth_bytes in;
	struct berth_bytes frames; /* "[...]" each; the last one of the end */
	int end;		   /* berth_frame_last(), or the error before */
};

static const struct frame_case cases[] = {
    {LINES(8), IN("a\nbc\r\n\n\r\nd"), IN("[a][bc][][][d]"), 1},
    {LINES(8), IN("12345678\n12345678\r\n"), IN("[12345678][12345678]"), 0},
    {LINES(8), IN("a\rb\n\rc\n"), IN("[a\rb][\rc]"), 0},
    {LINES(8), IN("ok\n123456789\nx"), IN("[ok]"), -EMSGSIZE},
    {LINES(8), IN("1234567890"), IN(""), -EMSGSIZE},
    {LINES(8), IN("123456789"), IN(""), -EMSGSIZE},
    {LINES(8), IN("12345678"), IN("[12345678]"), 8},
    {DELIMITED(4, "\r\n.\r\n"), IN("ab\r\n.\r\n\r\n\r\n.\r\ncd"),
	IN("[ab][\r\n][cd]"), 2},
    {DELIMITED(4, "ab"), IN("aab1abab"), IN("[a][1][]"), 0},
    {DELIMITED(4, "ab"), IN("12345ab"), IN(""), -EMSGSIZE},
    {DELIMITED(4, "ab"), IN("1234ab"), IN("[1234]"), 0},
    {DELIMITED(4, ""), IN("x"), IN(""), -EINVAL},
    {{.kind = BERTH_FRAME_FIXED, .size = 3}, IN("abcde\0"), IN("[abc][de\0]"),
	0},
    {{.kind = BERTH_FRAME_FIXED, .flags = BERTH_FRAME_PADDED, .size = 3},
	IN("abcd\0\0\0\0\0"), IN("[abc][d][]"), 0},
    {{.kind = BERTH_FRAME_FIXED, .size = 3}, IN("abcd"), IN("[abc]"), -EBADMSG},
    {{.kind = BERTH_FRAME_FIXED}, IN("abcd"), IN(""), -EINVAL},
    {{.kind = BERTH_FRAME_LENGTH, .size = 8, .header = 1, .length_size = 1},
	IN("\2ab\0\1c"), IN("[\2ab][\0][\1c]"), 0},
    {{.kind = BERTH_FRAME_LENGTH, .size = 8, .header = 1, .length_size = 1},
	IN("\7abcdefg\10"), IN("[\7abcdefg]"), -EMSGSIZE},
    {{.kind = BERTH_FRAME_LENGTH,
	 .flags = BERTH_FRAME_LITTLE,
	 .size = 8,
	 .header = 3,
	 .length_at = 1,
	 .length_size = 2},
	IN("x\1\0y"), IN("[x\1\0y]"), 0},
    {{.kind = BERTH_FRAME_LENGTH,
	 .size = 8,
	 .header = 3,
	 .length_at = 1,
	 .length_size = 2},
	IN("x\0\1yx\0"), IN("[x\0\1y]"), -EBADMSG},
    {{.kind = BERTH_FRAME_LENGTH, .size = 8, .header = 3, .length_size = 4},
	IN("abcd"), IN(""), -EINVAL},
    {{.kind = BERTH_FRAME_LENGTH, .size = 8, .header = 9, .length_size = 9},
	IN("abcd"), IN(""), -EINVAL},
    {PDUS, IN("\0\0\0\20abcdefghijkl\0\0\0\21ABCDEFGHIJKLx"),
	IN("[\0\0\0\20abcdefghijkl][\0\0\0\21ABCDEFGHIJKLx]"), 0},
    {PDUS, IN("\0\0\0\0abcdefghijkl"), IN(""), -EBADMSG},
    {PDUS, IN("\0\0\0\17abcdefghijkl"), IN(""), -EBADMSG},
    {PDUS, IN("\0\0\0\101abcdefghijkl"), IN(""), -EMSGSIZE},
    {PDUS, IN("\377\377\377\377abcdefghijkl"), IN(""), -EMSGSIZE},
    {{.kind = BERTH_FRAME_LENGTH, .size = 20, .header = 8, .length_size = 8},
	IN("\377\377\377\377\377\377\377\377"), IN(""), -EMSGSIZE},
    {{.kind = (enum berth_frame_kind)9, .size = 20}, IN("x"), IN(""), -EINVAL},
};

struct output {
	char text[256];
	size_t size;
};

static void
add(struct output *output, struct berth_bytes frame)
{
	assert_true(output->size + frame.size + 2 <= sizeof(output->text));
	output->text[output->size++] = '[';
	memcpy(output->text + output->size, frame.data, frame.size);
	output->size += frame.size;
	output->text[output->size++] = ']';
}

/* What an input hook does: takes what is whole, and leaves the rest. */
static int
take_whole(
    const struct frame_case *c, struct berth_bytes *in, struct output *output)
{
	struct berth_bytes frame;
	int used;

	while ((used = berth_frame_next(&c->codec, *in, &frame)) > 0) {
		assert_true((size_t)used <= in->size);
		add(output, frame);
		*in = berth_bytes_from(*in, (size_t)used);
	}
	return used;
}

/* A copy that ends where the bytes end, so that a sanitizer sees beyond. */
static int
take_copy(const struct frame_case *c, size_t *taken, size_t until,
    struct output *output)
{
	size_t size = until - *taken;
	char *copy = malloc(size + 1);
	struct berth_bytes in = {copy + 1, size};
	int result;

	assert_non_null(copy);
	memcpy(copy + 1, (const char *)c->in.data + *taken, size);
	result = take_whole(c, &in, output);
	*taken = until - in.size;
	free(copy);
	return result;
}

/* After all has come. */
static void
check_end(
    const struct frame_case *c, size_t taken, int result, struct output *output)
{
	struct berth_bytes frame;

	if (result == 0) {
		result = berth_frame_last(
		    &c->codec, berth_bytes_from(c->in, taken), &frame);
		if (result > 0)
			add(output, frame);
	}
	assert_int_equal(result, c->end);
	assert_int_equal(output->size, c->frames.size);
	assert_memory_equal(output->text, c->frames.data, output->size);
}

static void
check_split(const struct frame_case *c, size_t first, size_t second)
{
	size_t stops[] = {first, second, c->in.size}, taken = 0;
	struct output output = {.size = 0};
	int result = 0;
	unsigned i;

	for (i = 0; i < BASE_COUNT(stops) && result == 0; i++)
		result = take_copy(c, &taken, stops[i], &output);
	check_end(c, taken, result, &output);
}

/* Each case at every pair of splits, one after each byte among them. */
static void
test_every_split(void **state)
{
	size_t i, first, second;

	(void)state;
	for (i = 0; i < BASE_COUNT(cases); i++)
		for (first = 0; first <= cases[i].in.size; first++)
			for (second = first; second <= cases[i].in.size;
			     second++)
				check_split(&cases[i], first, second);
}

static void
test_byte_by_byte(void **state)
{
	const struct frame_case *c;
	struct output output;
	size_t i, at, taken;
	int result;

	(void)state;
	for (i = 0; i < BASE_COUNT(cases); i++) {
		c = &cases[i];
		output.size = 0;
		taken = 0;
		result = 0;
		for (at = 1; at <= c->in.size && result == 0; at++)
			result = take_copy(c, &taken, at, &output);
		check_end(c, taken, result, &output);
	}
}

/* Whatever is put in between delimiters comes out, in whatever pieces. */
static void
test_random_lines(void **state)
{
	static const struct berth_frame_codec codec = LINES(32);
	struct frame_case c = {.codec = codec};
	struct output in, want, got;
	unsigned round, seed = 1;
	size_t taken, until;

	(void)state;
	for (round = 0; round < 20000; round++) {
		in.size = want.size = got.size = 0;
		while (in.size < 60) {
			char line[8];
			size_t size = (size_t)rand_r(&seed) % sizeof(line), i;

			for (i = 0; i < size; i++)
				line[i] = "ab\r"[rand_r(&seed) % 3];
			memcpy(in.text + in.size, line, size);
			in.size += size;
			if (rand_r(&seed) % 2 == 0)
				in.text[in.size++] = '\r';
			in.text[in.size++] = '\n';
			i = in.size - 1;
			while (i > 0 && in.text[i - 1] != '\n')
				i--;
			size = in.size - 1 - i;
			if (size > 0 && in.text[i + size - 1] == '\r')
				size--;
			add(&want, berth_bytes(in.text + i, size));
		}
		c.in = berth_bytes(in.text, in.size);
		taken = 0;
		for (until = 0; until < in.size;) {
			until += 1 + (size_t)rand_r(&seed) % 9;
			if (until > in.size)
				until = in.size;
			assert_int_equal(take_copy(&c, &taken, until, &got), 0);
		}
		assert_int_equal(taken, in.size);
		assert_int_equal(got.size, want.size);
		assert_memory_equal(got.text, want.text, got.size);
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_every_split),
	    cmocka_unit_test(test_byte_by_byte),
	    cmocka_unit_test(test_random_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
