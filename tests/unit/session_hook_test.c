/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What hooks may do to their own session and to others.
 */
#include "unit/session_bed.h"

/* --- ending inside of hooks ------------------------------------------------*/

struct deed {
	const char *name;
	void (*act)(struct berth_session *session);
	int result; /* of the hook */
	int reason; /* that closed is told */
};

static void
act_close(struct berth_session *session)
{
	berth_close(session);
	berth_close(session);
}

static void
act_abort(struct berth_session *session)
{
	berth_abort(session);
	berth_abort(session);
}

static void
act_close_abort(struct berth_session *session)
{
	berth_close(session);
	berth_abort(session);
	berth_close(session);
}

static void
act_nothing(struct berth_session *session)
{
	(void)session;
}

static void
act_drain(struct berth_session *session)
{
	server_drain(stage_of(session)->server, 0);
}

static void
act_abort_all(struct berth_session *session)
{
	server_abort(stage_of(session)->server, BERTH_CLOSED_DRAINED);
}

static const struct deed deeds[] = {
    {"close", act_close, 0, BERTH_CLOSED_ORDERLY},
    {"abort", act_abort, 0, BERTH_CLOSED_ABORTED},
    {"close, abort", act_close_abort, 0, BERTH_CLOSED_ABORTED},
    {"negative", act_nothing, -EIO, BERTH_CLOSED_ABORTED},
    {"close, negative", act_close, -EIO, BERTH_CLOSED_ABORTED},
    {"drain", act_drain, 0, BERTH_CLOSED_DRAINED},
    {"abort all", act_abort_all, 0, BERTH_CLOSED_DRAINED},
};

static const struct deed *deed;

static int
do_deed(struct berth_session *session)
{
	deed->act(session);
	return deed->result;
}

static int
deed_in_input(struct berth_session *session, struct berth_bytes in)
{
	int result = do_deed(session);

	return result < 0 ? result : (int)in.size;
}

static int
deed_in_eof(struct berth_session *session, struct berth_bytes rest)
{
	(void)rest;
	return do_deed(session);
}

static int
ask_for_timeout(struct berth_session *session)
{
	return berth_session_timeout(session, 1);
}

static int
take_all(struct berth_session *session, struct berth_bytes in)
{
	(void)session;
	return (int)in.size;
}

/* Writes until it is refused; then output_ready comes. */
static int
write_too_much(struct berth_session *session)
{
	static const char block[65536];
	int result;

	do {
		result = berth_write(
		    session, berth_bytes(block, sizeof(block)));
	} while (result == (int)sizeof(block));
	return result < 0 ? result : 0;
}

static const struct berth_session_type deed_types[] = {
    {.input = deed_in_input},
    {.input = take_all, .eof = deed_in_eof},
    {.open = ask_for_timeout, .input = take_all, .timeout = do_deed},
    {.open = write_too_much, .input = take_all, .output_ready = do_deed},
};

static void
try_deed(struct stage *stage, const struct berth_session_type *type)
{
	unsigned before = stage->notes.closed;
	int client = bed_connect(stage->listener);

	stage_send(stage, client, "x");
	if (type->eof != NULL)
		assert_int_equal(shutdown(client, SHUT_WR), 0);
	stage_until_opened(stage, stage->notes.opened + 1);
	/* Reads all, and ends its side when the host has. */
	stage_until_end(stage, client, NULL);
	close(client);
	stage_until_closed(stage, before + 1);
	if (stage->notes.reasons[before] != deed->reason)
		fail_msg(
		    "%s: reason %d", deed->name, stage->notes.reasons[before]);
	bed_settle(stage->bed);
	assert_int_equal(stage->notes.closed, before + 1);
	server_accept(stage->server, true);
}

static void
run_deeds(void **state, const struct berth_session_type *type)
{
	struct stage *stage = *state;
	unsigned i;

	stage_serve(stage, type, "tcp:127.0.0.1:0");
	for (i = 0; i < BASE_COUNT(deeds); i++) {
		deed = &deeds[i];
		try_deed(stage, type);
	}
}

static void
test_ending_in_input(void **state)
{
	run_deeds(state, &deed_types[0]);
}

static void
test_ending_in_eof(void **state)
{
	run_deeds(state, &deed_types[1]);
}

static void
test_ending_in_timeout(void **state)
{
	run_deeds(state, &deed_types[2]);
}

static void
test_ending_in_output_ready(void **state)
{
	run_deeds(state, &deed_types[3]);
}

static int
deed_in_open(struct berth_session *session)
{
	assert_int_equal(berth_write(session, berth_str("hi")), 2);
	deed->act(session);
	return 0;
}

static void
test_ending_in_open(void **state)
{
	static const struct berth_session_type type = {
	    .open = deed_in_open, .input = take_all};
	struct stage *stage = *state;
	unsigned i, done = 0;
	int client;

	stage_serve(stage, &type, "tcp:127.0.0.1:0");
	for (i = 0; i < BASE_COUNT(deeds); i++) {
		deed = &deeds[i];
		if (deed->result != 0)
			continue;
		client = bed_connect(stage->listener);
		stage_until_closed(stage, ++done);
		assert_int_equal(stage->notes.reasons[done - 1], deed->reason);
		close(client);
		bed_settle(stage->bed);
		server_accept(stage->server, true);
	}
}

static void
call_everything(struct berth_session *session, int reason)
{
	char text[64];

	(void)reason;
	assert_int_equal(berth_write(session, berth_str("x")), -EPIPE);
	assert_int_equal(berth_printf(session, "x"), -EPIPE);
	assert_int_equal(berth_writable(session), 0);
	assert_int_equal(berth_session_timeout(session, 1), -EPIPE);
	berth_pause(session, 1);
	berth_pause(session, 0);
	berth_close(session);
	berth_abort(session);
	berth_local(session, text, sizeof(text));
}

static void
test_calls_in_closed_do_nothing(void **state)
{
	static const struct berth_session_type type = {
	    .input = stage_echo, .closed = call_everything};
	struct stage *stage = *state;
	int client;

	stage_serve(stage, &type, "tcp:127.0.0.1:0");
	client = bed_connect(stage->listener);
	stage_until_opened(stage, 1);
	close(client);
	stage_until_closed(stage, 1);
	bed_settle(stage->bed);
	assert_int_equal(stage->notes.closed, 1);
}

/* --- one session acts on another -------------------------------------------*/

static struct berth_session *members[2];

static int
join(struct berth_session *session)
{
	members[members[0] == NULL ? 0 : 1] = session;
	return 0;
}

static int
end_the_other(struct berth_session *session, struct berth_bytes in)
{
	struct berth_session *other = members[members[0] == session ? 1 : 0];
	unsigned closed = stage_of(session)->notes.closed;
	const char *command = in.data;

	berth_write(other, berth_str("bye"));
	if (command[0] == 'a')
		berth_abort(other);
	else
		berth_close(other);
	/* Its closed hook has not run: it may be in a list of ours. */
	assert_int_equal(stage_of(session)->notes.closed, closed);
	assert_int_equal(berth_write(other, berth_str("x")), -EPIPE);
	return (int)in.size;
}

static void
test_one_ends_another(void **state)
{
	static const struct berth_session_type type = {
	    .open = join, .input = end_the_other};
	static const char *const commands[] = {"a", "c"};
	struct stage *stage = *state;
	unsigned i;
	int clients[2];

	stage_serve(stage, &type, "tcp:127.0.0.1:0");
	for (i = 0; i < BASE_COUNT(commands); i++) {
		members[0] = members[1] = NULL;
		clients[0] = bed_connect(stage->listener);
		stage_until_opened(stage, 2 * i + 1);
		clients[1] = bed_connect(stage->listener);
		stage_until_opened(stage, 2 * i + 2);
		stage_send(stage, clients[0], commands[i]);
		stage_expect(stage, clients[1], "bye");
		assert_int_equal(stage_until_end(stage, clients[1], NULL), 0);
		close(clients[1]);
		stage_until_closed(stage, 2 * i + 1);
		close(clients[0]);
		stage_until_closed(stage, 2 * i + 2);
	}
}

int
main(void)
{
#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, stage_setup, stage_teardown)
	static const struct CMUnitTest tests[] = {
	    TEST(test_ending_in_open),
	    TEST(test_ending_in_input),
	    TEST(test_ending_in_eof),
	    TEST(test_ending_in_timeout),
	    TEST(test_ending_in_output_ready),
	    TEST(test_calls_in_closed_do_nothing),
	    TEST(test_one_ends_another),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
