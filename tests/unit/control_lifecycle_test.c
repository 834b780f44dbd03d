/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The life of services in a whole host: rows L, E and R of the conformance
 * list, with the results that Berth gives.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <malloc.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "unit/host_fixture.h"

#define PROBE " Service_Object * :probe() "

static void
expect_reply(struct fixture *f, const char *line, enum command_status status,
    const char *expected)
{
	assert_int_equal(fixture_command(f, line), status);
	assert_string_equal(text_string(&f->reply), expected);
}

static void
G01_order_of_init_and_fini(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f, "dynamic A" PROBE "\"x\"\ndynamic B" PROBE "'y z'\n");
	assert_int_equal(fixture_start(&f), 0);
	fixture_expect_calls("init A x\ninit B y z\n");
	fixture_expect_states(&f, "A active\nB active\n");
	f.host = host_free(f.host);
	fixture_expect_calls("fini B\nfini A\n");
	fixture_fini(&f);
}

static void
shutdown_in_reverse_order(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f,
	    "dynamic A" PROBE "'thread'\ndynamic B" PROBE "\"thread\"\n"
	    "dynamic C" PROBE "\n");
	assert_int_equal(fixture_start(&f), 0);
	text_reset(&fixture_calls);
	host_stop(f.host);
	assert_int_equal(host_run(f.host), 0);
	fixture_expect_calls("fini C\nfini B\nfini A\n");
	fixture_fini(&f);
}

static void
G06_inactive(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f, "dynamic A" PROBE "inactive 'x'\n");
	assert_int_equal(fixture_start(&f), 0);
	fixture_expect_calls("init A x\n");
	fixture_expect_states(&f, "A suspended\n");
	expect_reply(&f, "report", COMMAND_OK, "A (paused)  info of A\n");
	expect_reply(&f, "resume A", COMMAND_OK, "~ A (resumed)\n");
	fixture_expect_calls("resume A\n");
	fixture_expect_states(&f, "A active\n");
	expect_reply(&f, "report", COMMAND_OK, "A (active)  info of A\n");
	fixture_fini(&f);
}

static void
L01_same_name_twice(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f, "dynamic A" PROBE "'1'\ndynamic B" PROBE "\n");
	assert_int_equal(fixture_start(&f), 0);
	text_reset(&fixture_calls);
	expect_reply(&f, "dynamic A" PROBE "'2'", COMMAND_OK,
	    "> A (args changed)\n= 1 unchanged\n");
	fixture_expect_calls("init A 2\nfini A\n");
	/* as with ACE, the new one stands at the end */
	fixture_expect_states(&f, "B active\nA active\n");
	/* the same text again is nothing */
	expect_reply(
	    &f, "dynamic A" PROBE "'2'", COMMAND_OK, "= 2 unchanged\n");
	fixture_expect_calls("");
	fixture_fini(&f);
}

static void
L01_in_one_file_the_last_counts(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f, "dynamic A" PROBE "'1'\ndynamic A" PROBE "'2'\n");
	assert_int_equal(fixture_start(&f), 0);
	fixture_expect_calls("init A 2\n");
	fixture_fini(&f);
}

static void
L02_failed_replacement_keeps_the_old(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f, "dynamic A" PROBE "'1'\n");
	assert_int_equal(fixture_start(&f), 0);
	text_reset(&fixture_calls);
	expect_reply(&f, "dynamic A" PROBE "'fail'", COMMAND_REFUSED,
	    "command:1:37: error: init of 'A' failed: no luck today\n"
	    "    1 | dynamic A Service_Object * :probe() 'fail'\n"
	    "      |                                     ^~~~~~\n"
	    "! nothing changed: 1 error\n");
	fixture_expect_calls("init A fail\n");
	fixture_expect_states(&f, "A active\n");
	assert_int_equal(
	    fixture_command(&f, "dynamic A Service_Object * nothere:make_x()"),
	    COMMAND_REFUSED);
	fixture_expect_calls("");
	fixture_expect_states(&f, "A active\n");
	fixture_fini(&f);
}

static void
L03_replacing_a_suspended_one(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f, "dynamic A" PROBE "'1'\n");
	assert_int_equal(fixture_start(&f), 0);
	assert_int_equal(fixture_command(&f, "suspend A"), COMMAND_OK);
	text_reset(&fixture_calls);
	assert_int_equal(
	    fixture_command(&f, "dynamic A" PROBE "'2'"), COMMAND_OK);
	/* one order always: the new init, then the old fini; it stays
	 * suspended until somebody resumes it */
	fixture_expect_calls("init A 2\nfini A\n");
	fixture_expect_states(&f, "A suspended\n");
	fixture_fini(&f);
}

static void
L04_L05_init_fails(void **state)
{
	static const struct {
		const char *word, *message;
	} rows[] = {
	    {"fail", "no luck today"},
	    {"positive", "a positive result counts as a failure"},
	    {"silent", "No such device"},
	};
	struct fixture f;

	(void)state;
	fixture_init(&f, "");
	assert_int_equal(fixture_start(&f), 0);
	for (size_t i = 0; i < BASE_COUNT(rows); i++) {
		char line[128], call[64];

		snprintf(
		    line, sizeof(line), "dynamic A" PROBE "'%s'", rows[i].word);
		assert_int_equal(fixture_command(&f, line), COMMAND_REFUSED);
		assert_non_null(strstr(text_string(&f.reply), rows[i].message));
		snprintf(call, sizeof(call), "init A %s\n", rows[i].word);
		fixture_expect_calls(call); /* and no fini */
		fixture_expect_states(&f, "");
	}
	fixture_fini(&f);
}

static void
L06_idempotent(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f, "dynamic A" PROBE "\n");
	assert_int_equal(fixture_start(&f), 0);
	text_reset(&fixture_calls);
	expect_reply(&f, "suspend A", COMMAND_OK, "~ A (suspended)\n");
	assert_int_equal(fixture_command(&f, "suspend A"), COMMAND_OK);
	assert_non_null(
	    strstr(text_string(&f.reply), "note: 'A' is already suspended\n"));
	expect_reply(&f, "resume A", COMMAND_OK, "~ A (resumed)\n");
	assert_int_equal(fixture_command(&f, "resume A"), COMMAND_OK);
	fixture_expect_calls("suspend A\nresume A\n");
	expect_reply(&f, "remove A", COMMAND_OK, "- A\n");
	assert_int_equal(fixture_command(&f, "remove A"), COMMAND_REFUSED);
	fixture_expect_calls("fini A\n");
	fixture_fini(&f);
}

static void
L07_resume_fails(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f, "dynamic A" PROBE "inactive 'rfail'\n");
	assert_int_equal(fixture_start(&f), 0);
	assert_int_equal(fixture_command(&f, "resume A"), COMMAND_REFUSED);
	assert_non_null(
	    strstr(text_string(&f.reply), "resume of 'A' failed: still tired"));
	fixture_expect_states(&f, "A suspended\n");
	fixture_fini(&f);
}

static void
L08_static_again(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f, "static probe 'a'\n");
	assert_int_equal(fixture_start(&f), 0);
	assert_int_equal(fixture_command(&f, "static probe 'a'"), COMMAND_OK);
	assert_int_equal(fixture_command(&f, "static probe 'b'"), COMMAND_OK);
	assert_int_equal(fixture_command(&f, "suspend probe"), COMMAND_OK);
	assert_int_equal(fixture_command(&f, "remove probe"), COMMAND_OK);
	assert_int_equal(fixture_command(&f, "static probe 'a'"), COMMAND_OK);
	fixture_expect_calls("init probe a\ninit probe b\nfini probe\n"
			     "suspend probe\nfini probe\ninit probe a\n");
	fixture_fini(&f);
}

static void
L09_static_again_after_failure(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f, "");
	assert_int_equal(fixture_start(&f), 0);
	assert_int_equal(
	    fixture_command(&f, "static probe 'fail'"), COMMAND_REFUSED);
	assert_int_equal(
	    fixture_command(&f, "static probe 'good'"), COMMAND_OK);
	fixture_expect_calls("init probe fail\ninit probe good\n");
	fixture_fini(&f);
}

static bool
gone(struct fixture *f)
{
	(void)f;
	return fixture_has_call("fini");
}

static void
L10_remove_in_its_own_init(void **state)
{
	struct fixture f;

	(void)state;
	/* The command runs when init has returned, so it finds the service. */
	fixture_init(&f, "dynamic A" PROBE "\"'command=remove A'\"\n");
	assert_int_equal(fixture_start(&f), 0);
	fixture_until(&f, gone);
	fixture_settle(&f);
	fixture_expect_states(&f, "");
	fixture_fini(&f);
}

static void
L11_removes_itself_from_a_callback(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f, "dynamic A" PROBE "'self'\n");
	assert_int_equal(fixture_start(&f), 0);
	fixture_until(&f, gone);
	fixture_settle(&f);
	fixture_expect_calls("init A self\ntimeout A\nfini A\n");
	fixture_expect_states(&f, "");
	fixture_fini(&f);
}

static void
L12_timer_and_thread_left_behind(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f, "dynamic A" PROBE "'timer thread'\n");
	assert_int_equal(fixture_start(&f), 0);
	assert_int_equal(fixture_command(&f, "show A"), COMMAND_OK);
	assert_non_null(
	    strstr(text_string(&f.reply), "thread 'obedient', 1 timer"));
	assert_int_equal(fixture_command(&f, "remove A"), COMMAND_OK);
	fixture_until(&f, gone);
	fixture_settle(&f);
	fixture_expect_states(&f, "");
	assert_non_null(strstr(text_string(&f.logged),
	    "left 0 descriptors and 1 timer registered after fini; revoked"));
	fixture_fini(&f);
}

static bool
says_late(struct fixture *f)
{
	return strstr(text_string(&f->logged), "does not end") != NULL;
}

static void
L12_thread_that_does_not_end(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f, "dynamic A" PROBE "'stubborn' { drain = 0 }\n");
	assert_int_equal(fixture_start(&f), 0);
	assert_int_equal(fixture_command(&f, "remove A"), COMMAND_OK);
	fixture_until(&f, says_late);
	assert_non_null(strstr(
	    text_string(&f.logged), "A: does not end: thread 'stubborn'"));
	assert_false(fixture_has_call("fini"));
	/* a new generation of the name starts beside it */
	assert_int_equal(
	    fixture_command(&f, "dynamic A" PROBE "'new'"), COMMAND_OK);
	fixture_expect_states(&f, "A active\n");
	atomic_store(&fixture_let_go, true);
	fixture_until(&f, gone);
	fixture_settle(&f);
	fixture_expect_states(&f, "A active\n");
	fixture_fini(&f);
}

static size_t
memory_in_use(void)
{
	return mallinfo2().uordblks;
}

static void
L15_no_growth_under_churn(void **state)
{
	struct fixture f;
	size_t before = 0;

	(void)state;
	fixture_init(&f, "dynamic Stays" PROBE "\n");
	assert_int_equal(fixture_start(&f), 0);
	for (int i = 0; i < 20000; i++) {
		assert_int_equal(
		    fixture_command(&f, "dynamic A" PROBE "'x'"), COMMAND_OK);
		assert_int_equal(fixture_command(&f, "remove A"), COMMAND_OK);
		text_reset(&fixture_calls);
		text_reset(&f.logged);
		if (i == 100)
			before = memory_in_use();
	}
	assert_true(memory_in_use() <= before + 4096);
	fixture_expect_states(&f, "Stays active\n");
	fixture_fini(&f);
}

static void
E02_unknown_names(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f, "dynamic Echo" PROBE "\n");
	assert_int_equal(fixture_start(&f), 0);
	expect_reply(&f, "remove Ecko", COMMAND_REFUSED,
	    "command:1:8: error: no service named 'Ecko' to remove; did you "
	    "mean 'Echo'?\n"
	    "    1 | remove Ecko\n"
	    "      |        ^~~~\n"
	    "! nothing changed: 1 error\n");
	assert_int_equal(fixture_command(&f, "suspend Nope"), COMMAND_REFUSED);
	assert_int_equal(fixture_command(&f, "resume Nope"), COMMAND_REFUSED);
	assert_int_equal(fixture_command(&f, "static prope"), COMMAND_REFUSED);
	assert_non_null(strstr(text_string(&f.reply),
	    "no static service named 'prope'; did you mean 'probe'?"));
	fixture_fini(&f);
}

static void
E02_all_mistakes_of_a_file(void **state)
{
	struct fixture f;
	struct text messages;

	(void)state;
	fixture_init(&f,
	    "dynamic A" PROBE "\nremove X\nsuspend Y\nresume Z\nstatic W\n");
	assert_int_equal(fixture_start(&f), HOST_E_REFUSED);
	assert_int_equal(errors_count(f.errors), 4);
	fixture_expect_calls("");
	text_init(&messages);
	errors_print(f.errors, &messages);
	assert_non_null(strstr(text_string(&messages),
	    "svc.conf:2:8: error: no service named 'X' to remove"));
	assert_non_null(strstr(text_string(&messages),
	    "svc.conf:3:9: error: no service named 'Y' to suspend"));
	assert_non_null(strstr(text_string(&messages),
	    "svc.conf:4:8: error: no service named 'Z' to resume"));
	assert_non_null(strstr(text_string(&messages),
	    "svc.conf:5:8: error: no static service named 'W'"));
	text_fini(&messages);
	fixture_fini(&f);
}

static void
R01_reload_applies_the_difference(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f, "dynamic A" PROBE "'1'\ndynamic B" PROBE
			 "\ndynamic C" PROBE "{ idle_timeout = 5 }\n");
	assert_int_equal(fixture_start(&f), 0);
	text_reset(&fixture_calls);
	fixture_write(&f, "svc.conf",
	    "dynamic A" PROBE "'2'\ndynamic B" PROBE "\ndynamic C" PROBE
	    "{ idle_timeout = 6 }\ndynamic D" PROBE "\n");
	expect_reply(&f, "reconfigure", COMMAND_OK,
	    "> A (args changed)\n~ C (idle_timeout)\n+ D\n= 1 unchanged\n");
	fixture_expect_calls("init A 2\ninit D\nfini A\n");
	expect_reply(&f, "reconfigure", COMMAND_OK, "= 4 unchanged\n");
	fixture_expect_calls("");
	fixture_fini(&f);
}

static void
R02_deleted_line(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f, "dynamic A" PROBE "\ndynamic B" PROBE "\n");
	assert_int_equal(fixture_start(&f), 0);
	/* a script says nothing about B */
	fixture_write(&f, "svc.conf", "dynamic A" PROBE "\n");
	expect_reply(&f, "reconfigure", COMMAND_OK, "= 2 unchanged\n");
	/* a declaration does; what the manager added stays */
	assert_int_equal(fixture_command(&f, "dynamic M" PROBE), COMMAND_OK);
	fixture_write(
	    &f, "svc.conf", "host { reload = exact }\ndynamic A" PROBE "\n");
	expect_reply(&f, "reconfigure", COMMAND_OK,
	    "- B (no longer in the files)\n= 2 unchanged\n");
	fixture_expect_states(&f, "A active\nM active\n");
	fixture_fini(&f);
}

static void
R03_broken_line_changes_nothing(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f, "dynamic A" PROBE "'1'\n");
	assert_int_equal(fixture_start(&f), 0);
	text_reset(&fixture_calls);
	fixture_write(&f, "svc.conf",
	    "dynamic A" PROBE "'2'\ndynamic B Service_Object :probe()\n");
	assert_int_equal(fixture_command(&f, "reconfigure"), COMMAND_REFUSED);
	assert_non_null(strstr(text_string(&f.reply), "svc.conf:2:"));
	assert_non_null(
	    strstr(text_string(&f.reply), "! nothing changed: 1 error\n"));
	fixture_expect_calls("");
	fixture_expect_states(&f, "A active\n");
	fixture_fini(&f);
}

static void
remove_and_dynamic_replaces(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f, "dynamic A" PROBE "'1'\n");
	assert_int_equal(fixture_start(&f), 0);
	text_reset(&fixture_calls);
	fixture_write(&f, "svc.conf", "remove A\ndynamic A" PROBE "'1'\n");
	expect_reply(
	    &f, "reconfigure", COMMAND_OK, "> A (removed and defined again)\n");
	fixture_expect_calls("init A 1\nfini A\n");
	fixture_fini(&f);
}

static void
suspend_survives_a_reload(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f, "dynamic A" PROBE "\n");
	assert_int_equal(fixture_start(&f), 0);
	assert_int_equal(fixture_command(&f, "suspend A"), COMMAND_OK);
	expect_reply(&f, "reconfigure", COMMAND_OK, "= 1 unchanged\n");
	fixture_expect_states(&f, "A suspended\n");
	fixture_fini(&f);
}

static void
commands_answer(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f, "dynamic A" PROBE "\n");
	assert_int_equal(fixture_start(&f), 0);
	expect_reply(&f, "plan", COMMAND_OK, "= 1 unchanged\n");
	expect_reply(&f, "  LIST  ", COMMAND_OK,
	    "A                    active          0  \n");
	assert_int_equal(fixture_command(&f, "lisst"), COMMAND_USAGE);
	assert_non_null(strstr(text_string(&f.reply), "did you mean 'list'?"));
	assert_int_equal(fixture_command(&f, "show B"), COMMAND_REFUSED);
	assert_int_equal(fixture_command(&f, "show"), COMMAND_USAGE);
	text_reset(&f.reply);
	assert_int_equal(
	    host_command(f.host, "remove A", 0, &f.reply), COMMAND_DENIED);
	fixture_expect_states(&f, "A active\n");
	fixture_fini(&f);
}

static void
two_hosts_in_one_process(void **state)
{
	struct fixture f, g;

	(void)state;
	fixture_init(&f, "dynamic A" PROBE "\n");
	fixture_init(&g, "dynamic B" PROBE "\n");
	assert_int_equal(fixture_start(&f), 0);
	assert_int_equal(fixture_start(&g), 0);
	fixture_expect_states(&f, "A active\n");
	fixture_expect_states(&g, "B active\n");
	assert_int_equal(fixture_command(&g, "remove B"), COMMAND_OK);
	fixture_expect_states(&f, "A active\n");
	fixture_fini(&g);
	text_init(&fixture_calls);
	fixture_fini(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(G01_order_of_init_and_fini),
	    cmocka_unit_test(G06_inactive),
	    cmocka_unit_test(shutdown_in_reverse_order),
	    cmocka_unit_test(L01_same_name_twice),
	    cmocka_unit_test(L01_in_one_file_the_last_counts),
	    cmocka_unit_test(L02_failed_replacement_keeps_the_old),
	    cmocka_unit_test(L03_replacing_a_suspended_one),
	    cmocka_unit_test(L04_L05_init_fails),
	    cmocka_unit_test(L06_idempotent),
	    cmocka_unit_test(L07_resume_fails),
	    cmocka_unit_test(L08_static_again),
	    cmocka_unit_test(L09_static_again_after_failure),
	    cmocka_unit_test(L10_remove_in_its_own_init),
	    cmocka_unit_test(L11_removes_itself_from_a_callback),
	    cmocka_unit_test(L12_timer_and_thread_left_behind),
	    cmocka_unit_test(L12_thread_that_does_not_end),
	    cmocka_unit_test(L15_no_growth_under_churn),
	    cmocka_unit_test(E02_unknown_names),
	    cmocka_unit_test(E02_all_mistakes_of_a_file),
	    cmocka_unit_test(R01_reload_applies_the_difference),
	    cmocka_unit_test(R02_deleted_line),
	    cmocka_unit_test(R03_broken_line_changes_nothing),
	    cmocka_unit_test(remove_and_dynamic_replaces),
	    cmocka_unit_test(suspend_survives_a_reload),
	    cmocka_unit_test(commands_answer),
	    cmocka_unit_test(two_hosts_in_one_process),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
