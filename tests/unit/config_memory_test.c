/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory: each allocation of a reading fails once, and then the reading says
 * so and leaves nothing behind; and what a large file takes grows with it.
 *
 * The linker puts these in the place of malloc(3) and its kin.
 */
#include "unit/config_fixture.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__real_reallocarray(void *old, size_t count, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
void *__wrap_reallocarray(void *old, size_t count, size_t size);

static long countdown = -1; /* allocations until one fails; -1: none does */
static size_t requested;    /* bytes */

static bool
fails(size_t size)
{
	requested += size;
	if (countdown < 0)
		return false;
	return countdown-- == 0;
}

void *
__wrap_malloc(size_t size)
{
	return fails(size) ? NULL : __real_malloc(size);
}

void *
__wrap_calloc(size_t count, size_t size)
{
	return fails(count * size) ? NULL : __real_calloc(count, size);
}

void *
__wrap_realloc(void *old, size_t size)
{
	return fails(size) ? NULL : __real_realloc(old, size);
}

void *
__wrap_reallocarray(void *old, size_t count, size_t size)
{
	return fails(count * size) ? NULL
				   : __real_reallocarray(old, count, size);
}

static int
read_file(const char *name, struct errors *errors, struct tree **ret_tree)
{
	const struct config_input input = {
	    CONFIG_FILE, name, NULL, CONFIG_SVC, NULL};

	return config_read(&input, 1, NULL, errors, ret_tree);
}

/* 0: it went through with that many allocations. */
static int
read_failing(const char *name, long allocations)
{
	struct errors *errors = errors_new(0);
	struct tree *tree = NULL;
	AUTO_TEXT text = {0};
	int result;

	assert_non_null(errors);
	countdown = allocations;
	result = read_file(name, errors, &tree);
	if (result == 0)
		result = tree_print(tree, &text);
	if (countdown >= 0)
		allocations = -1; /* none has failed */
	countdown = -1;
	assert_true(result == 0 || result == -ENOMEM);
	/* A message that was lost counts nevertheless. */
	if (result == 0 && allocations >= 0)
		assert_true(errors_count(errors) > 0);
	tree_free(tree);
	errors_free(errors);
	return allocations >= 0 ? 1 : 0;
}

static void
test_failures(void **state)
{
	static const char *const folders[] = {"config", "config-bad"};

	(void)state;
	for (size_t i = 0; i < BASE_COUNT(folders); i++) {
		struct corpus corpus;

		corpus_enter(folders[i]);
		corpus_list(".conf", &corpus);
		for (size_t j = 0; corpus.name[j][0] != '\0'; j++) {
			long n = 0;

			while (read_failing(corpus.name[j], n) > 0)
				n++;
			assert_true(n > 0);
		}
		corpus_leave();
	}
}

static void
declare(struct text *text, unsigned count)
{
	text_printf(text, "host { reload = exact } defaults { drain = 5s }\n");
	for (unsigned i = 0; i < count; i++)
		text_printf(text,
		    "dynamic svc%u Service_Object * :echo() \"-x %u 'a b'\" "
		    "{ listen = tcp:127.0.0.1:%u }\n",
		    i, i, 1024 + i);
}

/* Bytes asked for in reading so many services. */
static size_t
cost(unsigned count)
{
	const struct config_options *options = NULL;
	struct config_input input = {
	    CONFIG_STRING, NULL, NULL, CONFIG_SVC, NULL};
	struct errors *errors = errors_new(20);
	struct tree *tree;
	AUTO_TEXT text = {0};
	size_t before;

	declare(&text, count);
	input.text = text_string(&text);
	before = requested;
	assert_int_equal(config_read(&input, 1, options, errors, &tree), 0);
	assert_int_equal(errors_count(errors), 0);
	before = requested - before;
	tree_free(tree);
	errors_free(errors);
	return before;
}

static void
test_growth(void **state)
{
	size_t one = cost(10000), two = cost(20000);

	(void)state;
	assert_true(one < 10000 * 2048);
	assert_true(two < 2 * one + one / 4);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_failures),
	    cmocka_unit_test(test_growth),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
