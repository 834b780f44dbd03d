/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Service_Reporter on the fake host: the list, whatever its length and however
 * the client behaves, then the end.
 */
#include "fake_host.h"
#include "services.h"

#include <errno.h>
#include <setjmp.h>
#include <stdlib.h>

#include <cmocka.h>

#define LIST "Echo (active)  echo (RFC 862)\nTime (paused)  \n"

struct bench {
	struct fake_host host;
	struct fake_service service;
	struct fake_session session;
};

static void
start(struct bench *bench, const char *words)
{
	fake_host_init(&bench->host);
	assert_int_equal(fake_service_start(&bench->service, &bench->host,
			     make_reporter(), "R", words),
	    0);
}

static void
stop(struct bench *bench)
{
	fake_session_fini(&bench->session);
	fake_service_stop(&bench->service);
	fake_host_fini(&bench->host);
}

static void
endpoints(void **state)
{
	static const struct {
		const char *words;
		const char *endpoint;
		const char *info;
	} cases[] = {
	    {"-p 9411", "tcp:127.0.0.1:9411",
		"9411/tcp # reports all services"},
	    {"", NULL, "# reports all services"},
	};
	struct bench bench = {0};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		start(&bench, cases[i].words);
		assert_int_equal(
		    bench.host.endpoint_count, cases[i].endpoint ? 1 : 0);
		if (cases[i].endpoint)
			assert_string_equal(
			    bench.host.endpoints[0], cases[i].endpoint);
		assert_string_equal(
		    fake_service_info(&bench.service), cases[i].info);
		fake_service_stop(&bench.service);
		fake_host_fini(&bench.host);
	}
	fake_host_init(&bench.host);
	assert_int_equal(fake_service_start(&bench.service, &bench.host,
			     make_reporter(), "R", "9411"),
	    -EINVAL);
	fake_host_fini(&bench.host);
}

static void
list(void **state)
{
	struct bench bench;

	(void)state;
	start(&bench, "");
	assert_int_equal(fake_session_open(&bench.session, &bench.service), 0);
	assert_int_equal(bench.host.command_count, 1);
	assert_string_equal(bench.host.commands[0]->line, "report");
	assert_int_equal(bench.host.commands[0]->flags, 0);
	/* It may talk, and it may have ended its side: the list still comes. */
	assert_int_equal(fake_session_send(&bench.session, "GET /"), 5);
	assert_int_equal(fake_session_eof(&bench.session), 0);
	assert_false(bench.session.closing);
	fake_host_answer(&bench.host, 0, 0, LIST);
	assert_string_equal(bench.session.output.data, LIST);
	assert_true(bench.session.closing);
	stop(&bench);
}

/* A megabyte, to a client that reads a little at a time. */
static void
long_list(void **state)
{
	enum { LONG = 1000000 };
	struct bench bench;
	char *text = malloc(LONG + 1);
	unsigned turns = 0;
	size_t i;

	(void)state;
	assert_non_null(text);
	for (i = 0; i < LONG; i++)
		text[i] = (char)('a' + i * 31 % 97 % 26);
	text[LONG] = '\0';
	start(&bench, "");
	fake_session_open(&bench.session, &bench.service);
	bench.session.output_limit = 65536;
	fake_host_answer(&bench.host, 0, 0, text);
	while (!bench.session.closing) {
		assert_true(bench.session.timeout_ms > 0);
		assert_true(turns++ < 20);
		assert_int_equal(fake_session_drain(&bench.session), 0);
	}
	assert_int_equal(turns, LONG / 65536);
	assert_string_equal(bench.session.output.data, text);
	free(text);
	stop(&bench);
}

static void
stalled(void **state)
{
	struct bench bench;

	(void)state;
	start(&bench, "");
	fake_session_open(&bench.session, &bench.service);
	bench.session.output_limit = 10;
	fake_host_answer(&bench.host, 0, 0, LIST);
	assert_int_equal(fake_session_expire(&bench.session), -ETIMEDOUT);
	assert_true(bench.session.ended);
	stop(&bench);
}

static void
gone(void **state)
{
	struct bench bench;

	(void)state;
	start(&bench, "");
	fake_session_open(&bench.session, &bench.service);
	fake_session_end(&bench.session, -ECONNRESET);
	assert_true(bench.host.commands[0]->cancelled);
	stop(&bench);
}

static void
failures(void **state)
{
	struct bench bench;

	(void)state;
	start(&bench, "");
	bench.host.command_result = -ENOMEM;
	assert_int_equal(
	    fake_session_open(&bench.session, &bench.service), -ENOMEM);
	fake_session_fini(&bench.session);
	bench.host.command_result = 0;
	fake_session_open(&bench.session, &bench.service);
	fake_host_answer(&bench.host, 0, 1, "no memory");
	assert_string_equal(
	    bench.host.log.data, "warning R: cannot report: no memory\n");
	assert_string_equal(bench.session.output.data, "no memory");
	assert_true(bench.session.closing);
	stop(&bench);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(endpoints),
	    cmocka_unit_test(list),
	    cmocka_unit_test(long_list),
	    cmocka_unit_test(stalled),
	    cmocka_unit_test(gone),
	    cmocka_unit_test(failures),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
