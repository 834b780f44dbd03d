/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Budgets, pauses, records: who has to wait, and who does not.
 */
#include "unit/session_bed.h"

#define MEGABYTE (1024u * 1024)

static const struct berth_session_type echo = {.input = stage_echo};

/* --- budgets ---------------------------------------------------------------*/

static int
swallow(struct berth_session *session, struct berth_bytes in)
{
	(void)session;
	return (int)in.size;
}

static void
test_R_BUF_8_reading_has_a_budget(void **state)
{
	static const struct berth_session_type type = {.input = swallow};
	struct stage *stage = *state;
	static char block[65536];
	uint64_t before;
	int size = 4 * (int)MEGABYTE, client;

	stage->bed->settings.input_limit_bytes = MEGABYTE;
	stage_serve(stage, &type, "tcp:127.0.0.1:0");
	setsockopt(listener_fd(stage->listener), SOL_SOCKET, SO_RCVBUF, &size,
	    sizeof(size));
	client = bed_connect(stage->listener);
	stage_until_opened(stage, 1);
	while (send(client, block, sizeof(block), MSG_NOSIGNAL) > 0)
		;
	before = stage_counters(stage)->bytes_in;
	assert_true(reactor_turn(stage->bed->reactor, MONO_MS(1000)) > 0);
	/* Two buffers, and the other sessions have their turn. */
	assert_true(stage_counters(stage)->bytes_in - before <= 2 * 65536);
	assert_true(stage_counters(stage)->bytes_in - before > 65536);
	bed_reset(client);
	stage_until_closed(stage, 1);
}

static int greedy_client;

/* Writes until it is refused, to a client that reads all the while. */
static int
generate(struct berth_session *session)
{
	static char block[4096], room[65536];
	size_t written = 0;
	int result;

	do {
		result = berth_write(
		    session, berth_bytes(block, sizeof(block)));
		while (recv(greedy_client, room, sizeof(room), 0) > 0)
			;
		written += sizeof(block);
		assert_true(written < 16 * MEGABYTE);
	} while (result == (int)sizeof(block));
	return result < 0 ? result : 0;
}

static int
generate_now(struct berth_session *session, struct berth_bytes in)
{
	int result = generate(session);

	return result < 0 ? result : (int)in.size;
}

static void
test_R_BUF_8_writing_has_a_budget(void **state)
{
	static const struct berth_session_type types[] = {
	    {.open = generate, .input = swallow, .output_ready = generate},
	    {.input = generate_now, .output_ready = generate},
	};
	struct stage *stage = *state;
	uint64_t sent;
	unsigned i;

	for (i = 0; i < BASE_COUNT(types); i++) {
		stage_serve(stage, &types[i], "unix:@berth-test");
		greedy_client = bed_connect(stage->listener);
		stage_send(stage, greedy_client, "x");
		stage_until_opened(stage, i + 1);
		assert_true(reactor_turn(stage->bed->reactor, 0) > 0);
		sent = stage_counters(stage)->bytes_out;
		assert_true(sent >= 256 * 1024);
		/* And it goes on, in the next turns. */
		while (stage_counters(stage)->bytes_out < 2 * sent)
			bed_turn(stage->bed);
		close(greedy_client);
		stage_until_closed(stage, i + 1);
		stage->server = server_free(stage->server);
	}
}

/* --- pausing ---------------------------------------------------------------*/

static struct berth_session *paused;
static unsigned offered;

static int
pause_at_p(struct berth_session *session, struct berth_bytes in)
{
	const char *text = in.data;

	offered++;
	if (text[0] == 'p' && paused == NULL) {
		paused = session;
		berth_pause(session, 1);
		return 0;
	}
	return berth_write(session, in);
}

static void
test_pause_and_go_on(void **state)
{
	static const struct berth_session_type type = {.input = pause_at_p};
	struct stage *stage = *state;
	int client;

	paused = NULL;
	offered = 0;
	stage_serve(stage, &type, "tcp:127.0.0.1:0");
	client = bed_connect(stage->listener);
	stage_send(stage, client, "p");
	while (paused == NULL)
		bed_turn(stage->bed);
	/* Neither more input nor the end is told of now. */
	stage_send(stage, client, "q");
	assert_int_equal(shutdown(client, SHUT_WR), 0);
	assert_int_equal(reactor_turn(stage->bed->reactor, MONO_MS(5)), 0);
	assert_int_equal(offered, 1);
	session_pause(paused, 0);
	/* Not inside the call, but before the loop blocks. */
	assert_int_equal(offered, 1);
	assert_true(reactor_turn(stage->bed->reactor, REACTOR_FOREVER) >= 0);
	assert_true(offered >= 2);
	stage_expect(stage, client, "pq");
	assert_int_equal(stage_until_end(stage, client, NULL), 0);
	close(client);
	stage_until_closed(stage, 1);
}

static void
test_hold_of_the_whole_server(void **state)
{
	struct stage *stage = *state;
	int client;

	stage_serve(stage, &echo, "tcp:127.0.0.1:0");
	client = bed_connect(stage->listener);
	stage_until_opened(stage, 1);
	server_hold(stage->server, true);
	stage_send(stage, client, "x");
	assert_int_equal(reactor_turn(stage->bed->reactor, MONO_MS(5)), 0);
	server_hold(stage->server, false);
	stage_expect(stage, client, "x");
	close(client);
	stage_until_closed(stage, 1);
}

/* --- records ---------------------------------------------------------------*/

static void
test_records_keep_their_boundaries(void **state)
{
	struct stage *stage = *state;
	char record[2000], got[4000];
	unsigned sent = 0, received = 0;
	ssize_t size;
	int client;

	stage_serve(stage, &echo, "unix-seqpacket:@berth-test");
	client = bed_connect(stage->listener);
	/* Until nobody takes any more: all buffers are full. */
	for (;;) {
		memset(record, (int)(sent % 251), sizeof(record));
		size = send(client, record, 1 + sent % sizeof(record), 0);
		if (size > 0)
			sent++;
		else if (reactor_turn(stage->bed->reactor, MONO_MS(5)) == 0)
			break;
	}
	while (received < sent) {
		size = recv(client, got, sizeof(got), 0);
		if (size < 0) {
			bed_turn(stage->bed);
			continue;
		}
		assert_int_equal(size, 1 + received % sizeof(record));
		assert_int_equal((unsigned char)got[0], received % 251);
		received++;
	}
	close(client);
	stage_until_closed(stage, 1);
}

static void
test_record_above_the_limit(void **state)
{
	struct stage *stage = *state;
	char record[2000] = "";
	int client;

	stage->bed->settings.input_limit_bytes = 1000;
	stage_serve(stage, &echo, "unix-seqpacket:@berth-test");
	client = bed_connect(stage->listener);
	assert_int_equal(send(client, record, sizeof(record), 0), 2000);
	stage_until_closed(stage, 1);
	assert_int_equal(stage->notes.reasons[0], BERTH_CLOSED_OVERFLOW);
	close(client);
}

/* --- formatted output ------------------------------------------------------*/

static int
print_much(struct berth_session *session)
{
	unsigned i;

	for (i = 0;; i++) {
		int result = berth_printf(session, "%06u%*s\n", i, 5000, "");

		if (result == -EAGAIN)
			break;
		assert_int_equal(result, 5007);
	}
	assert_int_equal(berth_printf(session, "%*s", 100000, ""), -EMSGSIZE);
	return 0;
}

static int
say_end(struct berth_session *session)
{
	assert_int_equal(berth_printf(session, "end"), 3);
	berth_close(session);
	return 0;
}

static void
test_printf_is_whole_or_nothing(void **state)
{
	static const struct berth_session_type type = {
	    .open = print_much, .input = swallow, .output_ready = say_end};
	struct stage *stage = *state;
	size_t bytes;
	int client;

	stage_serve(stage, &type, "tcp:127.0.0.1:0");
	client = bed_connect(stage->listener);
	assert_int_equal(stage_until_end(stage, client, &bytes), 0);
	assert_int_equal(bytes % 5007, 3);
	assert_true(bytes > 65536);
	close(client);
	stage_until_closed(stage, 1);
}

/* --- others' writes --------------------------------------------------------*/

static struct berth_session *slow;
static int last_result;

static int
join(struct berth_session *session)
{
	if (slow == NULL)
		slow = session;
	return 0;
}

static int
broadcast(struct berth_session *session, struct berth_bytes in)
{
	static const char block[16384];

	last_result = berth_write(slow, berth_bytes(block, sizeof(block)));
	return berth_write(session, in);
}

static void
forget(struct berth_session *session, int reason)
{
	(void)reason;
	if (slow == session)
		slow = NULL;
}

static void
test_R_BUF_9_a_slow_member_hurts_nobody(void **state)
{
	static const struct berth_session_type type = {
	    .open = join, .input = broadcast, .closed = forget};
	struct stage *stage = *state;
	int member, sender;

	slow = NULL;
	last_result = 16384;
	stage_serve(stage, &type, "tcp:127.0.0.1:0");
	member = bed_connect(stage->listener);
	stage_until_opened(stage, 1);
	sender = bed_connect(stage->listener);
	while (last_result == 16384) {
		stage_send(stage, sender, "x");
		stage_expect(stage, sender, "x");
	}
	/* The queue is full; the sender is told so, and goes on. */
	assert_true(last_result >= 0);
	stage_send(stage, sender, "y");
	stage_expect(stage, sender, "y");
	assert_int_equal(last_result, 0);
	bed_reset(member);
	stage_until_closed(stage, 1);
	assert_true(stage->notes.reasons[0] < 0);
	close(sender);
	slow = NULL;
	stage_until_closed(stage, 2);
}

int
main(void)
{
#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, stage_setup, stage_teardown)
	static const struct CMUnitTest tests[] = {
	    TEST(test_R_BUF_8_reading_has_a_budget),
	    TEST(test_R_BUF_8_writing_has_a_budget),
	    TEST(test_R_BUF_9_a_slow_member_hurts_nobody),
	    TEST(test_pause_and_go_on),
	    TEST(test_hold_of_the_whole_server),
	    TEST(test_records_keep_their_boundaries),
	    TEST(test_record_above_the_limit),
	    TEST(test_printf_is_whole_or_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
