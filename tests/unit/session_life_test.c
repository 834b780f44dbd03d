/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How connections begin and end.
 */
#include "unit/session_bed.h"

static const struct berth_session_type echo = {.input = stage_echo};

static void
test_echo_serves(void **state)
{
	struct stage *stage = *state;
	int client;

	stage_serve(stage, &echo, "tcp:127.0.0.1:0");
	client = bed_connect(stage->listener);
	stage_send(stage, client, "hello");
	stage_expect(stage, client, "hello");
	assert_int_equal(stage_counters(stage)->bytes_in, 5);
	assert_int_equal(stage_counters(stage)->bytes_out, 5);
	close(client);
	stage_until_closed(stage, 1);
	assert_int_equal(stage->notes.reasons[0], BERTH_CLOSED_ORDERLY);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		test_echo_serves, stage_setup, stage_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
