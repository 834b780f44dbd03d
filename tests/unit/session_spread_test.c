/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sessions on several loops of the host: who gets which, limits, settings and
 * wishes that reach them, the end of a service and of a loop.
 */

#include "session/loops.h"
#include "unit/session_bed.h"

#define LISTEN "tcp:127.0.0.1:0"
#define LOOPS 3
#define EACH 3
#define CLIENTS (LOOPS * EACH)

static const struct berth_session_type echo = {.input = stage_echo};

/* --- a stage with loops ----------------------------------------------------*/

static void
use(struct stage *stage, unsigned count)
{
	assert_int_equal(loops_start(stage->loops, count), 0);
	loops_use(stage->loops, count);
	assert_int_equal(loops_count(stage->loops), count);
}

static int
setup(void **state)
{
	struct stage *stage;

	stage_setup(state);
	stage = *state;
	/* The bed's log is for one thread. */
	stage->bed->log.level = 3;
	assert_int_equal(
	    loops_new(stage->bed->reactor, &stage->bed->log, &stage->loops), 0);
	use(stage, LOOPS);
	return 0;
}

static int
teardown(void **state)
{
	struct stage *stage = *state;

	if (stage->server != NULL) {
		server_abort(stage->server, BERTH_CLOSED_ABORTED);
		stage_until_active(stage, 0);
		stage->server = server_free(stage->server);
	}
	stage->loops = loops_free(stage->loops);
	return stage_teardown(state);
}

struct threads {
	unsigned wanted;
};

static bool
are_threads(void *context)
{
	struct threads *threads = context;

	return stage_count_threads("loop/") == threads->wanted;
}

static void
expect_threads(struct stage *stage, unsigned count)
{
	struct threads threads = {count};

	bed_until(stage->bed, are_threads, &threads);
}

static uint64_t
sessions_on(struct stage *stage, unsigned loop)
{
	uint64_t count = 0;

	assert_true(server_sessions_on(stage->server, loop, &count));
	return count;
}

static void
connect_all(struct stage *stage, int *clients, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		clients[i] = bed_connect(stage->listener);
		stage_talk(stage, clients[i], i);
	}
}

static void
close_all(struct stage *stage, int *clients, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		close(clients[i]);
	stage_until_active(stage, 0);
}

struct listing {
	unsigned on[LOOPS];
	unsigned peers;
	char states[512];
};

static void
list(void *context, const struct session_info *info)
{
	struct listing *listing = context;

	assert_in_range(info->loop, 0, LOOPS - 1);
	listing->on[info->loop]++;
	listing->peers += info->peer[0] != '\0';
	strncat(listing->states, info->state,
	    sizeof(listing->states) - strlen(listing->states) - 1);
	strncat(listing->states, " ",
	    sizeof(listing->states) - strlen(listing->states) - 1);
}

static struct listing
list_all(struct stage *stage)
{
	struct listing listing = {.peers = 0};

	server_each_session(stage->server, list, &listing);
	return listing;
}

/* --- who gets which --------------------------------------------------------*/

/* A loop that is not on time to be looked at is called busy. */
static bool
are_listed(void *context)
{
	struct listing listing = list_all(context);

	return listing.on[0] == EACH && listing.on[1] == EACH &&
	       listing.on[2] == EACH && listing.peers == CLIENTS &&
	       strstr(listing.states, "busy") == NULL;
}

static void
serves_evenly(struct stage *stage, const struct berth_session_type *type)
{
	int clients[CLIENTS];

	stage_serve(stage, type, LISTEN);
	connect_all(stage, clients, CLIENTS);
	for (unsigned i = 0; i < LOOPS; i++)
		assert_int_equal(sessions_on(stage, i), EACH);
	bed_until(stage->bed, are_listed, stage);
	for (unsigned i = 0; i < CLIENTS; i++) {
		stage_talk(stage, clients[i], i);
		shutdown(clients[i], SHUT_WR);
		assert_int_equal(stage_until_end(stage, clients[i], NULL), 0);
	}
	close_all(stage, clients, CLIENTS);
	assert_int_equal(stage_counters(stage)->sessions_total, CLIENTS);
	assert_int_equal(stage_counters(stage)->bytes_in, 16 * CLIENTS);
	assert_int_equal(stage_counters(stage)->bytes_out, 16 * CLIENTS);
	assert_int_equal(stage_counters(stage)->sessions_failed, 0);
	assert_int_equal(stage->notes.closed, CLIENTS);
}

static void
test_sessions_are_spread(void **state)
{
	serves_evenly(*state, &echo);
}

static int
serve(struct berth_session *session)
{
	char data[64];
	int got;

	while ((got = berth_read(session, data, sizeof(data))) > 0)
		berth_write(session, berth_bytes(data, (size_t)got));
	return got;
}

static void
test_sequential_sessions_are_spread(void **state)
{
	static const struct berth_session_type type = {.serve = serve};

	serves_evenly(*state, &type);
}

static void
test_the_emptiest_loop_is_next(void **state)
{
	struct stage *stage = *state;
	int clients[CLIENTS];

	stage_serve(stage, &echo, LISTEN);
	connect_all(stage, clients, CLIENTS);
	/* Every third is on the same. */
	close(clients[1]);
	close(clients[4]);
	stage_until_active(stage, CLIENTS - 2);
	for (unsigned i = 1; i < 5; i += 3) {
		clients[i] = bed_connect(stage->listener);
		stage_talk(stage, clients[i], i);
	}
	for (unsigned i = 0; i < LOOPS; i++)
		assert_int_equal(sessions_on(stage, i), EACH);
	close_all(stage, clients, CLIENTS);
}

static void
stay_at_home(struct stage *stage)
{
	int clients[CLIENTS];

	stage_serve(stage, &echo, LISTEN);
	connect_all(stage, clients, CLIENTS);
	assert_int_equal(list_all(stage).on[0], CLIENTS);
	assert_int_equal(stage_counters(stage)->sessions_active, CLIENTS);
	close_all(stage, clients, CLIENTS);
}

static void
test_iterative_stays_at_home(void **state)
{
	struct stage *stage = *state;

	stage->bed->settings.concurrency = (struct concurrency){
	    .kind = CONCURRENCY_ITERATIVE, .count = CLIENTS};
	stay_at_home(stage);
}

static void
test_who_may_not_stays_at_home(void **state)
{
	struct stage *stage = *state;
	struct loops *loops = stage->loops;

	stage->loops = NULL;
	stay_at_home(stage);
	stage->loops = loops;
}

/* A service that answers and closes, as fast as clients come. */
static int
greet(struct berth_session *session)
{
	int result = berth_printf(session, "hello");

	berth_close(session);
	return result < 0 ? result : 0;
}

static void
test_short_sessions(void **state)
{
	static const struct berth_session_type type = {.open = greet};
	struct stage *stage = *state;
	int clients[8];

	stage_serve(stage, &type, LISTEN);
	for (unsigned round = 1; round <= 100; round++) {
		for (unsigned i = 0; i < 8; i++)
			clients[i] = bed_connect(stage->listener);
		for (unsigned i = 0; i < 8; i++) {
			stage_expect(stage, clients[i], "hello");
			close(clients[i]);
		}
		stage_until_closed(stage, round * 8);
	}
	stage_until_active(stage, 0);
	assert_int_equal(stage_counters(stage)->sessions_total, 800);
	assert_int_equal(stage_counters(stage)->bytes_out, 4000);
}

/* --- limits ----------------------------------------------------------------*/

struct door {
	struct guards *guards;
	struct guard *guard;
	struct guard_rules *rules;
};

static void
open_door(struct stage *stage, struct door *door)
{
	struct settings *settings = &stage->bed->settings;

	assert_int_equal(guards_new(NULL, &door->guards), 0);
	assert_int_equal(guard_acquire(door->guards, "test", &door->guard), 0);
	assert_int_equal(
	    guard_rules_new(settings, NULL, stage->bed->errors, &door->rules),
	    0);
	stage_serve(stage, &echo, LISTEN);
	server_set_guard(stage->server, door->guard, door->rules);
}

static void
close_door(struct stage *stage, struct door *door)
{
	stage->server = server_free(stage->server);
	guard_rules_free(door->rules);
	guard_unref(door->guard);
	guards_free(door->guards);
}

static void
test_instances_are_exact(void **state)
{
	struct stage *stage = *state;
	struct door door;
	int clients[CLIENTS];

	stage->bed->settings.instances = 4;
	open_door(stage, &door);
	connect_all(stage, clients, 4);
	for (unsigned i = 4; i < CLIENTS; i++) {
		clients[i] = bed_connect(stage->listener);
		stage_send(stage, clients[i], "waits");
	}
	assert_true(stage_is_quiet(stage, clients[4]));
	assert_int_equal(stage_counters(stage)->sessions_active, 4);
	for (unsigned i = 0; i + 4 < CLIENTS; i++) {
		close(clients[i]);
		stage_expect(stage, clients[i + 4], "waits");
		assert_true(stage_counters(stage)->sessions_active <= 4);
	}
	close_all(stage, clients + CLIENTS - 4, 4);
	assert_int_equal(stage_counters(stage)->sessions_total, CLIENTS);
	close_door(stage, &door);
}

static void
test_sources_are_given_back(void **state)
{
	struct stage *stage = *state;
	struct door door;
	int clients[CLIENTS], more;

	stage->bed->settings.per_source = CLIENTS;
	open_door(stage, &door);
	for (unsigned round = 1; round <= 20; round++) {
		connect_all(stage, clients, CLIENTS);
		more = bed_connect(stage->listener);
		stage_until_end(stage, more, NULL);
		close(more);
		assert_int_equal(
		    stage_counters(stage)->refused[GUARD_PER_SOURCE], round);
		close_all(stage, clients, CLIENTS);
	}
	close_door(stage, &door);
}

/* --- the end of a service --------------------------------------------------*/

static void
test_drain_waits_for_all_loops(void **state)
{
	struct stage *stage = *state;
	int clients[CLIENTS];

	stage_serve(stage, &echo, LISTEN);
	connect_all(stage, clients, CLIENTS);
	server_drain(stage->server, MONO_MS(3600000));
	for (unsigned i = 0; i < CLIENTS; i++) {
		stage_talk(stage, clients[i], i);
		assert_int_equal(stage->notes.drained, 0);
		close(clients[i]);
	}
	bed_until(stage->bed, stage_is_drained, stage);
	assert_int_equal(stage->notes.closed, CLIENTS);
}

static void
test_deadline_closes_on_all_loops(void **state)
{
	struct stage *stage = *state;
	int clients[CLIENTS];

	stage_serve(stage, &echo, LISTEN);
	connect_all(stage, clients, CLIENTS);
	server_drain(stage->server, 0);
	for (unsigned i = 0; i < CLIENTS; i++) {
		assert_int_equal(stage_until_end(stage, clients[i], NULL), 0);
		close(clients[i]);
	}
	bed_until(stage->bed, stage_is_drained, stage);
	assert_int_equal(stage->notes.closed, CLIENTS);
	for (unsigned i = 0; i < CLIENTS; i++)
		assert_int_equal(stage->notes.reasons[i], BERTH_CLOSED_DRAINED);
}

/* Some were handed over and have no session yet when it ends. */
static void
test_ends_hundred_times(void **state)
{
	struct stage *stage = *state;
	int clients[CLIENTS];

	for (unsigned round = 0; round < 100; round++) {
		stage_serve(stage, &echo, LISTEN);
		for (unsigned i = 0; i < CLIENTS; i++)
			clients[i] = bed_connect(stage->listener);
		stage_talk(stage, clients[CLIENTS - 1], 0);
		if (round % 2 == 0)
			server_abort(stage->server, BERTH_CLOSED_DRAINED);
		else
			server_drain(stage->server, 0);
		for (unsigned i = 0; i < CLIENTS; i++)
			close(clients[i]);
		stage_until_active(stage, 0);
		assert_int_equal(stage->notes.opened, stage->notes.closed);
		stage->server = server_free(stage->server);
	}
	expect_threads(stage, LOOPS - 1);
}

static void
test_aborted_and_serving_again(void **state)
{
	struct stage *stage = *state;
	int clients[CLIENTS];

	stage_serve(stage, &echo, LISTEN);
	connect_all(stage, clients, CLIENTS);
	server_abort(stage->server, BERTH_CLOSED_ABORTED);
	stage_until_active(stage, 0);
	assert_false(server_orphan(stage->server));
	assert_int_equal(stage->notes.closed, CLIENTS);
	for (unsigned i = 0; i < CLIENTS; i++)
		close(clients[i]);
	connect_all(stage, clients, CLIENTS);
	close_all(stage, clients, CLIENTS);
}

static int gate[2] = {-1, -1};
static _Atomic unsigned blocked;

/* In the thread of a loop that is not home only. */
static int
block(struct berth_session *session, struct berth_bytes in)
{
	char byte;

	if (memchr(in.data, 'b', in.size) == NULL)
		return berth_write(session, in);
	blocked++;
	assert_int_equal(read(gate[0], &byte, 1), 1);
	return (int)in.size;
}

static bool
is_blocked(void *context)
{
	(void)context;
	return blocked > 0;
}

static void
test_blocked_loop_is_told(void **state)
{
	static const struct berth_session_type type = {.input = block};
	struct stage *stage = *state;
	struct listing listing;
	int clients[3];

	blocked = 0;
	assert_int_equal(pipe(gate), 0);
	stage->bed->settings.linger_ms = 10;
	stage_serve(stage, &type, LISTEN);
	for (unsigned i = 0; i < 3; i++) {
		clients[i] = bed_connect(stage->listener);
		stage_send(stage, clients[i], "x");
		stage_expect(stage, clients[i], "x");
	}
	/* The second one in turn is on another loop. */
	stage_send(stage, clients[1], "b");
	bed_until(stage->bed, is_blocked, stage);
	for (unsigned i = 0; i < 3; i += 2) {
		stage_send(stage, clients[i], "x");
		stage_expect(stage, clients[i], "x");
	}
	listing = list_all(stage);
	assert_non_null(strstr(listing.states, "busy"));
	assert_int_equal(listing.on[0] + listing.on[1] + listing.on[2], 3);
	server_drain(stage->server, 0);
	bed_until(stage->bed, stage_is_stuck, stage);
	assert_int_equal(stage_counters(stage)->sessions_active, 1);
	assert_int_equal(stage->notes.drained, 0);
	assert_int_equal(write(gate[1], "x", 1), 1);
	bed_until(stage->bed, stage_is_drained, stage);
	for (unsigned i = 0; i < 3; i++)
		close(clients[i]);
	close(gate[0]);
	close(gate[1]);
}

/* --- calls from another loop -----------------------------------------------*/

static struct berth_session *_Atomic other;

/* Tells how a call for the first session of this kind ends. */
static int
call_other(struct berth_session *session, struct berth_bytes in)
{
	int write, timeout;

	if (memchr(in.data, 'm', in.size) != NULL) {
		other = session;
		return berth_write(session, in);
	}
	write = berth_write(other, in);
	timeout = berth_session_timeout(other, 1000);
	berth_abort(other);
	berth_close(other);
	berth_pause(other, 1);
	return berth_printf(session, "%d %d %d\n", write, timeout,
		   berth_printf(other, "x")) < 0
		   ? -EIO
		   : (int)in.size;
}

static void
test_other_loops_may_not_touch_a_session(void **state)
{
	static const struct berth_session_type type = {.input = call_other};
	struct stage *stage = *state;
	char answer[64];
	int clients[3];

	/* What is refused is told; the log of the bed is for one thread. */
	stage->bed->log.level = 0;
	stage_serve(stage, &type, LISTEN);
	for (unsigned i = 0; i < 3; i++)
		clients[i] = bed_connect(stage->listener);
	stage_until_opened(stage, 3);
	snprintf(answer, sizeof(answer), "%d %d %d\n", -EPERM, -EPERM, -EPERM);
	stage_send(stage, clients[0], "m");
	stage_expect(stage, clients[0], "m");
	for (unsigned i = 1; i < 3; i++) {
		stage_send(stage, clients[i], "x");
		stage_expect(stage, clients[i], answer);
	}
	/* Nothing happened to it. */
	stage_send(stage, clients[0], "m");
	stage_expect(stage, clients[0], "m");
	close_all(stage, clients, 3);
}

/* --- reaching lanes --------------------------------------------------------*/

static bool
are_paused(void *context)
{
	struct listing listing = list_all(context);
	const char *states = listing.states;
	unsigned count = 0;

	for (; (states = strstr(states, "paused ")) != NULL; states++)
		count++;
	return count == CLIENTS;
}

static void
test_held_sessions_do_not_read(void **state)
{
	struct stage *stage = *state;
	int clients[CLIENTS];

	stage_serve(stage, &echo, LISTEN);
	connect_all(stage, clients, CLIENTS);
	server_hold(stage->server, true);
	bed_until(stage->bed, are_paused, stage);
	for (unsigned i = 0; i < CLIENTS; i++)
		stage_send(stage, clients[i], "x");
	assert_true(stage_is_quiet(stage, clients[1]));
	server_hold(stage->server, false);
	for (unsigned i = 0; i < CLIENTS; i++)
		stage_expect(stage, clients[i], "x");
	close_all(stage, clients, CLIENTS);
}

static void
test_suspended_wait_in_the_backlog(void **state)
{
	struct stage *stage = *state;
	int clients[CLIENTS], next;

	stage_serve(stage, &echo, LISTEN);
	connect_all(stage, clients, CLIENTS);
	server_accept(stage->server, false);
	next = bed_connect(stage->listener);
	stage_send(stage, next, "x");
	assert_true(stage_is_quiet(stage, next));
	for (unsigned i = 0; i < CLIENTS; i++)
		stage_talk(stage, clients[i], i);
	server_accept(stage->server, true);
	stage_expect(stage, next, "x");
	close(next);
	close_all(stage, clients, CLIENTS);
}

/* While clients stage_talk, come and go, the settings change under them. */
static void
test_settings_are_exchanged(void **state)
{
	struct stage *stage = *state;
	struct stage_kept *now = NULL, *before;
	unsigned released = 0;
	struct stage_wait all = {&released, 50};
	int clients[CLIENTS];

	stage_serve(stage, &echo, LISTEN);
	connect_all(stage, clients, CLIENTS);
	for (unsigned round = 0; round < 50; round++) {
		before = now;
		now = stage_keep(stage, &released);
		now->settings.input_limit_bytes = 4096 + round;
		now->settings.idle_timeout_ms = 100000 + round;
		server_update(stage->server, &now->settings);
		if (before != NULL)
			server_retire(stage->server, &before->retired);
		close(clients[round % CLIENTS]);
		clients[round % CLIENTS] = bed_connect(stage->listener);
		for (unsigned i = 0; i < CLIENTS; i++)
			stage_talk(stage, clients[i], i);
	}
	server_update(stage->server, &stage->bed->settings);
	server_retire(stage->server, &now->retired);
	bed_until(stage->bed, stage_has_count, &all);
	close_all(stage, clients, CLIENTS);
}

static void
test_idle_sessions_end(void **state)
{
	struct stage *stage = *state;
	int clients[CLIENTS];

	stage->bed->settings.idle_timeout_ms = 40;
	stage_serve(stage, &echo, LISTEN);
	for (unsigned i = 0; i < CLIENTS; i++)
		clients[i] = bed_connect(stage->listener);
	stage_until_closed(stage, CLIENTS);
	for (unsigned i = 0; i < CLIENTS; i++)
		assert_int_equal(stage->notes.reasons[i], BERTH_CLOSED_IDLE);
	close_all(stage, clients, CLIENTS);
}

/* --- fewer loops and more --------------------------------------------------*/

static void
test_a_loop_ends_with_its_last_session(void **state)
{
	struct stage *stage = *state;
	uint64_t count;
	int clients[CLIENTS], more[EACH];

	stage_serve(stage, &echo, LISTEN);
	connect_all(stage, clients, CLIENTS);
	use(stage, 1);
	connect_all(stage, more, EACH);
	assert_int_equal(sessions_on(stage, 0), 2 * EACH);
	for (unsigned i = 0; i < CLIENTS; i++)
		stage_talk(stage, clients[i], i);
	expect_threads(stage, LOOPS - 1);
	for (unsigned i = 0; i < CLIENTS; i++)
		close(clients[i]);
	stage_until_active(stage, EACH);
	expect_threads(stage, 0);
	assert_false(server_sessions_on(stage->server, 1, &count));
	for (unsigned i = 0; i < EACH; i++)
		stage_talk(stage, more[i], i);
	close_all(stage, more, EACH);
	/* "client N" each time. */
	assert_int_equal(
	    stage_counters(stage)->bytes_in, 8 * (2 * CLIENTS + 2 * EACH));
}

static void
test_a_loop_that_ends_is_used_again(void **state)
{
	struct stage *stage = *state;
	int clients[CLIENTS], more[CLIENTS];

	stage_serve(stage, &echo, LISTEN);
	connect_all(stage, clients, CLIENTS);
	use(stage, 1);
	use(stage, LOOPS);
	connect_all(stage, more, CLIENTS);
	for (unsigned i = 0; i < LOOPS; i++)
		assert_int_equal(sessions_on(stage, i), 2 * EACH);
	for (unsigned i = 0; i < CLIENTS; i++)
		close(clients[i]);
	close_all(stage, more, CLIENTS);
	expect_threads(stage, LOOPS - 1);
}

static void
test_fewer_and_more_hundred_times(void **state)
{
	struct stage *stage = *state;
	unsigned total = 0;
	int clients[CLIENTS];

	stage_serve(stage, &echo, LISTEN);
	for (unsigned round = 0; round < 100; round++) {
		use(stage, 1 + round % LOOPS);
		for (unsigned i = 0; i < CLIENTS; i++)
			clients[i] = bed_connect(stage->listener);
		for (unsigned i = 0; i < CLIENTS; i++) {
			stage_talk(stage, clients[i], i);
			if (i == CLIENTS / 2)
				use(stage, 1 + (round + 1) % LOOPS);
		}
		for (unsigned i = 0; i < CLIENTS; i++)
			close(clients[i]);
		total += CLIENTS;
	}
	stage_until_active(stage, 0);
	assert_int_equal(stage_counters(stage)->sessions_total, total);
	assert_int_equal(stage_counters(stage)->sessions_failed, 0);
	assert_int_equal(stage_counters(stage)->bytes_in, 8 * total);
	use(stage, 1);
	expect_threads(stage, 0);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	static const struct CMUnitTest tests[] = {
	    TEST(test_sessions_are_spread),
	    TEST(test_sequential_sessions_are_spread),
	    TEST(test_the_emptiest_loop_is_next),
	    TEST(test_iterative_stays_at_home),
	    TEST(test_who_may_not_stays_at_home),
	    TEST(test_short_sessions),
	    TEST(test_instances_are_exact),
	    TEST(test_sources_are_given_back),
	    TEST(test_drain_waits_for_all_loops),
	    TEST(test_deadline_closes_on_all_loops),
	    TEST(test_ends_hundred_times),
	    TEST(test_aborted_and_serving_again),
	    TEST(test_blocked_loop_is_told),
	    TEST(test_other_loops_may_not_touch_a_session),
	    TEST(test_held_sessions_do_not_read),
	    TEST(test_suspended_wait_in_the_backlog),
	    TEST(test_settings_are_exchanged),
	    TEST(test_idle_sessions_end),
	    TEST(test_a_loop_ends_with_its_last_session),
	    TEST(test_a_loop_that_ends_is_used_again),
	    TEST(test_fewer_and_more_hundred_times),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
