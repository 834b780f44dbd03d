/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The engine of the plugin tls, a server's against a client's: bytes in any
 * pieces, both ends, what is no TLS, and bounds.
 */
#include "unit/unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit/tls_bed.h"

#define SERVER "-c {server.pem} -k {server.key}"
#define CLIENT "-C host.test -a {ca.pem}"
#define BIG (3 << 20)

static const char *const versions[] = {"1.2", "1.3"};

static struct side client, server;

static void
begin(const char *client_words, const char *server_words)
{
	side_init(&server, server_words);
	side_init(&client, client_words);
}

static void
end(void)
{
	side_fini(&client);
	side_fini(&server);
}

static void
begin_version(unsigned i)
{
	char words[128];

	snprintf(words, sizeof(words), "%s -m %s -M %s", CLIENT, versions[i],
	    versions[i]);
	begin(words, SERVER);
}

static void
both_versions_carry_both_ways(void **state)
{
	struct tls_facts facts;
	char name[16];

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		begin_version(i);
		meet(&client, &server);
		side_send(&client, "hello");
		side_send(&server, "good day");
		talk(&client, &server, 0);
		side_expect(&server, "hello");
		side_expect(&client, "good day");
		tls_engine_facts(server.engine, &facts);
		snprintf(name, sizeof(name), "TLSv%s", versions[i]);
		assert_string_equal(facts.version, name);
		assert_non_null(facts.cipher);
		assert_false(facts.resumed);
		part(&client, &server);
		end();
	}
}

static void
bytes_come_one_at_a_time(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		begin_version(i);
		side_open(&server);
		side_open(&client);
		talk(&client, &server, 1);
		side_send(&client, "slowly");
		side_send(&server, "but surely");
		talk(&client, &server, 1);
		side_expect(&server, "slowly");
		side_expect(&client, "but surely");
		part(&client, &server);
		end();
	}
}

static char
byte_at(size_t at)
{
	return (char)('a' + (at * 7 + at / 1000) % 26);
}

/* Whatever it is asked to send, the engine keeps little of it. */
static void
much_goes_through_little(void **state)
{
	char *data = malloc(BIG);
	size_t sent = 0;

	(void)state;
	assert_non_null(data);
	for (size_t i = 0; i < BIG; i++)
		data[i] = byte_at(i);
	begin(CLIENT, SERVER);
	meet(&client, &server);
	while (sent < BIG) {
		int taken = tls_engine_send(
		    client.engine, berth_bytes(data + sent, BIG - sent));

		assert_true(taken > 0);
		sent += (size_t)taken;
		assert_true(tls_engine_output(client.engine).size <
			    2 * TLS_OUTPUT_BYTES);
		/* Full: nothing more is taken, in either direction. */
		if (sent < BIG)
			assert_int_equal(tls_engine_send(client.engine,
					     berth_bytes(data + sent, 1)),
			    0);
		talk(&client, &server, 5000);
	}
	assert_int_equal(server.got_size, BIG);
	assert_memory_equal(server.got, data, BIG);
	part(&client, &server);
	end();
	free(data);
}

/* A peer that takes its time with reading: what went makes way. */
static void
output_that_is_never_empty_does_not_grow(void **state)
{
	char block[1000];

	(void)state;
	memset(block, 'x', sizeof(block));
	begin(CLIENT, SERVER);
	meet(&client, &server);
	for (unsigned i = 0; i < 20000; i++) {
		int taken = tls_engine_send(
		    server.engine, berth_bytes(block, sizeof(block)));

		assert_true(taken >= 0);
		assert_true(tls_engine_output(server.engine).size > 1000);
		tls_engine_sent(server.engine, taken > 0 ? 900 : 2000);
		assert_true(tls_engine_output(server.engine).size <
			    2 * TLS_OUTPUT_BYTES);
	}
	end();
}

static void
nothing_is_taken_while_output_waits(void **state)
{
	struct berth_bytes in;
	char plain[100], block[16384] = "x";

	(void)state;
	begin(CLIENT, SERVER);
	meet(&client, &server);
	side_send(&client, "question");
	while (tls_engine_send(
		   server.engine, berth_bytes(block, sizeof(block))) > 0)
		continue;
	in = tls_engine_output(client.engine);
	assert_int_equal(
	    tls_engine_receive(server.engine, &in, plain, sizeof(plain)), 0);
	assert_int_equal(in.size, tls_engine_output(client.engine).size);
	talk(&server, &client, 0);
	side_expect(&server, "question");
	end();
}

static void
each_side_ends_alone(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		begin_version(i);
		meet(&client, &server);
		side_send(&client, "last");
		assert_int_equal(tls_engine_end(client.engine), 0);
		assert_int_equal(
		    tls_engine_send(client.engine, berth_str("x")), -EPIPE);
		talk(&client, &server, 0);
		side_expect(&server, "last");
		assert_true(tls_engine_peer_ended(server.engine));
		assert_false(tls_engine_peer_ended(client.engine));
		assert_int_equal(tls_engine_state(server.engine), TLS_OPEN);
		for (unsigned n = 0; n < 3; n++) {
			side_send(&server, "answer");
			talk(&client, &server, 0);
			side_expect(&client, "answer");
		}
		assert_int_equal(tls_engine_eof(server.engine), 0);
		assert_int_equal(tls_engine_end(server.engine), 0);
		talk(&client, &server, 0);
		assert_int_equal(tls_engine_state(server.engine), TLS_ENDED);
		assert_int_equal(tls_engine_state(client.engine), TLS_ENDED);
		assert_int_equal(tls_engine_eof(client.engine), 0);
		end();
	}
}

static void
an_end_before_the_handshake_is_said_after_it(void **state)
{
	(void)state;
	begin(CLIENT, SERVER);
	side_open(&server);
	side_open(&client);
	assert_int_equal(tls_engine_send(server.engine, berth_str("x")), 0);
	assert_int_equal(tls_engine_end(server.engine), 0);
	talk(&client, &server, 0);
	assert_true(tls_engine_peer_ended(client.engine));
	assert_int_equal(tls_engine_state(server.engine), TLS_OPEN);
	end();
}

static void
an_end_without_a_word_is_told(void **state)
{
	(void)state;
	begin(CLIENT, SERVER);
	meet(&client, &server);
	side_send(&client, "begun");
	talk(&client, &server, 0);
	side_expect(&server, "begun");
	assert_int_equal(tls_engine_eof(server.engine), -ECONNRESET);
	assert_int_equal(tls_engine_state(server.engine), TLS_FAILED);
	assert_non_null(
	    strstr(tls_engine_why(server.engine), "without close_notify"));
	assert_int_equal(
	    tls_engine_send(server.engine, berth_str("x")), -ECONNRESET);

	side_open(&server);
	side_open(&client);
	assert_int_equal(tls_engine_eof(server.engine), -ECONNRESET);
	assert_non_null(strstr(tls_engine_why(server.engine), "handshake"));
	end();
}

/* Many just go when they were told the end. */
static void
who_has_no_more_need_not_say_so(void **state)
{
	(void)state;
	begin(CLIENT, SERVER);
	meet(&client, &server);
	tls_engine_end(server.engine);
	talk(&client, &server, 0);
	assert_int_equal(tls_engine_eof(server.engine), 0);

	meet(&client, &server);
	tls_engine_end(server.engine);
	side_send(&client, "still here");
	talk(&client, &server, 0);
	side_expect(&server, "still here");
	assert_int_equal(tls_engine_eof(server.engine), -ECONNRESET);
	end();
}

static void
feed(struct side *side, const void *data, size_t size, const char *why)
{
	struct berth_bytes in = berth_bytes(data, size);
	char plain[100];

	assert_int_equal(
	    tls_engine_receive(side->engine, &in, plain, sizeof(plain)),
	    -EPROTO);
	assert_int_equal(tls_engine_state(side->engine), TLS_FAILED);
	if (strstr(tls_engine_why(side->engine), why) == NULL)
		fail_msg(
		    "'%s' is not in '%s'\n", why, tls_engine_why(side->engine));
	/* It stays so. */
	assert_int_equal(
	    tls_engine_receive(side->engine, &in, plain, sizeof(plain)),
	    -EPROTO);
	assert_int_equal(tls_engine_end(side->engine), -EPROTO);
}

static void
what_is_no_tls_is_refused(void **state)
{
	char noise[4096];

	(void)state;
	begin(CLIENT, SERVER);
	side_open(&server);
	feed(&server, "GET / HTTP/1.0\r\n\r\n", 18, "http request");
	side_open(&server);
	feed(&server, "hello, world, hello", 19, "handshake: ");
	srand(1);
	for (unsigned n = 0; n < 200; n++) {
		for (size_t i = 0; i < sizeof(noise); i++)
			noise[i] = (char)rand();
		side_open(&server);
		/* The head of a record, or not. */
		if (n % 2 == 0)
			memcpy(noise, "\x16\x03\x01\x02\x00\x01", 6);
		feed(&server, noise, sizeof(noise), "handshake: ");
		side_open(&client);
		feed(&client, noise, sizeof(noise), "handshake: ");
	}
	end();
}

static void
a_changed_byte_is_noticed(void **state)
{
	struct berth_bytes out;
	char copy[200];

	(void)state;
	begin(CLIENT, SERVER);
	meet(&client, &server);
	side_send(&client, "pay 100");
	out = tls_engine_output(client.engine);
	assert_true(out.size < sizeof(copy));
	memcpy(copy, out.data, out.size);
	copy[out.size - 1] ^= 1;
	feed(&server, copy, out.size, "bad record mac");
	/* The peer is told. */
	assert_true(tls_engine_output(server.engine).size > 0);
	talk(&client, &server, 0);
	assert_int_equal(tls_engine_state(client.engine), TLS_FAILED);
	assert_non_null(strstr(tls_engine_why(client.engine), "alert"));
	end();
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
	    cmocka_unit_test(both_versions_carry_both_ways),
	    cmocka_unit_test(bytes_come_one_at_a_time),
	    cmocka_unit_test(much_goes_through_little),
	    cmocka_unit_test(output_that_is_never_empty_does_not_grow),
	    cmocka_unit_test(nothing_is_taken_while_output_waits),
	    cmocka_unit_test(each_side_ends_alone),
	    cmocka_unit_test(an_end_before_the_handshake_is_said_after_it),
	    cmocka_unit_test(an_end_without_a_word_is_told),
	    cmocka_unit_test(who_has_no_more_need_not_say_so),
	    cmocka_unit_test(what_is_no_tls_is_refused),
	    cmocka_unit_test(a_changed_byte_is_noticed),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
