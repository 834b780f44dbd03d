/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where lines go, and what happens when they cannot.
 */
#include "unit/ledger_bed.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

static const struct ledger_visit visit = {
    .session = 1, .pid = 5, .peer = "127.0.0.1:9"};

#define LINE_BYTES 41u /* of the one below, with its time of 17 or 18 */

static struct ledger *
open_file(struct lines *lines, const char *path, const char *limits)
{
	char type[300];

	snprintf(type, sizeof(type), "FILE %s%s", path, limits);
	lines_set(lines, type, "PID", NULL);
	return lines_ledger(lines);
}

static void
write_line(struct ledger *ledger)
{
	ledger_began(ledger, &visit);
}

static unsigned
said(const struct lines *lines, const char *what)
{
	unsigned count = 0;

	for (const char *at = text_string(&lines->bed->lines);
	     (at = strstr(at, what)) != NULL; at++)
		count++;
	return count;
}

/* --- files -----------------------------------------------------------------*/

static void
test_shared(void **state)
{
	struct lines *lines = *state;
	const char *path = bed_path(lines->bed, "", "log");
	int before = bed_count_descriptors();
	struct ledger *one = open_file(lines, path, "");
	struct ledger *two = open_file(lines, path, "");
	struct stat status;

	assert_int_equal(bed_count_descriptors(), before + 1);
	write_line(one);
	write_line(two);
	assert_int_equal(lines_count(path), 2);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0640);
	ledger_unref(ledger_ref(one));
	ledger_unref(one);
	write_line(two);
	assert_int_equal(lines_count(path), 3);
	ledger_unref(two);
	assert_int_equal(bed_count_descriptors(), before);
}

static void
test_reopen(void **state)
{
	struct lines *lines = *state;
	char path[128], moved[160];
	struct ledger *ledger;

	snprintf(path, sizeof(path), "%s", bed_path(lines->bed, "", "log"));
	snprintf(moved, sizeof(moved), "%s.1", path);
	ledger = open_file(lines, path, "");
	write_line(ledger);
	assert_int_equal(rename(path, moved), 0);
	write_line(ledger);
	assert_int_equal(lines_count(moved), 2);
	ledgers_reopen(lines->ledgers);
	write_line(ledger);
	assert_int_equal(lines_count(moved), 2);
	assert_int_equal(lines_count(path), 1);
	/* What cannot be opened anew goes on. */
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink(moved, path), 0);
	ledgers_reopen(lines->ledgers);
	assert_int_equal(said(lines, "cannot be opened anew"), 1);
	write_line(ledger);
	assert_int_equal(lines_count(moved), 2);
	ledger_unref(ledger);
}

static void
test_refused_files(void **state)
{
	static const struct {
		const char *type;
		const char *text;
	} cases[] = {
	    {"FILE /dev/null/x",
		"log_type of 'echo': cannot open '/dev/null/x': Not a "
		"directory"},
	    {"FILE /proc/self/exe",
		"log_type of 'echo': '/proc/self/exe' is a symbolic link; "
		"name the file itself"},
	    {"FILE /tmp/x 10 5",
		"log_type of 'echo': the hard limit is below the soft one"},
	    {"FILE /tmp/x kk",
		"log_type of 'echo': the soft limit is no number of bytes"},
	    {"FILE /tmp/x 1 9k9",
		"log_type of 'echo': the hard limit is no number of bytes"},
	    {"SYSLOG nowhere", "log_type of 'echo': there is no such facility"},
	    {"SYSLOG daemon what",
		"log_type of 'echo': there is no such level"},
	};
	struct lines *lines = *state;

	for (size_t i = 0; i < BASE_COUNT(cases); i++) {
		struct ledger *ledger = NULL;

		lines_set(lines, cases[i].type, "PID", NULL);
		assert_true(ledger_new(lines->ledgers, "echo", &lines->settings,
				lines->bed->errors, &ledger) < 0);
		assert_null(ledger);
		assert_string_equal(bed_error(lines->bed), cases[i].text);
	}
}

/* Over the soft limit a warning, at the hard one a pause, below it again. */
static void
test_limits(void **state)
{
	struct lines *lines = *state;
	char path[128];
	struct ledger *ledger;

	snprintf(path, sizeof(path), "%s", bed_path(lines->bed, "", "log"));
	ledger = open_file(lines, path, " 100 200");
	lines->settings.log_format = LOG_FORMAT_XINETD;
	for (int i = 0; i < 50; i++)
		write_line(ledger);
	assert_int_equal(said(lines, "is above its soft limit of 100"), 1);
	assert_int_equal(said(lines, "its hard limit is reached"), 1);
	assert_in_range(
	    lines_count(path), 200 / (LINE_BYTES + 5), 200 / (LINE_BYTES - 5));
	assert_int_equal(truncate(path, 0), 0);
	write_line(ledger);
	assert_int_equal(lines_count(path), 1);
	assert_int_equal(said(lines, "takes lines again; 4"), 1);
	ledger_unref(ledger);
}

static void
test_full_disk(void **state)
{
	struct lines *lines = *state;
	struct ledger *ledger = open_file(lines, "/dev/full", "");

	for (int i = 0; i < 20; i++)
		write_line(ledger);
	assert_int_equal(said(lines, "No space left on device"), 1);
	ledger_unref(ledger);
}

/* A line of which the disk took a part does not spoil the next one. */
static void
test_torn(void **state)
{
	struct lines *lines = *state;
	struct rlimit before, limit;
	AUTO_TEXT text = {0};
	char path[128];
	struct ledger *ledger;

	snprintf(path, sizeof(path), "%s", bed_path(lines->bed, "", "log"));
	ledger = open_file(lines, path, "");
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	signal(SIGXFSZ, SIG_IGN);
	limit = (struct rlimit){20, before.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	write_line(ledger);
	write_line(ledger);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	signal(SIGXFSZ, SIG_DFL);
	write_line(ledger);
	write_line(ledger);
	lines_read(path, &text);
	assert_int_equal(lines_count(path), 3);
	assert_string_equal(
	    text_string(&text) + text.size - strlen("START: echo pid=5\n"),
	    "START: echo pid=5\n");
	assert_int_equal(said(lines, "No space left"), 1);
	assert_int_equal(said(lines, "takes lines again; 2 were lost"), 1);
	ledger_unref(ledger);
}

/* --- sockets ---------------------------------------------------------------*/

static int
bind_socket(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	void *start = &address;
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, start, sizeof(address)), 0);
	return fd;
}

static void
expect_syslog(int fd, const char *head)
{
	char line[1000], tail[100];
	ssize_t size = recv(fd, line, sizeof(line) - 1, 0);

	assert_true(size > 0);
	line[size] = '\0';
	assert_memory_equal(line, head, strlen(head));
	snprintf(tail, sizeof(tail), " berthd[%d]: START: echo pid=5",
	    (int)getpid());
	assert_true((size_t)size > strlen(tail));
	assert_string_equal(line + size - strlen(tail), tail);
}

static void
test_syslog(void **state)
{
	struct lines *lines = *state;
	char path[128];
	struct ledger *one, *two;
	int fd;

	snprintf(path, sizeof(path), "%s", bed_path(lines->bed, "", "syslog"));
	ledgers_set_sockets(lines->ledgers, path, NULL);
	lines_set(lines, "SYSLOG local3 warning", "PID", NULL);
	one = lines_ledger(lines);
	lines_set(lines, "SYSLOG authpriv", "PID", NULL);
	two = lines_ledger(lines);
	write_line(one);
	write_line(two);
	assert_int_equal(
	    said(lines, "No such file or directory; lines are"), 1);
	fd = bind_socket(path);
	write_line(one);
	write_line(two);
	expect_syslog(fd, "<156>");
	expect_syslog(fd, "<86>");
	assert_int_equal(said(lines, "takes lines again; 2 were lost"), 1);
	/* The daemon is started again, and the others see no difference. */
	fd_close(&fd);
	assert_int_equal(unlink(path), 0);
	fd = bind_socket(path);
	write_line(one);
	expect_syslog(fd, "<156>");
	fd_close(&fd);
	ledger_unref(one);
	ledger_unref(two);
}

static void
test_journal(void **state)
{
	struct lines *lines = *state;
	char path[128], found[2000];
	struct ledger *ledger;
	ssize_t size;
	int fd;

	snprintf(path, sizeof(path), "%s", bed_path(lines->bed, "", "journal"));
	ledgers_set_sockets(lines->ledgers, NULL, path);
	lines_set(lines, "JOURNAL", "PID HOST", NULL);
	ledger = lines_ledger(lines);
	fd = bind_socket(path);
	write_line(ledger);
	size = recv(fd, found, sizeof(found) - 1, 0);
	assert_true(size > 0);
	found[size] = '\0';
	assert_string_equal(found,
	    "PRIORITY=6\nSYSLOG_FACILITY=3\nSYSLOG_IDENTIFIER=berthd\n"
	    "MESSAGE=START: echo pid=5 from=127.0.0.1\n"
	    "BERTH_EVENT=start\nBERTH_SERVICE=echo\nBERTH_SESSION=1\n"
	    "BERTH_PID=5\nBERTH_CLIENT=127.0.0.1\nBERTH_PORT=9\n");
	fd_close(&fd);
	ledger_unref(ledger);
}

/* The host's log takes them at its level. */
static void
test_host(void **state)
{
	struct lines *lines = *state;
	struct ledger *ledger;

	lines_set(lines, "HOST", "PID", NULL);
	ledger = lines_ledger(lines);
	write_line(ledger);
	lines->bed->log.level = 5;
	write_line(ledger);
	assert_string_equal(
	    text_string(&lines->bed->lines), "6 -: START: echo pid=5\n");
	ledger_unref(ledger);
}

#define TEST(function)                                                         \
	cmocka_unit_test_setup_teardown(function, lines_setup, lines_teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    TEST(test_shared),
	    TEST(test_reopen),
	    TEST(test_refused_files),
	    TEST(test_limits),
	    TEST(test_full_disk),
	    TEST(test_torn),
	    TEST(test_syslog),
	    TEST(test_journal),
	    TEST(test_host),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
