/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Clients that break their connections, at the worst moments.
 */
#include "unit/session_bed.h"

#include <signal.h>

static const struct berth_session_type echo = {.input = stage_echo};

static void
connect_many(struct stage *stage, int *clients, unsigned count)
{
	unsigned i;

	for (i = 0; i < count; i++)
		clients[i] = bed_connect(stage->listener);
}

static void
test_R_ERR_1_no_SIGPIPE(void **state)
{
	struct stage *stage = *state;
	char block[65536] = "";
	int client;

	/* The signal would end this process. */
	assert_ptr_equal(signal(SIGPIPE, SIG_DFL), SIG_DFL);
	stage_serve(stage, &echo, "unix:@berth-test");
	client = bed_connect(stage->listener);
	while (send(client, block, sizeof(block), MSG_NOSIGNAL) > 0 ||
	       reactor_turn(stage->bed->reactor, MONO_MS(5)) > 0)
		;
	close(client);
	stage_until_closed(stage, 1);
	assert_true(stage->notes.reasons[0] == -EPIPE ||
		    stage->notes.reasons[0] == -ECONNRESET);
}

static void
test_R_ERR_2_reset_storm(void **state)
{
	struct stage *stage = *state;
	int clients[100], other;
	unsigned round, i;

	stage_serve(stage, &echo, "tcp:127.0.0.1:0");
	other = bed_connect(stage->listener);
	for (round = 1; round <= 5; round++) {
		connect_many(stage, clients, 100);
		for (i = 0; i < 100; i++) {
			/* Some before they were taken, some with bytes on
			 * their way, some with an answer unread. */
			if (i % 3 == 0)
				stage_send(stage, clients[i], "hello");
			if (i % 7 == 0)
				bed_turn(stage->bed);
			bed_reset(clients[i]);
		}
		stage_send(stage, other, "alive");
		stage_expect(stage, other, "alive");
		stage_until_active(stage, 1);
	}
	close(other);
	stage_until_active(stage, 0);
	assert_int_equal(stage->notes.opened, stage->notes.closed);
	assert_int_equal(stage->owner.descriptors, 0);
}

/* Another member's hook makes this one's output fail. */
static struct berth_session *victim;
static int victim_client;

static int
join(struct berth_session *session)
{
	if (victim == NULL)
		victim = session;
	return 0;
}

static int
reset_and_write(struct berth_session *session, struct berth_bytes in)
{
	int result = 0, i;

	if (victim_client < 0)
		return berth_write(session, in);
	bed_reset(victim_client);
	victim_client = -1;
	/* R-BUF-7: the write finds out; nothing is called meanwhile. */
	for (i = 0; i < 3; i++)
		result = berth_write(victim, berth_str("x"));
	assert_true(result < 0);
	assert_int_equal(stage_of(session)->notes.closed, 0);
	berth_close(victim);
	berth_abort(victim);
	return berth_write(session, in);
}

static void
test_R_BUF_7_reset_during_the_write(void **state)
{
	static const struct berth_session_type type = {
	    .open = join, .input = reset_and_write};
	struct stage *stage = *state;
	int client;

	victim = NULL;
	stage_serve(stage, &type, "tcp:127.0.0.1:0");
	victim_client = bed_connect(stage->listener);
	stage_until_opened(stage, 1);
	client = bed_connect(stage->listener);
	stage_send(stage, client, "go");
	stage_expect(stage, client, "go");
	stage_until_closed(stage, 1);
	assert_true(stage->notes.reasons[0] < 0);
	close(client);
	stage_until_closed(stage, 2);
}

static int
write_to_dead(struct berth_session *session, struct berth_bytes in)
{
	int i, result = 0;

	bed_reset(victim_client);
	for (i = 0; i < 3 && result >= 0; i++)
		result = berth_write(session, in);
	assert_true(result < 0);
	assert_int_equal(berth_write(session, in), -EPIPE);
	return (int)in.size;
}

static void
test_R_BUF_7_own_write_fails(void **state)
{
	static const struct berth_session_type type = {.input = write_to_dead};
	struct stage *stage = *state;

	stage_serve(stage, &type, "tcp:127.0.0.1:0");
	victim_client = bed_connect(stage->listener);
	stage_send(stage, victim_client, "x");
	stage_until_closed(stage, 1);
	assert_true(stage->notes.reasons[0] < 0);
	bed_settle(stage->bed);
	assert_int_equal(stage->notes.closed, 1);
}

static int
count_wrongly(struct berth_session *session, struct berth_bytes in)
{
	(void)session;
	return (int)in.size + 1;
}

static void
test_input_that_takes_too_much(void **state)
{
	static const struct berth_session_type type = {.input = count_wrongly};
	struct stage *stage = *state;
	int client;

	stage_serve(stage, &type, "tcp:127.0.0.1:0");
	client = bed_connect(stage->listener);
	stage_send(stage, client, "x");
	stage_until_closed(stage, 1);
	assert_int_equal(stage->notes.reasons[0], -ERANGE);
	close(client);
}

static void
test_R_ERR_5_dead_peer_is_found_by_the_read(void **state)
{
	struct stage *stage = *state;
	int client;

	/* It is not watched for writing, and the reset is still seen. */
	stage_serve(stage, &echo, "tcp:127.0.0.1:0");
	client = bed_connect(stage->listener);
	stage_send(stage, client, "x");
	stage_expect(stage, client, "x");
	bed_reset(client);
	stage_until_closed(stage, 1);
	assert_int_equal(stage->notes.reasons[0], -ECONNRESET);
}

static void
test_R_RCT_5_idle_clients_cost_no_turn(void **state)
{
	struct stage *stage = *state;
	int clients[50];
	unsigned i;

	stage_serve(stage, &echo, "tcp:127.0.0.1:0");
	connect_many(stage, clients, 50);
	for (i = 0; i < 50; i++) {
		stage_send(stage, clients[i], "x");
		stage_expect(stage, clients[i], "x");
	}
	assert_int_equal(reactor_turn(stage->bed->reactor, MONO_MS(5)), 0);
	for (i = 0; i < 50; i++)
		close(clients[i]);
	stage_until_closed(stage, 50);
}

static void
test_R_RCT_11_beyond_1024_descriptors(void **state)
{
	static int clients[1100];
	struct stage *stage = *state;
	unsigned i;

	assert_int_equal(fd_raise_limit(), 0);
	stage->bed->settings.backlog = 2048;
	stage_serve(stage, &echo, "tcp:127.0.0.1:0");
	for (i = 0; i < BASE_COUNT(clients); i++) {
		clients[i] = bed_connect(stage->listener);
		if (i % 50 == 0)
			bed_settle(stage->bed);
	}
	for (i = 0; i < BASE_COUNT(clients); i++)
		stage_send(stage, clients[i], "x");
	for (i = 0; i < BASE_COUNT(clients); i++)
		stage_expect(stage, clients[i], "x");
	assert_int_equal(
	    stage_counters(stage)->sessions_active, BASE_COUNT(clients));
	for (i = 0; i < BASE_COUNT(clients); i++)
		close(clients[i]);
	stage_until_closed(stage, BASE_COUNT(clients));
}

/* A client of one byte holds up nobody (R-RCT-8). */
static int
take_lines(struct berth_session *session, struct berth_bytes in)
{
	const char *end = memrchr(in.data, '\n', in.size);

	if (end == NULL)
		return 0;
	return berth_write(session,
	    berth_bytes(in.data, (size_t)(end - (const char *)in.data) + 1));
}

static void
test_R_RCT_8_one_byte_without_an_end(void **state)
{
	static const struct berth_session_type type = {.input = take_lines};
	struct stage *stage = *state;
	int slow, client;

	stage_serve(stage, &type, "tcp:127.0.0.1:0");
	slow = bed_connect(stage->listener);
	stage_send(stage, slow, "x");
	client = bed_connect(stage->listener);
	stage_send(stage, client, "line\n");
	stage_expect(stage, client, "line\n");
	stage_send(stage, slow, "y\n");
	stage_expect(stage, slow, "xy\n");
	close(slow);
	close(client);
	stage_until_closed(stage, 2);
}

int
main(void)
{
#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, stage_setup, stage_teardown)
	static const struct CMUnitTest tests[] = {
	    TEST(test_R_ERR_1_no_SIGPIPE),
	    TEST(test_R_ERR_2_reset_storm),
	    TEST(test_R_ERR_5_dead_peer_is_found_by_the_read),
	    TEST(test_R_BUF_7_reset_during_the_write),
	    TEST(test_R_BUF_7_own_write_fails),
	    TEST(test_input_that_takes_too_much),
	    TEST(test_R_RCT_5_idle_clients_cost_no_turn),
	    TEST(test_R_RCT_8_one_byte_without_an_end),
	    TEST(test_R_RCT_11_beyond_1024_descriptors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
