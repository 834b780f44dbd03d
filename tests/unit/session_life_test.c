/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How sessions begin, what their hooks may do, and what is told of them.
 */
#include "unit/session_bed.h"

#include <linux/tcp.h>

#include "session/session_priv.h"

static const struct berth_session_type echo = {.input = stage_echo};

static void
test_echo_serves(void **state)
{
	static const char *const endpoints[] = {"tcp:127.0.0.1:0",
	    "unix:@berth-test", "unix-seqpacket:@berth-test"};
	struct stage *stage = *state;
	unsigned i;
	int client;

	stage_serve(stage, &echo, endpoints[0]);
	stage_also(stage, endpoints[1]);
	stage_also(stage, endpoints[2]);
	for (i = 0; i < BASE_COUNT(endpoints); i++) {
		client = bed_connect(server_listener(stage->server, i));
		stage_send(stage, client, "hello");
		stage_expect(stage, client, "hello");
		close(client);
		stage_until_closed(stage, i + 1);
		assert_int_equal(stage->notes.reasons[i], BERTH_CLOSED_ORDERLY);
	}
	assert_int_equal(stage_counters(stage)->bytes_in, 15);
	assert_int_equal(stage_counters(stage)->bytes_out, 15);
	assert_int_equal(stage_counters(stage)->sessions_total, 3);
	assert_int_equal(stage_counters(stage)->sessions_failed, 0);
}

/* --- open ------------------------------------------------------------------*/

static int
greet_and_close(struct berth_session *session)
{
	assert_int_equal(berth_write(session, berth_str("hello\r\n")), 7);
	berth_close(session);
	/* It is over: nothing more is taken. */
	assert_int_equal(berth_write(session, berth_str("x")), -EPIPE);
	assert_int_equal(berth_writable(session), 0);
	return 0;
}

static void
test_connect_reply_close(void **state)
{
	static const struct berth_session_type type = {.open = greet_and_close};
	struct stage *stage = *state;
	size_t bytes;
	int client, i;

	stage_serve(stage, &type, "tcp:127.0.0.1:0");
	for (i = 1; i <= 3; i++) {
		client = bed_connect(stage->listener);
		/* Ended within the turn that accepted it. */
		stage_until_opened(stage, (unsigned)i);
		assert_int_equal(stage->notes.closed, i);
		assert_int_equal(stage_until_end(stage, client, &bytes), 0);
		assert_int_equal(bytes, 7);
		close(client);
	}
	/* The loop never heard of them. */
	assert_int_equal(stage->owner.descriptors, 0);
	assert_int_equal(stage->owner.timers, 0);
}

static int
greet(struct berth_session *session)
{
	berth_printf(session, "220 ");
	return berth_printf(session, "ready\r\n") == 7 ? 0 : -EIO;
}

static void
test_greeting_is_not_held_back(void **state)
{
	static const struct berth_session_type type = {
	    .open = greet, .input = stage_echo};
	struct stage *stage = *state;
	char data[64];
	int client;

	stage_serve(stage, &type, "tcp:127.0.0.1:0");
	client = bed_connect(stage->listener);
	stage_until_opened(stage, 1);
	/* It is there, without waiting for any timer of the kernel's. */
	assert_int_equal(recv(client, data, sizeof(data), 0), 11);
	stage_send(stage, client, "x");
	stage_expect(stage, client, "x");
	close(client);
	stage_until_closed(stage, 1);
}

static void
test_reply_and_end_in_one_segment(void **state)
{
	static const struct berth_session_type type = {.open = greet_and_close};
	struct stage *stage = *state;
	struct tcp_info info;
	socklen_t size = sizeof(info);
	int client;

	stage_serve(stage, &type, "tcp:127.0.0.1:0");
	client = bed_connect(stage->listener);
	assert_int_equal(stage_until_end(stage, client, NULL), 0);
	assert_int_equal(
	    getsockopt(client, IPPROTO_TCP, TCP_INFO, &info, &size), 0);
	/* The other one is the answer to our connect(2). */
	assert_int_equal(info.tcpi_segs_in, 2);
	close(client);
}

static int
refuse_to_open(struct berth_session *session)
{
	(void)session;
	return -EACCES;
}

static void
test_open_may_fail(void **state)
{
	static const struct berth_session_type type = {
	    .open = refuse_to_open, .input = stage_echo};
	struct stage *stage = *state;
	int client;

	stage_serve(stage, &type, "tcp:127.0.0.1:0");
	client = bed_connect(stage->listener);
	assert_int_equal(stage_until_end(stage, client, NULL), 0);
	close(client);
	assert_int_equal(stage->notes.closed, 0);
	assert_int_equal(stage_counters(stage)->sessions_failed, 1);
	assert_int_equal(stage_counters(stage)->sessions_active, 0);
}

static int
state_is_zeroed(struct berth_session *session)
{
	unsigned char *bytes = session->state;
	unsigned i;

	assert_int_equal((uintptr_t)bytes % _Alignof(max_align_t), 0);
	for (i = 0; i < 100; i++)
		assert_int_equal(bytes[i], 0);
	memset(bytes, 0xff, 100);
	return 0;
}

static void
test_state_is_zeroed(void **state)
{
	static const struct berth_session_type type = {
	    .state_size = 100, .open = state_is_zeroed, .input = stage_echo};
	struct stage *stage = *state;
	unsigned i;
	int client;

	stage_serve(stage, &type, "tcp:127.0.0.1:0");
	for (i = 1; i <= 3; i++) {
		client = bed_connect(stage->listener);
		stage_until_opened(stage, i);
		close(client);
		stage_until_closed(stage, i);
	}
}

static void
test_memory_of_an_idle_session(void **state)
{
	(void)state;
	/* malloc(3) adds 8 bytes, the reactor has a slot of 32. */
	assert_true(sizeof(struct session) + 8 + 32 <= 256);
}

int
main(void)
{
#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, stage_setup, stage_teardown)
	static const struct CMUnitTest tests[] = {
	    TEST(test_echo_serves),
	    TEST(test_connect_reply_close),
	    TEST(test_reply_and_end_in_one_segment),
	    TEST(test_greeting_is_not_held_back),
	    TEST(test_open_may_fail),
	    TEST(test_state_is_zeroed),
	    cmocka_unit_test(test_memory_of_an_idle_session),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
