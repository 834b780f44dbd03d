/* SPDX-License-Identifier: BSD-2-Clause */
/* Signals by name and number, and which of them may ask for a reload. */
#include "unit/unit.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>

#include "main/main.h"

static void
test_parse(void **state)
{
	const struct {
		const char *name;
		int number;
	} cases[] = {
	    {"HUP", SIGHUP},
	    {"SIGHUP", SIGHUP},
	    {"hup", SIGHUP},
	    {"SigUsr1", SIGUSR1},
	    {"1", SIGHUP},
	    {"12", SIGUSR2},
	    {"RTMIN", SIGRTMIN},
	    {"SIGRTMIN+3", SIGRTMIN + 3},
	    {"rtmax-2", SIGRTMAX - 2},
	    {"RTMAX", SIGRTMAX},
	    {"64", 64},
	    {"", -EINVAL},
	    {"SIG", -EINVAL},
	    {"0", -EINVAL},
	    {"-1", -EINVAL},
	    {"1x", -EINVAL},
	    {"999", -EINVAL},
	    {"65", -EINVAL},
	    {"32", -EINVAL}, /* the C library's own */
	    {"99999999999999999999", -EINVAL},
	    {"HUPP", -EINVAL},
	    {"SIGSIGHUP", -EINVAL},
	    {"RTMIN-1", -EINVAL},
	    {"RTMIN+99", -EINVAL},
	    {"RTMIN+99999999999999999999", -EINVAL},
	    {"RTMIN+", -EINVAL},
	    {"RTMAX+1", -EINVAL},
	};

	(void)state;
	for (size_t i = 0; i < BASE_COUNT(cases); i++)
		if (signal_parse(cases[i].name) != cases[i].number)
			fail_msg("'%s' is %d", cases[i].name,
			    signal_parse(cases[i].name));
}

static void
test_name(void **state)
{
	char name[SIGNAL_NAME_SIZE];

	(void)state;
	signal_name(SIGHUP, name);
	assert_string_equal(name, "HUP");
	signal_name(SIGRTMIN + 2, name);
	assert_string_equal(name, "RTMIN+2");
	signal_name(32, name);
	assert_string_equal(name, "32");
	for (int number = 1; number <= SIGRTMAX; number++) {
		if (number > 31 && number < SIGRTMIN)
			continue;
		signal_name(number, name);
		assert_int_equal(signal_parse(name), number);
	}
}

static void
test_refusal(void **state)
{
	const int refused[] = {SIGKILL, SIGSTOP, SIGTERM, SIGINT, SIGSEGV,
	    SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS, SIGPIPE, SIGCHLD};
	const int taken[] = {
	    SIGHUP, SIGUSR1, SIGUSR2, SIGWINCH, SIGALRM, SIGRTMIN, SIGRTMAX};

	(void)state;
	for (size_t i = 0; i < BASE_COUNT(refused); i++)
		assert_non_null(signal_refusal(refused[i]));
	for (size_t i = 0; i < BASE_COUNT(taken); i++)
		assert_null(signal_refusal(taken[i]));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_parse),
	    cmocka_unit_test(test_name),
	    cmocka_unit_test(test_refusal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
