/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every allocation of the services is made to fail in turn, the first, the
 * second, … until the conversation passes.  A failure costs the session that
 * it hit, nothing is left of it, and the next client is served.
 *
 * line.c and outbox.c, which are all that allocates, are compiled once more
 * for this test, with allocations that it owns: those of the fake host may
 * not fail.
 */
#include "services.h"
#include "services_desk.h"
#include "services_priv.h"

#include <errno.h>
#include <setjmp.h>
#include <stdlib.h>

#include <cmocka.h>

void *fault_malloc(size_t size);
void *fault_realloc(void *old, size_t size);

static int countdown; /* 0: none is to fail */
static bool failed;

static bool
fails(void)
{
	if (countdown == 0 || --countdown != 0)
		return false;
	failed = true;
	return true;
}

void *
fault_malloc(size_t size)
{
	return fails() ? NULL : malloc(size);
}

void *
fault_realloc(void *old, size_t size)
{
	return fails() ? NULL : realloc(old, size);
}

/* True if the client got all that it asked for. */
static bool
converse(struct desk *desk, const char *said)
{
	bool whole;

	desk_connect(desk);
	desk->client.output_limit = 1000;
	desk_say(desk, said);
	while (desk->client.wants_output && !desk->client.ended)
		desk_read(desk);
	whole = desk->client.closing && !desk->client.aborted;
	desk_disconnect(desk);
	return whole;
}

static void
manager(void **state)
{
	static const char said[] =
	    "help\nlist and a line that is longer than the first buffer of it, "
	    "so that it has to grow once, and has to keep what it had so far, "
	    "which is the token of somebody perhaps\nbig\nfail\njson on\n"
	    "list\njson x\nlogin x\nquit\n";
	const struct manager *manager;
	struct desk desk;
	bool whole;
	int n;

	(void)state;
	for (n = 1, failed = true; failed; n++) {
		assert_int_equal(desk_start(&desk, ""), 0);
		manager = desk.service.public.state;
		failed = false;
		countdown = n;
		whole = converse(&desk, said);
		assert_int_equal(whole, !failed);
		countdown = 0;
		assert_int_equal(manager->budget.used, 0);
		assert_true(converse(&desk, said));
		desk_stop(&desk);
	}
	assert_true(n > 10);
}

static void
reporter(void **state)
{
	struct desk desk;
	int n;

	(void)state;
	for (n = 1, failed = true; failed; n++) {
		memset(&desk, 0, sizeof(desk));
		fake_host_init(&desk.host);
		assert_int_equal(fake_service_start(&desk.service, &desk.host,
				     make_reporter(), "R", ""),
		    0);
		failed = false;
		countdown = n;
		desk_connect(&desk);
		desk.client.output_limit = 10;
		desk_settle(&desk);
		while (desk.client.wants_output && !desk.client.ended)
			desk_read(&desk);
		assert_int_equal(desk.client.aborted, failed);
		assert_int_equal(desk.client.closing, !failed);
		desk_disconnect(&desk);
		desk_stop(&desk);
	}
	assert_true(n > 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(manager),
	    cmocka_unit_test(reporter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
