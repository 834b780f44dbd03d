/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Replies: one last line that begins with OK or ERR, whatever the text; and
 * the outbox, which sends what can be sent and keeps the rest within a budget.
 */
#include "fake_host.h"
#include "services_priv.h"

#include <errno.h>
#include <setjmp.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct {
	enum reply_form form;
	int status;
	const char *text;
	const char *reply;
} cases[] = {
    {REPLY_PLAIN, 0, "", "OK\n"},
    {REPLY_PLAIN, 0, "a", "a\nOK\n"},
    {REPLY_PLAIN, 0, "a\n", "a\nOK\n"},
    {REPLY_PLAIN, 0, "a\n\nb\n", "a\n\nb\nOK\n"},
    {REPLY_PLAIN, 0, "\n", "\nOK\n"},
    {REPLY_PLAIN, 0, "OK\nOKAY x\nERR\nERROR\nOh\nER\nO",
	" OK\n OKAY x\n ERR\n ERROR\nOh\nER\nO\nOK\n"},
    {REPLY_PLAIN, 1, "", "ERR failed\n"},
    {REPLY_PLAIN, 1, "\n", "\nERR failed\n"},
    {REPLY_PLAIN, 1, "no such service", "ERR no such service\n"},
    {REPLY_PLAIN, 1, "no such service\n", "ERR no such service\n"},
    {REPLY_PLAIN, 1, "a:1:1: error: x\n! nothing changed: 1 error\n",
	"a:1:1: error: x\n! nothing changed: 1 error\n"
	"ERR a:1:1: error: x\n"},
    {REPLY_PLAIN, 1, "a:1:1: error: x\n    1 | remove Ecko\n      | ^\n",
	"a:1:1: error: x\n    1 | remove Ecko\n      | ^\n"
	"ERR a:1:1: error: x\n"},
    {REPLY_PLAIN, 1, "ERR x\nOK\n", " ERR x\n OK\nERR ERR x\n"},
    {REPLY_PLAIN, 1, "  x\nfirst\nsecond\n", "  x\nfirst\nsecond\nERR first\n"},
    {REPLY_PLAIN, 1, "  only\n\tindented", "  only\n\tindented\nERR failed\n"},
    {REPLY_JSON, 0, "", "{\"ok\":true,\"result\":null}\n"},
    {REPLY_JSON, 0, "[1,2]\n", "{\"ok\":true,\"result\":[1,2]}\n"},
    {REPLY_JSON, 0, "{\n\"a\": 1\n}\n",
	"{\"ok\":true,\"result\":{\"a\": 1}}\n"},
    {REPLY_JSON, 7, "\"x\"", "{\"ok\":false,\"error\":\"x\"}\n"},
    {REPLY_JSON, 7, "", "{\"ok\":false,\"error\":null}\n"},
    {REPLY_ACE_LIST, 0, "OK (active)  x\n", "OK (active)  x\n"},
    {REPLY_ACE_NOTHING, 0, "a", ""},
    {REPLY_ACE_NOTHING, 1, "a", ""},
};

static void
frames(void **state)
{
	struct outbox_budget budget = {0};
	struct outbox outbox;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		outbox_init(&outbox, &budget);
		assert_int_equal(reply_add(&outbox, cases[i].form,
				     cases[i].status, berth_str(cases[i].text)),
		    0);
		assert_int_equal(outbox.size, strlen(cases[i].reply));
		if (outbox.size > 0)
			assert_memory_equal(
			    outbox.data, cases[i].reply, outbox.size);
		outbox_fini(&outbox);
	}
	outbox_init(&outbox, &budget);
	assert_int_equal(
	    reply_add(&outbox, REPLY_ACE_DONE, 1, berth_str("bad")), 0);
	assert_int_equal(outbox.size, 6);
	assert_memory_equal(outbox.data, "done\n", 6);
	outbox_fini(&outbox);
	assert_int_equal(budget.used, 0);
}

static void
own_words(void **state)
{
	static const struct {
		enum reply_form form;
		int status;
		const char *words;
		const char *reply;
	} own[] = {
	    {REPLY_PLAIN, 0, "", "OK\n"},
	    {REPLY_PLAIN, 0, "bye", "OK bye\n"},
	    {REPLY_PLAIN, 5, "too long", "ERR too long\n"},
	    {REPLY_JSON, 0, "", "{\"ok\":true,\"result\":null}\n"},
	    {REPLY_JSON, 0, "bye", "{\"ok\":true,\"result\":\"bye\"}\n"},
	    {REPLY_JSON, 5, "no", "{\"ok\":false,\"error\":\"no\"}\n"},
	    {REPLY_ACE_LIST, 5, "no", ""},
	    {REPLY_ACE_DONE, 5, "no", ""},
	    {REPLY_ACE_NOTHING, 5, "no", ""},
	};
	struct outbox_budget budget = {0};
	struct outbox outbox;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
		outbox_init(&outbox, &budget);
		assert_int_equal(reply_add_own(&outbox, own[i].form,
				     own[i].status, own[i].words),
		    0);
		assert_int_equal(outbox.size, strlen(own[i].reply));
		if (outbox.size > 0)
			assert_memory_equal(
			    outbox.data, own[i].reply, outbox.size);
		outbox_fini(&outbox);
	}
}

struct bench {
	struct fake_host host;
	struct fake_service service;
	struct fake_session session;
	struct outbox_budget budget;
	struct outbox outbox;
};

static const struct berth_service_type nothing;

static void
start(struct bench *bench, size_t output_limit)
{
	memset(bench, 0, sizeof(*bench));
	fake_host_init(&bench->host);
	assert_int_equal(fake_service_start(
			     &bench->service, &bench->host, &nothing, "S", ""),
	    0);
	fake_session_open(&bench->session, &bench->service);
	bench->session.output_limit = output_limit;
	outbox_init(&bench->outbox, &bench->budget);
}

static void
stop(struct bench *bench)
{
	outbox_fini(&bench->outbox);
	assert_int_equal(bench->budget.used, 0);
	fake_session_fini(&bench->session);
	fake_service_stop(&bench->service);
	fake_host_fini(&bench->host);
}

/* What fits is not copied; what does not waits and keeps its order. */
static void
sending(void **state)
{
	struct bench bench;
	unsigned turns = 0;

	(void)state;
	start(&bench, 4);
	assert_int_equal(outbox_send(&bench.outbox, &bench.session.public,
			     berth_str("abcd")),
	    0);
	assert_null(bench.outbox.data);
	assert_int_equal(outbox_send(&bench.outbox, &bench.session.public,
			     berth_str("efghij")),
	    0);
	assert_int_equal(
	    outbox_send(&bench.outbox, &bench.session.public, berth_str("klm")),
	    0);
	assert_true(outbox_pending(&bench.outbox));
	while (outbox_pending(&bench.outbox)) {
		fake_session_drain(&bench.session);
		assert_int_equal(
		    outbox_flush(&bench.outbox, &bench.session.public), 0);
		turns++;
	}
	assert_int_equal(turns, 3);
	assert_string_equal(bench.session.output.data, "abcdefghijklm");
	assert_null(bench.outbox.data);
	assert_int_equal(bench.budget.used, 0);
	stop(&bench);
}

static void
closing(void **state)
{
	struct bench bench;

	(void)state;
	start(&bench, 4);
	assert_int_equal(outbox_send(&bench.outbox, &bench.session.public,
			     berth_str("abcdef")),
	    0);
	berth_close(&bench.session.public);
	assert_int_equal(
	    outbox_flush(&bench.outbox, &bench.session.public), -EPIPE);
	stop(&bench);
}

/* All outboxes of a service share the budget; what one gives back another
 * can have. */
static void
budgets(void **state)
{
	struct outbox_budget budget = {0};
	struct outbox one, other;
	size_t half = OUTBOX_BUDGET / 2;
	char *bytes = calloc(1, half);

	(void)state;
	assert_non_null(bytes);
	outbox_init(&one, &budget);
	outbox_init(&other, &budget);
	assert_int_equal(outbox_add(&one, berth_bytes(bytes, half)), 0);
	assert_int_equal(outbox_add(&other, berth_bytes(bytes, half)), 0);
	assert_int_equal(outbox_add(&other, berth_str("x")), -ENOBUFS);
	assert_int_equal(other.size, half);
	outbox_fini(&one);
	assert_int_equal(outbox_add(&other, berth_str("x")), 0);
	assert_int_equal(
	    outbox_add(&other, berth_bytes(bytes, half)), -ENOBUFS);
	outbox_fini(&other);
	assert_int_equal(budget.used, 0);
	free(bytes);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(frames),
	    cmocka_unit_test(own_words),
	    cmocka_unit_test(sending),
	    cmocka_unit_test(closing),
	    cmocka_unit_test(budgets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
