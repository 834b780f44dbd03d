/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Datagrams: served, answered to the right address, and kept out of loops.
 */
#include "unit/session_bed.h"

#include <arpa/inet.h>

#include "session/session_priv.h"

static int
answer(struct berth_session *session, struct berth_bytes in)
{
	berth_write(session, in);
	return 0;
}

static const struct berth_session_type echo = {.datagram = answer};

struct letter {
	int client;
	char data[65536];
	ssize_t size;
	struct sockaddr_storage from;
	socklen_t from_size;
};

static bool
has_come(void *context)
{
	struct letter *letter = context;
	void *from = &letter->from;

	letter->from_size = sizeof(letter->from);
	letter->size = recvfrom(letter->client, letter->data,
	    sizeof(letter->data), 0, from, &letter->from_size);
	return letter->size >= 0;
}

static struct letter letter;

static void
send_to(int client, const struct listener *listener, const char *text)
{
	struct sockaddr_storage address;
	void *any = &address;
	socklen_t size;

	bed_address(listener, &address, &size);
	assert_int_equal(
	    sendto(client, text, strlen(text), 0, any, size), strlen(text));
}

static void
expect_answer(struct stage *stage, int client, const char *text)
{
	letter.client = client;
	bed_until(stage->bed, has_come, &letter);
	assert_int_equal(letter.size, strlen(text));
	assert_memory_equal(letter.data, text, strlen(text));
}

static void
test_udp_answers(void **state)
{
	static const char *const endpoints[] = {
	    "udp:127.0.0.1:0", "udp4:*:0", "udp:*:0"};
	struct stage *stage = *state;
	struct listener *listener;
	unsigned i;
	int client;

	stage_serve(stage, &echo, endpoints[0]);
	stage_also(stage, endpoints[1]);
	stage_also(stage, endpoints[2]);
	for (i = 0; i < BASE_COUNT(endpoints); i++) {
		listener = server_listener(stage->server, i);
		client = bed_datagram_client(listener, NULL);
		send_to(client, listener, "one");
		send_to(client, listener, "");
		send_to(client, listener, "three");
		expect_answer(stage, client, "one");
		expect_answer(stage, client, "");
		expect_answer(stage, client, "three");
		close(client);
	}
	assert_int_equal(stage_counters(stage)->datagrams, 9);
	assert_int_equal(stage_counters(stage)->bytes_in, 24);
	assert_int_equal(stage_counters(stage)->bytes_out, 24);
	assert_int_equal(stage_counters(stage)->sessions_total, 0);
}

/* A dual-stack socket answers from the address that was asked. */
static void
test_answer_comes_from_the_address_asked(void **state)
{
	static const char *const endpoints[] = {"udp4:*:0", "udp:*:0"};
	struct stage *stage = *state;
	unsigned i;

	stage_serve(stage, &echo, endpoints[0]);
	stage_also(stage, endpoints[1]);
	for (i = 0; i < BASE_COUNT(endpoints); i++) {
		unsigned port = bed_port(server_listener(stage->server, i));
		struct sockaddr_in there = {.sin_family = AF_INET,
		    .sin_port = htons((in_port_t)port),
		    .sin_addr.s_addr = htonl(0x7f000007)};
		void *any = &there;
		char text[64], wanted[64];
		int client = socket(
		    AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

		assert_int_equal(
		    sendto(client, "x", 1, 0, any, sizeof(there)), 1);
		expect_answer(stage, client, "x");
		any = &letter.from;
		address_print(any, letter.from_size, text, sizeof(text));
		snprintf(wanted, sizeof(wanted), "127.0.0.7:%u", port);
		assert_string_equal(text, wanted);
		close(client);
	}
}

static int
tell_addresses(struct berth_session *session, struct berth_bytes in)
{
	char peer[128], local[128];

	(void)in;
	assert_true(berth_peer(session, peer, sizeof(peer)) > 0);
	assert_true(berth_local(session, local, sizeof(local)) > 0);
	berth_printf(session, "%s %s", peer, local);
	return 0;
}

static void
test_addresses_as_told(void **state)
{
	static const struct berth_session_type type = {
	    .datagram = tell_addresses};
	struct stage *stage = *state;
	struct sockaddr_in own;
	socklen_t size = sizeof(own);
	void *any = &own;
	char text[128];
	int client;

	stage_serve(stage, &type, "udp4:*:0");
	client = bed_datagram_client(stage->listener, NULL);
	assert_int_equal(getsockname(client, any, &size), 0);
	send_to(client, stage->listener, "?");
	snprintf(text, sizeof(text), "127.0.0.1:%u 127.0.0.1:%u",
	    ntohs(own.sin_port), bed_port(stage->listener));
	expect_answer(stage, client, text);
	close(client);
}

static void
test_unix_datagrams(void **state)
{
	struct stage *stage = *state;
	char path[128];
	int client;

	snprintf(path, sizeof(path), "%s", bed_path(stage->bed, "", "client"));
	stage_serve(stage, &echo, "unix-dgram:@berth-test");
	client = bed_datagram_client(stage->listener, path);
	send_to(client, stage->listener, "hello");
	expect_answer(stage, client, "hello");
	close(client);
	unlink(path);
	/* Without a name it is served all the same; the answer is dropped. */
	client = bed_datagram_client(stage->listener, NULL);
	send_to(client, stage->listener, "anonymous");
	while (stage_counters(stage)->datagrams < 2)
		bed_turn(stage->bed);
	assert_int_equal(stage_counters(stage)->bytes_out, 5);
	close(client);
}

static void
test_whoever_has_left_is_no_trouble(void **state)
{
	struct stage *stage = *state;
	char path[128];
	int client, i;

	snprintf(path, sizeof(path), "%s", bed_path(stage->bed, "", "client"));
	stage_serve(stage, &echo, "unix-dgram:@berth-test");
	stage_also(stage, "udp:127.0.0.1:0");
	for (i = 0; i < 3; i++) {
		client = bed_datagram_client(stage->listener, path);
		send_to(client, stage->listener, "x");
		close(client);
		unlink(path);
		client = bed_datagram_client(
		    server_listener(stage->server, 1), NULL);
		send_to(client, server_listener(stage->server, 1), "x");
		close(client);
		bed_settle(stage->bed);
	}
	client = bed_datagram_client(server_listener(stage->server, 1), NULL);
	send_to(client, server_listener(stage->server, 1), "still there?");
	expect_answer(stage, client, "still there?");
	close(client);
}

/* --- the session of a datagram ---------------------------------------------*/

static int
use_everything(struct berth_session *session, struct berth_bytes in)
{
	unsigned char *bytes = session->state;
	static char big[70000];
	unsigned i;

	for (i = 0; i < 40; i++)
		assert_int_equal(bytes[i], 0);
	memset(bytes, 0xff, 40);
	assert_int_equal(berth_session_timeout(session, 1), -EOPNOTSUPP);
	berth_pause(session, 1);
	assert_true(berth_session_id(session) > 0);
	assert_int_equal(
	    berth_write(session, berth_bytes(big, sizeof(big))), -EMSGSIZE);
	assert_int_equal(berth_printf(session, "a%s", "b"), 2);
	assert_int_equal(berth_write(session, in), in.size);
	berth_close(session);
	assert_int_equal(berth_write(session, in), -EPIPE);
	berth_abort(session);
	return -EIO;
}

static void
test_session_for_one_call(void **state)
{
	static const struct berth_session_type type = {
	    .state_size = 40, .datagram = use_everything};
	struct stage *stage = *state;
	unsigned i;
	int client;

	stage_serve(stage, &type, "udp:127.0.0.1:0");
	client = bed_datagram_client(stage->listener, NULL);
	for (i = 0; i < 2; i++) {
		send_to(client, stage->listener, "in");
		expect_answer(stage, client, "ab");
		expect_answer(stage, client, "in");
	}
	assert_non_null(strstr(text_string(&stage->bed->lines),
	    "6 test: a datagram was not served: Input/output error\n"));
	close(client);
}

static int
suspend_after_one(struct berth_session *session, struct berth_bytes in)
{
	server_accept(stage_of(session)->server, false);
	return answer(session, in);
}

static void
test_suspended_inside(void **state)
{
	static const struct berth_session_type type = {
	    .datagram = suspend_after_one};
	struct stage *stage = *state;
	int client;

	stage_serve(stage, &type, "udp:127.0.0.1:0");
	client = bed_datagram_client(stage->listener, NULL);
	send_to(client, stage->listener, "1");
	send_to(client, stage->listener, "2");
	expect_answer(stage, client, "1");
	bed_settle(stage->bed);
	assert_int_equal(stage_counters(stage)->datagrams, 1);
	server_accept(stage->server, true);
	expect_answer(stage, client, "2");
	close(client);
}

static void
test_budget(void **state)
{
	struct stage *stage = *state;
	unsigned i;
	int client;

	stage_serve(stage, &echo, "udp:127.0.0.1:0");
	client = bed_datagram_client(stage->listener, NULL);
	for (i = 0; i < 40; i++)
		send_to(client, stage->listener, "x");
	assert_true(reactor_turn(stage->bed->reactor, MONO_MS(1000)) > 0);
	assert_int_equal(stage_counters(stage)->datagrams, 32);
	bed_settle(stage->bed);
	assert_int_equal(stage_counters(stage)->datagrams, 40);
	close(client);
}

/* --- loops -----------------------------------------------------------------*/

static void
test_sources_that_are_refused(void **state)
{
	static const struct {
		const char *host;
		unsigned port;
		const char *why;
	} cases[] = {
	    {"10.0.0.1", 4711, NULL},
	    {"10.0.0.1", 1024, NULL},
	    {"10.0.0.1", 0, "it comes from port 0"},
	    {"10.0.0.1", 7, "it comes from a reserved port"},
	    {"10.0.0.1", 1023, "it comes from a reserved port"},
	    {"255.255.255.255", 4711, "it comes from a group address"},
	    {"224.0.0.1", 4711, "it comes from a group address"},
	    {"0.0.0.0", 4711, "it comes from a group address"},
	    {"::1", 4711, NULL},
	    {"::1", 1023, "it comes from a reserved port"},
	    {"ff02::1", 4711, "it comes from a group address"},
	    {"::", 4711, "it comes from a group address"},
	    {"::ffff:10.0.0.1", 4711, NULL},
	    {"::ffff:239.1.1.1", 4711, "it comes from a group address"},
	};
	struct stage *stage = *state;
	struct sockaddr_storage storage;
	void *any = &storage;
	struct sockaddr_in *v4 = any;
	struct sockaddr_in6 *v6 = any;
	const char *why;
	unsigned i;

	stage_serve(stage, &echo, "udp:127.0.0.1:0");
	for (i = 0; i < BASE_COUNT(cases); i++) {
		memset(&storage, 0, sizeof(storage));
		v4->sin_port = htons((in_port_t)cases[i].port);
		storage.ss_family = AF_INET6;
		if (inet_pton(AF_INET6, cases[i].host, &v6->sin6_addr) != 1) {
			storage.ss_family = AF_INET;
			inet_pton(AF_INET, cases[i].host, &v4->sin_addr);
		}
		why = datagram_refusal(stage->server, any, sizeof(storage));
		if (why != cases[i].why &&
		    (why == NULL || cases[i].why == NULL ||
			strcmp(why, cases[i].why) != 0))
			fail_msg("%s:%u: %s", cases[i].host, cases[i].port,
			    why != NULL ? why : "served");
	}
	stage->bed->settings.reserved_sources = true;
	storage.ss_family = AF_INET;
	inet_pton(AF_INET, "10.0.0.1", &v4->sin_addr);
	v4->sin_port = htons(7);
	assert_null(datagram_refusal(stage->server, any, sizeof(storage)));
	v4->sin_port = 0;
	assert_non_null(datagram_refusal(stage->server, any, sizeof(storage)));
}

static unsigned
occurrences(const struct stage *stage, const char *what)
{
	const char *at = text_string(&stage->bed->lines);
	unsigned count = 0;

	while ((at = strstr(at, what)) != NULL) {
		count++;
		at++;
	}
	return count;
}

static void
test_two_services_do_not_talk_for_ever(void **state)
{
	struct stage *stage = *state;
	struct listener *other;
	char wanted[128];
	unsigned i;

	stage_serve(stage, &echo, "udp:127.0.0.1:0");
	other = bed_listen(stage->bed, "udp4:*:0");
	/* Somebody forged the source: it is one of our own ports. */
	for (i = 0; i < 5; i++)
		send_to(listener_fd(other), stage->listener, "loop");
	while (stage_counters(stage)->datagrams_refused < 5)
		bed_turn(stage->bed);
	assert_int_equal(stage_counters(stage)->datagrams, 0);
	/* Five times, one line. */
	assert_int_equal(occurrences(stage, "refused a datagram"), 1);
	snprintf(wanted, sizeof(wanted),
	    "5 test: refused a datagram from 127.0.0.1:%u: it comes from a "
	    "port that this host serves; 1 since this was last said\n",
	    bed_port(other));
	assert_int_equal(occurrences(stage, wanted), 1);
	listener_unref(other);
}

static void
test_unix_services_do_not_talk_for_ever(void **state)
{
	struct stage *stage = *state;
	struct listener *other;
	const char *path = bed_path(stage->bed, "unix-dgram:", "other");

	stage_serve(stage, &echo, "unix-dgram:@berth-test");
	other = bed_listen(stage->bed, path);
	send_to(listener_fd(other), stage->listener, "loop");
	while (stage_counters(stage)->datagrams_refused < 1)
		bed_turn(stage->bed);
	assert_int_equal(stage_counters(stage)->datagrams, 0);
	listener_unref(other);
}

static void
test_group_destination_is_refused(void **state)
{
	struct stage *stage = *state;
	/* The loopback's own broadcast address. */
	struct sockaddr_in group = {
	    .sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7fffffff)};
	void *any = &group;
	int client = socket(
		AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0),
	    one = 1;

	stage_serve(stage, &echo, "udp4:*:0");
	group.sin_port = htons((in_port_t)bed_port(stage->listener));
	assert_int_equal(
	    setsockopt(client, SOL_SOCKET, SO_BROADCAST, &one, sizeof(one)), 0);
	assert_int_equal(sendto(client, "x", 1, 0, any, sizeof(group)), 1);
	while (stage_counters(stage)->datagrams_refused == 0)
		bed_turn(stage->bed);
	assert_int_equal(stage_counters(stage)->datagrams, 0);
	assert_int_equal(occurrences(stage, "it was sent to a group"), 1);
	close(client);
}

static void
test_too_long_is_refused(void **state)
{
	static char big[100000];
	struct stage *stage = *state;
	struct sockaddr_storage address;
	void *any = &address;
	socklen_t size;
	char path[128];
	int client;

	snprintf(path, sizeof(path), "%s", bed_path(stage->bed, "", "client"));
	stage_serve(stage, &echo, "unix-dgram:@berth-test");
	client = bed_datagram_client(stage->listener, path);
	bed_address(stage->listener, &address, &size);
	assert_int_equal(
	    sendto(client, big, sizeof(big), 0, any, size), sizeof(big));
	send_to(client, stage->listener, "short");
	expect_answer(stage, client, "short");
	assert_int_equal(stage_counters(stage)->datagrams, 1);
	assert_int_equal(stage_counters(stage)->datagrams_refused, 1);
	assert_int_equal(occurrences(stage, "it is too long"), 1);
	close(client);
	unlink(path);
}

int
main(void)
{
#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, stage_setup, stage_teardown)
	static const struct CMUnitTest tests[] = {
	    TEST(test_udp_answers),
	    TEST(test_answer_comes_from_the_address_asked),
	    TEST(test_addresses_as_told),
	    TEST(test_unix_datagrams),
	    TEST(test_whoever_has_left_is_no_trouble),
	    TEST(test_session_for_one_call),
	    TEST(test_suspended_inside),
	    TEST(test_budget),
	    TEST(test_sources_that_are_refused),
	    TEST(test_two_services_do_not_talk_for_ever),
	    TEST(test_unix_services_do_not_talk_for_ever),
	    TEST(test_group_destination_is_refused),
	    TEST(test_too_long_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
