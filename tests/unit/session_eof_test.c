/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How connections end: the client's end, ours, and both at once.
 */
#include "unit/session_bed.h"

static const struct berth_session_type echo = {.input = stage_echo};

static void
end_our_side(int client)
{
	assert_int_equal(shutdown(client, SHUT_WR), 0);
}

static bool
logged(const struct stage *stage, const char *text)
{
	return strstr(text_string(&stage->bed->lines), text) != NULL;
}

static void
test_R_EOF_2_nothing_pending(void **state)
{
	struct stage *stage = *state;
	int client;

	stage_serve(stage, &echo, "tcp:127.0.0.1:0");
	client = bed_connect(stage->listener);
	end_our_side(client);
	assert_int_equal(stage_until_end(stage, client, NULL), 0);
	assert_int_equal(stage->notes.reasons[0], BERTH_CLOSED_ORDERLY);
	assert_int_equal(stage->owner.timers, 0);
	close(client);
}

static void
test_R_EOF_5_data_and_end_in_one_wakeup(void **state)
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
		stage_send(stage, client, "last words");
		end_our_side(client);
		stage_expect(stage, client, "last words");
		assert_int_equal(stage_until_end(stage, client, NULL), 0);
		close(client);
		stage_until_closed(stage, i + 1);
		assert_int_equal(stage->notes.reasons[i], BERTH_CLOSED_ORDERLY);
	}
}

/* R-EOF-1 with 10 MB is in session_buffer_test.c; here it is pending. */
static void
test_R_EOF_1_pending_output_is_flushed(void **state)
{
	struct stage *stage = *state;
	char block[65536] = "";
	size_t sent = 0, received;
	ssize_t size;
	int client;

	stage_serve(stage, &echo, "unix:@berth-test");
	client = bed_connect(stage->listener);
	do {
		size = send(client, block, sizeof(block), MSG_NOSIGNAL);
		if (size > 0)
			sent += (size_t)size;
	} while (size > 0 || reactor_turn(stage->bed->reactor, MONO_MS(5)) > 0);
	end_our_side(client);
	assert_int_equal(reactor_turn(stage->bed->reactor, MONO_MS(5)), 0);
	assert_int_equal(stage->notes.closed, 0);
	assert_int_equal(stage_until_end(stage, client, &received), 0);
	assert_int_equal(received, sent);
	assert_int_equal(stage->notes.reasons[0], BERTH_CLOSED_ORDERLY);
	close(client);
}

static void
test_R_EOF_3_reset_drops_output(void **state)
{
	struct stage *stage = *state;
	char block[65536] = "";
	int client;

	stage_serve(stage, &echo, "tcp:127.0.0.1:0");
	client = bed_connect(stage->listener);
	while (send(client, block, sizeof(block), MSG_NOSIGNAL) > 0 ||
	       reactor_turn(stage->bed->reactor, MONO_MS(50)) > 0)
		;
	bed_reset(client);
	stage_until_closed(stage, 1);
	assert_true(stage->notes.reasons[0] == -ECONNRESET ||
		    stage->notes.reasons[0] == -EPIPE);
	assert_int_equal(stage_counters(stage)->sessions_failed, 1);
}

/* --- quit ------------------------------------------------------------------*/

static int
echo_until_quit(struct berth_session *session, struct berth_bytes in)
{
	int result = berth_write(session, in);

	if (in.size >= 4 && memcmp(in.data, "quit", 4) == 0)
		berth_close(session);
	return result;
}

static const struct berth_session_type quitter = {.input = echo_until_quit};

static void
test_R_EOF_4_quit_is_echoed(void **state)
{
	struct stage *stage = *state;
	int client;

	stage_serve(stage, &quitter, "tcp:127.0.0.1:0");
	client = bed_connect(stage->listener);
	stage_send(stage, client, "quit\r\n");
	stage_expect(stage, client, "quit\r\n");
	/* Our end comes; the session waits for the client's. */
	assert_int_equal(stage_until_end(stage, client, NULL), 0);
	assert_int_equal(stage->notes.closed, 0);
	close(client);
	stage_until_closed(stage, 1);
	assert_int_equal(stage->notes.reasons[0], BERTH_CLOSED_ORDERLY);
	assert_int_equal(stage->owner.timers, 0);
}

static void
test_R_EOF_6_bytes_after_quit(void **state)
{
	struct stage *stage = *state;
	char more[1000];
	unsigned i;
	int client;

	memset(more, 'm', sizeof(more));
	stage_serve(stage, &quitter, "tcp:127.0.0.1:0");
	client = bed_connect(stage->listener);
	stage_send(stage, client, "quit\r\n");
	while (stage_counters(stage)->bytes_in == 0)
		bed_turn(stage->bed);
	/* They meet a connection that is shut, and do it no harm. */
	for (i = 0; i < 100; i++) {
		assert_int_equal(
		    send(client, more, sizeof(more), MSG_NOSIGNAL), 1000);
		bed_turn(stage->bed);
	}
	stage_expect(stage, client, "quit\r\n");
	assert_int_equal(stage_until_end(stage, client, NULL), 0);
	close(client);
	stage_until_closed(stage, 1);
	assert_int_equal(stage_counters(stage)->bytes_in, 6);
}

static void
test_R_EOF_6_quit_and_more_in_one(void **state)
{
	struct stage *stage = *state;
	int client;

	stage_serve(stage, &quitter, "tcp:127.0.0.1:0");
	client = bed_connect(stage->listener);
	stage_send(stage, client, "quit and more");
	stage_send(stage, client, "and more");
	stage_expect(stage, client, "quit and more");
	assert_int_equal(stage_until_end(stage, client, NULL), 0);
	close(client);
	stage_until_closed(stage, 1);
}

static void
test_lingering_has_a_time_limit(void **state)
{
	struct stage *stage = *state;
	uint64_t start;
	int client;

	stage->bed->settings.linger_ms = 50;
	stage_serve(stage, &quitter, "tcp:127.0.0.1:0");
	client = bed_connect(stage->listener);
	stage_send(stage, client, "quit");
	stage_expect(stage, client, "quit");
	start = mono_now().ns;
	stage_until_closed(stage, 1);
	assert_true(mono_now().ns - start < MONO_MS(20000));
	assert_int_equal(stage->notes.reasons[0], BERTH_CLOSED_ORDERLY);
	close(client);
}

static void
test_lingering_has_a_byte_limit(void **state)
{
	struct stage *stage = *state;
	char more[65536] = "";
	size_t sent = 0;
	ssize_t size;
	int client;

	stage->bed->settings.linger_ms = 3600000;
	stage_serve(stage, &quitter, "tcp:127.0.0.1:0");
	client = bed_connect(stage->listener);
	stage_send(stage, client, "quit");
	stage_expect(stage, client, "quit");
	while (stage->notes.closed == 0) {
		size = send(client, more, sizeof(more), MSG_NOSIGNAL);
		if (size > 0)
			sent += (size_t)size;
		bed_turn(stage->bed);
	}
	assert_true(sent > 1024u * 1024);
	assert_int_equal(stage->notes.reasons[0], BERTH_CLOSED_ORDERLY);
	close(client);
}

static void
test_no_lingering_when_off(void **state)
{
	struct stage *stage = *state;
	int client;

	stage->bed->settings.linger_ms = 0;
	stage_serve(stage, &quitter, "tcp:127.0.0.1:0");
	client = bed_connect(stage->listener);
	stage_send(stage, client, "quit");
	stage_until_closed(stage, 1);
	stage_expect(stage, client, "quit");
	assert_int_equal(stage_until_end(stage, client, NULL), 0);
	close(client);
}

static int
close_with_much(struct berth_session *session, struct berth_bytes in)
{
	static const char block[65536];

	while (berth_write(session, berth_bytes(block, sizeof(block))) ==
	       (int)sizeof(block))
		;
	berth_close(session);
	return (int)in.size;
}

static void
test_flushing_to_one_who_never_reads_ends(void **state)
{
	static const struct berth_session_type type = {
	    .input = close_with_much};
	struct stage *stage = *state;
	int client;

	/* The least for flushing is a second. */
	stage->bed->settings.linger_ms = 1;
	stage_serve(stage, &type, "unix:@berth-test");
	client = bed_connect(stage->listener);
	stage_send(stage, client, "x");
	stage_until_closed(stage, 1);
	assert_int_equal(stage->notes.reasons[0], -ETIMEDOUT);
	close(client);
}

static int
greet_and_close(struct berth_session *session)
{
	berth_write(session, berth_str("hello"));
	berth_close(session);
	return 0;
}

static void
test_client_that_spoke_first_is_lingered_for(void **state)
{
	static const struct berth_session_type type = {.open = greet_and_close};
	struct stage *stage = *state;
	int client;

	stage_serve(stage, &type, "tcp:127.0.0.1:0");
	server_accept(stage->server, false);
	client = bed_connect(stage->listener);
	/* Unread bytes would make the kernel answer the close with a reset. */
	stage_send(stage, client, "GET / HTTP/1.0\r\n\r\n");
	server_accept(stage->server, true);
	stage_until_opened(stage, 1);
	assert_int_equal(stage->notes.closed, 0);
	stage_expect(stage, client, "hello");
	assert_int_equal(stage_until_end(stage, client, NULL), 0);
	close(client);
	stage_until_closed(stage, 1);
}

/* --- the eof hook ----------------------------------------------------------*/

static char rest_text[64];
static unsigned eofs;

static int
take_nothing(struct berth_session *session, struct berth_bytes in)
{
	(void)session;
	(void)in;
	return 0;
}

static int
answer_at_the_end(struct berth_session *session, struct berth_bytes rest)
{
	eofs++;
	snprintf(rest_text, sizeof(rest_text), "%.*s", (int)rest.size,
	    (const char *)rest.data);
	assert_int_equal(
	    berth_printf(session, "[%s]", rest_text), strlen(rest_text) + 2);
	berth_close(session);
	return 0;
}

static void
test_eof_hook_gets_the_rest(void **state)
{
	static const struct berth_session_type type = {
	    .input = take_nothing, .eof = answer_at_the_end};
	struct stage *stage = *state;
	int client;

	eofs = 0;
	stage_serve(stage, &type, "tcp:127.0.0.1:0");
	client = bed_connect(stage->listener);
	stage_send(stage, client, "no new");
	bed_settle(stage->bed);
	stage_send(stage, client, "line");
	end_our_side(client);
	stage_expect(stage, client, "[no newline]");
	assert_int_equal(stage_until_end(stage, client, NULL), 0);
	assert_int_equal(eofs, 1);
	close(client);
	stage_until_closed(stage, 1);
}

static struct berth_session *half_closed;

static int
stay(struct berth_session *session, struct berth_bytes rest)
{
	(void)rest;
	half_closed = session;
	return 0;
}

static void
note_state(void *context, const struct session_info *info)
{
	const char **state = context;

	*state = info->state;
}

static void
test_half_closed_session_goes_on(void **state)
{
	static const struct berth_session_type type = {
	    .input = stage_echo, .eof = stay};
	struct stage *stage = *state;
	const char *now = NULL;
	int client;

	half_closed = NULL;
	stage_serve(stage, &type, "tcp:127.0.0.1:0");
	client = bed_connect(stage->listener);
	end_our_side(client);
	while (half_closed == NULL)
		bed_turn(stage->bed);
	/* R-RCT-5: an end that was seen wakes nobody. */
	assert_int_equal(reactor_turn(stage->bed->reactor, 0), 0);
	server_each_session(stage->server, note_state, &now);
	assert_string_equal(now, "half-closed");
	assert_int_equal(
	    session_write(half_closed, berth_str("one more thing")), 14);
	stage_expect(stage, client, "one more thing");
	session_close(half_closed);
	assert_int_equal(stage_until_end(stage, client, NULL), 0);
	stage_until_closed(stage, 1);
	assert_int_equal(stage->notes.reasons[0], BERTH_CLOSED_ORDERLY);
	close(client);
}

/* --- aborts ----------------------------------------------------------------*/

static int
fill_and_abort(struct berth_session *session, struct berth_bytes in)
{
	static const char block[65536];

	(void)in;
	while (berth_write(session, berth_bytes(block, sizeof(block))) ==
	       (int)sizeof(block))
		;
	berth_abort(session);
	berth_close(session);
	return 0;
}

static void
test_R_EOF_7_abort_does_not_flush(void **state)
{
	static const struct berth_session_type type = {.input = fill_and_abort};
	struct stage *stage = *state;
	size_t received;
	int client;

	stage_serve(stage, &type, "unix:@berth-test");
	client = bed_connect(stage->listener);
	stage_send(stage, client, "x");
	stage_until_closed(stage, 1);
	assert_int_equal(stage->notes.reasons[0], BERTH_CLOSED_ABORTED);
	stage_until_end(stage, client, &received);
	assert_int_equal(received, stage_counters(stage)->bytes_out);
	close(client);
}

static void
test_R_EOF_9_orderly_and_abnormal_in_the_log(void **state)
{
	struct stage *stage = *state;
	int client;

	stage_serve(stage, &echo, "tcp:127.0.0.1:0");
	client = bed_connect(stage->listener);
	stage_until_opened(stage, 1);
	close(client);
	stage_until_closed(stage, 1);
	assert_true(logged(stage, "7 test: session 1 from "));
	assert_true(logged(stage, ": closed in order\n"));
	client = bed_connect(stage->listener);
	stage_until_opened(stage, 2);
	bed_reset(client);
	stage_until_closed(stage, 2);
	assert_true(logged(stage, "6 test: session 2 from "));
	assert_true(logged(stage, ": Connection reset by peer\n"));
}

int
main(void)
{
#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, stage_setup, stage_teardown)
	/* R-EOF-8: every teardown compares the count of descriptors. */
	static const struct CMUnitTest tests[] = {
	    TEST(test_R_EOF_1_pending_output_is_flushed),
	    TEST(test_R_EOF_2_nothing_pending),
	    TEST(test_R_EOF_3_reset_drops_output),
	    TEST(test_R_EOF_4_quit_is_echoed),
	    TEST(test_R_EOF_5_data_and_end_in_one_wakeup),
	    TEST(test_R_EOF_6_bytes_after_quit),
	    TEST(test_R_EOF_6_quit_and_more_in_one),
	    TEST(test_R_EOF_7_abort_does_not_flush),
	    TEST(test_R_EOF_9_orderly_and_abnormal_in_the_log),
	    TEST(test_lingering_has_a_time_limit),
	    TEST(test_lingering_has_a_byte_limit),
	    TEST(test_no_lingering_when_off),
	    TEST(test_flushing_to_one_who_never_reads_ends),
	    TEST(test_client_that_spoke_first_is_lingered_for),
	    TEST(test_eof_hook_gets_the_rest),
	    TEST(test_half_closed_session_goes_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
