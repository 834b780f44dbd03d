/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ages and bytes as people read them, at every border between two units.
 */
#include "unit/unit.h"

#include "client/client.h"

static void
test_age(void **state)
{
	static const struct {
		uint64_t ms;
		const char *text;
	} cases[] = {
	    {0, "0ms"},
	    {999, "999ms"},
	    {1000, "1s"},
	    {59999, "59s"},
	    {60000, "1m00s"},
	    {192000, "3m12s"},
	    {3599999, "59m59s"},
	    {3600000, "1h00m"},
	    {3600000 + 5 * 60000 + 59000, "1h05m"},
	    {86399999, "23h59m"},
	    {86400000, "1d00h"},
	    {400ull * 86400000, "400d00h"},
	    {UINT64_MAX, "213503982334d14h"},
	};

	(void)state;
	for (size_t i = 0; i < BASE_COUNT(cases); i++) {
		AUTO_TEXT text;

		text_init(&text);
		format_age(cases[i].ms, &text);
		assert_string_equal(text_string(&text), cases[i].text);
	}
}

static void
test_bytes(void **state)
{
	static const struct {
		uint64_t bytes;
		const char *text;
	} cases[] = {
	    {0, "0"},
	    {1023, "1023"},
	    {1024, "1.0K"},
	    {1075, "1.0K"}, /* 1.0498 */
	    {1076, "1.1K"},
	    {10188, "9.9K"}, /* 9.949 */
	    {10189, "10K"},
	    {10 * 1024, "10K"},
	    {1047551, "1023K"}, /* 1022.999 */
	    {1048063, "1023K"}, /* 1023.499 */
	    {1048064, "1.0M"},	/* rounds to 1024K */
	    {1258291, "1.2M"},
	    {1ull << 30, "1.0G"},
	    {5ull << 40, "5.0T"},
	    {3ull << 50, "3.0P"},
	    {UINT64_MAX, "16E"},
	};

	(void)state;
	for (size_t i = 0; i < BASE_COUNT(cases); i++) {
		AUTO_TEXT text;

		text_init(&text);
		format_bytes(cases[i].bytes, &text);
		assert_string_equal(text_string(&text), cases[i].text);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_age),
	    cmocka_unit_test(test_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
