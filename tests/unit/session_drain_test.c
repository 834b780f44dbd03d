/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How a server ends, and how its endpoints change hands.
 */
#include "unit/session_bed.h"

static const struct berth_session_type echo = {.input = stage_echo};

static bool
is_drained(void *context)
{
	struct stage *stage = context;

	return stage->notes.drained > 0;
}

static void
test_drained_with_nobody_there(void **state)
{
	struct stage *stage = *state;

	stage_serve(stage, &echo, "tcp:127.0.0.1:0");
	server_drain(stage->server, MONO_MS(3600000));
	/* Not in this call, but before a turn would block. */
	assert_int_equal(stage->notes.drained, 0);
	assert_true(reactor_turn(stage->bed->reactor, REACTOR_FOREVER) >= 0);
	bed_settle(stage->bed);
	assert_int_equal(stage->notes.drained, 1);
	assert_int_equal(stage->owner.timers, 0);
}

static void
test_sessions_end_by_themselves(void **state)
{
	struct stage *stage = *state;
	int client;

	stage_serve(stage, &echo, "tcp:127.0.0.1:0");
	client = bed_connect(stage->listener);
	stage_until_opened(stage, 1);
	server_drain(stage->server, MONO_MS(3600000));
	assert_false(server_accepting(stage->server));
	stage_send(stage, client, "still served");
	stage_expect(stage, client, "still served");
	assert_int_equal(stage->notes.drained, 0);
	close(client);
	bed_until(stage->bed, is_drained, stage);
	assert_int_equal(stage->notes.reasons[0], BERTH_CLOSED_ORDERLY);
	assert_int_equal(stage->owner.timers, 0);
	bed_settle(stage->bed);
	assert_int_equal(stage->notes.drained, 1);
}

static void
test_closed_in_order_at_the_deadline(void **state)
{
	struct stage *stage = *state;
	int client;

	stage_serve(stage, &echo, "tcp:127.0.0.1:0");
	client = bed_connect(stage->listener);
	stage_send(stage, client, "x");
	stage_expect(stage, client, "x");
	server_drain(stage->server, MONO_MS(10));
	/* The client sees our end, and answers it. */
	assert_int_equal(stage_until_end(stage, client, NULL), 0);
	assert_int_equal(stage->notes.closed, 0);
	close(client);
	bed_until(stage->bed, is_drained, stage);
	assert_int_equal(stage->notes.reasons[0], BERTH_CLOSED_DRAINED);
}

static void
test_aborted_when_it_does_not_end(void **state)
{
	struct stage *stage = *state;
	int client;

	stage->bed->settings.linger_ms = 3600000;
	stage_serve(stage, &echo, "tcp:127.0.0.1:0");
	client = bed_connect(stage->listener);
	stage_send(stage, client, "x");
	stage_expect(stage, client, "x");
	server_drain(stage->server, 0);
	stage->bed->settings.linger_ms = 0;
	/* A second call with less patience counts. */
	server_drain(stage->server, 0);
	bed_until(stage->bed, is_drained, stage);
	assert_int_equal(stage->notes.reasons[0], BERTH_CLOSED_DRAINED);
	assert_int_equal(stage_counters(stage)->sessions_failed, 0);
	assert_int_equal(stage->notes.drained, 1);
	close(client);
}

static int
drain_at_once(struct berth_session *session, struct berth_bytes in)
{
	int result = berth_write(session, in);

	server_drain(stage_of(session)->server, 0);
	return result;
}

static void
test_drained_inside_a_hook(void **state)
{
	static const struct berth_session_type type = {.input = drain_at_once};
	struct stage *stage = *state;
	int clients[3], i;

	stage_serve(stage, &type, "tcp:127.0.0.1:0");
	for (i = 0; i < 3; i++)
		clients[i] = bed_connect(stage->listener);
	stage_until_opened(stage, 3);
	stage_send(stage, clients[1], "x");
	stage_expect(stage, clients[1], "x");
	for (i = 0; i < 3; i++) {
		assert_int_equal(stage_until_end(stage, clients[i], NULL), 0);
		close(clients[i]);
	}
	bed_until(stage->bed, is_drained, stage);
	assert_int_equal(stage->notes.closed, 3);
}

static void
test_abort_calls_closed_in_the_call(void **state)
{
	struct stage *stage = *state;
	int clients[3], i;

	stage_serve(stage, &echo, "tcp:127.0.0.1:0");
	for (i = 0; i < 3; i++)
		clients[i] = bed_connect(stage->listener);
	stage_until_opened(stage, 3);
	server_abort(stage->server, BERTH_CLOSED_DRAINED);
	assert_int_equal(stage->notes.closed, 3);
	assert_int_equal(stage_counters(stage)->sessions_active, 0);
	for (i = 0; i < 3; i++)
		close(clients[i]);
}

static void
free_server(void *context)
{
	struct stage *stage = context;

	stage->notes.drained++;
	stage->server = server_free(stage->server);
}

static void
test_freed_by_the_drained_call(void **state)
{
	struct stage *stage = *state;
	const struct server_options options = {
	    .owner = &stage->owner,
	    .service = &stage->service,
	    .type = &echo,
	    .settings = &stage->bed->settings,
	    .listeners = stage->bed->listeners,
	    .drained = free_server,
	    .context = stage,
	};

	assert_int_equal(server_new(&options, &stage->server), 0);
	assert_int_equal(server_add_listener(stage->server,
			     bed_listen(stage->bed, "tcp:127.0.0.1:0")),
	    0);
	server_drain(stage->server, 0);
	bed_until(stage->bed, is_drained, stage);
	assert_null(stage->server);
}

static void
test_freed_while_the_call_is_due(void **state)
{
	struct stage *stage = *state;

	stage_serve(stage, &echo, "tcp:127.0.0.1:0");
	server_drain(stage->server, 0);
	stage->server = server_free(stage->server);
	bed_settle(stage->bed);
	assert_int_equal(stage->notes.drained, 0);
}

static void
test_taken_back_before_the_end(void **state)
{
	struct stage *stage = *state;
	int client;

	stage_serve(stage, &echo, "tcp:127.0.0.1:0");
	server_drain(stage->server, MONO_MS(3600000));
	server_accept(stage->server, true);
	bed_settle(stage->bed);
	assert_int_equal(stage->notes.drained, 0);
	assert_int_equal(stage->owner.timers, 0);
	client = bed_connect(stage->listener);
	stage_send(stage, client, "x");
	stage_expect(stage, client, "x");
	close(client);
	stage_until_closed(stage, 1);
}

/* --- endpoints -------------------------------------------------------------*/

static void
test_suspended_clients_wait(void **state)
{
	struct stage *stage = *state;
	int before, after;

	stage_serve(stage, &echo, "tcp:127.0.0.1:0");
	before = bed_connect(stage->listener);
	stage_until_opened(stage, 1);
	server_accept(stage->server, false);
	after = bed_connect(stage->listener);
	stage_send(stage, after, "waits");
	stage_send(stage, before, "goes on");
	stage_expect(stage, before, "goes on");
	assert_int_equal(stage->notes.opened, 1);
	server_accept(stage->server, true);
	stage_expect(stage, after, "waits");
	close(before);
	close(after);
	stage_until_closed(stage, 2);
}

static void
test_listeners_are_exchanged(void **state)
{
	struct stage *stage = *state;
	struct listener **set = calloc(2, sizeof(struct listener *));
	int held, client, fd;

	assert_non_null(set);
	stage_serve(stage, &echo, "tcp:127.0.0.1:0");
	stage_also(stage, "unix:@berth-gone");
	fd = listener_fd(stage->listener);
	held = bed_connect(server_listener(stage->server, 1));
	stage_until_opened(stage, 1);
	set[0] = bed_listen(stage->bed, "unix:@berth-new");
	set[1] = listener_ref(stage->listener);
	server_set_listeners(stage->server, set, 2);
	assert_int_equal(server_listener_count(stage->server), 2);
	assert_int_equal(listener_fd(server_listener(stage->server, 1)), fd);
	/* Sessions of an endpoint that is gone stay. */
	stage_send(stage, held, "held");
	stage_expect(stage, held, "held");
	client = bed_connect(server_listener(stage->server, 0));
	stage_send(stage, client, "new");
	stage_expect(stage, client, "new");
	close(client);
	client = bed_connect(server_listener(stage->server, 1));
	stage_send(stage, client, "same");
	stage_expect(stage, client, "same");
	close(client);
	close(held);
	stage_until_closed(stage, 3);
	server_set_listeners(stage->server, NULL, 0);
	assert_int_equal(server_listener_count(stage->server), 0);
}

static void
test_swap_between_two_servers(void **state)
{
	struct stage *stage = *state;
	const struct server_options options = {
	    .owner = &stage->owner,
	    .service = &stage->service,
	    .type = &echo,
	    .settings = &stage->bed->settings,
	    .listeners = stage->bed->listeners,
	};
	struct server *other;
	struct server_counters counters;
	int clients[200], i, fd;

	stage_serve(stage, &echo, "tcp:127.0.0.1:0");
	fd = listener_fd(stage->listener);
	assert_int_equal(server_new(&options, &other), 0);
	assert_int_equal(
	    server_add_listener(other, listener_ref(stage->listener)), 0);
	for (i = 0; i < 200; i++) {
		/* Back and forth; nobody is refused, nobody forgotten. */
		server_accept(i % 2 ? stage->server : other, true);
		clients[i] = bed_connect(stage->listener);
		stage_send(stage, clients[i], "x");
		stage_expect(stage, clients[i], "x");
	}
	assert_int_equal(listener_fd(stage->listener), fd);
	server_counters(other, &counters);
	assert_int_equal(counters.sessions_total, 100);
	assert_int_equal(stage_counters(stage)->sessions_total, 100);
	server_abort(other, BERTH_CLOSED_DRAINED);
	server_free(other);
	for (i = 0; i < 200; i++)
		close(clients[i]);
	stage_until_closed(stage, 100);
}

static void
test_reactor_ends_first(void **state)
{
	struct stage *stage = *state;
	int client;

	stage_serve(stage, &echo, "tcp:127.0.0.1:0");
	client = bed_connect(stage->listener);
	stage_until_opened(stage, 1);
	/* What is revoked is told to the service. */
	reactor_revoke(&stage->owner, false);
	bed_settle(stage->bed);
	stage_until_closed(stage, 1);
	assert_int_equal(stage->notes.reasons[0], BERTH_CLOSED_ABORTED);
	close(client);
}

int
main(void)
{
#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, stage_setup, stage_teardown)
	static const struct CMUnitTest tests[] = {
	    TEST(test_drained_with_nobody_there),
	    TEST(test_sessions_end_by_themselves),
	    TEST(test_closed_in_order_at_the_deadline),
	    TEST(test_aborted_when_it_does_not_end),
	    TEST(test_drained_inside_a_hook),
	    TEST(test_abort_calls_closed_in_the_call),
	    TEST(test_freed_by_the_drained_call),
	    TEST(test_freed_while_the_call_is_due),
	    TEST(test_taken_back_before_the_end),
	    TEST(test_suspended_clients_wait),
	    TEST(test_listeners_are_exchanged),
	    TEST(test_swap_between_two_servers),
	    TEST(test_reactor_ends_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
