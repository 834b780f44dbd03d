/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The protocol of Service_Manager on the fake host: what a client may send, in
 * whatever portions, and what it gets.
 */
#include "services_desk.h"

#include <errno.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define HELP                                                                   \
	"quit                               end this session\n"                \
	"json        on | off               replies as JSON, one object a "    \
	"line\n"                                                               \
	"login       TOKEN                  allow this session to change "     \
	"things\n"

#define BYTES(text) text, sizeof(text) - 1

struct exchange {
	const char *words; /* of the service */
	const char *sent;
	size_t size;
	const char *reply;
	size_t reply_size;
	bool closed; /* by the service, before the client ends its side */
};

/* After the bytes the client ends its side. */
static const struct exchange exchanges[] = {
    {"", BYTES(""), BYTES(""), false},
    /* one command, in every form; the last line needs no end */
    {"", BYTES("list\n"), BYTES("ran: list\nOK\n"), false},
    {"", BYTES("list\r\n"), BYTES("ran: list\nOK\n"), false},
    {"", BYTES("list"), BYTES("ran: list\nOK\n"), false},
    {"", BYTES("  LiSt \t A\t\n"), BYTES("ran: list \t A\nOK\n"), false},
    {"", BYTES("HELP\r\n"), BYTES(HELP "ran: help\nOK\n"), false},
    {"", BYTES(" help list\n"), BYTES("ran: help list\nOK\n"), false},
    {"", BYTES("help quit\n"),
	BYTES("quit                               end this session\nOK\n"),
	false},
    {"", BYTES("json on\nhelp\n"),
	BYTES("{\"ok\":true,\"result\":null}\n"
	      "{\"ok\":true,\"result\":\"ran: help\"}\n"),
	false},
    {"", BYTES("suspend X"), BYTES("ran: suspend X\nOK\n"), false},
    {"", BYTES("\n \r\n\t\n"), BYTES(""), false},
    {"", BYTES("empty\n"), BYTES("OK\n"), false},
    {"", BYTES("fail\n"), BYTES("ERR no such thing\n"), false},
    /* many commands, answered in order */
    {"", BYTES("a\nfail\nempty\nb"),
	BYTES("ran: a\nOK\nERR no such thing\nOK\nran: b\nOK\n"), false},
    /* telnet's own bytes, and NUL */
    {"", BYTES("\xff\xfb\x18\xff\xfd\x01li\xff\xf1st\0\r\0\n"),
	BYTES("ran: list\nOK\n"), false},
    /* quit, alone, with more behind it, with blanks */
    {"", BYTES("quit\n"), BYTES("OK\n"), true},
    {"", BYTES(" QUIT \r\n"), BYTES("OK\n"), true},
    {"", BYTES("quit now\n"), BYTES("OK\n"), true},
    {"", BYTES("a\nquit\nb\n"), BYTES("ran: a\nOK\nOK\n"), true},
    {"", BYTES("quit"), BYTES("OK\n"), false},
    {"", BYTES("quitter\n"), BYTES("ran: quitter\nOK\n"), false},
    /* json, for this session from here on */
    {"", BYTES("json on\nlist\nfail\nempty\njson x\njson off\nlist\n"),
	BYTES("{\"ok\":true,\"result\":null}\n"
	      "{\"ok\":true,\"result\":\"ran: list\"}\n"
	      "{\"ok\":false,\"error\":\"no such thing\"}\n"
	      "{\"ok\":true,\"result\":null}\n"
	      "{\"ok\":false,\"error\":\"json is on or off\"}\n"
	      "OK\nran: list\nOK\n"),
	false},
    {"", BYTES("json\njson ON\n"),
	BYTES("ERR json is on or off\nERR json is on or off\n"), false},
    {"", BYTES("json on\nquit\n"),
	BYTES("{\"ok\":true,\"result\":null}\n{\"ok\":true,\"result\":null}\n"),
	true},
    /* nobody may log in where there is no token */
    {"", BYTES("login x\nlist\n"),
	BYTES("ERR nobody can log in here: see -t in berth-manager(8)\n"
	      "ran: list\nOK\n"),
	false},
    /* ACE's bytes: M01, M02, M03; one request, the rest is ignored */
    {"-l", BYTES("help\n"), BYTES("A (active)  info of A\nB (paused)  \n"),
	true},
    {"-l", BYTES("help\r\nhelp\r\n"),
	BYTES("A (active)  info of A\nB (paused)  \n"), true},
    {"-l", BYTES(" Help"), BYTES("A (active)  info of A\nB (paused)  \n"),
	false},
    {"-l", BYTES("reconfigure\n"), BYTES("done\n\0"), true},
    {"-l", BYTES("suspend A\n"), BYTES(""), true},
    {"-l", BYTES("fail\nhelp\n"), BYTES(""), true},
    {"-l", BYTES("quit\n"), BYTES(""), true},
    {"-l", BYTES("login x\n"), BYTES(""), true},
    {"-l", BYTES("\nhelp"), BYTES("A (active)  info of A\nB (paused)  \n"),
	false},
};

static void
check(struct desk *desk, const struct exchange *exchange)
{
	struct fake_session *client = &desk->client;

	if (exchange->closed)
		assert_true(client->closing);
	desk_hang_up(desk);
	assert_true(client->closing);
	assert_false(client->aborted);
	assert_int_equal(client->output.size, exchange->reply_size);
	assert_memory_equal(
	    client->output.data, exchange->reply, exchange->reply_size);
	desk_disconnect(desk);
	desk_stop(desk);
}

/* Every exchange, cut in two at every place, and byte by byte. */
static void
protocol(void **state)
{
	const struct exchange *x;
	struct desk desk;
	size_t i, at;

	(void)state;
	for (i = 0; i < sizeof(exchanges) / sizeof(exchanges[0]); i++) {
		x = &exchanges[i];
		for (at = 0; at <= x->size; at++) {
			assert_int_equal(desk_start(&desk, x->words), 0);
			desk_connect(&desk);
			desk_type(&desk, x->sent, at);
			desk_type(&desk, x->sent + at, x->size - at);
			check(&desk, x);
		}
		assert_int_equal(desk_start(&desk, x->words), 0);
		desk_connect(&desk);
		for (at = 0; at < x->size; at++)
			desk_type(&desk, x->sent + at, 1);
		check(&desk, x);
	}
}

/* A reader of few bytes at a time gets the same. */
static void
slow_reader(void **state)
{
	const struct exchange *x;
	struct desk desk;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(exchanges) / sizeof(exchanges[0]); i++) {
		x = &exchanges[i];
		assert_int_equal(desk_start(&desk, x->words), 0);
		desk_connect(&desk);
		desk.client.output_limit = 3;
		desk_type(&desk, x->sent, x->size);
		while (desk.client.wants_output)
			desk_read(&desk);
		if (!desk.client.closing)
			fake_session_eof(&desk.client);
		desk_settle(&desk);
		while (desk.client.wants_output)
			desk_read(&desk);
		check(&desk, x);
	}
}

/* Nothing is taken while a command is on its way, or its reply. */
static void
back_pressure(void **state)
{
	struct desk desk;
	unsigned turns = 0;

	(void)state;
	assert_int_equal(desk_start(&desk, ""), 0);
	desk_connect(&desk);
	desk.client.output_limit = 8192;
	assert_int_equal(fake_session_send(&desk.client, "big\nlist\n"), 4);
	assert_true(desk.client.paused);
	assert_int_equal(desk.host.command_count, 1);
	desk_settle(&desk);
	assert_int_equal(desk.client.output.size, 8192);
	while (desk.host.command_count == 1) {
		assert_true(desk.client.paused);
		assert_true(turns++ < 20);
		desk_read(&desk);
	}
	assert_false(desk.client.paused);
	assert_int_equal(turns, 100003 / 8192);
	assert_string_equal(desk.client.output.data + desk.client.output.size -
				2 - strlen("\nOK\nran: list\nOK"),
	    "c\nOK\nran: list\nOK\n");
	desk_disconnect(&desk);
	desk_stop(&desk);
}

static void
overlong(void **state)
{
	struct desk desk;
	char *bytes = malloc(9000);

	(void)state;
	memset(bytes, 'x', 9000);
	assert_int_equal(desk_start(&desk, ""), 0);
	desk_connect(&desk);
	desk_type(&desk, bytes, 9000);
	assert_string_equal(desk.client.output.data, "ERR line too long\n");
	desk_type(&desk, bytes, 9000);
	desk_say(&desk, "x\nlist\n");
	assert_string_equal(
	    desk.client.output.data, "ERR line too long\nran: list\nOK\n");
	desk_type(&desk, bytes, 9000);
	desk_hang_up(&desk);
	assert_string_equal(desk.client.output.data,
	    "ERR line too long\nran: list\nOK\nERR line too long\n");
	assert_true(desk.client.closing);
	desk_disconnect(&desk);
	desk_stop(&desk);

	assert_int_equal(desk_start(&desk, "-l"), 0);
	desk_connect(&desk);
	desk_type(&desk, bytes, 9000);
	assert_int_equal(desk.client.output.size, 0);
	assert_true(desk.client.closing);
	desk_disconnect(&desk);
	desk_stop(&desk);
	free(bytes);
}

/* A client that has gone takes its command back, and gets no reply. */
static void
gone(void **state)
{
	struct desk desk;

	(void)state;
	assert_int_equal(desk_start(&desk, ""), 0);
	desk_connect(&desk);
	fake_session_send(&desk.client, "list\nlist\n");
	fake_session_end(&desk.client, -ECONNRESET);
	assert_true(desk.host.commands[0]->cancelled);
	desk_disconnect(&desk);

	desk_connect(&desk);
	desk.client.output_limit = 5;
	desk.answered = 1;
	desk_say(&desk, "list\n");
	fake_session_end(&desk.client, -ECONNRESET);
	desk_disconnect(&desk);
	desk_stop(&desk);
}

/* The session is closed from outside while the reply is under way. */
static void
drained(void **state)
{
	struct desk desk;

	(void)state;
	assert_int_equal(desk_start(&desk, ""), 0);
	desk_connect(&desk);
	fake_session_send(&desk.client, "list\n");
	berth_close(&desk.client.public);
	desk_settle(&desk);
	assert_true(desk.client.ended);
	desk_disconnect(&desk);
	desk_stop(&desk);
}

static void
refused(void **state)
{
	struct desk desk;

	(void)state;
	assert_int_equal(desk_start(&desk, ""), 0);
	desk_connect(&desk);
	desk.host.command_result = -ENOMEM;
	desk_say(&desk, "list\nquit\n");
	assert_string_equal(
	    desk.client.output.data, "ERR Cannot allocate memory\nOK\n");
	desk_disconnect(&desk);
	desk_stop(&desk);
}

static void
idle(void **state)
{
	struct desk desk;

	(void)state;
	assert_int_equal(desk_start(&desk, ""), 0);
	desk_connect(&desk);
	assert_int_equal(desk.client.timeout_ms, 600000);
	desk.client.timeout_ms = 1;
	/* Bytes alone are no sign of life; a command is. */
	desk_say(&desk, "lis");
	assert_int_equal(desk.client.timeout_ms, 1);
	desk_say(&desk, "t\n");
	assert_int_equal(desk.client.timeout_ms, 600000);
	fake_session_clear(&desk.client);
	assert_int_equal(fake_session_expire(&desk.client), 0);
	assert_string_equal(desk.client.output.data, "ERR idle for too long\n");
	assert_true(desk.client.closing);
	desk_disconnect(&desk);
	desk_stop(&desk);
}

static void
idle_while_busy(void **state)
{
	struct desk desk;

	(void)state;
	assert_int_equal(desk_start(&desk, "-i 5"), 0);
	desk_connect(&desk);
	assert_int_equal(desk.client.timeout_ms, 5000);
	/* A slow host is not the client's fault. */
	fake_session_send(&desk.client, "big\n");
	assert_int_equal(fake_session_expire(&desk.client), 0);
	assert_int_equal(desk.client.timeout_ms, 5000);
	assert_false(desk.client.closing);
	/* A client that does not read is. */
	desk.client.output_limit = 100;
	desk_settle(&desk);
	assert_int_equal(fake_session_drain(&desk.client), 0);
	assert_int_equal(desk.client.timeout_ms, 5000);
	assert_int_equal(fake_session_expire(&desk.client), -ETIMEDOUT);
	assert_true(desk.client.ended);
	desk_disconnect(&desk);
	desk_stop(&desk);

	assert_int_equal(desk_start(&desk, "-i 0"), 0);
	desk_connect(&desk);
	assert_int_equal(desk.client.timeout_ms, 0);
	desk_say(&desk, "list\n");
	assert_int_equal(desk.client.timeout_ms, 0);
	desk_disconnect(&desk);
	desk_stop(&desk);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(protocol),
	    cmocka_unit_test(slow_reader),
	    cmocka_unit_test(back_pressure),
	    cmocka_unit_test(overlong),
	    cmocka_unit_test(gone),
	    cmocka_unit_test(drained),
	    cmocka_unit_test(refused),
	    cmocka_unit_test(idle),
	    cmocka_unit_test(idle_while_busy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
