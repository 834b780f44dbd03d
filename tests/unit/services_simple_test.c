/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * echo, discard, daytime, time and chargen on the fake host.
 */
#include "fake_host.h"
#include "services.h"

#include <errno.h>
#include <setjmp.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

/* The services ask time(2); the test says what it is. */
static time_t present;

time_t __wrap_time(time_t *ret_time);

time_t
__wrap_time(time_t *ret_time)
{
	if (ret_time)
		*ret_time = present;
	return present;
}

struct bench {
	struct fake_host host;
	struct fake_service service;
	struct fake_session session;
};

static void
start(struct bench *bench, berth_service_factory_fn *make, const char *words)
{
	fake_host_init(&bench->host);
	assert_int_equal(fake_service_start(
			     &bench->service, &bench->host, make(), "S", words),
	    0);
}

static void
stop(struct bench *bench)
{
	fake_service_stop(&bench->service);
	fake_host_fini(&bench->host);
}

static void
datagram(struct bench *bench, const void *data, size_t size)
{
	assert_true(fake_session_datagram(&bench->session, &bench->service,
			NULL, data, size) >= 0);
}

/* None but daytime takes arguments, and a mistake is told. */
static void
arguments(void **state)
{
	static const struct {
		berth_service_factory_fn *make;
		const char *words;
		const char *failure;
	} cases[] = {
	    {make_echo, "-p 7", "unknown option -p"},
	    {make_discard, "x", "unexpected argument 'x'"},
	    {make_time, "-u", "unknown option -u"},
	    {make_chargen, "x", "unexpected argument 'x'"},
	    {make_daytime, "-x", "unknown option -x"},
	    {make_daytime, "-f", "option -f needs a value"},
	    {make_daytime, "-f ''",
		"format '' gives nothing, or more than 125 bytes"},
	    {make_daytime, "-f %A%A%A%A%A%A%A%A%A%A%A%A%A%A%A%A%A%A%A%A%A%A%A",
		"format '%A%A%A%A%A%A%A%A%A%A%A%A%A%A%A%A%A%A%A%A%A%A%A' "
		"gives nothing, or more than 125 bytes"},
	};
	struct bench bench;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		fake_host_init(&bench.host);
		assert_int_equal(fake_service_start(&bench.service, &bench.host,
				     cases[i].make(), "S", cases[i].words),
		    -EINVAL);
		assert_string_equal(
		    bench.host.fail_text.data, cases[i].failure);
		fake_host_fini(&bench.host);
	}
}

static void
echo_connection(void **state)
{
	struct bench bench;

	(void)state;
	start(&bench, make_echo, "");
	fake_session_open(&bench.session, &bench.service);
	assert_int_equal(
	    fake_session_input(&bench.session, "a\0\r\nquit\n", 9), 9);
	assert_int_equal(bench.session.output.size, 9);
	assert_memory_equal(bench.session.output.data, "a\0\r\nquit\n", 9);
	fake_session_clear(&bench.session);

	/* No room: nothing more is taken until the client reads. */
	bench.session.output_limit = 4;
	assert_int_equal(fake_session_send(&bench.session, "abcdefgh"), 4);
	assert_int_equal(bench.session.input.size, 4);
	assert_int_equal(fake_session_send(&bench.session, "ij"), 0);
	assert_int_equal(fake_session_drain(&bench.session), 4);
	assert_int_equal(fake_session_drain(&bench.session), 2);
	assert_string_equal(bench.session.output.data, "abcdefghij");
	fake_session_fini(&bench.session);
	stop(&bench);
}

static void
echo_datagram(void **state)
{
	struct bench bench;

	(void)state;
	start(&bench, make_echo, "");
	datagram(&bench, "a\0b", 3);
	assert_int_equal(bench.session.writes, 1);
	assert_int_equal(bench.session.output.size, 3);
	assert_memory_equal(bench.session.output.data, "a\0b", 3);
	fake_session_fini(&bench.session);
	datagram(&bench, "", 0);
	assert_int_equal(bench.session.output.size, 0);
	fake_session_fini(&bench.session);
	stop(&bench);
}

static void
discard(void **state)
{
	struct bench bench;

	(void)state;
	start(&bench, make_discard, "");
	fake_session_open(&bench.session, &bench.service);
	assert_int_equal(fake_session_input(&bench.session, "a\0\n", 3), 3);
	assert_int_equal(bench.session.writes, 0);
	fake_session_fini(&bench.session);
	datagram(&bench, "abc", 3);
	assert_int_equal(bench.session.writes, 0);
	fake_session_fini(&bench.session);
	stop(&bench);
}

/* Over a connection: the answer, then the end, and nothing is read. */
static void
expect_answer(struct bench *bench, const void *answer, size_t size)
{
	assert_int_equal(
	    fake_session_open(&bench->session, &bench->service), 0);
	assert_int_equal(bench->session.output.size, size);
	assert_memory_equal(bench->session.output.data, answer, size);
	assert_true(bench->session.closing);
	assert_null(bench->session.type->input);
	fake_session_fini(&bench->session);

	datagram(bench, "whatever", 8);
	assert_int_equal(bench->session.writes, 1);
	assert_int_equal(bench->session.output.size, size);
	assert_memory_equal(bench->session.output.data, answer, size);
	fake_session_fini(&bench->session);

	datagram(bench, "", 0);
	assert_int_equal(bench->session.writes, 1);
	assert_int_equal(bench->session.output.size, size);
	fake_session_fini(&bench->session);
}

static void
time_answers(void **state)
{
	static const struct {
		int64_t unix_seconds;
		unsigned char wire[4];
	} cases[] = {
	    {0, {0x83, 0xaa, 0x7e, 0x80}},	   /* 2,208,988,800: RFC 868 */
	    {189302400, {0x8e, 0xf3, 0x05, 0x00}}, /* 2,398,291,200: RFC 868 */
	    {420595200, {0x9c, 0xbc, 0x44, 0x80}}, /* 2,629,584,000: RFC 868 */
	    {2085978495,
		{0xff, 0xff, 0xff, 0xff}}, /* the last of its 32 bits */
	    {2085978496, {0x00, 0x00, 0x00, 0x00}}, /* 7 February 2036 */
	};
	struct bench bench;
	size_t i;

	(void)state;
	start(&bench, make_time, "");
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		present = (time_t)cases[i].unix_seconds;
		expect_answer(&bench, cases[i].wire, 4);
	}
	stop(&bench);
}

static void
daytime_answers(void **state)
{
	static const struct {
		const char *words;
		int64_t unix_seconds;
		const char *line;
	} cases[] = {
	    {"", 1795297394, "Sat Nov 21 23:43:14 2026\r\n"},
	    {"-u", 1795297394, "Sat Nov 21 21:43:14 2026\r\n"},
	    {"-u", 0, "Thu Jan  1 00:00:00 1970\r\n"},
	    {"", 951782400, "Tue Feb 29 02:00:00 2000\r\n"},
	    {"-u -f '%-m/%-d/%Y %-H:%-M:%-S'", 1780401909,
		"6/2/2026 12:5:9\r\n"},
	    {"-f %Y", 1780401909, "2026\r\n"},
	};
	struct bench bench;
	size_t i;

	(void)state;
	setenv("TZ", "XXX-2", 1); /* two hours east */
	tzset();
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		present = (time_t)cases[i].unix_seconds;
		start(&bench, make_daytime, cases[i].words);
		expect_answer(&bench, cases[i].line, strlen(cases[i].line));
		stop(&bench);
	}
}

/* The line of the pattern that begins with character `first`. */
static void
assert_pattern(const char *at, size_t size, size_t offset)
{
	size_t i, line, column;
	char expected;

	for (i = 0; i < size; i++) {
		line = (offset + i) / 74;
		column = (offset + i) % 74;
		expected = column == 72	  ? '\r'
			   : column == 73 ? '\n'
					  : (char)(' ' + (line + column) % 95);
		assert_int_equal(at[i], expected);
	}
}

static void
chargen_connection(void **state)
{
	static const size_t limits[] = {
	    1, 73, 74, 1000, 7029, 7030, 7031, 20000};
	struct bench bench;
	size_t i, turn;

	(void)state;
	start(&bench, make_chargen, "");
	for (i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		/* the limit is not known to open: it fills a large one */
		fake_session_open(&bench.session, &bench.service);
		assert_true(bench.session.output.size >= 1024 * 1024);
		bench.session.output_limit = limits[i];
		for (turn = 0; turn < 30; turn++) {
			bench.session.wants_output = true;
			assert_int_equal(fake_session_drain(&bench.session), 0);
		}
		assert_pattern(
		    bench.session.output.data, bench.session.output.size, 0);
		assert_int_equal(fake_session_send(&bench.session, "hello"), 5);
		assert_int_equal(fake_session_eof(&bench.session), 0);
		assert_true(bench.session.closing);
		fake_session_fini(&bench.session);
	}
	stop(&bench);
}

/* A client that reads as fast as the service writes does not keep the loop. */
static void
chargen_yields(void **state)
{
	struct bench bench;
	size_t before;

	(void)state;
	start(&bench, make_chargen, "");
	fake_session_open(&bench.session, &bench.service);
	before = bench.session.output.size;
	assert_true(before < 1100 * 1024);
	assert_int_equal(bench.session.timeout_ms, 1);
	assert_int_equal(fake_session_expire(&bench.session), 0);
	assert_true(bench.session.output.size > before);
	assert_true(bench.session.output.size < 2200 * 1024);
	assert_int_equal(bench.session.timeout_ms, 1);
	fake_session_fini(&bench.session);
	stop(&bench);
}

static void
chargen_datagram(void **state)
{
	static const struct {
		size_t request;
		size_t answer;
	} cases[] = {{1, 1}, {73, 73}, {74, 74}, {511, 511}, {512, 512},
	    {513, 512}, {65000, 512}};
	char *request = calloc(1, 65000);
	struct bench bench;
	size_t i;

	(void)state;
	start(&bench, make_chargen, "");
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		datagram(&bench, request, cases[i].request);
		assert_int_equal(bench.session.writes, 1);
		assert_int_equal(bench.session.output.size, cases[i].answer);
		assert_pattern(bench.session.output.data, cases[i].answer, 0);
		fake_session_fini(&bench.session);
	}
	datagram(&bench, "", 0);
	assert_int_equal(bench.session.writes, 0);
	fake_session_fini(&bench.session);
	stop(&bench);
	free(request);
}

/* The names of design.md, section 4; each type passes for what it is. */
static void
table(void **state)
{
	static const char *const names[] = {"Service_Manager",
	    "Service_Reporter", "echo", "discard", "daytime", "time", "chargen",
	    "tcpmux"};
	const struct berth_service_type *type;
	size_t i, count = sizeof(names) / sizeof(names[0]);

	(void)state;
	for (i = 0; i < count; i++) {
		assert_string_equal(berth_static_services[i].name, names[i]);
		type = berth_static_services[i].make();
		assert_int_equal(type->header.magic, BERTH_MAGIC);
		assert_int_equal(type->header.size, sizeof(*type));
		assert_int_equal(type->header.kind, BERTH_KIND_SERVICE);
		assert_non_null(type->summary);
	}
	assert_string_equal(
	    berth_static_services[0].alias, "ACE_Service_Manager");
	/* The one that is no service. */
	assert_string_equal(berth_static_services[count].name, "stream");
	type = berth_static_services[count].make();
	assert_int_equal(type->header.kind, BERTH_KIND_STREAM);
	assert_int_equal(type->header.size, sizeof(struct berth_stream_type));
	assert_null(berth_static_services[count + 1].name);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(arguments),
	    cmocka_unit_test(echo_connection),
	    cmocka_unit_test(echo_datagram),
	    cmocka_unit_test(discard),
	    cmocka_unit_test(time_answers),
	    cmocka_unit_test(daytime_answers),
	    cmocka_unit_test(chargen_connection),
	    cmocka_unit_test(chargen_yields),
	    cmocka_unit_test(chargen_datagram),
	    cmocka_unit_test(table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
