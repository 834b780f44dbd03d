/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * max_load as clients meet it: above it they wait, are told or are reset, as
 * on_max_load says, and are served when it has fallen, without help.  The load
 * is a file of the test's.
 */
#include "unit/session_bed.h"

#define LOAD_FILE "/tmp/berth-load-XXXXXX"

static const struct berth_session_type echo = {.input = stage_echo};

struct mill {
	struct stage *stage;
	char path[sizeof(LOAD_FILE)];
	struct guards *guards;
	struct guard *guard;
	struct guard_rules *rules;
};

static void
set_load(struct mill *mill, const char *line)
{
	int fd = open(mill->path, O_WRONLY | O_TRUNC | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, line, strlen(line)), (ssize_t)strlen(line));
	close(fd);
	/* What was read is believed for a second. */
	mill->stage->bed->ahead_ns += MONO_MS(1500);
}

static void
begin(struct mill *mill, unsigned policy)
{
	const struct guards_options options = {.load_path = mill->path};
	struct bed *bed = mill->stage->bed;

	strcpy(mill->path, LOAD_FILE);
	close(mkstemp(mill->path));
	bed->settings.max_load_percent = 250;
	bed->settings.on_max_load = policy;
	stage_serve(mill->stage, &echo, "tcp:127.0.0.1:0");
	assert_int_equal(guards_new(&options, &mill->guards), 0);
	assert_int_equal(guard_acquire(mill->guards, "test", &mill->guard), 0);
	assert_int_equal(
	    guard_rules_new(&bed->settings, NULL, bed->errors, &mill->rules),
	    0);
	server_set_guard(mill->stage->server, mill->guard, mill->rules);
}

static void
end(struct mill *mill)
{
	server_set_guard(mill->stage->server, NULL, NULL);
	guard_rules_free(mill->rules);
	guard_unref(mill->guard);
	guards_free(mill->guards);
	unlink(mill->path);
}

static void
be_served(struct mill *mill, int client, unsigned count)
{
	stage_send(mill->stage, client, "hello");
	stage_expect(mill->stage, client, "hello");
	close(client);
	stage_until_closed(mill->stage, count);
}

static void
test_who_may_wait_waits(void **state)
{
	struct mill mill = {.stage = *state};
	int client;

	begin(&mill, POLICY_QUEUE);
	set_load(&mill, "2.49 9.00 9.00 1/100 1\n");
	be_served(&mill, bed_connect(mill.stage->listener), 1);
	set_load(&mill, "2.50 0.00 0.00 1/100 1\n");
	client = bed_connect(mill.stage->listener);
	for (unsigned i = 0; i < 20; i++)
		reactor_turn(mill.stage->bed->reactor, MONO_MS(1));
	assert_int_equal(mill.stage->notes.opened, 1);
	assert_int_equal(stage_counters(mill.stage)->refused[GUARD_LOAD], 0);
	set_load(&mill, "0.10 9.00 9.00 1/100 1\n");
	be_served(&mill, client, 2);
	end(&mill);
}

static void
refuse(struct stage *stage, unsigned policy, int error)
{
	struct mill mill = {.stage = stage};
	size_t bytes = 0;
	int client;

	begin(&mill, policy);
	set_load(&mill, "12.5 0.00 0.00 1/100 1\n");
	client = bed_connect(stage->listener);
	assert_int_equal(stage_until_end(stage, client, &bytes), error);
	close(client);
	assert_int_equal(stage_counters(stage)->refused[GUARD_LOAD], 1);
	set_load(&mill, "0.10 9.00 9.00 1/100 1\n");
	be_served(&mill, bed_connect(stage->listener), 1);
	assert_int_equal(stage_counters(stage)->refused[GUARD_LOAD], 1);
	end(&mill);
}

static void
test_who_may_not_is_rejected(void **state)
{
	refuse(*state, POLICY_REJECT, 0);
}

static void
test_or_reset(void **state)
{
	refuse(*state, POLICY_RESET, ECONNRESET);
}

#define TEST(fn)                                                               \
	cmocka_unit_test_setup_teardown(fn, stage_setup_ahead, stage_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_who_may_wait_waits),
	    TEST(test_who_may_not_is_rejected),
	    TEST(test_or_reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
