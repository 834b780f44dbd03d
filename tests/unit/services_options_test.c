/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Options of services: the same words give the same letters in every instance
 * and thread, and every mistake is told.
 */
#include "fake_host.h"
#include "services_priv.h"

#include <errno.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct {
	const char *words[6];
	const char *seen; /* "p=7 d " */
	const char *failure;
} cases[] = {
    {{"S"}, "", NULL},
    {{"S", "-p", "7"}, "p=7 ", NULL},
    {{"S", "-p7"}, "p=7 ", NULL},
    {{"S", "-d", "-p", "3911"}, "d p=3911 ", NULL},
    {{"S", "-dp", "7", "-d"}, "d p=7 d ", NULL},
    {{"S", "-dp7", "-p", "8"}, "d p=7 p=8 ", NULL},
    {{"S", "-p", "-d"}, "p=-d ", NULL},
    {{"S", "-p", ""}, "p= ", NULL},
    {{"S", "-p"}, "", "option -p needs a value"},
    {{"S", "-x"}, "", "unknown option -x"},
    {{"S", "-dx"}, "d ", "unknown option -x"},
    {{"S", "-:"}, "", "unknown option -:"},
    {{"S", "--port"}, "", "unknown option --"},
    {{"S", "-d", "word"}, "d ", "unexpected argument 'word'"},
    {{"S", "-"}, "", "unexpected argument '-'"},
    {{"S", ""}, "", "unexpected argument ''"},
};

struct bench {
	struct fake_host host;
	struct berth_service service;
};

static void
start(struct bench *bench)
{
	fake_host_init(&bench->host);
	bench->service = (struct berth_service){
	    .host = &bench->host.table, .name = "S"};
}

static void
letters(void **state)
{
	struct bench bench;
	struct service_options options;
	char *argv[7], seen[64];
	size_t i, used;
	int letter, argc;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		start(&bench);
		for (argc = 0; argc < 6 && cases[i].words[argc]; argc++)
			argv[argc] = (char *)(uintptr_t)cases[i].words[argc];
		argv[argc] = NULL;
		seen[0] = '\0';
		used = 0;
		service_options_init(&options, argc, argv, "p:d");
		while ((letter = service_options_next(
			    &options, &bench.service)) > 0)
			used += (size_t)snprintf(seen + used,
			    sizeof(seen) - used, "%c%s%s ", letter,
			    options.value ? "=" : "",
			    options.value ? options.value : "");
		assert_string_equal(seen, cases[i].seen);
		assert_int_equal(letter, cases[i].failure ? -EINVAL : 0);
		assert_string_equal(bench.host.fail_text.data,
		    cases[i].failure ? cases[i].failure : "");
		fake_host_fini(&bench.host);
	}
}

static void
numbers(void **state)
{
	static const struct {
		const char *text;
		int64_t number; /* -1: refused */
	} texts[] = {{"0", 0}, {"7", 7}, {"007", 7}, {"600", 600}, {"601", -1},
	    {"", -1}, {"-1", -1}, {"+1", -1}, {" 1", -1}, {"1 ", -1},
	    {"1x", -1}, {"99999999999999999999999999", -1}};
	struct service_options options = {0};
	struct bench bench;
	uint32_t number;
	size_t i;
	int result;

	(void)state;
	start(&bench);
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		options.value = texts[i].text;
		number = 4711;
		result = service_options_number(
		    &options, &bench.service, 600, &number);
		assert_int_equal(result, texts[i].number < 0 ? -EINVAL : 0);
		assert_int_equal(
		    number, texts[i].number < 0 ? 4711 : texts[i].number);
	}
	assert_string_equal(bench.host.fail_text.data,
	    "'99999999999999999999999999' is not a number from 0 to 600");
	fake_host_fini(&bench.host);
}

static void
endpoints(void **state)
{
	struct bench bench;
	char longest[100];

	(void)state;
	start(&bench);
	assert_int_equal(service_listen(&bench.service, "7007"), 0);
	assert_string_equal(bench.host.endpoints[0], "tcp:127.0.0.1:7007");
	memset(longest, '1', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	assert_int_equal(service_listen(&bench.service, longest), -EINVAL);
	bench.host.listen_result = -EADDRINUSE;
	assert_int_equal(service_listen(&bench.service, "7"), -EADDRINUSE);
	assert_string_equal(bench.host.fail_text.data,
	    "cannot listen on tcp:127.0.0.1:7: Address already in use");
	fake_host_fini(&bench.host);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(letters),
	    cmocka_unit_test(numbers),
	    cmocka_unit_test(endpoints),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
