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

/* --- open --------------------------------------------------------------------
 */

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

/* --- ending inside of hooks --------------------------------------------------
 */

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

/* --- one session acts on another ---------------------------------------------
 */

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

/* --- limits and times --------------------------------------------------------
 */

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

/* --- what is told ------------------------------------------------------------
 */

static void
look_at(void *context, const struct session_info *info)
{
	struct session_info *copy = context;

	*copy = *info;
	copy->peer = strdup(info->peer);
	assert_non_null(copy->peer);
}

static int
tell_addresses(struct berth_session *session, struct berth_bytes in)
{
	char peer[128], local[128];

	(void)in;
	assert_true(berth_peer(session, peer, sizeof(peer)) > 0);
	assert_true(berth_local(session, local, sizeof(local)) > 0);
	berth_printf(session, "%s %s", peer, local);
	return (int)in.size;
}

static void
test_each_session_and_addresses(void **state)
{
	static const struct berth_session_type type = {.input = tell_addresses};
	struct stage *stage = *state;
	struct session_info info = {.id = 0};
	struct sockaddr_in own;
	socklen_t size = sizeof(own);
	void *any = &own;
	char text[128];
	int client;

	stage_serve(stage, &type, "tcp:127.0.0.1:0");
	client = bed_connect(stage->listener);
	assert_int_equal(getsockname(client, any, &size), 0);
	snprintf(text, sizeof(text), "127.0.0.1:%u %s", ntohs(own.sin_port),
	    listener_text(stage->listener) + 4);
	stage_send(stage, client, "?");
	stage_expect(stage, client, text);
	server_each_session(stage->server, look_at, &info);
	assert_int_equal(info.id, 1);
	assert_int_equal(info.bytes_in, 1);
	assert_int_equal(info.bytes_out, strlen(text));
	assert_int_equal(info.output_pending_bytes, 0);
	assert_string_equal(info.state, "open");
	snprintf(text, sizeof(text), "127.0.0.1:%u", ntohs(own.sin_port));
	assert_string_equal(info.peer, text);
	free((void *)(uintptr_t)info.peer);
	close(client);
	stage_until_closed(stage, 1);
}

static int
tell_user(struct berth_session *session, struct berth_bytes in)
{
	uint32_t uid = 0, gid = 0;
	int result = session_peer_user(session, &uid, &gid);

	berth_printf(session, "%d %u %u", result, uid, gid);
	return (int)in.size;
}

static void
test_unix_peer(void **state)
{
	static const struct berth_session_type type = {.input = tell_user};
	struct stage *stage = *state;
	char text[128];
	int client;

	stage_serve(stage, &type, "unix:@berth-test");
	stage_also(stage, "tcp:127.0.0.1:0");
	client = bed_connect(stage->listener);
	stage_send(stage, client, "?");
	snprintf(text, sizeof(text), "0 %u %u", getuid(), getgid());
	stage_expect(stage, client, text);
	close(client);
	client = bed_connect(server_listener(stage->server, 1));
	stage_send(stage, client, "?");
	snprintf(text, sizeof(text), "%d 0 0", -EOPNOTSUPP);
	stage_expect(stage, client, text);
	close(client);
	stage_until_closed(stage, 2);
}

static int
tell_id(struct berth_session *session)
{
	berth_printf(session, "%u", (unsigned)berth_session_id(session));
	berth_close(session);
	return 0;
}

static void
test_ids_are_unique(void **state)
{
	static const struct berth_session_type type = {.open = tell_id};
	static const char *const ids[] = {"1", "2", "3"};
	struct stage *stage = *state;
	unsigned i;
	int client;

	stage_serve(stage, &type, "tcp:127.0.0.1:0");
	for (i = 0; i < BASE_COUNT(ids); i++) {
		client = bed_connect(stage->listener);
		stage_expect(stage, client, ids[i]);
		close(client);
	}
}

static void
test_R_LIS_4_peer_is_logged(void **state)
{
	struct stage *stage = *state;
	struct sockaddr_in own;
	socklen_t size = sizeof(own);
	void *any = &own;
	char text[128];
	int client;

	stage_serve(stage, &echo, "tcp:127.0.0.1:0");
	client = bed_connect(stage->listener);
	assert_int_equal(getsockname(client, any, &size), 0);
	stage_until_opened(stage, 1);
	snprintf(text, sizeof(text),
	    "7 test: session 1 from 127.0.0.1:%u: opened\n",
	    ntohs(own.sin_port));
	assert_non_null(strstr(text_string(&stage->bed->lines), text));
	close(client);
	stage_until_closed(stage, 1);
}

static void
test_hook_for_the_socket_is_asked(void **state)
{
	struct stage *stage = *state;
	struct listener *udp = bed_listen(stage->bed, "udp:127.0.0.1:0");

	stage_serve(stage, &echo, "tcp:127.0.0.1:0");
	assert_int_equal(
	    server_add_listener(stage->server, udp), -EPROTONOSUPPORT);
	assert_int_equal(server_listener_count(stage->server), 1);
	listener_unref(udp);
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
	    TEST(test_ending_in_open),
	    TEST(test_ending_in_input),
	    TEST(test_ending_in_eof),
	    TEST(test_ending_in_timeout),
	    TEST(test_ending_in_output_ready),
	    TEST(test_calls_in_closed_do_nothing),
	    TEST(test_one_ends_another),
	    TEST(test_R_ACC_5_instances),
	    TEST(test_idle_timeout),
	    TEST(test_idle_sweep_ends_with_the_last),
	    TEST(test_timeout_hook),
	    TEST(test_timeout_cancelled),
	    TEST(test_each_session_and_addresses),
	    TEST(test_unix_peer),
	    TEST(test_ids_are_unique),
	    TEST(test_R_LIS_4_peer_is_logged),
	    TEST(test_hook_for_the_socket_is_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
