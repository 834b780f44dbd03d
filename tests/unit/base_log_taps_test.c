/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Taps of the log: who gets a line, what becomes of one that fails, lines that
 * a tap logs itself, and taps that come and go while threads log.
 */
#include "unit/unit.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"

#define THREADS 4
#define LINES 5000

struct bed {
	struct log log;
	struct text own; /* "who line\n" … */
	unsigned own_count;
	struct log_tap taps[2];
	struct tap_state {
		struct bed *bed;
		struct text seen;
		int result;
		bool logs;
		unsigned count;
	} states[2];
};

static void
own_write(
    struct log *log, int level, const char *who, const char *line, size_t size)
{
	struct bed *bed = log->context;

	(void)level;
	(void)size;
	text_printf(&bed->own, "%s %s\n", who ? who : "-", line);
}

static int
take(void *arg, const struct berth_log_record *record)
{
	struct tap_state *state = arg;

	assert_int_equal(record->size, sizeof(*record));
	assert_true(record->seconds > 0 && record->nanoseconds < 1000000000);
	assert_true(record->thread > 0);
	text_printf(&state->seen, "%d %s %.*s\n", record->level,
	    record->service ? record->service : "-", (int)record->text.size,
	    (const char *)record->text.data);
	if (state->logs)
		log_printf(&state->bed->log, BERTH_INFO, "tap", "from within");
	return state->result;
}

static int
setup(void **state)
{
	struct bed *bed = calloc(1, sizeof(*bed));

	if (bed == NULL)
		return -1;
	bed->log.write = own_write;
	bed->log.level = BERTH_INFO;
	bed->log.context = bed;
	for (unsigned i = 0; i < 2; i++) {
		bed->states[i].bed = bed;
		bed->taps[i].fn = take;
		bed->taps[i].arg = &bed->states[i];
		bed->taps[i].who = i == 0 ? "one" : "two";
	}
	*state = bed;
	return 0;
}

static int
teardown(void **state)
{
	struct bed *bed = *state;

	for (unsigned i = 0; i < 2; i++)
		text_fini(&bed->states[i].seen);
	text_fini(&bed->own);
	free(bed);
	return 0;
}

static void
begin(struct bed *bed, unsigned i)
{
	log_tap_add(&bed->log, &bed->taps[i]);
	log_tap_activate(&bed->log, &bed->taps[i], true);
}

/* What each of the three has seen of a line, which is then forgotten. */
static void
expect(struct bed *bed, const char *own, const char *one, const char *two)
{
	assert_string_equal(text_string(&bed->own), own);
	assert_string_equal(text_string(&bed->states[0].seen), one);
	assert_string_equal(text_string(&bed->states[1].seen), two);
	text_reset(&bed->own);
	text_reset(&bed->states[0].seen);
	text_reset(&bed->states[1].seen);
}

static void
test_who_gets_it(void **state)
{
	/* results of the two taps, and who has the line then */
	static const struct {
		int one, two;
		const char *own;
	} cases[] = {
	    {0, 0, ""},
	    {BERTH_LOG_PASS, 0, "S line\n"},
	    {BERTH_LOG_PASS, BERTH_LOG_PASS, "S line\n"},
	};
	struct bed *bed = *state;

	log_printf(&bed->log, BERTH_INFO, "S", "before");
	expect(bed, "S before\n", "", "");
	begin(bed, 0);
	log_printf(&bed->log, BERTH_INFO, "S", "alone");
	expect(bed, "", "6 S alone\n", "");
	begin(bed, 1);
	for (size_t i = 0; i < BASE_COUNT(cases); i++) {
		bed->states[0].result = cases[i].one;
		bed->states[1].result = cases[i].two;
		log_printf(&bed->log, BERTH_INFO, "S", "line");
		expect(bed, cases[i].own, "6 S line\n", "6 S line\n");
	}
	log_printf(&bed->log, BERTH_DEBUG, "S", "above the level");
	expect(bed, "", "", "");
	log_text(&bed->log, BERTH_ERROR, NULL, "a\nb\n", 4);
	expect(bed, "- a\n- b\n", "3 - a\n3 - b\n", "3 - a\n3 - b\n");
	log_tap_activate(&bed->log, &bed->taps[0], false);
	log_tap_remove(&bed->log, &bed->taps[1]);
	log_tap_remove(&bed->log, &bed->taps[1]);
	log_printf(&bed->log, BERTH_INFO, "S", "rests");
	expect(bed, "S rests\n", "", "");
	log_tap_remove(&bed->log, &bed->taps[0]);
}

static void
test_failures_are_told_once(void **state)
{
	struct bed *bed = *state;

	begin(bed, 0);
	bed->states[0].result = -ENOSPC;
	log_printf(&bed->log, BERTH_INFO, "S", "1");
	expect(bed,
	    "one can't take the lines of the log, which stay here: "
	    "No space left on device\nS 1\n",
	    "6 S 1\n", "");
	log_printf(&bed->log, BERTH_INFO, "S", "2");
	expect(bed, "S 2\n", "6 S 2\n", "");
	/* Another one that takes it does not make up for it. */
	begin(bed, 1);
	log_printf(&bed->log, BERTH_INFO, "S", "3");
	expect(bed, "S 3\n", "6 S 3\n", "6 S 3\n");
	bed->states[0].result = 0;
	log_printf(&bed->log, BERTH_INFO, "S", "4");
	expect(bed, "one takes the lines of the log again\n", "6 S 4\n",
	    "6 S 4\n");
	log_tap_remove(&bed->log, &bed->taps[0]);
	log_tap_remove(&bed->log, &bed->taps[1]);
}

static void
test_what_a_tap_logs(void **state)
{
	struct bed *bed = *state;

	begin(bed, 0);
	bed->states[0].logs = true;
	log_printf(&bed->log, BERTH_INFO, "S", "line");
	expect(bed, "tap from within\n", "6 S line\n", "");
	log_tap_remove(&bed->log, &bed->taps[0]);
}

/* --- threads --- */

static void
own_counts(
    struct log *log, int level, const char *who, const char *line, size_t size)
{
	struct bed *bed = log->context;

	(void)level;
	(void)who;
	(void)line;
	(void)size;
	__atomic_add_fetch(&bed->own_count, 1, __ATOMIC_RELAXED);
}

/* Not atomic: one at a time is promised. */
static int
count(void *arg, const struct berth_log_record *record)
{
	struct tap_state *state = arg;

	(void)record;
	state->count++;
	return 0;
}

static void *
log_lines(void *arg)
{
	struct bed *bed = arg;

	for (unsigned i = 0; i < LINES; i++)
		log_printf(&bed->log, BERTH_INFO, "S", "line %u", i);
	return NULL;
}

static void
test_they_come_and_go_while_threads_log(void **state)
{
	struct bed *bed = *state;
	pthread_t threads[THREADS];
	unsigned taken = 0, rounds = 0;

	bed->log.write = own_counts;
	for (unsigned i = 0; i < THREADS; i++)
		assert_int_equal(
		    pthread_create(&threads[i], NULL, log_lines, bed), 0);
	do {
		bed->taps[0].fn = count;
		begin(bed, 0);
		log_printf(&bed->log, BERTH_INFO, "S", "mine");
		log_tap_remove(&bed->log, &bed->taps[0]);
		/* Nobody is in it any more. */
		taken += bed->states[0].count;
		bed->states[0].count = 0;
		rounds++;
	} while (__atomic_load_n(&bed->own_count, __ATOMIC_RELAXED) + taken <
		 THREADS * LINES);
	for (unsigned i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	assert_int_equal(bed->states[0].count, 0);
	assert_int_equal(bed->own_count + taken, THREADS * LINES + rounds);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_who_gets_it, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		test_failures_are_told_once, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		test_what_a_tap_logs, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		test_they_come_and_go_while_threads_log, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
