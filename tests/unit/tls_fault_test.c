/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every allocation of the plugin tls is made to fail in turn, the first, the
 * second, ... until the scenario passes: options, files, a context, two
 * engines that talk.  Each failure is -ENOMEM, and nothing is left behind.
 */
#include "unit/unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit/tls_bed.h"

static unsigned countdown; /* 0: none is to fail */
static bool failed;

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
void *__real_CRYPTO_malloc(size_t size, const char *file, int line);
void *__wrap_CRYPTO_malloc(size_t size, const char *file, int line);

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
__wrap_CRYPTO_malloc(size_t size, const char *file, int line)
{
	return fails() ? NULL : __real_CRYPTO_malloc(size, file, line);
}

static struct side client, server;

static int
open_both(void)
{
	int result = tls_engine_new(
	    server.context, &server.engine, &server.report);

	if (result == 0)
		result = tls_engine_new(
		    client.context, &client.engine, &client.report);
	return result;
}

static int
judge(void)
{
	const struct tls_engine *ends[] = {client.engine, server.engine};

	for (unsigned i = 0; i < 2; i++)
		if (strcmp(tls_engine_why(ends[i]), "no memory") == 0)
			return -ENOMEM;
	assert_int_equal(tls_engine_state(client.engine), TLS_ENDED);
	assert_int_equal(tls_engine_state(server.engine), TLS_ENDED);
	return 0;
}

static int
scenario(void)
{
	char block[3 * 16384] = "x";
	int result = side_try(&server,
	    "-c {server.pem} -k {server.key} -a {ca.pem} -p x,y "
	    "-n other.test:{server.pem}:{server.key}");

	if (result == 0)
		result = side_try(&client,
		    "-C host.test -a {ca.pem} -c {server.pem} -k {server.key}");
	if (result == 0)
		result = open_both();
	if (result != 0)
		return result;
	talk(&client, &server, 0);
	tls_engine_send(client.engine, berth_bytes(block, sizeof(block)));
	tls_engine_end(client.engine);
	tls_engine_end(server.engine);
	talk(&client, &server, 0);
	return judge();
}

static void
no_memory_is_told_wherever_it_lacks(void **state)
{
	unsigned n = 0;
	int result;

	(void)state;
	do {
		memset(&client, 0, sizeof(client));
		memset(&server, 0, sizeof(server));
		failed = false;
		countdown = ++n;
		result = scenario();
		countdown = 0;
		if (result != (failed ? -ENOMEM : 0))
			fail_msg("failure %u gave %d: %s%s\n", n, result,
			    server.report.why, client.report.why);
		side_fini(&client);
		side_fini(&server);
	} while (failed);
	assert_true(n > 15);
}

static int
set_up(void **state)
{
	(void)state;
	made_begin();
	made_certificate("ca", NULL, NULL, 0);
	made_certificate("server", "ca", "host.test", 0);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	made_end();
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(no_memory_is_told_wherever_it_lacks),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
