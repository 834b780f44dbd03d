/* SPDX-License-Identifier: BSD-2-Clause */
/* The pid file: content, mode, lock, takeover, removal, what is refused. */
#include "unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "main/main.h"

#define FILE_NAME "berthd.pid"

static int
enter_folder(void **state)
{
	char name[] = "/tmp/main_pid_XXXXXX";

	if (mkdtemp(name) == NULL || chdir(name) != 0)
		return -1;
	*state = strdup(name);
	return *state == NULL ? -1 : 0;
}

static int
leave_folder(void **state)
{
	int result;

	unlink(FILE_NAME);
	unlink("target");
	rmdir("folder");
	result = chdir("/") == 0 && rmdir(*state) == 0 ? 0 : -1;
	free(*state);
	return result;
}

static void
write_file(const char *text)
{
	FILE *file = fopen(FILE_NAME, "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void
check_content(const char *expected)
{
	AUTO_FD fd = open(FILE_NAME, O_RDONLY | O_CLOEXEC);
	AUTO_TEXT text;

	text_init(&text);
	assert_int_equal(fd_read_all(fd, 1000, &text), 0);
	assert_string_equal(text_string(&text), expected);
}

static void
test_life(void **state)
{
	struct pid_file pid_file = {.fd = -1};
	char expected[32];
	struct stat status;
	mode_t mask;
	pid_t holder = -1;

	(void)state;
	/* The caller's umask does not hide the file. */
	mask = umask(077);
	assert_int_equal(pid_file_open(&pid_file, FILE_NAME, &holder), 0);
	umask(mask);
	assert_int_equal(holder, -1);
	assert_int_equal(stat(FILE_NAME, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0644);
	assert_true((fcntl(pid_file.fd, F_GETFD) & FD_CLOEXEC) != 0);
	snprintf(expected, sizeof(expected), "%ld\n", (long)getpid());
	check_content(expected);
	pid_file_close(&pid_file);
	assert_int_equal(pid_file.fd, -1);
	assert_int_equal(access(FILE_NAME, F_OK), -1);
	pid_file_close(&pid_file); /* twice is once */
}

/* What a killed host leaves is longer than ours, and names a live process. */
static void
test_takeover(void **state)
{
	struct pid_file pid_file = {.fd = -1};
	char expected[32];
	pid_t holder;

	(void)state;
	write_file("1\nand a longer text than a process id\n");
	assert_int_equal(pid_file_open(&pid_file, FILE_NAME, &holder), 0);
	snprintf(expected, sizeof(expected), "%ld\n", (long)getpid());
	check_content(expected);
	pid_file_close(&pid_file);
}

static void
test_held(void **state)
{
	static const struct {
		const char *content;
		pid_t holder;
	} cases[] = {
	    {"4711\n", 4711},
	    {"", 0},
	    {"nonsense\n", 0},
	    {"-5\n", 0},
	};
	struct pid_file pid_file = {.fd = -1};

	(void)state;
	for (size_t i = 0; i < BASE_COUNT(cases); i++) {
		pid_t holder = -1;

		write_file(cases[i].content);

		AUTO_FD other = open(FILE_NAME, O_RDONLY | O_CLOEXEC);

		assert_int_equal(flock(other, LOCK_EX), 0);
		assert_int_equal(pid_file_open(&pid_file, FILE_NAME, &holder),
		    PID_FILE_E_HELD);
		assert_int_equal(holder, cases[i].holder);
		assert_int_equal(pid_file.fd, -1);
		/* The other one's file is as it was. */
		check_content(cases[i].content);
	}
}

/* A file that somebody replaced meanwhile is not ours to remove. */
static void
test_not_ours(void **state)
{
	struct pid_file pid_file = {.fd = -1};
	pid_t holder;

	(void)state;
	assert_int_equal(pid_file_open(&pid_file, FILE_NAME, &holder), 0);
	assert_int_equal(unlink(FILE_NAME), 0);
	write_file("1\n");
	pid_file_close(&pid_file);
	check_content("1\n");

	assert_int_equal(pid_file_open(&pid_file, FILE_NAME, &holder), 0);
	assert_int_equal(unlink(FILE_NAME), 0);
	pid_file_close(&pid_file);
}

static void
test_refused(void **state)
{
	struct pid_file pid_file = {.fd = -1};
	pid_t holder;

	(void)state;
	assert_int_equal(
	    pid_file_open(&pid_file, "nowhere/pid", &holder), -ENOENT);
	assert_int_equal(
	    pid_file_open(&pid_file, "/dev/null", &holder), -EINVAL);
	assert_int_equal(mkdir("folder", 0700), 0);
	assert_int_equal(pid_file_open(&pid_file, "folder", &holder), -EISDIR);
	assert_int_equal(symlink("target", FILE_NAME), 0);
	assert_int_equal(pid_file_open(&pid_file, FILE_NAME, &holder), -ELOOP);
	assert_int_equal(access("target", F_OK), -1);
	assert_int_equal(unlink(FILE_NAME), 0);
	assert_int_equal(mkfifo(FILE_NAME, 0600), 0);
	assert_int_equal(pid_file_open(&pid_file, FILE_NAME, &holder), -EINVAL);
	assert_int_equal(access(FILE_NAME, F_OK), 0);
	assert_int_equal(pid_file.fd, -1);
}

/* Takes the file as often as it can until the pipe ends. */
static _Noreturn void
contend(int go_on)
{
	struct pid_file pid_file = {.fd = -1};
	char byte;
	pid_t holder;
	int result;

	while (read(go_on, &byte, 1) < 0) {
		result = pid_file_open(&pid_file, FILE_NAME, &holder);
		if (result != 0 && result != PID_FILE_E_HELD)
			_exit(1);
		pid_file_close(&pid_file);
	}
	_exit(0);
}

/* Who has taken the file sees itself in it, however many come and go. */
static void
test_contention(void **state)
{
	struct pid_file pid_file = {.fd = -1};
	int ends[2], status, taken = 0;
	char expected[32];
	pid_t children[2], holder;

	(void)state;
	snprintf(expected, sizeof(expected), "%ld\n", (long)getpid());
	assert_int_equal(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
	for (size_t i = 0; i < BASE_COUNT(children); i++) {
		children[i] = fork();
		if (children[i] == 0) {
			close(ends[1]);
			contend(ends[0]);
		}
		assert_true(children[i] > 0);
	}
	while (taken < 200) {
		if (pid_file_open(&pid_file, FILE_NAME, &holder) != 0)
			continue;
		check_content(expected);
		pid_file_close(&pid_file);
		taken++;
	}
	close(ends[0]);
	close(ends[1]);
	for (size_t i = 0; i < BASE_COUNT(children); i++) {
		assert_int_equal(waitpid(children[i], &status, 0), children[i]);
		assert_int_equal(status, 0);
	}
}

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, enter_folder, leave_folder)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_life),
	    TEST(test_takeover),
	    TEST(test_held),
	    TEST(test_not_ours),
	    TEST(test_refused),
	    TEST(test_contention),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
