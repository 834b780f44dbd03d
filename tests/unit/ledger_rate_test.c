/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * So many lines of a kind, and one line for the others.
 */
#include "unit/ledger_bed.h"

#define BURST 10000u
#define RATE 100u

static void
burst(struct ledger *ledger, unsigned count)
{
	const struct ledger_visit visit = {.session = 1, .peer = "127.0.0.1:1"};
	const struct ledger_end end = {.duration_ns = 0};

	for (unsigned i = 0; i < count; i++) {
		ledger_began(ledger, &visit);
		ledger_ended(ledger, &visit, &end);
		ledger_refused_peer(ledger, "cps", visit.peer);
	}
}

static unsigned
count_of(const struct text *text, const char *what)
{
	unsigned count = 0;

	for (const char *at = text_string(text);
	     (at = strstr(at, what)) != NULL; at++)
		count++;
	return count;
}

static struct ledger *
open_ledger(struct lines *lines, unsigned count, uint64_t per_ms)
{
	lines_set(lines, NULL, "HOST EXIT", "HOST");
	lines->settings.log_rate = (struct rate){count, per_ms, 0};
	return lines_ledger(lines);
}

/* Each kind has its own; the last one to let go says what was left out. */
static void
test_burst(void **state)
{
	struct lines *lines = *state;
	struct ledger *ledger = open_ledger(lines, RATE, 60000);
	const struct text *logged = &lines->bed->lines;

	burst(ledger, BURST);
	assert_int_equal(count_of(logged, "START: echo from="), RATE);
	assert_int_equal(count_of(logged, "EXIT: echo status=0"), RATE);
	assert_int_equal(count_of(logged, "FAIL: echo cps from="), RATE);
	assert_int_equal(count_of(logged, "NOTE:"), 0);
	ledger_unref(ledger);
	assert_int_equal(
	    count_of(logged, "NOTE: echo 9900 START lines suppressed\n"), 1);
	assert_int_equal(
	    count_of(logged, "NOTE: echo 9900 EXIT lines suppressed\n"), 1);
	assert_int_equal(
	    count_of(logged, "NOTE: echo 9900 FAIL lines suppressed\n"), 1);
}

static bool
is_told(void *context)
{
	struct lines *lines = context;

	return count_of(&lines->bed->lines, "NOTE:") == 3;
}

/* When the time is over, without another line; then it begins anew. */
static void
test_span(void **state)
{
	struct lines *lines = *state;
	struct ledger *ledger = open_ledger(lines, 3, 300);

	lines->settings.log_format = LOG_FORMAT_LOGFMT;
	burst(ledger, 10);
	bed_until(lines->bed, is_told, lines);
	assert_int_equal(count_of(&lines->bed->lines, "NOTE: echo 7 "), 3);
	text_reset(&lines->bed->lines);
	burst(ledger, 3);
	assert_int_equal(count_of(&lines->bed->lines, "START: echo"), 3);
	assert_int_equal(count_of(&lines->bed->lines, "NOTE:"), 0);
	ledger_unref(ledger);
	assert_int_equal(count_of(&lines->bed->lines, "NOTE:"), 0);
}

static void
test_formats(void **state)
{
	struct lines *lines = *state;
	static const char *const told[] = {
	    [LOG_FORMAT_XINETD] = "NOTE: echo 7 START lines suppressed\n",
	    [LOG_FORMAT_LOGFMT] =
		" event=suppressed service=echo kind=start lines=7\n",
	    [LOG_FORMAT_JSON] =
		(",\"event\":\"suppressed\",\"service\":\"echo\","
		 "\"kind\":\"start\",\"lines\":7}\n"),
	};

	for (int format = 0; format < 3; format++) {
		struct ledger *ledger;

		lines->settings.log_format = (enum log_format)format;
		ledger = open_ledger(lines, 3, 60000);
		burst(ledger, 10);
		ledger_unref(ledger);
		assert_int_equal(count_of(&lines->bed->lines, told[format]), 1);
	}
}

static void
test_unlimited(void **state)
{
	struct lines *lines = *state;
	struct ledger *ledger = open_ledger(lines, 0, 0);

	burst(ledger, 2000);
	assert_int_equal(count_of(&lines->bed->lines, "START:"), 2000);
	ledger_unref(ledger);
}

/* Two services do not take each other's lines. */
static void
test_services(void **state)
{
	struct lines *lines = *state;
	struct ledger *one = open_ledger(lines, 3, 60000);
	struct ledger *two = open_ledger(lines, 3, 60000);

	burst(one, 3);
	burst(two, 3);
	assert_int_equal(count_of(&lines->bed->lines, "START:"), 6);
	ledger_unref(one);
	ledger_unref(two);
	assert_int_equal(count_of(&lines->bed->lines, "NOTE:"), 0);
}

#define TEST(function)                                                         \
	cmocka_unit_test_setup_teardown(function, lines_setup, lines_teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    TEST(test_burst),
	    TEST(test_span),
	    TEST(test_formats),
	    TEST(test_unlimited),
	    TEST(test_services),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
