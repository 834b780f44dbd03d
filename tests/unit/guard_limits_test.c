/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Limits by the clock that is handed to them: rates and their pauses, sources
 * and their networks, and that a refusal costs no memory.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guard/guard_priv.h"
#include "unit/unit.h"

/* --- allocations are counted, and may fail -----------------------------------
 */

static unsigned allocations;
static bool no_memory;

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_realloc(void *old, size_t size);

void *
__wrap_malloc(size_t size)
{
	allocations++;
	return no_memory ? NULL : __real_malloc(size);
}

void *
__wrap_calloc(size_t count, size_t size)
{
	allocations++;
	return no_memory ? NULL : __real_calloc(count, size);
}

void *
__wrap_realloc(void *old, size_t size)
{
	allocations++;
	return no_memory ? NULL : __real_realloc(old, size);
}

/* --- a guard and its settings ------------------------------------------------
 */

struct post {
	struct guards *guards;
	struct guard *guard;
	struct guard_rules *rules;
	struct settings settings;
	uint64_t now_ms;
};

static int
setup(void **state)
{
	struct post *post = calloc(1, sizeof(*post));

	assert_non_null(post);
	settings_init(&post->settings);
	assert_int_equal(guards_new(NULL, &post->guards), 0);
	assert_int_equal(guard_acquire(post->guards, "a", &post->guard), 0);
	post->now_ms = 1000000;
	*state = post;
	return 0;
}

static int
teardown(void **state)
{
	struct post *post = *state;

	no_memory = false;
	guard_rules_free(post->rules);
	guard_unref(post->guard);
	guards_free(post->guards);
	free(post);
	return 0;
}

static void
post_rules(struct post *post)
{
	const struct place none = {.line = 0};

	post->rules = guard_rules_free(post->rules);
	assert_int_equal(
	    guard_rules_new(&post->settings, &none, NULL, &post->rules), 0);
	assert_non_null(post->rules);
}

static struct guard_question
ask(const struct post *post)
{
	return (struct guard_question){
	    .guard = post->guard,
	    .rules = post->rules,
	    .settings = &post->settings,
	    .now = {MONO_MS(post->now_ms)},
	};
}

/* Somebody comes and is served if the rate allows it. */
static bool
comes(struct post *post)
{
	struct guard_question question = ask(post);

	if (guard_gate(&question) != GUARD_SERVED)
		return false;
	guard_begins(&question);
	return true;
}

static enum guard_reason
enters(struct post *post, const char *address, struct guard_source **source)
{
	struct guard_question question = ask(post);
	struct sockaddr_in v4 = {.sin_family = AF_INET};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
	const void *any = &v4;

	if (inet_pton(AF_INET, address, &v4.sin_addr) != 1) {
		assert_int_equal(
		    inet_pton(AF_INET6, address, &v6.sin6_addr), 1);
		any = &v6;
	}
	return guard_door(&question, any, sizeof(v6), NULL, source);
}

/* --- rates -------------------------------------------------------------------
 */

static void
test_a_rate_gives_its_burst_and_then_its_share(void **state)
{
	struct post *post = *state;
	unsigned served = 0;

	post->settings.cps = (struct rate){10, 1000, 0};
	post->settings.on_cps = POLICY_REJECT;
	post_rules(post);
	for (unsigned i = 0; i < 50; i++)
		served += comes(post);
	assert_int_equal(served, 10);
	post->now_ms += 99;
	assert_false(comes(post));
	post->now_ms += 1;
	assert_true(comes(post));
	assert_false(comes(post));
	/* In the long run it is the rate, whoever comes in between. */
	served = 0;
	for (unsigned i = 0; i < 10000; i++) {
		post->now_ms += 1;
		served += comes(post);
	}
	assert_int_equal(served, 100);
	/* Nothing is saved beyond one span. */
	post->now_ms += 3600000;
	served = 0;
	for (unsigned i = 0; i < 50; i++)
		served += comes(post);
	assert_int_equal(served, 10);
}

static void
test_a_pause_begins_with_one_too_many_and_ends_by_itself(void **state)
{
	struct post *post = *state;

	post->settings.cps = (struct rate){2, 1000, 10000};
	post->settings.on_cps = POLICY_REJECT;
	post_rules(post);
	assert_true(comes(post));
	assert_true(comes(post));
	/* Two are allowed: no pause yet. */
	post->now_ms += 1000;
	assert_true(comes(post));
	assert_true(comes(post));
	assert_false(comes(post));
	/* Who knocks meanwhile does not make it longer. */
	for (unsigned i = 0; i < 9999; i++) {
		post->now_ms += 1;
		assert_false(comes(post));
	}
	post->now_ms += 1;
	assert_true(comes(post));
	assert_true(comes(post));
}

static void
test_who_may_wait_is_told_how_long(void **state)
{
	struct post *post = *state;
	struct guard_question question;
	enum guard_reason reason = GUARD_SERVED;

	post->settings.cps = (struct rate){4, 1000, 5000};
	post_rules(post);
	question = ask(post);
	for (unsigned i = 0; i < 4; i++) {
		assert_int_equal(guard_wait(&question, &reason), 0);
		assert_true(comes(post));
	}
	assert_int_equal(guard_wait(&question, &reason), MONO_MS(250));
	assert_int_equal(reason, GUARD_CPS);
	guard_overrun(&question);
	assert_int_equal(guard_wait(&question, &reason), MONO_MS(5000));
	/* With a shorter one from now on, the old pause counts for nothing. */
	post->settings.cps.pause_ms = 300;
	post_rules(post);
	question = ask(post);
	assert_int_equal(guard_wait(&question, &reason), MONO_MS(250));
	/* And a quicker rate is another one. */
	post->settings.cps = (struct rate){1000, 100, 0};
	post_rules(post);
	question = ask(post);
	assert_int_equal(guard_wait(&question, &reason), 0);
}

static void
test_a_clock_that_goes_back_stops_nobody_for_long(void **state)
{
	struct post *post = *state;
	unsigned served = 0;

	post->settings.cps = (struct rate){5, 1000, 2000};
	post->settings.on_cps = POLICY_REJECT;
	post_rules(post);
	for (unsigned i = 0; i < 6; i++)
		served += comes(post);
	assert_int_equal(served, 5);
	assert_false(comes(post));
	post->now_ms -= 500000;
	served = 0;
	for (unsigned i = 0; i < 6; i++)
		served += comes(post);
	assert_int_equal(served, 5);
	assert_false(comes(post));
	post->now_ms += 2000;
	assert_true(comes(post));
}

/* --- sources -----------------------------------------------------------------
 */

static void
test_sources_are_networks(void **state)
{
	static const struct {
		const char *one, *two;
		struct prefixes prefixes;
		bool same;
	} cases[] = {
	    {"10.0.0.1", "10.0.0.1", {32, 64}, true},
	    {"10.0.0.1", "10.0.0.2", {32, 64}, false},
	    {"10.0.0.1", "10.0.0.2", {24, 64}, true},
	    {"10.0.0.255", "10.0.1.0", {24, 64}, false},
	    {"10.0.1.1", "10.0.0.1", {23, 64}, true},
	    {"10.0.2.1", "10.0.1.1", {23, 64}, false},
	    {"1.2.3.4", "200.2.3.4", {0, 64}, true},
	    {"::ffff:10.0.0.1", "10.0.0.1", {32, 64}, true},
	    {"::ffff:10.0.0.1", "::ffff:10.0.0.2", {32, 64}, false},
	    {"::ffff:10.0.0.1", "::ffff:10.0.0.2", {32, 0}, false},
	    {"2001:db8::1", "2001:db8::ffff:2", {32, 64}, true},
	    {"2001:db8::1", "2001:db8:0:1::1", {32, 64}, false},
	    {"2001:db8::1", "2001:db8:0:1::1", {32, 48}, true},
	    {"2001:db8::1", "2001:db8::2", {32, 128}, false},
	    {"::", "0.0.0.0", {32, 128}, false},
	};
	struct post *post = *state;

	post->settings.per_source = 1;
	for (size_t i = 0; i < BASE_COUNT(cases); i++) {
		struct guard_source *one = NULL, *two = NULL;
		enum guard_reason reason;

		post->settings.source_prefix = cases[i].prefixes;
		post_rules(post);
		assert_int_equal(
		    enters(post, cases[i].one, &one), GUARD_SERVED);
		reason = enters(post, cases[i].two, &two);
		if (reason != (cases[i].same ? GUARD_PER_SOURCE : GUARD_SERVED))
			fail_msg("%s, %s", cases[i].one, cases[i].two);
		guard_leave(one);
		guard_leave(two);
		assert_int_equal(guard_source_count(post->guard), 0);
	}
}

static void
test_a_place_is_free_again_when_a_session_ends(void **state)
{
	struct post *post = *state;
	struct guard_source *sources[3], *other;

	post->settings.per_source = 3;
	post_rules(post);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(
		    enters(post, "10.0.0.1", &sources[i]), GUARD_SERVED);
	assert_int_equal(enters(post, "10.0.0.1", &other), GUARD_PER_SOURCE);
	assert_null(other);
	guard_leave(sources[1]);
	assert_int_equal(enters(post, "10.0.0.1", &sources[1]), GUARD_SERVED);
	/* Less allowed from now on: those who are there stay. */
	post->settings.per_source = 2;
	post_rules(post);
	guard_leave(sources[0]);
	assert_int_equal(enters(post, "10.0.0.1", &other), GUARD_PER_SOURCE);
	guard_leave(sources[1]);
	assert_int_equal(enters(post, "10.0.0.1", &sources[1]), GUARD_SERVED);
	guard_leave(sources[1]);
	guard_leave(sources[2]);
	assert_int_equal(guard_source_count(post->guard), 0);
}

static void
test_a_source_has_a_rate_of_its_own(void **state)
{
	struct post *post = *state;
	struct guard_source *source;
	unsigned served = 0;

	post->settings.source_cps = (struct rate){3, 60000, 30000};
	post_rules(post);
	for (unsigned i = 0; i < 20; i++) {
		served += enters(post, "10.0.0.1", &source) == GUARD_SERVED;
		guard_leave(source);
	}
	assert_int_equal(served, 3);
	assert_int_equal(enters(post, "10.0.0.2", &source), GUARD_SERVED);
	guard_leave(source);
	/* 30 s later its pause is over and one and a half are there again. */
	post->now_ms += 30000;
	served = 0;
	for (unsigned i = 0; i < 20; i++) {
		served += enters(post, "10.0.0.1", &source) == GUARD_SERVED;
		guard_leave(source);
	}
	assert_int_equal(served, 1);
	/* When all is as if they had never come, they are forgotten. */
	post->now_ms += 600000;
	assert_int_equal(enters(post, "10.0.0.9", &source), GUARD_SERVED);
	guard_leave(source);
	assert_int_equal(guard_source_count(post->guard), 1);
}

static void
test_sources_are_bounded(void **state)
{
	struct post *post = *state;
	struct guard_source *source;
	char address[32];

	post->settings.source_cps = (struct rate){1, 3600000, 0};
	post_rules(post);
	for (unsigned i = 0; i < SOURCES_IDLE_MAX + 5000; i++) {
		snprintf(address, sizeof(address), "10.%u.%u.%u", i >> 16,
		    i >> 8 & 255, i & 255);
		assert_int_equal(enters(post, address, &source), GUARD_SERVED);
		guard_leave(source);
	}
	assert_true(guard_source_count(post->guard) <= SOURCES_IDLE_MAX + 1);
	/* The latest are the ones that are remembered. */
	assert_int_equal(enters(post, address, &source), GUARD_SOURCE_CPS);
}

static void
test_refusals_cost_no_memory(void **state)
{
	struct guard_refusals refusals = {.count = {0}};
	struct post *post = *state;
	struct guard_source *source, *other;
	unsigned before;

	post->settings.per_source = 1;
	post->settings.source_cps = (struct rate){1, 60000, 0};
	post->settings.cps = (struct rate){1, 60000, 10000};
	post->settings.on_cps = POLICY_REJECT;
	post_rules(post);
	assert_true(comes(post));
	assert_int_equal(enters(post, "10.0.0.1", &source), GUARD_SERVED);
	before = allocations;
	for (unsigned i = 0; i < 100000; i++) {
		assert_false(comes(post));
		assert_int_equal(
		    enters(post, "10.0.0.1", &other), GUARD_PER_SOURCE);
		guard_refused(&refusals, GUARD_PER_SOURCE,
		    (struct mono){MONO_MS(post->now_ms)});
	}
	assert_int_equal(allocations, before);
	assert_int_equal(refusals.count[GUARD_PER_SOURCE], 100000);
	assert_int_equal(guard_source_count(post->guard), 1);
	guard_leave(source);
}

static void
test_without_memory_nobody_slips_in_uncounted(void **state)
{
	struct post *post = *state;
	struct guard_source *source;

	post->settings.per_source = 1;
	post_rules(post);
	no_memory = true;
	assert_int_equal(enters(post, "10.0.0.1", &source), GUARD_CROWDED);
	no_memory = false;
	assert_null(source);
	assert_int_equal(enters(post, "10.0.0.1", &source), GUARD_SERVED);
	guard_leave(source);
}

static void
test_what_is_counted_belongs_to_the_name(void **state)
{
	struct post *post = *state;
	struct guard *first = post->guard, *again, *other;
	struct guard_source *source, *none;

	post->settings.per_source = 1;
	post_rules(post);
	assert_int_equal(enters(post, "10.0.0.1", &source), GUARD_SERVED);
	assert_int_equal(guard_acquire(post->guards, "a", &again), 0);
	assert_ptr_equal(again, first);
	assert_int_equal(guard_acquire(post->guards, "b", &other), 0);
	assert_ptr_not_equal(other, first);
	guard_unref(other);
	/* The old instance goes, the new one knows who is there. */
	guard_unref(first);
	assert_int_equal(enters(post, "10.0.0.1", &none), GUARD_PER_SOURCE);
	guard_leave(source);
}

static void
test_datagrams_have_the_rates(void **state)
{
	struct post *post = *state;
	struct sockaddr_in peer = {.sin_family = AF_INET};
	const void *any = &peer;
	unsigned served = 0;

	post->settings.source_cps = (struct rate){5, 1000, 0};
	post->settings.cps = (struct rate){7, 1000, 0};
	post_rules(post);
	for (unsigned i = 0; i < 20; i++) {
		struct guard_question question = ask(post);

		peer.sin_addr.s_addr = htonl(0x0a000001 + i / 10);
		served += guard_datagram(&question, any, sizeof(peer)) ==
			  GUARD_SERVED;
	}
	assert_int_equal(served, 7);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	static const struct CMUnitTest tests[] = {
	    TEST(test_a_rate_gives_its_burst_and_then_its_share),
	    TEST(test_a_pause_begins_with_one_too_many_and_ends_by_itself),
	    TEST(test_who_may_wait_is_told_how_long),
	    TEST(test_a_clock_that_goes_back_stops_nobody_for_long),
	    TEST(test_sources_are_networks),
	    TEST(test_a_place_is_free_again_when_a_session_ends),
	    TEST(test_a_source_has_a_rate_of_its_own),
	    TEST(test_sources_are_bounded),
	    TEST(test_refusals_cost_no_memory),
	    TEST(test_without_memory_nobody_slips_in_uncounted),
	    TEST(test_what_is_counted_belongs_to_the_name),
	    TEST(test_datagrams_have_the_rates),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
