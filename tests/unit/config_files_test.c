/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files: which are read, which are refused and with what words, and that
 * includes come to an end.
 */
#include "unit/config_fixture.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void
write_file(const char *name, const char *data, mode_t mode)
{
	AUTO_FD fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, strlen(data)), (ssize_t)strlen(data));
	assert_int_equal(fchmod(fd, mode), 0);
}

static void
expect(const char *path, const char *messages, const char *print)
{
	const struct config_input input = {
	    CONFIG_FILE, path, NULL, CONFIG_SVC, NULL};
	struct reading reading;
	AUTO_TEXT text = {0};

	reading_init(&reading, &input, 1);
	errors_print(reading.errors, &text);
	assert_string_equal(text_string(&text), messages);
	assert_string_equal(text_string(&reading.print), print);
	reading_fini(&reading);
}

static int
enter(void **state)
{
	(void)state;
	corpus_enter("config/services.d");
	return 0;
}

static int
leave(void **state)
{
	(void)state;
	corpus_leave();
	return 0;
}

static void
test_missing(void **state)
{
	(void)state;
	expect("no-such",
	    "no-such: error: cannot read it: No such file or directory\n", "");
	expect(".", ".: error: cannot read it: it is a directory\n", "");
}

static void
test_writable(void **state)
{
	(void)state;
	write_file("open", "static a\n", 0666);
	expect("open",
	    "open: error: cannot read it: everybody may write to it "
	    "(chmod o-w)\n",
	    "");
	/* A group is trusted: it is who administers together. */
	write_file("shared", "static a\n", 0664);
	expect("shared", "", "static a\n");
	write_file("includes", "include \"open\"\n", 0644);
	expect("includes",
	    "includes:1:9: error: cannot read 'open': everybody may write to "
	    "it (chmod o-w)\n"
	    "    1 | include \"open\"\n"
	    "      |         ^~~~~~\n",
	    "");
}

/* Only root can give a file away; others find one that is not theirs. */
static void
test_owner(void **state)
{
	(void)state;
	write_file("foreign", "static a\n", 0644);
	if (geteuid() != 0) {
		expect("/dev/null", "", "");
		return;
	}
	assert_int_equal(chown("foreign", 54321, (gid_t)-1), 0);
	expect("foreign",
	    "foreign: error: cannot read it: its owner is neither root nor "
	    "the user of this process\n",
	    "");
}

static void
test_devices(void **state)
{
	char path[64];
	int ends[2];

	(void)state;
	expect("/dev/null", "", "");
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	assert_int_equal(write(ends[1], "static a\n", 9), 9);
	close(ends[1]);
	snprintf(path, sizeof(path), "/dev/fd/%d", ends[0]);
	expect(path, "", "static a\n");
	close(ends[0]);
	/* In a file, a name that may wait for ever is a mistake. */
	assert_int_equal(mkfifo("fifo", 0600), 0);
	write_file("includes", "include \"fifo\"\n", 0644);
	expect("includes",
	    "includes:1:9: error: cannot read 'fifo': it is not a regular "
	    "file\n"
	    "    1 | include \"fifo\"\n"
	    "      |         ^~~~~~\n",
	    "");
}

static void
test_size(void **state)
{
	(void)state;
	write_file("large", "", 0644);
	assert_int_equal(truncate("large", (64 << 20) + 1), 0);
	expect("large",
	    "large: error: cannot read it: it is larger than 64 MiB\n", "");
	assert_int_equal(unlink("large"), 0);
}

static void
test_encoding(void **state)
{
	(void)state;
	write_file("utf16", "\xff\xfes", 0644);
	expect("utf16",
	    "utf16: error: cannot read it: it is UTF-16; UTF-8 is expected\n",
	    "");
}

static void
test_folder(void **state)
{
	(void)state;
	assert_int_equal(mkdir("sub", 0755), 0);
	assert_int_equal(mkdir("sub/folder", 0755), 0);
	write_file("sub/b", "static b", 0644);
	write_file("sub/a", "static a", 0644);
	write_file("sub/B", "static B", 0644);
	write_file("sub/c.conf", "broken", 0644);
	write_file("sub/c~", "broken", 0644);
	write_file("includes", "includedir \"sub/\"", 0644);
	/* By bytes; folders and what editors leave behind are no services. */
	expect("includes", "", "static B\nstatic a\nstatic b\n");
	/* Two that are wrong are both told. */
	write_file("sub/a", "static a", 0646);
	write_file("sub/b", "broken", 0644);
	expect("includes",
	    "includes:1:12: error: cannot read 'sub/a': everybody may write "
	    "to it (chmod o-w)\n"
	    "    1 | includedir \"sub/\"\n"
	    "      |            ^~~~~~\n"
	    "sub/b:1:1: error: unknown directive 'broken'\n"
	    "    1 | broken\n"
	    "      | ^~~~~~\n",
	    "static B\n");
	assert_int_equal(chmod("sub", 0757), 0);
	expect("includes",
	    "includes:1:12: error: cannot read 'sub/': everybody may write to "
	    "it (chmod o-w)\n"
	    "    1 | includedir \"sub/\"\n"
	    "      |            ^~~~~~\n",
	    "");
}

/* A path is relative to the file that has it, not to where we are. */
static void
test_relative(void **state)
{
	char here[512], path[600];

	(void)state;
	assert_int_equal(mkdir("deep", 0755), 0);
	assert_int_equal(mkdir("deep/er", 0755), 0);
	write_file("deep/one", "include \"er/two\"", 0644);
	write_file("deep/er/two", "include \"../three\"", 0644);
	write_file("deep/three", "static three", 0644);
	expect("deep/one", "", "static three\n");
	assert_non_null(getcwd(here, sizeof(here)));
	snprintf(path, sizeof(path), "%s/deep/three", here);
	write_file("three", "broken", 0644);
	expect(path, "", "static three\n");
}

/* The loop has other names each time round. */
static void
test_loop_by_link(void **state)
{
	(void)state;
	assert_int_equal(mkdir("ring", 0755), 0);
	assert_int_equal(symlink(".", "ring/round"), 0);
	write_file("ring/a", "include \"round/a\"", 0644);
	expect("ring/a",
	    "ring/a:1:9: error: include loop: ring/a:1 includes 'ring/a'\n"
	    "    1 | include \"round/a\"\n"
	    "      |         ^~~~~~~~~\n",
	    "");
}

static void
test_depth(void **state)
{
	const struct config_input input = {
	    CONFIG_FILE, "link0", NULL, CONFIG_SVC, NULL};
	struct reading reading;

	(void)state;
	for (int i = 0; i < 40; i++) {
		char name[32], text[64];

		snprintf(name, sizeof(name), "link%d", i);
		snprintf(text, sizeof(text), "include \"link%d\"", i + 1);
		write_file(name, text, 0644);
	}
	reading_init(&reading, &input, 1);
	assert_string_equal(text_string(&reading.messages),
	    "1:9: files include each other more than 32 deep\n");
	reading_fini(&reading);
}

/* Each file includes the next one twice: 2^25 reads, if nobody counts. */
static void
test_doubling(void **state)
{
	const struct config_input input = {
	    CONFIG_FILE, "twice0", NULL, CONFIG_SVC, NULL};
	struct errors *errors = errors_new(20);
	struct tree *tree;
	AUTO_TEXT text = {0};

	(void)state;
	for (int i = 0; i < 25; i++) {
		char name[32], content[96];

		snprintf(name, sizeof(name), "twice%d", i);
		snprintf(content, sizeof(content),
		    "include \"twice%d\" include \"twice%d\"", i + 1, i + 1);
		write_file(name, content, 0644);
	}
	write_file("twice25", "", 0644);
	assert_int_equal(config_read(&input, 1, NULL, errors, &tree), 0);
	errors_print(errors, &text);
	assert_non_null(strstr(
	    text_string(&text), ": more than 100000 files are included"));
	tree_free(tree);
	errors_free(errors);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, enter, leave)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_missing),
	    TEST(test_writable),
	    TEST(test_owner),
	    TEST(test_devices),
	    TEST(test_size),
	    TEST(test_encoding),
	    TEST(test_folder),
	    TEST(test_relative),
	    TEST(test_loop_by_link),
	    TEST(test_depth),
	    TEST(test_doubling),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
