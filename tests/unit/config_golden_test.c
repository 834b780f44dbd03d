/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whole files: tests/config/NN-name.conf prints as NN-name.ok, without a
 * message, and that print reads back as an equal tree;
 * tests/config-bad/NN-name.conf tells exactly what NN-name.err says, and
 * what is left of it reads back as well.
 *
 * With CONFIG_UPDATE in the environment the expectations are written anew;
 * read the difference before you keep it.
 */
#include "unit/config_fixture.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BAD_AT_LEAST 40

static void
update(const char *folder, const char *name, const char *ending,
    const struct text *found)
{
	AUTO_FD fd = -1;
	char path[600];

	snprintf(path, sizeof(path), "%s/%s/%.*s%s", TESTS_FOLDER, folder,
	    (int)(strrchr(name, '.') - name), name, ending);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(
	    write(fd, text_string(found), found->size), (ssize_t)found->size);
}

static void
expect(const char *folder, const char *name, const char *ending,
    const struct text *found)
{
	AUTO_TEXT expected = {0};

	if (getenv("CONFIG_UPDATE") != NULL)
		return update(folder, name, ending, found);
	corpus_read(name, ending, &expected);
	if (strcmp(text_string(found), text_string(&expected)) != 0)
		fprintf(stderr, "%s/%s:\n%s", folder, name, text_string(found));
	assert_string_equal(text_string(found), text_string(&expected));
}

static void
test_good(void **state)
{
	struct corpus corpus;

	(void)state;
	corpus_enter("config");
	corpus_list(".conf", &corpus);
	for (size_t i = 0; corpus.name[i][0] != '\0'; i++) {
		const struct config_input input = {
		    CONFIG_FILE, corpus.name[i], NULL, CONFIG_AUTO, NULL};
		struct reading reading;

		reading_init(&reading, &input, 1);
		assert_string_equal(text_string(&reading.messages), "");
		expect("config", corpus.name[i], ".ok", &reading.print);
		reading_check_round_trip(&reading);
		reading_fini(&reading);
	}
	corpus_leave();
}

/* With the limit that the host has. */
static void
read_bad(const char *name, struct text *messages)
{
	const struct config_input input = {
	    CONFIG_FILE, name, NULL, CONFIG_SVC, NULL};
	struct errors *errors = errors_new(20);
	struct tree *tree;

	assert_non_null(errors);
	assert_int_equal(config_read(&input, 1, NULL, errors, &tree), 0);
	assert_true(errors_count(errors) > 0);
	errors_print(errors, messages);
	tree_free(tree);
	errors_free(errors);
}

static void
test_bad(void **state)
{
	struct corpus corpus;
	size_t i;

	(void)state;
	corpus_enter("config-bad");
	corpus_list(".conf", &corpus);
	for (i = 0; corpus.name[i][0] != '\0'; i++) {
		const struct config_input input = {
		    CONFIG_FILE, corpus.name[i], NULL, CONFIG_SVC, NULL};
		AUTO_TEXT messages = {0};
		struct reading reading;

		read_bad(corpus.name[i], &messages);
		expect("config-bad", corpus.name[i], ".err", &messages);
		reading_init(&reading, &input, 1);
		reading_check_round_trip(&reading);
		reading_fini(&reading);
	}
	assert_true(i >= BAD_AT_LEAST);
	corpus_leave();
}

/* --- what we tell people to write ------------------------------------------
 */

static void
read_source(const char *path, struct text *text)
{
	AUTO_FD fd = -1;
	char whole[600];

	snprintf(whole, sizeof(whole), "%s/../%s", TESTS_FOLDER, path);
	fd = open(whole, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(fd_read_all(fd, 1u << 20, text), 0);
}

static void
expect_good(const char *text)
{
	struct reading reading;

	reading_init_string(&reading, text);
	assert_string_equal(text_string(&reading.messages), "");
	assert_false(TAILQ_EMPTY(&reading.tree->directives));
	reading_check_round_trip(&reading);
	reading_fini(&reading);
}

static void
test_samples(void **state)
{
	static const char *const samples[] = {
	    "etc/svc.conf", "etc/quickstart.conf"};

	(void)state;
	for (size_t i = 0; i < BASE_COUNT(samples); i++) {
		AUTO_TEXT text = {0};

		read_source(samples[i], &text);
		expect_good(text_string(&text));
	}
}

/* The displays of the manual's examples, without mdoc's escapes. */
static void
test_examples(void **state)
{
	static const char begin[] = "\n.Bd -literal\n", end[] = "\n.Ed\n";
	AUTO_TEXT page = {0};
	const char *at, *last;
	unsigned count = 0;

	(void)state;
	read_source("man/svc.conf.5", &page);
	at = strstr(text_string(&page), "\n.Sh EXAMPLES\n");
	assert_non_null(at);
	last = strstr(at, "\n.Sh DIAGNOSTICS\n");
	assert_non_null(last);
	while ((at = strstr(at, begin)) != NULL && at < last) {
		const char *stop = strstr(at, end);
		AUTO_TEXT text = {0};

		assert_non_null(stop);
		for (at += sizeof(begin) - 1; at < stop; at++) {
			text_add(&text, at, 1);
			if (at[0] == '\\' && at[1] == 'e')
				at++;
		}
		text_add(&text, "\n", 1);
		expect_good(text_string(&text));
		count++;
	}
	assert_true(count >= 5);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_good),
	    cmocka_unit_test(test_bad),
	    cmocka_unit_test(test_samples),
	    cmocka_unit_test(test_examples),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
