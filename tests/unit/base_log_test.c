/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The log: levels, one line a message, nothing that a terminal obeys; and the
 * assertion's last words.
 */
#include "unit/unit.h"

#include <berth/host.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/base.h"

struct sink {
	struct log log;
	struct text seen; /* "level who line\n" … */
};

static void
sink_write(
    struct log *log, int level, const char *who, const char *line, size_t size)
{
	struct sink *sink = log->context;

	assert_int_equal(strlen(line), size);
	text_printf(&sink->seen, "%d %s %s\n", level, who ? who : "-", line);
}

static int
setup(void **state)
{
	struct sink *sink = calloc(1, sizeof(*sink));

	if (sink == NULL)
		return -1;
	sink->log.write = sink_write;
	sink->log.level = BERTH_INFO;
	sink->log.context = sink;
	text_init(&sink->seen);
	*state = sink;
	return 0;
}

static int
teardown(void **state)
{
	struct sink *sink = *state;

	text_fini(&sink->seen);
	free(sink);
	return 0;
}

static void
test_levels(void **state)
{
	struct sink *sink = *state;

	log_printf(&sink->log, BERTH_INFO, NULL, "hello %d", 1);
	log_printf(&sink->log, BERTH_DEBUG, NULL, "not this");
	log_printf(&sink->log, BERTH_ERROR, "Echo", "%s", "broken");
	log_printf(NULL, BERTH_ERROR, NULL, "nowhere");
	assert_string_equal(
	    text_string(&sink->seen), "6 - hello 1\n3 Echo broken\n");
}

static void
test_one_line(void **state)
{
	struct sink *sink = *state;

	log_printf(&sink->log, BERTH_INFO, NULL, "a\nb\x1b[31m \\ \xff");
	log_printf(&sink->log, BERTH_INFO, NULL, "newline at the end\n");
	log_printf(&sink->log, BERTH_INFO, NULL, "%s", "");
	assert_string_equal(text_string(&sink->seen),
	    "6 - a\\nb\\x1b[31m \\\\ \\xff\n"
	    "6 - newline at the end\n"
	    "6 - \n");
}

static void
test_long(void **state)
{
	struct sink *sink = *state;
	char big[5000];

	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	log_printf(&sink->log, BERTH_INFO, NULL, "%s|", big);
	assert_int_equal(sink->seen.size, sizeof(big) - 1 + 6);
}

static void
test_text(void **state)
{
	struct sink *sink = *state;
	const char text[] = "one\n\ttwo \x1b\n\nlast";

	log_text(&sink->log, BERTH_INFO, "S", text, sizeof(text) - 1);
	log_text(&sink->log, BERTH_DEBUG, "S", text, sizeof(text) - 1);
	log_text(&sink->log, BERTH_INFO, "S", "", 0);
	assert_string_equal(text_string(&sink->seen),
	    "6 S one\n6 S \ttwo \\x1b\n6 S \n6 S last\n");
}

static void
test_level_names(void **state)
{
	static const struct {
		const char *name;
		int level;
	} cases[] = {
	    {"error", 3},
	    {"err", 3},
	    {"Warning", 4},
	    {"warn", 4},
	    {"notice", 5},
	    {"info", 6},
	    {"debug", 7},
	    {"0", 0},
	    {"7", 7},
	    {"8", -EINVAL},
	    {"", -EINVAL},
	    {"77", -EINVAL},
	    {"loud", -EINVAL},
	};

	(void)state;
	for (size_t i = 0; i < BASE_COUNT(cases); i++)
		assert_int_equal(
		    log_level_parse(cases[i].name), cases[i].level);
	for (int level = 0; level <= 7; level++)
		assert_int_equal(log_level_parse(log_level_name(level)), level);
}

static void
test_assert(void **state)
{
	AUTO_TEXT words;
	int fds[2], status;
	pid_t pid;

	(void)state;
	text_init(&words);
	assert_int_equal(pipe(fds), 0);
	pid = fork();
	if (pid == 0) {
		signal(SIGABRT, SIG_DFL);
		dup2(fds[1], STDERR_FILENO);
		BASE_ASSERT(1 + 1 == 3);
		_exit(0);
	}
	fd_close(&fds[1]);
	assert_int_equal(fd_read_all(fds[0], 1000, &words), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	fd_close(&fds[0]);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
	assert_non_null(strstr(text_string(&words), "base_log_test.c:"));
	assert_non_null(
	    strstr(text_string(&words), ": assertion failed: 1 + 1 == 3\n"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_levels, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_one_line, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_long, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_text, setup, teardown),
	    cmocka_unit_test(test_level_names),
	    cmocka_unit_test(test_assert),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
