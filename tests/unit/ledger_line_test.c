/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How lines look, in each format, and that nothing that a client chose makes
 * two lines or another word of one.
 */
#include "unit/ledger_bed.h"

#include <regex.h>
#include <sys/wait.h>

enum what { START, END, REFUSED };

static const struct rusage used = {
    .ru_utime = {1, 250000},
    .ru_stime = {0, 4000},
    .ru_maxrss = 2048,
};

static const struct ledger_end exited = {
    .code = CLD_EXITED,
    .status = 3,
    .failed = true,
    .duration_ns = 4200000000,
    .usage = &used,
};
static const struct ledger_end killed = {
    .code = CLD_KILLED, .status = 9, .failed = true, .duration_ns = 10000000};
static const struct ledger_end idle = {
    .reason = "idle for too long",
    .duration_ns = 61500000000,
    .counts_bytes = true,
    .bytes_in = 5,
    .bytes_out = 1099511627776,
};
static const struct ledger_end reset = {
    .reason = "Connection reset by peer", .failed = true};

#define PROGRAM                                                                \
	{                                                                      \
		7, 4711, "192.0.2.1:5000"                                      \
	}
#define SESSION                                                                \
	{                                                                      \
		8, 0, "[2001:db8::1]:5001"                                     \
	}

/* The time that stands first is written T. */
static const struct row {
	const char *words;
	enum what what;
	struct ledger_visit visit;
	const struct ledger_end *end;
	const char *lines[3]; /* xinetd, logfmt, json; NULL: none */
} rows[] = {
    {"PID HOST", START, PROGRAM, NULL,
	{"T: START: echo pid=4711 from=192.0.2.1",
	    "time=T event=start service=echo session=7 pid=4711 "
	    "client=192.0.2.1 port=5000",
	    "{\"time\":\"T\",\"event\":\"start\",\"service\":\"echo\","
	    "\"session\":7,\"pid\":4711,\"client\":\"192.0.2.1\","
	    "\"port\":5000}"}},
    {"HOST", START, SESSION, NULL,
	{"T: START: echo from=2001:db8::1",
	    "time=T event=start service=echo session=8 client=2001:db8::1 "
	    "port=5001",
	    "{\"time\":\"T\",\"event\":\"start\",\"service\":\"echo\","
	    "\"session\":8,\"client\":\"2001:db8::1\",\"port\":5001}"}},
    {"PID", START, SESSION, NULL,
	{"T: START: echo pid=0", "time=T event=start service=echo session=8",
	    "{\"time\":\"T\",\"event\":\"start\",\"service\":\"echo\","
	    "\"session\":8}"}},
    {"HOST", START, {0, 0, NULL}, NULL,
	{"T: START: echo from=<no address>", "time=T event=start service=echo",
	    "{\"time\":\"T\",\"event\":\"start\",\"service\":\"echo\"}"}},
    {"EXIT", START, PROGRAM, NULL, {NULL, NULL, NULL}},
    {"PID HOST", END, PROGRAM, &exited, {NULL, NULL, NULL}},
    {"PID HOST EXIT DURATION TRAFFIC", END, PROGRAM, &exited,
	{"T: EXIT: echo status=3 pid=4711 duration=4(sec)",
	    "time=T event=end service=echo session=7 pid=4711 "
	    "client=192.0.2.1 port=5000 status=3 user=1.250 system=0.004 "
	    "max_rss_kb=2048 duration=4.200",
	    "{\"time\":\"T\",\"event\":\"end\",\"service\":\"echo\","
	    "\"session\":7,\"pid\":4711,\"client\":\"192.0.2.1\","
	    "\"port\":5000,\"status\":3,\"user\":1.250,\"system\":0.004,"
	    "\"max_rss_kb\":2048,\"duration\":4.200}"}},
    {"EXIT", END, PROGRAM, &killed,
	{"T: EXIT: echo signal=9",
	    "time=T event=end service=echo session=7 signal=9",
	    "{\"time\":\"T\",\"event\":\"end\",\"service\":\"echo\","
	    "\"session\":7,\"signal\":9}"}},
    {"EXIT DURATION TRAFFIC", END, SESSION, &idle,
	{"T: EXIT: echo status=0 duration=61(sec) in=5 out=1099511627776",
	    "time=T event=end service=echo session=8 "
	    "reason=\"idle for too long\" duration=61.500 in=5 "
	    "out=1099511627776",
	    "{\"time\":\"T\",\"event\":\"end\",\"service\":\"echo\","
	    "\"session\":8,\"reason\":\"idle for too long\","
	    "\"duration\":61.500,\"in\":5,\"out\":1099511627776}"}},
    {"EXIT", END, SESSION, &reset,
	{"T: EXIT: echo status=1",
	    "time=T event=end service=echo session=8 "
	    "reason=\"Connection reset by peer\"",
	    "{\"time\":\"T\",\"event\":\"end\",\"service\":\"echo\","
	    "\"session\":8,\"reason\":\"Connection reset by peer\"}"}},
    {"HOST", REFUSED, {0, 0, "192.0.2.1:5000"}, NULL,
	{"T: FAIL: echo address from=192.0.2.1",
	    "time=T event=refused service=echo client=192.0.2.1 port=5000 "
	    "reason=address",
	    "{\"time\":\"T\",\"event\":\"refused\",\"service\":\"echo\","
	    "\"client\":\"192.0.2.1\",\"port\":5000,"
	    "\"reason\":\"address\"}"}},
    {"ATTEMPT", REFUSED, {0, 0, "192.0.2.1:5000"}, NULL,
	{"T: FAIL: echo address",
	    "time=T event=refused service=echo reason=address",
	    "{\"time\":\"T\",\"event\":\"refused\",\"service\":\"echo\","
	    "\"reason\":\"address\"}"}},
    /* A path that a client was bound to. */
    {"HOST", REFUSED, {0, 0, "unix:/a\nFAIL: x from=1\xff\t\"\x1b"}, NULL,
	{"T: FAIL: echo address from=unix:/a\\nFAIL:\\x20x\\x20from=1"
	 "\\xff\\t\"\\x1b",
	    "time=T event=refused service=echo "
	    "client=\"unix:/a\\nFAIL: x from=1\xef\xbf\xbd\\t\\\"\\u001b\" "
	    "reason=address",
	    "{\"time\":\"T\",\"event\":\"refused\",\"service\":\"echo\","
	    "\"client\":\"unix:/a\\nFAIL: x from=1\xef\xbf\xbd\\t\\\"\\u001b\","
	    "\"reason\":\"address\"}"}},
};

/* The digits of the time become one letter. */
static void
hide_time(const char *found, struct text *text)
{
	static const char *const patterns[] = {
	    "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\\.[0-9]{3}Z",
	    "^[0-9]+/[0-9]+/[0-9]+@[0-9]{2}:[0-9]{2}:[0-9]{2}"};

	text_reset(text);
	for (size_t i = 0; i < BASE_COUNT(patterns); i++) {
		regex_t regex;
		regmatch_t match;

		assert_int_equal(regcomp(&regex, patterns[i], REG_EXTENDED), 0);
		if (regexec(&regex, found, 1, &match, 0) == 0) {
			text_printf(text, "%.*sT%s", (int)match.rm_so, found,
			    found + match.rm_eo);
			regfree(&regex);
			return;
		}
		regfree(&regex);
	}
	text_printf(text, "%s", found);
}

static void
write_row(struct ledger *ledger, const struct row *row)
{
	switch (row->what) {
	case START:
		ledger_began(ledger, &row->visit);
		break;
	case END:
		ledger_ended(ledger, &row->visit, row->end);
		break;
	case REFUSED:
		ledger_refused_peer(ledger, "address", row->visit.peer);
		break;
	}
}

static void
check_row(struct lines *lines, const struct row *row, enum log_format format)
{
	const char *path = bed_path(lines->bed, "", "log");
	AUTO_TEXT found = {0};
	AUTO_TEXT seen = {0};
	AUTO_TEXT expected = {0};
	struct ledger *ledger;
	char type[200];

	snprintf(type, sizeof(type), "FILE %s", path);
	lines_set(lines, type, row->what == REFUSED ? NULL : row->words,
	    row->what == REFUSED ? row->words : NULL);
	lines->settings.log_format = format;
	ledger = lines_ledger(lines);
	assert_non_null(ledger);
	write_row(ledger, row);
	ledger_unref(ledger);
	lines_read(type + strlen("FILE "), &found);
	hide_time(text_string(&found), &seen);
	if (row->lines[format] != NULL)
		text_printf(&expected, "%s\n", row->lines[format]);
	assert_string_equal(text_string(&seen), text_string(&expected));
	unlink(type + strlen("FILE "));
}

static void
test_lines(void **state)
{
	struct lines *lines = *state;

	for (size_t i = 0; i < BASE_COUNT(rows); i++)
		for (int format = 0; format < 3; format++)
			check_row(lines, &rows[i], (enum log_format)format);
}

/* What fail2ban's filter for xinetd looks for, behind a prefix of syslog. */
static void
test_filter(void **state)
{
	static const char *const reasons[] = {"address", "libwrap"};
	struct lines *lines = *state;
	struct sockaddr_in6 mapped = {.sin6_family = AF_INET6, .sin6_port = 7};
	struct sockaddr *peer = (void *)&mapped;
	struct ledger *ledger;
	regex_t regex;

	mapped.sin6_addr.s6_addr[10] = mapped.sin6_addr.s6_addr[11] = 0xff;
	mapped.sin6_addr.s6_addr[12] = 192;
	mapped.sin6_addr.s6_addr[15] = 1;
	lines_set(lines, NULL, NULL, "HOST");
	ledger = lines_ledger(lines);
	for (size_t i = 0; i < BASE_COUNT(reasons); i++) {
		char pattern[100];

		text_reset(&lines->bed->lines);
		ledger_refused(ledger, reasons[i], peer, sizeof(mapped));
		snprintf(pattern, sizeof(pattern),
		    "FAIL: [^ ]+ %s from=192\\.0\\.0\\.1\n$", reasons[i]);
		assert_int_equal(
		    regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB), 0);
		assert_int_equal(
		    regexec(
			&regex, text_string(&lines->bed->lines), 0, NULL, 0),
		    0);
		regfree(&regex);
	}
	ledger_unref(ledger);
}

static void
test_wants(void **state)
{
	static const struct {
		const char *success, *failure;
		enum log_format format;
		unsigned wants;
	} cases[] = {
	    {"PID", NULL, LOG_FORMAT_XINETD, LEDGER_BEGIN},
	    {"USERID", NULL, LOG_FORMAT_XINETD, LEDGER_BEGIN},
	    {"HOST", NULL, LOG_FORMAT_JSON, LEDGER_BEGIN | LEDGER_BEGIN_PEER},
	    {"EXIT", NULL, LOG_FORMAT_JSON, LEDGER_END},
	    {"HOST EXIT", NULL, LOG_FORMAT_XINETD,
		LEDGER_BEGIN | LEDGER_BEGIN_PEER | LEDGER_END},
	    {"HOST TRAFFIC", NULL, LOG_FORMAT_LOGFMT,
		LEDGER_BEGIN | LEDGER_BEGIN_PEER | LEDGER_END |
		    LEDGER_END_PEER},
	    {NULL, "ATTEMPT", LOG_FORMAT_XINETD, LEDGER_REFUSAL},
	};
	struct lines *lines = *state;

	for (size_t i = 0; i < BASE_COUNT(cases); i++) {
		struct ledger *ledger;

		lines_set(lines, NULL, cases[i].success, cases[i].failure);
		lines->settings.log_format = cases[i].format;
		ledger = lines_ledger(lines);
		assert_int_equal(ledger_wants(ledger), cases[i].wants);
		ledger_unref(ledger);
	}
	lines_set(lines, "HOST", NULL, NULL);
	assert_null(lines_ledger(lines));
}

#define TEST(function)                                                         \
	cmocka_unit_test_setup_teardown(function, lines_setup, lines_teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    TEST(test_lines),
	    TEST(test_filter),
	    TEST(test_wants),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
