/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sessions in threads: one for each, and pools.  The rows R-THR and R-POOL of
 * the requirements.
 */
#include <poll.h>

#include "unit/session_bed.h"

#define CLIENTS 8

static const struct berth_session_type echo = {.input = stage_echo};

static void
drive(struct stage *stage, enum concurrency_kind kind, unsigned count,
    unsigned queue)
{
	stage->bed->settings.concurrency = (struct concurrency){
	    .kind = kind, .count = count, .queue = queue};
	/* The bed's log is for one thread. */
	stage->bed->log.level = 3;
}

/*
 * The kernel wakes whoever joins a thread before it takes the thread out of
 * its list, so one that has ended may be seen for a moment more.
 */
static void
expect_threads(unsigned count)
{
	uint64_t end = mono_now().ns + MONO_MS(1000) * PATIENCE_S;

	while (stage_count_threads("test/") != count && mono_now().ns < end)
		poll(NULL, 0, 1);
	assert_int_equal(stage_count_threads("test/"), count);
}

struct listing {
	unsigned count;
	unsigned peers;
	char states[256];
};

static void
list(void *context, const struct session_info *info)
{
	struct listing *listing = context;

	listing->count++;
	listing->peers += info->peer[0] != '\0';
	strncat(listing->states, info->state,
	    sizeof(listing->states) - strlen(listing->states) - 1);
	strncat(listing->states, " ",
	    sizeof(listing->states) - strlen(listing->states) - 1);
}

static struct listing
list_all(struct stage *stage)
{
	struct listing listing = {.count = 0};

	server_each_session(stage->server, list, &listing);
	return listing;
}

/* --- what all have in common -----------------------------------------------*/

static void
many_clients(struct stage *stage)
{
	int clients[CLIENTS];

	stage_serve(stage, &echo, "tcp:127.0.0.1:0");
	for (unsigned i = 0; i < CLIENTS; i++)
		clients[i] = bed_connect(stage->listener);
	for (unsigned i = 0; i < CLIENTS; i++) {
		stage_talk(stage, clients[i], i);
		shutdown(clients[i], SHUT_WR);
		assert_int_equal(stage_until_end(stage, clients[i], NULL), 0);
		close(clients[i]);
	}
	stage_until_active(stage, 0);
	assert_int_equal(stage_counters(stage)->sessions_total, CLIENTS);
	assert_int_equal(stage_counters(stage)->bytes_in, 8 * CLIENTS);
	assert_int_equal(stage_counters(stage)->bytes_out, 8 * CLIENTS);
	assert_int_equal(stage_counters(stage)->sessions_failed, 0);
}

static void
test_one_after_the_other(void **state)
{
	struct stage *stage = *state;

	drive(stage, CONCURRENCY_ITERATIVE, 1, 0);
	many_clients(stage);
	expect_threads(0);
}

static void
test_each_its_thread(void **state)
{
	drive(*state, CONCURRENCY_THREAD, 3, 0);
	many_clients(*state);
}

static void
test_a_pool(void **state)
{
	drive(*state, CONCURRENCY_POOL, 2, 3);
	many_clients(*state);
}

static void
test_iterative_next_waits(void **state)
{
	struct stage *stage = *state;
	int first, second;

	drive(stage, CONCURRENCY_ITERATIVE, 1, 0);
	stage_serve(stage, &echo, "tcp:127.0.0.1:0");
	first = bed_connect(stage->listener);
	stage_talk(stage, first, 1);
	second = bed_connect(stage->listener);
	stage_send(stage, second, "waits");
	assert_true(stage_is_quiet(stage, second));
	stage_talk(stage, first, 1);
	close(first);
	stage_expect(stage, second, "waits");
	assert_int_equal(stage->notes.opened, 2);
	close(second);
}

/* --- R-THR -----------------------------------------------------------------*/

static void
r_thr_6_capped_and_the_next_waits(void **state)
{
	struct stage *stage = *state;
	int clients[3];

	drive(stage, CONCURRENCY_THREAD, 2, 0);
	stage_serve(stage, &echo, "tcp:127.0.0.1:0");
	for (unsigned i = 0; i < 3; i++)
		clients[i] = bed_connect(stage->listener);
	stage_talk(stage, clients[0], 0);
	stage_talk(stage, clients[1], 1);
	stage_send(stage, clients[2], "waits");
	assert_true(stage_is_quiet(stage, clients[2]));
	expect_threads(2);
	assert_int_equal(list_all(stage).count, 2);
	close(clients[0]);
	stage_expect(stage, clients[2], "waits");
	expect_threads(2);
	close(clients[1]);
	close(clients[2]);
}

static void
r_thr_parked_threads_serve_again_and_go(void **state)
{
	struct stage *stage = *state;
	int client;

	drive(stage, CONCURRENCY_THREAD, 8, 0);
	stage_serve(stage, &echo, "tcp:127.0.0.1:0");
	for (unsigned i = 0; i < 5; i++) {
		client = bed_connect(stage->listener);
		stage_talk(stage, client, i);
		close(client);
		stage_until_active(stage, 0);
		expect_threads(1);
	}
	stage->bed->ahead_ns += MONO_MS(60000);
	bed_settle(stage->bed);
	expect_threads(0);
	/* Counted is what they did, and nothing is left to wake us up. */
	assert_int_equal(stage_counters(stage)->bytes_in, 5 * 8);
	assert_int_equal(stage->owner.timers, 0);
}

/* A client that never reads, and a service that always writes. */
static int
write_all(struct berth_session *session)
{
	static const char block[4096];
	int result;

	do {
		result = berth_write(
		    session, berth_bytes(block, sizeof(block)));
	} while (result == sizeof(block));
	return result < 0 ? result : 0;
}

static void
r_thr_2_ends_with_a_client_that_never_reads(void **state)
{
	static const struct berth_session_type type = {
	    .open = write_all, .output_ready = write_all};
	struct stage *stage = *state;
	int client;

	stage->bed->settings.linger_ms = 10;
	drive(stage, CONCURRENCY_THREAD, 8, 0);
	stage_serve(stage, &type, "tcp:127.0.0.1:0");
	client = bed_connect(stage->listener);
	stage_until_opened(stage, 1);
	server_drain(stage->server, 0);
	bed_until(stage->bed, stage_is_drained, stage);
	assert_int_equal(stage->notes.closed, 1);
	assert_int_equal(stage->notes.stuck, 0);
	stage->server = server_free(stage->server);
	expect_threads(0);
	close(client);
}

static void
ends_hundred_times(struct stage *stage)
{
	int clients[4];

	for (unsigned round = 0; round < 100; round++) {
		stage_serve(stage, &echo, "tcp:127.0.0.1:0");
		for (unsigned i = 0; i < 4; i++)
			clients[i] = bed_connect(stage->listener);
		stage_talk(stage, clients[0], 0);
		if (round % 2 == 0)
			server_abort(stage->server, BERTH_CLOSED_DRAINED);
		else
			server_drain(stage->server, 0);
		for (unsigned i = 0; i < 4; i++)
			close(clients[i]);
		stage_until_active(stage, 0);
		stage->server = server_free(stage->server);
		expect_threads(0);
	}
}

static void
r_thr_3_live_clients_hundred_times(void **state)
{
	drive(*state, CONCURRENCY_THREAD, 8, 0);
	ends_hundred_times(*state);
}

static void
r_pool_live_clients_hundred_times(void **state)
{
	drive(*state, CONCURRENCY_POOL, 2, 4);
	ends_hundred_times(*state);
}

/* --- R-POOL ----------------------------------------------------------------*/

static void
r_pool_1_made_before_the_first_client(void **state)
{
	struct stage *stage = *state;

	drive(stage, CONCURRENCY_POOL, 5, 0);
	stage_serve(stage, &echo, "tcp:127.0.0.1:0");
	expect_threads(5);
	stage->server = server_free(stage->server);
	expect_threads(0);
}

/* A thread that is not on time to be looked at is called busy. */
static bool
one_open_one_waiting(void *context)
{
	struct listing listing = list_all(context);

	return strcmp(listing.states, "open waiting ") == 0 &&
	       listing.peers == 2;
}

static void
r_pool_2_3_queue_is_bounded(void **state)
{
	struct stage *stage = *state;
	int clients[3];

	drive(stage, CONCURRENCY_POOL, 1, 1);
	stage_serve(stage, &echo, "tcp:127.0.0.1:0");
	for (unsigned i = 0; i < 3; i++) {
		clients[i] = bed_connect(stage->listener);
		stage_send(stage, clients[i], "x");
	}
	stage_expect(stage, clients[0], "x");
	stage_until_active(stage, 2);
	bed_until(stage->bed, one_open_one_waiting, stage);
	/* The third is in the backlog, and the loop has time. */
	assert_true(stage_is_quiet(stage, clients[1]));
	assert_int_equal(stage_counters(stage)->sessions_total, 2);
	for (unsigned i = 0; i < 3; i++) {
		if (i > 0)
			stage_expect(stage, clients[i], "x");
		close(clients[i]);
	}
	stage_until_active(stage, 0);
	assert_int_equal(stage_counters(stage)->sessions_total, 3);
}

static void
r_pool_5_drain_finishes_what_waits(void **state)
{
	struct stage *stage = *state;
	int first, second;

	drive(stage, CONCURRENCY_POOL, 1, 4);
	stage_serve(stage, &echo, "tcp:127.0.0.1:0");
	first = bed_connect(stage->listener);
	stage_talk(stage, first, 1);
	second = bed_connect(stage->listener);
	stage_until_active(stage, 2);
	server_drain(stage->server, MONO_MS(3600000));
	stage_talk(stage, first, 1);
	close(first);
	stage_talk(stage, second, 2);
	close(second);
	bed_until(stage->bed, stage_is_drained, stage);
}

static void
r_pool_5_deadline_closes_what_waits(void **state)
{
	struct stage *stage = *state;
	int first, second;

	drive(stage, CONCURRENCY_POOL, 1, 4);
	stage_serve(stage, &echo, "tcp:127.0.0.1:0");
	first = bed_connect(stage->listener);
	stage_talk(stage, first, 1);
	second = bed_connect(stage->listener);
	stage_until_active(stage, 2);
	server_drain(stage->server, 0);
	assert_int_equal(stage_until_end(stage, first, NULL), 0);
	assert_int_equal(stage_until_end(stage, second, NULL), 0);
	close(first);
	close(second);
	bed_until(stage->bed, stage_is_drained, stage);
}

/* --- reaching lanes --------------------------------------------------------*/

static void
test_suspended_connections_wait(void **state)
{
	struct stage *stage = *state;
	int first, second;

	drive(stage, CONCURRENCY_POOL, 1, 4);
	stage_serve(stage, &echo, "tcp:127.0.0.1:0");
	first = bed_connect(stage->listener);
	stage_talk(stage, first, 1);
	second = bed_connect(stage->listener);
	stage_send(stage, second, "x");
	stage_until_active(stage, 2);
	server_accept(stage->server, false);
	close(first);
	stage_until_active(stage, 1);
	assert_true(stage_is_quiet(stage, second));
	server_accept(stage->server, true);
	stage_expect(stage, second, "x");
	close(second);
}

static bool
is_paused(void *context)
{
	return strcmp(list_all(context).states, "paused ") == 0;
}

static void
test_held_sessions_do_not_read(void **state)
{
	struct stage *stage = *state;
	int client;

	drive(stage, CONCURRENCY_THREAD, 4, 0);
	stage_serve(stage, &echo, "tcp:127.0.0.1:0");
	client = bed_connect(stage->listener);
	stage_talk(stage, client, 1);
	server_hold(stage->server, true);
	bed_until(stage->bed, is_paused, stage);
	stage_send(stage, client, "x");
	assert_true(stage_is_quiet(stage, client));
	server_hold(stage->server, false);
	stage_expect(stage, client, "x");
	close(client);
}

/* While clients talk the settings change under them, and the old ones go. */
static void
test_settings_are_exchanged(void **state)
{
	struct stage *stage = *state;
	struct stage_kept *now = NULL, *before;
	unsigned released = 0;
	struct stage_wait all = {&released, 50};
	int clients[3];

	drive(stage, CONCURRENCY_THREAD, 4, 0);
	stage_serve(stage, &echo, "tcp:127.0.0.1:0");
	for (unsigned i = 0; i < 3; i++)
		clients[i] = bed_connect(stage->listener);
	for (unsigned round = 0; round < 50; round++) {
		before = now;
		now = stage_keep(stage, &released);
		now->settings.input_limit_bytes = 4096 + round;
		now->settings.idle_timeout_ms = 100000 + round;
		server_update(stage->server, &now->settings);
		if (before != NULL)
			server_retire(stage->server, &before->retired);
		for (unsigned i = 0; i < 3; i++)
			stage_talk(stage, clients[i], i);
	}
	server_update(stage->server, &stage->bed->settings);
	server_retire(stage->server, &now->retired);
	bed_until(stage->bed, stage_has_count, &all);
	for (unsigned i = 0; i < 3; i++)
		close(clients[i]);
}

static void
test_idle_sessions_end(void **state)
{
	struct stage *stage = *state;
	int client;

	stage->bed->settings.idle_timeout_ms = 40;
	drive(stage, CONCURRENCY_POOL, 2, 0);
	stage_serve(stage, &echo, "tcp:127.0.0.1:0");
	client = bed_connect(stage->listener);
	stage_until_closed(stage, 1);
	assert_int_equal(stage->notes.reasons[0], BERTH_CLOSED_IDLE);
	close(client);
}

/* --- a hook that does not return -------------------------------------------*/

static int gate[2] = {-1, -1};

static int
block(struct berth_session *session, struct berth_bytes in)
{
	char byte;

	(void)session;
	assert_int_equal(read(gate[0], &byte, 1), 1);
	return (int)in.size;
}

static void
test_blocked_hook_is_told(void **state)
{
	static const struct berth_session_type type = {.input = block};
	struct stage *stage = *state;
	int client;

	assert_int_equal(pipe(gate), 0);
	stage->bed->settings.linger_ms = 10;
	drive(stage, CONCURRENCY_THREAD, 4, 0);
	stage_serve(stage, &type, "tcp:127.0.0.1:0");
	client = bed_connect(stage->listener);
	stage_until_opened(stage, 1);
	stage_send(stage, client, "x");
	while (strcmp(list_all(stage).states, "busy ") != 0)
		bed_turn(stage->bed);
	server_drain(stage->server, 0);
	/* Its client is let go, the host goes on. */
	stage_until_end(stage, client, NULL);
	bed_until(stage->bed, stage_is_stuck, stage);
	assert_int_equal(stage_counters(stage)->sessions_active, 1);
	assert_int_equal(stage->notes.drained, 0);
	assert_int_equal(write(gate[1], "x", 1), 1);
	bed_until(stage->bed, stage_is_drained, stage);
	assert_int_equal(stage->notes.stuck, 1);
	close(client);
	close(gate[0]);
	close(gate[1]);
}

/* Another one blocks nobody's end. */
static void
test_others_go_on(void **state)
{
	static const struct berth_session_type type = {.input = block};
	struct stage *stage = *state;
	int client, next;

	assert_int_equal(pipe(gate), 0);
	drive(stage, CONCURRENCY_POOL, 2, 0);
	stage_serve(stage, &type, "tcp:127.0.0.1:0");
	client = bed_connect(stage->listener);
	stage_until_opened(stage, 1);
	stage_send(stage, client, "x");
	next = bed_connect(stage->listener);
	stage_until_opened(stage, 2);
	close(next);
	stage_until_closed(stage, 1);
	assert_int_equal(write(gate[1], "x", 1), 1);
	close(client);
	stage_until_closed(stage, 2);
	close(gate[0]);
	close(gate[1]);
}

int
main(void)
{
#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, stage_setup, stage_teardown)
	static const struct CMUnitTest tests[] = {
	    TEST(test_one_after_the_other),
	    TEST(test_each_its_thread),
	    TEST(test_a_pool),
	    TEST(test_iterative_next_waits),
	    TEST(r_thr_6_capped_and_the_next_waits),
	    cmocka_unit_test_setup_teardown(
		r_thr_parked_threads_serve_again_and_go, stage_setup_ahead,
		stage_teardown),
	    TEST(r_thr_2_ends_with_a_client_that_never_reads),
	    TEST(r_thr_3_live_clients_hundred_times),
	    TEST(r_pool_live_clients_hundred_times),
	    TEST(r_pool_1_made_before_the_first_client),
	    TEST(r_pool_2_3_queue_is_bounded),
	    TEST(r_pool_5_drain_finishes_what_waits),
	    TEST(r_pool_5_deadline_closes_what_waits),
	    TEST(test_suspended_connections_wait),
	    TEST(test_held_sessions_do_not_read),
	    TEST(test_settings_are_exchanged),
	    TEST(test_idle_sessions_end),
	    TEST(test_blocked_hook_is_told),
	    TEST(test_others_go_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
