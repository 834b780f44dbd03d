/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Did you mean: what is near, what is not, and which of several.
 */
#include "unit/unit.h"

#include "base/base.h"

#define LONG_WORD                                                              \
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static const struct {
	const char *word;
	const char *candidates[5];
	const char *best;
} cases[] = {
    {"Ecko", {"Echo", "Reporter"}, "Echo"}, {"echo", {"Echo"}, "Echo"},
    {"ECHO", {"discard", "echo"}, "echo"},
    {"tiem", {"time"}, "time"}, /* a swap is one slip */
    {"lsiten", {"listen"}, "listen"},
    {"listn", {"list", "listen"}, "list"}, /* equally near: the first */
    {"instance", {"instances", "per_source"}, "instances"},
    {"idle_timout", {"idle_timeout", "input_limit"}, "idle_timeout"},
    {"output_low", {"output_limit"}, NULL},
    {"Service_Manger", {"Service_Reporter", "Service_Manager"},
	"Service_Manager"},
    {"foo", {"bar", "baz"}, NULL}, {"fo", {"ba"}, NULL}, {"ab", {"a"}, "a"},
    {"Echo", {"Discard", "Daytime", "Chargen"}, NULL}, {"", {"a"}, NULL},
    {"a", {""}, NULL}, {LONG_WORD, {LONG_WORD "b", LONG_WORD}, LONG_WORD},
    {LONG_WORD "b", {LONG_WORD}, NULL}, /* too long to look */
};

static void
test_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < BASE_COUNT(cases); i++) {
		struct suggestion suggestion;

		suggestion_init(&suggestion, cases[i].word);
		for (size_t j = 0; cases[i].candidates[j] != NULL; j++)
			suggestion_offer(&suggestion, cases[i].candidates[j]);
		if (cases[i].best == NULL)
			assert_null(suggestion.best);
		else
			assert_string_equal(suggestion.best, cases[i].best);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_cases),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
