/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every allocation of berthctl and of its JSON library is made to fail in
 * turn, the first, the second, … until the scenario passes.  Each failure ends
 * with its own status and words, never with half an answer.
 */
#include "unit/unit.h"

#include <errno.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include "client/client.h"
#include "unit/client_script.h"

#define MOST_WORDS 8
#define MOST_LINES 12
#define JSON_ON "> json on", "< {\"ok\":true,\"result\":null}"

/* Of the thread that is tested; the scripted host has one of its own. */
static _Thread_local int countdown; /* 0: none is to fail */
static _Thread_local bool failed;

static bool
fails(void)
{
	if (countdown == 0 || --countdown != 0)
		return false;
	failed = true;
	errno = ENOMEM;
	return true;
}

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_realloc(void *old, size_t size);
void *__real_reallocarray(void *old, size_t n, size_t size);
void *__wrap_reallocarray(void *old, size_t n, size_t size);

void *
__wrap_malloc(size_t size)
{
	return fails() ? NULL : __real_malloc(size);
}

void *
__wrap_calloc(size_t n, size_t size)
{
	return fails() ? NULL : __real_calloc(n, size);
}

void *
__wrap_realloc(void *old, size_t size)
{
	return fails() ? NULL : __real_realloc(old, size);
}

void *
__wrap_reallocarray(void *old, size_t n, size_t size)
{
	return fails() ? NULL : __real_reallocarray(old, n, size);
}

struct scenario {
	const char *words[MOST_WORDS];
	const char *lines[MOST_LINES];
	enum client_status status;
};

static const struct scenario scenarios[] = {
    {{"list"},
	{JSON_ON, "> list",
	    "< {\"ok\":true,\"result\":[{\"name\":\"a\",\"state\":\"active\","
	    "\"endpoints\":[\"tcp:127.0.0.1:7\"],\"draining\":0}]}"},
	CLIENT_GOOD},
    {{"show", "a"},
	{JSON_ON, "> show a",
	    "< {\"ok\":true,\"result\":{\"name\":\"a\",\"since_ms\":1,"
	    "\"old\":[\"b\",[1]],\"c\":{\"d\":1}}}"},
	CLIENT_GOOD},
    {{"-j", "version"},
	{JSON_ON, "> version", "< {\"ok\":true,\"result\":\"berthd 1\"}"},
	CLIENT_GOOD},
    {{"plan"},
	{JSON_ON, "> plan",
	    "< {\"ok\":true,\"result\":{\"changes\":[{\"service\":\"a\","
	    "\"fate\":\"add\",\"reason\":\"so\",\"sessions\":1}],"
	    "\"unchanged\":1,\"errors\":[{\"severity\":\"warning\","
	    "\"text\":\"odd\"}]}}"},
	CLIENT_GOOD},
    {{"reload"},
	{JSON_ON, "> reload",
	    "< {\"ok\":false,\"error\":{\"changes\":[],\"errors\":["
	    "{\"file\":\"f\",\"line\":1,\"column\":1,\"text\":\"bad\","
	    "\"line_text\":\"x\"}]}}"},
	CLIENT_REFUSED},
    {{"show", "x"},
	{JSON_ON, "> show x", "< {\"ok\":false,\"error\":\"no x\"}"},
	CLIENT_REFUSED},
    {{"lits"},
	{JSON_ON, "> help", "< {\"ok\":true,\"result\":[{\"name\":\"list\"}]}"},
	CLIENT_USAGE},
    {{"list", "-o"}, {NULL}, CLIENT_USAGE},
    {{"--help"}, {NULL}, CLIENT_GOOD},
    {{"--completion", "bash"}, {NULL}, CLIENT_GOOD},
    {{"--completion", "zsh"}, {NULL}, CLIENT_GOOD},
};

/* With the n-th allocation failing; what it wrote is left in *client. */
static enum client_status
play(const struct scenario *scenario, struct client *client, int n)
{
	struct script script = {scenario->lines, false};
	struct script_host *host = script_start(&script);
	char *argv[MOST_WORDS + 4] = {(char[]){"berthctl"}, (char[]){"-s"}};
	enum client_status status;
	char address[128];
	int argc = 3;

	strcpy(address, script_address(host));
	argv[2] = address;
	for (; scenario->words[argc - 3] != NULL; argc++)
		argv[argc] = strdup(scenario->words[argc - 3]);
	client_init(client);
	failed = false;
	countdown = n;
	status = client_run(client, argc, argv);
	countdown = 0;
	script_stop(host);
	while (argc > 3)
		free(argv[--argc]);
	return status;
}

static void
walk(const struct scenario *scenario)
{
	struct client whole, client;
	enum client_status status;
	int n = 0;

	assert_int_equal(play(scenario, &whole, 0), scenario->status);
	do {
		status = play(scenario, &client, ++n);
		if (failed) {
			assert_int_equal(status, CLIENT_FAILED);
			assert_string_equal(text_string(&client.out), "");
			assert_string_equal(
			    text_string(&client.err), "berthctl: no memory\n");
		} else {
			assert_int_equal(status, scenario->status);
			assert_string_equal(
			    text_string(&client.out), text_string(&whole.out));
			assert_string_equal(
			    text_string(&client.err), text_string(&whole.err));
		}
		client_fini(&client);
	} while (failed);
	assert_true(n > 1);
	client_fini(&whole);
}

static void
test_walk(void **state)
{
	(void)state;
	for (size_t i = 0; i < BASE_COUNT(scenarios); i++)
		walk(&scenarios[i]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_walk)};

	setlocale(LC_CTYPE, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
