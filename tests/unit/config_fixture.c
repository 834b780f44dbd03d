/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config_fixture: see the header.
 */
#include "unit/config_fixture.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef TESTS_FOLDER
#error "TESTS_FOLDER is the folder tests/ of the sources"
#endif

static const char *
environment(void *context, const char *name)
{
	static const char *const values[][2] = {
	    {"FOO", "foo"}, {"EMPTYV", ""}, {"BLANK", "a b"}, {"PORT", "7007"}};

	(void)context;
	for (size_t i = 0; i < BASE_COUNT(values); i++)
		if (strcmp(values[i][0], name) == 0)
			return values[i][1];
	return NULL;
}

static void
collect(struct reading *reading)
{
	for (unsigned i = 0; i < errors_kept(reading->errors); i++) {
		const struct error *error = errors_get(reading->errors, i);

		text_printf(&reading->messages, "%u:%u: %s\n",
		    error->place.line, error->place.column, error->text);
	}
}

static void
init(struct reading *reading, const struct config_input *inputs, unsigned count,
    bool convert)
{
	const struct config_options options = {
	    .environment = environment, .convert = convert};

	memset(reading, 0, sizeof(*reading));
	reading->errors = errors_new(0);
	assert_non_null(reading->errors);
	assert_int_equal(config_read(inputs, count, &options, reading->errors,
			     &reading->tree),
	    0);
	assert_non_null(reading->tree);
	collect(reading);
	assert_int_equal(tree_print(reading->tree, &reading->print), 0);
}

void
reading_init(
    struct reading *reading, const struct config_input *inputs, unsigned count)
{
	init(reading, inputs, count, false);
}

void
reading_init_convert(struct reading *reading, const struct config_input *input)
{
	init(reading, input, 1, true);
}

void
reading_init_string(struct reading *reading, const char *string)
{
	const struct config_input input = {
	    CONFIG_STRING, string, NULL, CONFIG_AUTO, NULL};

	reading_init(reading, &input, 1);
}

void
reading_fini(struct reading *reading)
{
	text_fini(&reading->print);
	text_fini(&reading->messages);
	reading->tree = tree_free(reading->tree);
	reading->errors = errors_free(reading->errors);
}

void
reading_check_round_trip(const struct reading *reading)
{
	const struct config_input input = {CONFIG_STRING,
	    text_string(&reading->print), NULL, CONFIG_AUTO, NULL};
	struct reading again;

	reading_init_convert(&again, &input);
	assert_string_equal(text_string(&again.messages), "");
	assert_string_equal(
	    text_string(&again.print), text_string(&reading->print));
	assert_true(tree_equal(reading->tree, again.tree));
	reading_fini(&again);
}

void
reading_words(const struct reading *reading, struct text *text)
{
	const struct directive *directive = TAILQ_FIRST(
	    &reading->tree->directives);

	text_reset(text);
	if (directive == NULL || directive->argv == NULL)
		return;
	assert_string_equal(directive->argv[0], directive->name);
	assert_null(directive->argv[directive->argc]);
	for (int i = 1; i < directive->argc; i++)
		text_printf(text, "<%s>", directive->argv[i]);
}

/* --- the corpus ------------------------------------------------------------
 */

static char corpus_folder[64];
static int corpus_back = -1;

static void
read_whole(int folder, const char *name, struct text *text)
{
	AUTO_FD fd = openat(folder, name, O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	text_reset(text);
	assert_int_equal(fd_read_all(fd, 1u << 20, text), 0);
}

static void
copy_file(int from, int to, const char *name)
{
	AUTO_TEXT text = {0};
	AUTO_FD fd = openat(
	    to, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	read_whole(from, name, &text);
	assert_int_equal(fchmod(fd, 0644), 0);
	assert_int_equal(
	    write(fd, text_string(&text), text.size), (ssize_t)text.size);
}

static void
copy_folder(int from, int to)
{
	DIR *dir = fdopendir(dup(from));
	const struct dirent *entry;

	assert_non_null(dir);
	while ((entry = readdir(dir)) != NULL) {
		const char *name = entry->d_name;
		struct stat status;

		if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
			continue;
		assert_int_equal(fstatat(from, name, &status, 0), 0);
		if (S_ISDIR(status.st_mode)) {
			AUTO_FD one = openat(from, name, O_RDONLY | O_CLOEXEC);
			AUTO_FD two = -1;

			assert_int_equal(mkdirat(to, name, 0755), 0);
			two = openat(to, name, O_RDONLY | O_CLOEXEC);
			copy_folder(one, two);
		} else {
			copy_file(from, to, name);
		}
	}
	closedir(dir);
}

void
corpus_enter(const char *folder)
{
	char path[512];
	AUTO_FD from = -1;
	AUTO_FD to = -1;

	snprintf(path, sizeof(path), "%s/%s", TESTS_FOLDER, folder);
	from = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(from >= 0);
	snprintf(
	    corpus_folder, sizeof(corpus_folder), "%s", "berth-config-XXXXXX");
	assert_non_null(mkdtemp(corpus_folder));
	to = open(corpus_folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(to >= 0);
	copy_folder(from, to);
	corpus_back = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(corpus_back >= 0);
	assert_int_equal(fchdir(to), 0);
}

static void
remove_folder(int at, const char *name)
{
	int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fdopendir(fd);
	const struct dirent *entry;

	assert_non_null(dir);
	while ((entry = readdir(dir)) != NULL) {
		if (strcmp(entry->d_name, ".") == 0 ||
		    strcmp(entry->d_name, "..") == 0)
			continue;
		if (unlinkat(fd, entry->d_name, 0) < 0)
			remove_folder(fd, entry->d_name);
	}
	closedir(dir);
	assert_int_equal(unlinkat(at, name, AT_REMOVEDIR), 0);
}

void
corpus_leave(void)
{
	assert_int_equal(fchdir(corpus_back), 0);
	fd_close(&corpus_back);
	remove_folder(AT_FDCWD, corpus_folder);
}

static int
compare(const void *a, const void *b)
{
	return strcmp(a, b);
}

void
corpus_list(const char *ending, struct corpus *corpus)
{
	DIR *dir = opendir(".");
	const struct dirent *entry;
	size_t count = 0;

	assert_non_null(dir);
	memset(corpus, 0, sizeof(*corpus));
	while ((entry = readdir(dir)) != NULL) {
		const char *dot = strrchr(entry->d_name, '.');

		if (dot == NULL || strcmp(dot, ending) != 0 || dot[1] == '\0')
			continue;
		assert_true(count + 1 < CORPUS_NAMES);
		assert_true(strlen(entry->d_name) < sizeof(corpus->name[0]));
		strcpy(corpus->name[count++], entry->d_name);
	}
	closedir(dir);
	qsort(corpus->name, count, sizeof(corpus->name[0]), compare);
}

void
corpus_read(const char *name, const char *ending, struct text *text)
{
	const char *dot = strrchr(name, '.');
	char path[128];

	assert_non_null(dot);
	snprintf(path, sizeof(path), "%.*s%s", (int)(dot - name), name, ending);
	read_whole(AT_FDCWD, path, text);
}
