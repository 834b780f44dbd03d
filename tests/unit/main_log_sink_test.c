/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The log: the form of lines on a stream, in the journal and for syslog(3),
 * escaping, long lines, several threads.  syslog(3) is this test's own.
 */
/* syslog() is a function here, and not an inline one. */
#undef _FORTIFY_SOURCE

#include "unit/unit.h"

#include <berth/host.h>
#include <fcntl.h>
#include <pthread.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include "main/main.h"

static struct {
	char text[200];
	int level;
	int facility;
} logged;

void
openlog(const char *ident, int option, int facility)
{
	assert_string_equal(ident, "berthd");
	assert_true((option & LOG_PID) != 0);
	logged.facility = facility;
}

/* What syslog() is in a hardened build. */
void __syslog_chk(int level, int flag, const char *format, ...);

__attribute__((format(printf, 3, 4))) void
__syslog_chk(int level, int flag, const char *format, ...)
{
	va_list ap;

	(void)flag;
	logged.level = level;
	va_start(ap, format);
	vsnprintf(logged.text, sizeof(logged.text), format, ap);
	va_end(ap);
}

void
syslog(int level, const char *format, ...)
{
	va_list ap;

	logged.level = level;
	va_start(ap, format);
	vsnprintf(logged.text, sizeof(logged.text), format, ap);
	va_end(ap);
}

static void
open_sink(struct log_sink *sink)
{
	log_sink_init(sink, BERTH_INFO);
	sink->fd = memfd_create("log", MFD_CLOEXEC);
	assert_true(sink->fd >= 0);
}

/* What was written since the last time. */
static const char *
written(struct log_sink *sink, struct text *text)
{
	text_reset(text);
	assert_int_equal(lseek(sink->fd, 0, SEEK_SET), 0);
	assert_int_equal(fd_read_all(sink->fd, 1 << 20, text), 0);
	assert_int_equal(ftruncate(sink->fd, 0), 0);
	assert_int_equal(lseek(sink->fd, 0, SEEK_SET), 0);
	return text_string(text);
}

static void
assert_matches(const char *text, const char *pattern)
{
	regex_t regex;

	assert_int_equal(regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB), 0);
	if (regexec(&regex, text, 0, NULL, 0) != 0)
		fail_msg("'%s' does not match '%s'", text, pattern);
	regfree(&regex);
}

#define TIME                                                                   \
	"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3}"     \
	"[+-][0-9]{4} "

static void
test_stream(void **state)
{
	struct log_sink sink;
	AUTO_TEXT text;

	(void)state;
	text_init(&text);
	open_sink(&sink);
	log_printf(&sink.log, BERTH_WARNING, "echo", "%d clients", 3);
	assert_matches(written(&sink, &text),
	    "^" TIME "berthd: \\[warning\\] echo: 3 clients\n$");
	log_printf(&sink.log, BERTH_ERROR, NULL, "no place");
	assert_matches(
	    written(&sink, &text), "^" TIME "berthd: \\[error\\] no place\n$");
	log_printf(&sink.log, BERTH_DEBUG, NULL, "too much");
	assert_string_equal(written(&sink, &text), "");
	log_printf(&sink.log, BERTH_INFO, NULL, "%s", "");
	assert_matches(
	    written(&sink, &text), "^" TIME "berthd: \\[info\\] \n$");
	fd_close(&sink.fd);
}

/* A message is one line, whatever is in it; a text may have several. */
static void
test_escape(void **state)
{
	static const struct {
		const char *text, *line;
	} cases[] = {
	    {"tab\tstays", "tab\tstays\n"},
	    {"\x1b[2Jred\r\x7f", "\\x1b[2Jred\\x0d\\x7f\n"},
	    {"gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f\n"},
	    {"one\ntwo", "one\ntwo\n"},
	    {"one\n\ntwo\n", "one\n\ntwo\n"},
	};
	struct log_sink sink;
	AUTO_TEXT text;

	(void)state;
	text_init(&text);
	open_sink(&sink);
	for (size_t i = 0; i < BASE_COUNT(cases); i++) {
		log_sink_text(&sink, BERTH_ERROR, cases[i].text);
		assert_string_equal(written(&sink, &text), cases[i].line);
	}
	log_printf(&sink.log, BERTH_INFO, "x", "one\ntwo\x1b");
	assert_matches(written(&sink, &text),
	    "^" TIME "berthd: \\[info\\] x: one[^\n]*two[^\n\x1b]*\n$");
	fd_close(&sink.fd);
}

static void
test_long(void **state)
{
	char who[1000], long_text[10000];
	struct log_sink sink;
	AUTO_TEXT text;

	(void)state;
	memset(long_text, 'x', sizeof(long_text));
	long_text[sizeof(long_text) - 1] = '\0';
	memset(who, 'w', sizeof(who));
	who[sizeof(who) - 1] = '\0';
	text_init(&text);
	open_sink(&sink);
	for (size_t length = 3900; length < 4200; length++) {
		long_text[length] = '\0';
		log_printf(&sink.log, BERTH_INFO, NULL, "%s", long_text);
		long_text[length] = length % 2 != 0 ? '\x01' : 'x';
		written(&sink, &text);
		assert_true(text.size <= 4096);
		assert_int_equal(text.data[text.size - 1], '\n');
	}
	assert_string_equal(text.data + text.size - 4, "...\n");
	log_printf(&sink.log, BERTH_INFO, who, "%s", "said");
	assert_non_null(strstr(written(&sink, &text), "www: said\n"));
	fd_close(&sink.fd);
}

static void
name_stream(int fd, const char *more)
{
	char value[64];
	struct stat status;

	assert_int_equal(fstat(fd, &status), 0);
	snprintf(value, sizeof(value), "%llu:%llu%s",
	    (unsigned long long)status.st_dev,
	    (unsigned long long)status.st_ino, more);
	setenv("JOURNAL_STREAM", value, 1);
}

static void
test_journal(void **state)
{
	struct log_sink sink;
	AUTO_TEXT text;

	(void)state;
	text_init(&text);
	name_stream(STDERR_FILENO, "");
	open_sink(&sink);
	log_printf(&sink.log, BERTH_WARNING, "echo", "one");
	assert_string_equal(written(&sink, &text), "<4>echo: one\n");
	log_sink_text(&sink, BERTH_ERROR, "f:1:1: error: x\n    1 | y\n");
	assert_string_equal(
	    written(&sink, &text), "<3>f:1:1: error: x\n<3>    1 | y\n");
	fd_close(&sink.fd);
	/* Inherited from a parent whose stream it was. */
	name_stream(STDERR_FILENO, "1");
	open_sink(&sink);
	log_printf(&sink.log, BERTH_WARNING, "echo", "one");
	assert_matches(written(&sink, &text), "^" TIME);
	fd_close(&sink.fd);
	unsetenv("JOURNAL_STREAM");
}

static void
test_text(void **state)
{
	struct log_sink sink;
	AUTO_TEXT text;

	(void)state;
	text_init(&text);
	open_sink(&sink);
	log_sink_text(&sink, BERTH_ERROR, "f:1:1: error: x\n    1 | y\n");
	assert_string_equal(
	    written(&sink, &text), "f:1:1: error: x\n    1 | y\n");
	log_sink_text(&sink, BERTH_ERROR, "");
	assert_string_equal(written(&sink, &text), "");
	fd_close(&sink.fd);
}

static void
test_syslog(void **state)
{
	struct log_sink sink;
	AUTO_TEXT text;

	(void)state;
	text_init(&text);
	open_sink(&sink);
	log_sink_to_syslog(&sink);
	log_printf(&sink.log, BERTH_NOTICE, "echo", "100%% %s", "%n");
	assert_int_equal(logged.facility, LOG_DAEMON);
	assert_int_equal(logged.level, LOG_NOTICE);
	assert_string_equal(logged.text, "echo: 100% %n");
	log_printf(&sink.log, BERTH_ERROR, NULL, "x\x1b");
	assert_int_equal(logged.level, LOG_ERR);
	assert_string_equal(logged.text, "x\\x1b");
	assert_string_equal(written(&sink, &text), "");
	fd_close(&sink.fd);
}

#define LINES 500

static void *
log_many(void *arg)
{
	struct log_sink *sink = arg;

	for (int i = 0; i < LINES; i++)
		log_printf(&sink->log, BERTH_INFO, "thread", "%060d", i);
	return NULL;
}

/* A file that is appended to shows whether lines stay whole. */
static void
test_threads(void **state)
{
	char name[] = "/tmp/main_log_XXXXXX";
	pthread_t threads[4];
	struct log_sink sink;
	unsigned lines = 0;
	AUTO_TEXT text;

	(void)state;
	text_init(&text);
	log_sink_init(&sink, BERTH_INFO);
	sink.fd = mkostemp(name, O_APPEND | O_CLOEXEC);
	assert_true(sink.fd >= 0);
	unlink(name);
	for (size_t i = 0; i < BASE_COUNT(threads); i++)
		assert_int_equal(
		    pthread_create(&threads[i], NULL, log_many, &sink), 0);
	for (size_t i = 0; i < BASE_COUNT(threads); i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	written(&sink, &text);
	for (char *line = strtok(text.data, "\n"); line != NULL;
	     line = strtok(NULL, "\n")) {
		assert_matches(
		    line, "^" TIME "berthd: \\[info\\] thread: [0-9]{60}$");
		lines++;
	}
	assert_int_equal(lines, LINES * BASE_COUNT(threads));
	fd_close(&sink.fd);
}

/* Nobody reads any more: not a reason to end or to spin. */
static void
test_unwritable(void **state)
{
	struct log_sink sink;

	(void)state;
	log_sink_init(&sink, BERTH_INFO);
	sink.fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
	log_printf(&sink.log, BERTH_INFO, NULL, "lost");
	fd_close(&sink.fd);
	log_printf(&sink.log, BERTH_INFO, NULL, "lost");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_stream),
	    cmocka_unit_test(test_escape),
	    cmocka_unit_test(test_long),
	    cmocka_unit_test(test_journal),
	    cmocka_unit_test(test_text),
	    cmocka_unit_test(test_syslog),
	    cmocka_unit_test(test_threads),
	    cmocka_unit_test(test_unwritable),
	};

	unsetenv("JOURNAL_STREAM");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
