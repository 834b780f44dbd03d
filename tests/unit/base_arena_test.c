/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The arena: zeroed, aligned, and no allocation runs into another.
 */
#include "unit/unit.h"

#include <stdalign.h>
#include <string.h>

#include "base/base.h"

static bool
is_zero(const unsigned char *memory, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (memory[i] != 0)
			return false;
	return true;
}

static void
test_alloc(void **state)
{
	/* Small, at a chunk's end, a chunk whole, larger than any chunk. */
	static const size_t sizes[] = {
	    1, 0, 3, 16, 17, 1000, 2048, 2049, 64, 65536, 100000, 5, 300000, 9};
	enum { ROUNDS = 40 };
	unsigned char *given[ROUNDS * BASE_COUNT(sizes)];
	struct arena *arena = arena_new();
	size_t count = 0;

	(void)state;
	assert_non_null(arena);
	for (int round = 0; round < ROUNDS; round++) {
		for (size_t i = 0; i < BASE_COUNT(sizes); i++) {
			unsigned char *p = arena_alloc(arena, sizes[i]);

			assert_non_null(p);
			assert_int_equal(
			    (uintptr_t)p % alignof(max_align_t), 0);
			assert_true(is_zero(p, sizes[i]));
			memset(p, (int)(count % 251 + 1), sizes[i]);
			given[count++] = p;
		}
	}
	for (size_t n = 0; n < count; n++)
		for (size_t i = 0; i < sizes[n % BASE_COUNT(sizes)]; i++)
			assert_int_equal(given[n][i], n % 251 + 1);
	assert_null(arena_free(arena));
}

static void
test_too_large(void **state)
{
	struct arena *arena = arena_new();

	(void)state;
	assert_null(arena_alloc(arena, SIZE_MAX));
	assert_null(arena_alloc(arena, SIZE_MAX / 2 + 1));
	assert_null(arena_copy(arena, "", SIZE_MAX));
	assert_non_null(arena_alloc(arena, 1));
	arena_free(arena);
}

static void
test_strings(void **state)
{
	struct arena *arena = arena_new();
	char *a = arena_copy(arena, "abcdef", 3);
	char *b = arena_string(arena, "whole");
	char *c = arena_printf(arena, "%s-%05d-%s", a, 42, b);
	char *d = arena_copy(arena, NULL, 0);

	(void)state;
	assert_string_equal(a, "abc");
	assert_string_equal(b, "whole");
	assert_string_equal(c, "abc-00042-whole");
	assert_string_equal(d, "");
	assert_string_equal(arena_printf(arena, "%s", ""), "");
	arena_free(arena);
}

static void
test_free_null(void **state)
{
	(void)state;
	assert_null(arena_free(NULL));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_alloc),
	    cmocka_unit_test(test_too_large),
	    cmocka_unit_test(test_strings),
	    cmocka_unit_test(test_free_null),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
