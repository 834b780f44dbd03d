/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Our side of a connection ends alone, and the client goes on.
 */
#include "unit/session_bed.h"

#include <errno.h>

static void
end_our_side(int client)
{
	assert_int_equal(shutdown(client, SHUT_WR), 0);
}

static char heard[64];

/* "bye" is answered and ends our side; the rest is noted. */
static int
say_goodbye(struct berth_session *session, struct berth_bytes in)
{
	if (in.size == 3 && memcmp(in.data, "bye", 3) == 0) {
		berth_printf(session, "goodbye");
		assert_int_equal(session_half_close(session), 0);
		assert_int_equal(session_half_close(session), 0);
		assert_int_equal(session_writable(session), 0);
		assert_int_equal(
		    session_write(session, berth_str("x")), -EPIPE);
		assert_int_equal(berth_printf(session, "x"), -EPIPE);
		return 3;
	}
	snprintf(heard + strlen(heard), sizeof(heard) - strlen(heard), "%.*s",
	    (int)in.size, (const char *)in.data);
	return (int)in.size;
}

static int
close_at_the_end(struct berth_session *session, struct berth_bytes rest)
{
	assert_int_equal(rest.size, 0);
	berth_close(session);
	assert_int_equal(session_half_close(session), -EPIPE);
	return 0;
}

static void
test_half_close_goes_on_reading(void **state)
{
	static const struct berth_session_type type = {
	    .input = say_goodbye, .eof = close_at_the_end};
	static const char *const endpoints[] = {"tcp:127.0.0.1:0",
	    "unix:@berth-test", "unix-seqpacket:@berth-test"};
	struct stage *stage = *state;

	stage_serve(stage, &type, endpoints[0]);
	stage_also(stage, endpoints[1]);
	stage_also(stage, endpoints[2]);
	for (unsigned i = 0; i < BASE_COUNT(endpoints); i++) {
		int client = bed_connect(server_listener(stage->server, i));

		heard[0] = '\0';
		stage_send(stage, client, "bye");
		stage_expect(stage, client, "goodbye");
		assert_int_equal(stage_until_end(stage, client, NULL), 0);
		stage_send(stage, client, "one more");
		bed_settle(stage->bed);
		stage_send(stage, client, " thing");
		end_our_side(client);
		stage_until_closed(stage, i + 1);
		assert_string_equal(heard, "one more thing");
		assert_int_equal(stage->notes.reasons[i], BERTH_CLOSED_ORDERLY);
		assert_int_equal(stage->owner.timers, 0);
		close(client);
	}
}

static size_t written;

static int
half_close_with_much(struct berth_session *session, struct berth_bytes in)
{
	static const char block[65536];
	int result;

	if (written > 0)
		return say_goodbye(session, in);
	do {
		result = berth_write(session, berth_bytes(block, 65536));
		written += (size_t)result;
	} while (result == 65536);
	assert_int_equal(session_half_close(session), 0);
	return (int)in.size;
}

static int
never(struct berth_session *session)
{
	(void)session;
	fail_msg("nothing more can be written");
	return 0;
}

static void
test_half_close_is_behind_the_output(void **state)
{
	static const struct berth_session_type type = {
	    .input = half_close_with_much,
	    .output_ready = never,
	    .eof = close_at_the_end};
	struct stage *stage = *state;
	size_t received = 0;
	int client;

	heard[0] = '\0';
	written = 0;
	stage_serve(stage, &type, "unix:@berth-test");
	client = bed_connect(stage->listener);
	stage_send(stage, client, "x");
	while (written == 0)
		bed_turn(stage->bed);
	/* Read while the output still waits. */
	stage_send(stage, client, "still there");
	assert_int_equal(stage_until_end(stage, client, &received), 0);
	assert_int_equal(received, written);
	end_our_side(client);
	stage_until_closed(stage, 1);
	assert_string_equal(heard, "still there");
	close(client);
}

static void
test_half_close_without_an_eof_hook(void **state)
{
	static const struct berth_session_type type = {.input = say_goodbye};
	struct stage *stage = *state;
	int client;

	stage_serve(stage, &type, "tcp:127.0.0.1:0");
	client = bed_connect(stage->listener);
	stage_send(stage, client, "bye");
	stage_expect(stage, client, "goodbye");
	end_our_side(client); /* and without an eof hook it closes */
	assert_int_equal(stage_until_end(stage, client, NULL), 0);
	stage_until_closed(stage, 1);
	assert_int_equal(stage->notes.reasons[0], BERTH_CLOSED_ORDERLY);
	close(client);
}

int
main(void)
{
#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, stage_setup, stage_teardown)
	static const struct CMUnitTest tests[] = {
	    TEST(test_half_close_goes_on_reading),
	    TEST(test_half_close_is_behind_the_output),
	    TEST(test_half_close_without_an_eof_hook),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
