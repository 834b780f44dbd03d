/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Limits and times of sessions.
 */
#include "unit/session_bed.h"

static const struct berth_session_type echo = {.input = stage_echo};

/* --- limits and times ------------------------------------------------------*/

static void
test_R_ACC_5_instances(void **state)
{
	struct stage *stage = *state;
	int clients[3], i;

	stage->bed->settings.instances = 2;
	stage_serve(stage, &echo, "tcp:127.0.0.1:0");
	for (i = 0; i < 3; i++)
		clients[i] = bed_connect(stage->listener);
	stage_until_opened(stage, 2);
	stage_send(stage, clients[2], "third");
	bed_settle(stage->bed);
	assert_int_equal(stage->notes.opened, 2);
	/* One ends, the next has its turn. */
	close(clients[0]);
	stage_expect(stage, clients[2], "third");
	/* A new value counts at once. */
	clients[0] = bed_connect(stage->listener);
	stage_send(stage, clients[0], "fourth");
	bed_settle(stage->bed);
	assert_int_equal(stage->notes.opened, 3);
	stage->bed->settings.instances = 3;
	server_update(stage->server, &stage->bed->settings);
	stage_expect(stage, clients[0], "fourth");
	for (i = 0; i < 3; i++)
		close(clients[i]);
	stage_until_closed(stage, 4);
}

static void
test_idle_timeout(void **state)
{
	struct stage *stage = *state;
	uint64_t start = mono_now().ns;
	int idle, busy;

	stage->bed->settings.idle_timeout_ms = 200;
	stage_serve(stage, &echo, "tcp:127.0.0.1:0");
	idle = bed_connect(stage->listener);
	busy = bed_connect(stage->listener);
	stage_until_opened(stage, 2);
	while (stage->notes.closed == 0) {
		stage_send(stage, busy, "x");
		stage_expect(stage, busy, "x");
		assert_true(mono_now().ns - start < MONO_MS(20000));
	}
	assert_true(mono_now().ns - start >= MONO_MS(200));
	assert_int_equal(stage->notes.reasons[0], BERTH_CLOSED_IDLE);
	assert_int_equal(stage_until_end(stage, idle, NULL), 0);
	stage_send(stage, busy, "y");
	stage_expect(stage, busy, "y");
	/* Without a limit nobody is looked for any more. */
	stage->bed->settings.idle_timeout_ms = 0;
	server_update(stage->server, &stage->bed->settings);
	assert_int_equal(stage->owner.timers, 0);
	close(idle);
	close(busy);
	stage_until_closed(stage, 2);
}

static void
test_idle_sweep_ends_with_the_last(void **state)
{
	struct stage *stage = *state;
	int client;

	stage->bed->settings.idle_timeout_ms = 40;
	stage_serve(stage, &echo, "tcp:127.0.0.1:0");
	assert_int_equal(stage->owner.timers, 0);
	client = bed_connect(stage->listener);
	stage_until_opened(stage, 1);
	assert_int_equal(stage->owner.timers, 1);
	stage_until_closed(stage, 1);
	close(client);
	while (stage->owner.timers != 0)
		bed_turn(stage->bed);
}

static int
say_late(struct berth_session *session)
{
	return berth_printf(session, "late") == 4 ? 0 : -EIO;
}

static int
ask_twice(struct berth_session *session)
{
	/* The second call is the one that counts. */
	assert_int_equal(berth_session_timeout(session, 3600000), 0);
	return berth_session_timeout(session, 10);
}

static void
test_timeout_hook(void **state)
{
	static const struct berth_session_type type = {
	    .open = ask_twice, .input = stage_echo, .timeout = say_late};
	struct stage *stage = *state;
	int client;

	stage_serve(stage, &type, "tcp:127.0.0.1:0");
	client = bed_connect(stage->listener);
	stage_expect(stage, client, "late");
	assert_int_equal(stage->owner.timers, 0);
	close(client);
	stage_until_closed(stage, 1);
}

static int
ask_and_cancel(struct berth_session *session)
{
	assert_int_equal(berth_session_timeout(session, 1), 0);
	return berth_session_timeout(session, 0);
}

static void
test_timeout_cancelled(void **state)
{
	static const struct berth_session_type type = {
	    .open = ask_and_cancel, .input = stage_echo, .timeout = say_late};
	struct stage *stage = *state;
	int client;

	stage_serve(stage, &type, "tcp:127.0.0.1:0");
	client = bed_connect(stage->listener);
	stage_until_opened(stage, 1);
	assert_int_equal(stage->owner.timers, 0);
	close(client);
	stage_until_closed(stage, 1);
}

int
main(void)
{
#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, stage_setup, stage_teardown)
	static const struct CMUnitTest tests[] = {
	    TEST(test_R_ACC_5_instances),
	    TEST(test_idle_timeout),
	    TEST(test_idle_sweep_ends_with_the_last),
	    TEST(test_timeout_hook),
	    TEST(test_timeout_cancelled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
