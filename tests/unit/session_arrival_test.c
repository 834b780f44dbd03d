/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What lies between accept(2) and a session, with a stage of the test's own: a
 * client has to say a word first, `+` to go on, `-` to be refused, `@` to be
 * somebody else; until it has, it is parked.
 */
#include "unit/session_bed.h"

#include <arpa/inet.h>

#include "session/arrival.h"

static char seen[128]; /* the peer, as the service is told */

static int
see(struct berth_session *session)
{
	assert_true(session_peer(session, seen, sizeof(seen)) > 0);
	return 0;
}

static const struct berth_session_type echo = {
    .open = see, .input = stage_echo};

static enum arrival_answer
judge(struct visitor *visitor)
{
	struct sockaddr_in other = {
	    .sin_family = AF_INET, .sin_port = htons(4711)};
	const void *any = &other;
	char word;
	ssize_t got = recv(visitor->fd, &word, 1, 0);

	if (got < 0 && errno == EAGAIN)
		return ARRIVAL_WAITS;
	visitor->reason = got <= 0 ? GUARD_BROKEN : GUARD_INSTANCES;
	if (got <= 0 || word == '-')
		return ARRIVAL_REFUSED;
	if (word == '@') {
		inet_pton(AF_INET, "192.0.2.7", &other.sin_addr);
		visitor_set_peer(visitor, any, sizeof(other));
	}
	return ARRIVAL_GOES_ON;
}

static const struct arrival_stage word = {.judge = judge};
static const struct arrival_stage *const words[] = {&word, NULL};
static const struct arrival_stage *const two_words[] = {&word, &word, NULL};

static struct stage *
serve(void **state, const struct arrival_stage *const *stages)
{
	struct stage *stage = *state;

	stage->stages = stages;
	stage_serve(stage, &echo, "tcp:127.0.0.1:0");
	return stage;
}

struct count {
	struct stage *stage;
	uint64_t wanted;
	enum guard_reason reason; /* 0: those who are parked */
};

static bool
is_counted(void *context)
{
	struct count *count = context;
	const struct server_counters *counters = stage_counters(count->stage);

	if (count->reason == GUARD_SERVED)
		return counters->arrivals == count->wanted;
	return counters->refused[count->reason] == count->wanted;
}

static void
until_parked(struct stage *stage, uint64_t wanted)
{
	struct count count = {stage, wanted, GUARD_SERVED};

	bed_until(stage->bed, is_counted, &count);
}

static void
until_refused(struct stage *stage, enum guard_reason reason, uint64_t wanted)
{
	struct count count = {stage, wanted, reason};

	bed_until(stage->bed, is_counted, &count);
}

static void
test_who_waits_is_parked_and_goes_on(void **state)
{
	struct stage *stage = serve(state, two_words);
	int client = bed_connect(stage->listener);

	until_parked(stage, 1);
	assert_int_equal(stage->notes.opened, 0);
	assert_int_equal(stage_counters(stage)->sessions_active, 0);
	/* The first word is through, the second is waited for. */
	stage_send(stage, client, "+");
	bed_settle(stage->bed);
	assert_int_equal(stage_counters(stage)->arrivals, 1);
	stage_send(stage, client, "+hello");
	stage_expect(stage, client, "hello");
	assert_int_equal(stage_counters(stage)->arrivals, 0);
	assert_int_equal(stage_counters(stage)->sessions_active, 1);
	assert_int_equal(strncmp(seen, "127.0.0.1:", 10), 0);
	close(client);
	stage_until_closed(stage, 1);
}

static void
test_who_is_refused_is_counted_and_told_once(void **state)
{
	struct stage *stage = serve(state, words);
	unsigned told = 0;
	int client;

	for (unsigned i = 0; i < 50; i++) {
		client = bed_connect(stage->listener);
		if (i % 2 == 0)
			until_parked(stage, 1);
		stage_send(stage, client, "-");
		assert_int_equal(stage_until_end(stage, client, NULL), 0);
		close(client);
	}
	assert_int_equal(stage_counters(stage)->refused[GUARD_INSTANCES], 50);
	assert_int_equal(stage_counters(stage)->arrivals, 0);
	assert_int_equal(stage->notes.opened, 0);
	for (const char *at = text_string(&stage->bed->lines);
	     (at = strstr(at, "refused (instances)")) != NULL; at++)
		told++;
	assert_int_equal(told, 1);
	/* A minute later one line tells of all. */
	stage->bed->ahead_ns += MONO_MS(61000);
	client = bed_connect(stage->listener);
	stage_send(stage, client, "-");
	until_refused(stage, GUARD_INSTANCES, 51);
	assert_non_null(strstr(text_string(&stage->bed->lines),
	    "50 connections refused (instances), the last from 127.0.0.1:"));
	close(client);
}

static void
test_who_says_nothing_in_time_is_refused(void **state)
{
	struct stage *stage = serve(state, words);
	int client = bed_connect(stage->listener);

	until_parked(stage, 1);
	stage->bed->ahead_ns += MONO_MS(ARRIVAL_PATIENCE_MS - 1000);
	bed_settle(stage->bed);
	assert_int_equal(stage_counters(stage)->arrivals, 1);
	stage->bed->ahead_ns += MONO_MS(1001);
	assert_int_equal(stage_until_end(stage, client, NULL), 0);
	assert_int_equal(stage_counters(stage)->refused[GUARD_LATE], 1);
	assert_int_equal(stage->owner.timers, 0);
	close(client);
}

static void
test_who_leaves_while_waiting_is_forgotten(void **state)
{
	struct stage *stage = serve(state, words);
	int client = bed_connect(stage->listener);

	until_parked(stage, 1);
	close(client);
	until_refused(stage, GUARD_BROKEN, 1);
	assert_int_equal(stage_counters(stage)->arrivals, 0);
	client = bed_connect(stage->listener);
	until_parked(stage, 1);
	bed_reset(client);
	until_refused(stage, GUARD_BROKEN, 2);
}

static void
test_the_parked_count_as_instances(void **state)
{
	struct stage *stage = *state;
	int clients[3];

	stage->bed->settings.instances = 2;
	serve(state, words);
	for (unsigned i = 0; i < 3; i++)
		clients[i] = bed_connect(stage->listener);
	until_parked(stage, 2);
	bed_settle(stage->bed);
	assert_int_equal(stage_counters(stage)->arrivals, 2);
	/* One ends, the third is looked at. */
	stage_send(stage, clients[0], "-");
	stage_send(stage, clients[2], "+third");
	stage_expect(stage, clients[2], "third");
	for (unsigned i = 0; i < 3; i++)
		close(clients[i]);
	stage_until_closed(stage, 1);
	until_parked(stage, 0);
}

static void
test_there_are_never_too_many_parked(void **state)
{
	struct stage *stage = serve(state, words);
	static int clients[ARRIVALS_MAX + 1];

	for (unsigned i = 0; i < ARRIVALS_MAX; i++) {
		clients[i] = bed_connect(stage->listener);
		until_parked(stage, i + 1);
	}
	clients[ARRIVALS_MAX] = bed_connect(stage->listener);
	until_refused(stage, GUARD_CROWDED, 1);
	assert_int_equal(stage_counters(stage)->arrivals, ARRIVALS_MAX);
	for (unsigned i = 0; i <= ARRIVALS_MAX; i++)
		close(clients[i]);
	until_parked(stage, 0);
}

static void
test_a_replaced_peer_counts(void **state)
{
	struct stage *stage = serve(state, words);
	int client = bed_connect(stage->listener);

	stage_send(stage, client, "@x");
	stage_expect(stage, client, "x");
	assert_string_equal(seen, "192.0.2.7:4711");
	close(client);
	stage_until_closed(stage, 1);
	/* And the next one, in the same memory, is itself. */
	client = bed_connect(stage->listener);
	stage_send(stage, client, "+y");
	stage_expect(stage, client, "y");
	assert_int_equal(strncmp(seen, "127.0.0.1:", 10), 0);
	close(client);
	stage_until_closed(stage, 2);
}

static bool
has_drained(void *context)
{
	return ((struct stage *)context)->notes.drained > 0;
}

static void
test_a_drain_waits_for_the_parked(void **state)
{
	struct stage *stage = serve(state, words);
	int first = bed_connect(stage->listener), second;

	second = bed_connect(stage->listener);
	until_parked(stage, 2);
	server_drain(stage->server, MONO_MS(60000));
	bed_settle(stage->bed);
	assert_int_equal(stage->notes.drained, 0);
	/* He had come before, and is served. */
	stage_send(stage, first, "+last");
	stage_expect(stage, first, "last");
	close(first);
	stage_until_closed(stage, 1);
	assert_int_equal(stage->notes.drained, 0);
	stage->bed->ahead_ns += MONO_MS(60000);
	bed_until(stage->bed, has_drained, stage);
	assert_int_equal(stage_until_end(stage, second, NULL), 0);
	close(second);
}

static void
test_the_parked_end_with_their_server(void **state)
{
	struct stage *stage = serve(state, words);
	int client = bed_connect(stage->listener);

	until_parked(stage, 1);
	server_abort(stage->server, BERTH_CLOSED_ABORTED);
	assert_int_equal(stage_counters(stage)->arrivals, 0);
	assert_int_equal(stage->owner.timers, 0);
	assert_int_equal(stage->owner.descriptors, 0);
	assert_int_equal(stage_until_end(stage, client, NULL), 0);
	close(client);
}

static void
test_a_revoked_owner_parks_nobody(void **state)
{
	struct stage *stage = serve(state, words);
	int client = bed_connect(stage->listener);

	until_parked(stage, 1);
	reactor_revoke(&stage->owner, false);
	assert_int_equal(stage_counters(stage)->arrivals, 0);
	assert_int_equal(stage_until_end(stage, client, NULL), 0);
	close(client);
}

int
main(void)
{
#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, stage_setup_ahead, stage_teardown)
	static const struct CMUnitTest tests[] = {
	    TEST(test_who_waits_is_parked_and_goes_on),
	    TEST(test_who_is_refused_is_counted_and_told_once),
	    TEST(test_who_says_nothing_in_time_is_refused),
	    TEST(test_who_leaves_while_waiting_is_forgotten),
	    TEST(test_the_parked_count_as_instances),
	    TEST(test_there_are_never_too_many_parked),
	    TEST(test_a_replaced_peer_counts),
	    TEST(test_a_drain_waits_for_the_parked),
	    TEST(test_the_parked_end_with_their_server),
	    TEST(test_a_revoked_owner_parks_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
