/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The module of the plugin tls, on the fake host and with a fake way up and
 * down: when a connection is ready, what it passes on, how it ends, and files
 * that change while it serves.
 */
#include "unit/unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fake_host.h"
#include "unit/tls_bed.h"

const struct berth_module_type *make_tls(void);

#define SERVER "-c {server.pem} -k {server.key} "
#define SECOND UINT64_C(1000000000)
#define BIG (300 * 1024)

static struct fake_host host;
static struct fake_service service;
static struct side words; /* only for its argv */
static struct side client;

static struct {
	struct berth_filter filter;
	char *up; /* what was passed on to the service */
	size_t up_size;
	char *down; /* and to the client, not heard yet */
	size_t down_size;
	bool is_ready, is_full, ended_up;
	char identity[100], why[400];
	struct berth_bytes reply; /* sent from within the service's hook */
} around;

static const struct berth_filter_type *
type(void)
{
	return make_tls()->filter;
}

/* --- what the host does for a filter --- */

static void
add(char **data, size_t *size, struct berth_bytes bytes)
{
	*data = realloc(*data, *size + bytes.size + 1);
	assert_non_null(*data);
	memcpy(*data + *size, bytes.data, bytes.size);
	*size += bytes.size;
	(*data)[*size] = '\0';
}

static int
pass_up(struct berth_filter *filter, struct berth_bytes bytes)
{
	struct berth_bytes reply = around.reply;

	assert_true(bytes.size > 0);
	add(&around.up, &around.up_size, bytes);
	around.reply = berth_bytes(NULL, 0);
	if (reply.size > 0)
		assert_int_equal(type()->down(filter, reply), reply.size);
	return 0;
}

static int
pass_down(struct berth_filter *filter, struct berth_bytes bytes)
{
	(void)filter;
	add(&around.down, &around.down_size, bytes);
	return 0;
}

static int
room_up(struct berth_filter *filter)
{
	(void)filter;
	return !around.is_full;
}

static int
end_up(struct berth_filter *filter)
{
	(void)filter;
	around.ended_up = true;
	return 0;
}

static int
ready(struct berth_filter *filter)
{
	(void)filter;
	assert_false(around.is_ready);
	around.is_ready = true;
	return 0;
}

__attribute__((format(printf, 3, 0))) static int
tell(struct berth_filter *filter, int code, const char *format, va_list ap)
{
	(void)filter;
	vsnprintf(around.why, sizeof(around.why), format, ap);
	return -code;
}

static int
set_identity(struct berth_filter *filter, const char *identity)
{
	(void)filter;
	assert_true(strlen(identity) < sizeof(around.identity));
	strcpy(around.identity, identity);
	return 0;
}

static const struct berth_filter_calls calls = {
    .pass_up = pass_up,
    .pass_down = pass_down,
    .room_up = room_up,
    .end_up = end_up,
    .ready = ready,
    .fail = tell,
    .set_identity = set_identity,
};

/* --- the bed --- */

static void
start(const char *server_words, const char *client_words)
{
	int argc = 0;

	memset(&service, 0, sizeof(service));
	fake_host_init(&host);
	host.table.filters = &calls;
	service.host = &host;
	service.public.host = &host.table;
	service.public.name = "Secure/TLS";
	service.public.state = calloc(1, make_tls()->state_size);
	assert_non_null(service.public.state);
	side_init(&words, server_words);
	while (words.argv[argc] != NULL)
		argc++;
	assert_int_equal(
	    make_tls()->init(&service.public, argc, words.argv), 0);
	side_init(&client, client_words);
}

static void
stop(void)
{
	make_tls()->fini(&service.public);
	free(service.public.state);
	side_fini(&client);
	side_fini(&words);
	fake_host_fini(&host);
}

static void
hang_up(void)
{
	type()->close(&around.filter, 0);
	side_close(&client);
	free(around.filter.state);
	free(around.up);
	free(around.down);
	memset(&around, 0, sizeof(around));
}

/* All that the client has goes up, piece by piece; the result of the last. */
static int
go_up(size_t piece)
{
	int taken = 1;

	while (taken > 0 && tls_engine_output(client.engine).size > 0) {
		struct berth_bytes out = tls_engine_output(client.engine);

		if (out.size > piece)
			out.size = piece;
		taken = type()->up(&around.filter, out);
		if (taken > 0)
			tls_engine_sent(client.engine, (size_t)taken);
	}
	return taken;
}

static void
go_down(void)
{
	char *data = around.down;
	size_t size = around.down_size;

	around.down = NULL;
	around.down_size = 0;
	side_hear(&client, berth_bytes(data, size));
	free(data);
}

static int
talk_piecewise(size_t piece)
{
	int result = 0;

	while (result >= 0 && (around.down_size > 0 ||
				  tls_engine_output(client.engine).size > 0)) {
		if (around.down_size > 0)
			go_down();
		result = go_up(piece);
	}
	if (around.down_size > 0)
		go_down();
	return result;
}

static void
dial(void)
{
	around.filter.module = &service.public;
	around.filter.state = calloc(1, type()->state_size);
	assert_non_null(around.filter.state);
	assert_int_equal(type()->open(&around.filter), 10000);
	side_open(&client);
}

static void
expect_words(const char *text, const char *word)
{
	if (strstr(text, word) == NULL)
		fail_msg("'%s' is not in '%s'\n", word, text);
}

static void
expect_certificate(const char *subject)
{
	char name[100];

	side_reload(&client); /* or it would resume, and be shown none */
	dial();
	assert_true(talk_piecewise(100000) >= 0);
	assert_true(tls_engine_peer(client.engine, name, sizeof(name)) > 0);
	assert_string_equal(name, subject);
	hang_up();
}

/* --- the cases --- */

static void
a_connection_from_end_to_end(void **state)
{
	static const size_t pieces[] = {1, 7, 100000};

	(void)state;
	start(SERVER "-a {ca.pem}",
	    "-C host.test -a {ca.pem} -c {alice.pem} -k {alice.key}");
	for (unsigned i = 0; i < 3; i++) {
		dial();
		assert_false(around.is_ready);
		assert_true(talk_piecewise(pieces[i]) >= 0);
		assert_true(around.is_ready);
		assert_string_equal(around.identity, "CN=alice");
		assert_int_equal(around.up_size, 0);
		side_send(&client, "question");
		around.reply = berth_str("answer");
		talk_piecewise(pieces[i]);
		assert_string_equal(around.up, "question");
		side_expect(&client, "answer");
		tls_engine_end(client.engine);
		assert_true(talk_piecewise(pieces[i]) >= 0);
		assert_true(around.ended_up);
		assert_int_equal(
		    type()->down(&around.filter, berth_str("last")), 4);
		assert_int_equal(type()->down_end(&around.filter), 0);
		go_down();
		side_expect(&client, "last");
		assert_int_equal(tls_engine_state(client.engine), TLS_ENDED);
		assert_int_equal(
		    type()->up_end(&around.filter, berth_str("")), 0);
		hang_up();
	}
	stop();
}

/* The first words of a client in the same piece as its handshake's last. */
static void
words_on_the_heels_of_the_handshake(void **state)
{
	(void)state;
	start(SERVER, "-C host.test -a {ca.pem}");
	dial();
	go_up(100000);
	go_down();
	assert_int_equal(tls_engine_state(client.engine), TLS_OPEN);
	side_send(&client, "at once");
	tls_engine_end(client.engine);
	assert_false(around.is_ready);
	assert_true(go_up(100000) > 0);
	assert_true(around.is_ready);
	assert_string_equal(around.up, "at once");
	assert_true(around.ended_up);
	hang_up();
	stop();
}

static void
nothing_is_taken_for_a_service_that_is_held_up(void **state)
{
	char *data = calloc(1, BIG);
	size_t sent = 0;

	(void)state;
	assert_non_null(data);
	start(SERVER, "-C host.test -a {ca.pem}");
	dial();
	talk_piecewise(100000);
	around.is_full = true;
	side_send(&client, "waits");
	assert_int_equal(go_up(100000), 0);
	assert_int_equal(around.up_size, 0);
	around.is_full = false;
	go_up(100000);
	assert_string_equal(around.up, "waits");
	around.up_size = 0;
	/* Much, both ways. */
	memset(data, 'y', BIG);
	assert_int_equal(
	    type()->down(&around.filter, berth_bytes(data, BIG)), BIG);
	go_down();
	assert_int_equal(client.got_size, BIG);
	assert_memory_equal(client.got, data, BIG);
	while (sent < BIG) {
		sent += (size_t)tls_engine_send(
		    client.engine, berth_bytes(data + sent, BIG - sent));
		go_up(3000);
	}
	assert_int_equal(around.up_size, BIG);
	assert_memory_equal(around.up, data, BIG);
	hang_up();
	free(data);
	stop();
}

static void
ends_without_a_word(void **state)
{
	struct berth_bytes rest;

	(void)state;
	start(SERVER, "-C host.test -a {ca.pem}");
	dial();
	assert_int_equal(
	    type()->up_end(&around.filter, berth_str("")), -ECONNRESET);
	expect_words(around.why, "handshake: the connection ended within it");
	hang_up();
	dial();
	talk_piecewise(100000);
	assert_int_equal(
	    type()->up_end(&around.filter, berth_str("")), -ECONNRESET);
	expect_words(around.why, "without close_notify");
	hang_up();
	/* The last that came counts, though the service was held up. */
	dial();
	talk_piecewise(100000);
	side_send(&client, "last");
	tls_engine_end(client.engine);
	around.is_full = true;
	rest = tls_engine_output(client.engine);
	assert_int_equal(type()->up_end(&around.filter, rest), 0);
	assert_string_equal(around.up, "last");
	hang_up();
	stop();
}

static void
a_handshake_that_fails(void **state)
{
	(void)state;
	start(SERVER "-a {ca.pem} -t 500ms", "-C host.test -a {ca.pem}");
	around.filter.module = &service.public;
	around.filter.state = calloc(1, type()->state_size);
	assert_int_equal(type()->open(&around.filter), 500);
	side_open(&client);
	assert_int_equal(talk_piecewise(100000), -EPROTO);
	expect_words(around.why, "peer did not return a certificate");
	assert_false(around.is_ready);
	/* The client was told why. */
	assert_int_equal(tls_engine_state(client.engine), TLS_FAILED);
	expect_words(tls_engine_why(client.engine), "certificate required");
	hang_up();
	stop();
}

static void
certificates_are_exchanged_while_it_serves(void **state)
{
	(void)state;
	made_certificate("first", "ca", "host.test", 0);
	made_certificate("second", "ca", "host.test", 0);
	made_certificate("third", "ca", "host.test", 0);
	start("-c {first.pem} -k {first.key}", "-C host.test -a {ca.pem}");
	host.now_ns += 2 * SECOND;
	expect_certificate("CN=first");
	/* It was looked at just now. */
	made_rename("second.pem", "first.pem");
	expect_certificate("CN=first");
	host.now_ns += 2 * SECOND;
	for (unsigned i = 0; i < 3; i++) {
		expect_certificate("CN=first");
		host.now_ns += 2 * SECOND;
	}
	expect_words(host.log.data, "the certificates of before stay in use");
	assert_null(
	    strstr(strstr(host.log.data, "stay in use") + 1, "stay in use"));
	made_rename("second.key", "first.key");
	expect_certificate("CN=second");
	expect_words(host.log.data, "new certificates are in use");
	unlink(made_path("first.pem"));
	host.now_ns += 2 * SECOND;
	expect_certificate("CN=second");
	expect_words(host.log.data, "first.pem: No such file");
	made_rename("third.key", "first.key");
	made_rename("third.pem", "first.pem");
	host.now_ns += 2 * SECOND;
	expect_certificate("CN=third");
	stop();
}

static void
bad_words_are_told(void **state)
{
	char name[] = "TLS", word[] = "-x";
	char *argv[] = {name, word, NULL};

	(void)state;
	memset(&service, 0, sizeof(service));
	fake_host_init(&host);
	service.host = &host;
	service.public.host = &host.table;
	service.public.state = calloc(1, make_tls()->state_size);
	assert_int_equal(make_tls()->init(&service.public, 2, argv), -EINVAL);
	assert_string_equal(host.fail_text.data, "there is no option -x");
	free(service.public.state);
	fake_host_fini(&host);
}

static int
set_up(void **state)
{
	(void)state;
	made_begin();
	made_certificate("ca", NULL, NULL, 0);
	made_certificate("server", "ca", "host.test", 0);
	made_certificate("alice", "ca", NULL, 0);
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
	    cmocka_unit_test(a_connection_from_end_to_end),
	    cmocka_unit_test(words_on_the_heels_of_the_handshake),
	    cmocka_unit_test(nothing_is_taken_for_a_service_that_is_held_up),
	    cmocka_unit_test(ends_without_a_word),
	    cmocka_unit_test(a_handshake_that_fails),
	    cmocka_unit_test(certificates_are_exchanged_while_it_serves),
	    cmocka_unit_test(bad_words_are_told),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
