/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Listening sockets: found by address, kept while somebody has them.
 */
#include "unit/net_bed.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>

static int
option(int fd, int level, int name)
{
	int value = -1;
	socklen_t size = sizeof(value);

	assert_int_equal(getsockopt(fd, level, name, &value, &size), 0);
	return value;
}

/* The word with the listener's own port instead of 0. */
static const char *
with_port(const char *word, const struct listener *listener)
{
	static char text[128];

	snprintf(text, sizeof(text), "%.*s%u", (int)strlen(word) - 1, word,
	    bed_port(listener));
	return text;
}

static bool
can_connect(int family, const char *host, unsigned port)
{
	struct sockaddr_in v4 = {
	    .sin_family = AF_INET, .sin_port = htons((in_port_t)port)};
	struct sockaddr_in6 v6 = {
	    .sin6_family = AF_INET6, .sin6_port = htons((in_port_t)port)};
	void *any = &v4;
	socklen_t size = sizeof(v4);
	bool can;
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (family == AF_INET6) {
		any = &v6;
		size = sizeof(v6);
		assert_int_equal(inet_pton(family, host, &v6.sin6_addr), 1);
	} else {
		assert_int_equal(inet_pton(family, host, &v4.sin_addr), 1);
	}
	can = connect(fd, any, size) == 0;
	close(fd);
	return can;
}

static void
test_R_LIS_1_reuseaddr(void **state)
{
	struct bed *bed = *state;
	struct listener *listener = bed_listen(bed, "tcp:127.0.0.1:0");
	char word[128];
	int client, server;

	assert_int_equal(
	    option(listener_fd(listener), SOL_SOCKET, SO_REUSEADDR), 1);
	/* Our side closes first: the port is in TIME_WAIT. */
	client = bed_connect(listener);
	server = accept(listener_fd(listener), NULL, NULL);
	assert_true(server >= 0);
	close(server);
	close(client);
	snprintf(word, sizeof(word), "%s", listener_text(listener));
	listener_unref(listener);
	listener = bed_listen(bed, word);
	assert_string_equal(listener_text(listener), word);
	listener_unref(listener);
}

static void
test_udp_ports_are_not_shared(void **state)
{
	struct bed *bed = *state;
	struct listener *listener = bed_listen(bed, "udp:127.0.0.1:0");
	struct sockaddr_storage address;
	void *any = &address;
	socklen_t size;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), one = 1;

	bed_address(listener, &address, &size);
	assert_int_equal(
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)), 0);
	assert_int_equal(bind(fd, any, size), -1);
	assert_int_equal(errno, EADDRINUSE);
	close(fd);
	listener_unref(listener);
}

static void
test_R_LIS_2_in_use_by_another_process(void **state)
{
	struct bed *bed = *state;
	struct sockaddr_in address = {
	    .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	void *any = &address;
	socklen_t size = sizeof(address);
	struct listener *listener;
	char word[64], text[256];
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, any, size), 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(getsockname(fd, any, &size), 0);
	snprintf(
	    word, sizeof(word), "tcp:127.0.0.1:%u", ntohs(address.sin_port));
	assert_int_equal(bed_try_listen(bed, word, &listener), -EADDRINUSE);
	snprintf(text, sizeof(text),
	    "cannot listen on %s: Address already in use", word);
	assert_string_equal(bed_error(bed), text);
	close(fd);
	/* The host goes on. */
	listener_unref(bed_listen(bed, word));
}

static void
test_R_LIS_2_in_use_by_one_of_ours(void **state)
{
	struct bed *bed = *state;
	struct listener *first = bed_listen(bed, "tcp4:*:0"), *second;
	char word[64], text[256];

	snprintf(word, sizeof(word), "tcp:127.0.0.1:%u", bed_port(first));
	assert_int_equal(bed_try_listen(bed, word, &second), -EADDRINUSE);
	snprintf(text, sizeof(text),
	    "cannot listen on %s: Address already in use; service 'test' holds "
	    "tcp4:*:%u",
	    word, bed_port(first));
	assert_string_equal(bed_error(bed), text);
	listener_unref(first);
}

static void
test_an_address_that_is_not_ours(void **state)
{
	struct bed *bed = *state;
	struct listener *listener;

	assert_int_equal(
	    bed_try_listen(bed, "tcp:192.0.2.1:7", &listener), -EADDRNOTAVAIL);
	assert_string_equal(bed_error(bed), "cannot listen on tcp:192.0.2.1:7: "
					    "Cannot assign requested address");
}

static unsigned
backlog_of(const struct listener *listener)
{
	struct tcp_info info;
	socklen_t size = sizeof(info);

	assert_int_equal(getsockopt(listener_fd(listener), IPPROTO_TCP,
			     TCP_INFO, &info, &size),
	    0);
	return info.tcpi_sacked; /* of a listening socket: its backlog */
}

static void
test_R_LIS_3_backlog(void **state)
{
	struct bed *bed = *state;
	struct listener *listener;

	bed->settings.backlog = 5;
	listener = bed_listen(bed, "tcp:127.0.0.1:0");
	assert_int_equal(backlog_of(listener), 5);
	listener_set_backlog(listener, 16);
	assert_int_equal(backlog_of(listener), 16);
	bed->settings.backlog = 7;
	listener_tune(listener, &bed->settings);
	assert_int_equal(backlog_of(listener), 7);
	listener_unref(listener);
}

static void
test_connections_inherit_options(void **state)
{
	struct bed *bed = *state;
	struct listener *listener;
	int client, server;

	bed->settings.keepalive = true;
	bed->settings.nodelay = true;
	listener = bed_listen(bed, "tcp:127.0.0.1:0");
	client = bed_connect(listener);
	server = accept(listener_fd(listener), NULL, NULL);
	assert_int_equal(option(server, SOL_SOCKET, SO_KEEPALIVE), 1);
	assert_int_equal(option(server, IPPROTO_TCP, TCP_NODELAY), 1);
	close(server);
	close(client);
	bed->settings.nodelay = false;
	listener_tune(listener, &bed->settings);
	client = bed_connect(listener);
	server = accept(listener_fd(listener), NULL, NULL);
	assert_int_equal(option(server, IPPROTO_TCP, TCP_NODELAY), 0);
	close(server);
	close(client);
	listener_unref(listener);
}

static void
test_every_socket_is_cloexec_and_nonblock(void **state)
{
	static const char *const endpoints[] = {
	    "tcp:127.0.0.1:0", "udp:127.0.0.1:0", "unix:@berth-test"};
	struct bed *bed = *state;
	struct listener *listener;
	unsigned i;

	for (i = 0; i < BASE_COUNT(endpoints); i++) {
		listener = bed_listen(bed, endpoints[i]);
		assert_true(fcntl(listener_fd(listener), F_GETFD) & FD_CLOEXEC);
		assert_true(fcntl(listener_fd(listener), F_GETFL) & O_NONBLOCK);
		listener_unref(listener);
	}
}

/* --- both families ---------------------------------------------------------*/

static void
test_star_is_dual_stack(void **state)
{
	struct bed *bed = *state;
	struct listener *listener = bed_listen(bed, "tcp:*:0");
	unsigned port = bed_port(listener);
	char text[64];

	snprintf(text, sizeof(text), "tcp:*:%u", port);
	assert_string_equal(listener_text(listener), text);
	assert_true(can_connect(AF_INET, "127.0.0.1", port));
	if (bed_has_v6()) {
		assert_int_equal(
		    option(listener_fd(listener), IPPROTO_IPV6, IPV6_V6ONLY),
		    0);
		assert_true(can_connect(AF_INET6, "::1", port));
	}
	listener_unref(listener);
}

static void
test_families_are_exact(void **state)
{
	struct bed *bed = *state;
	struct listener *four = bed_listen(bed, "tcp4:*:0"), *six;

	assert_true(can_connect(AF_INET, "127.0.0.1", bed_port(four)));
	assert_false(can_connect(AF_INET6, "::1", bed_port(four)));
	if (!bed_has_v6()) {
		print_message("no IPv6 here: tcp6 is not looked at\n");
		listener_unref(four);
		return;
	}
	/* The same port in the other family is another socket. */
	six = bed_listen(bed, with_port("tcp6:*:0", four));
	assert_int_equal(
	    option(listener_fd(six), IPPROTO_IPV6, IPV6_V6ONLY), 1);
	listener_unref(four);
	assert_true(can_connect(AF_INET6, "::1", bed_port(six)));
	assert_false(can_connect(AF_INET, "127.0.0.1", bed_port(six)));
	listener_unref(six);
}

static void
test_v6only_makes_star_six(void **state)
{
	struct bed *bed = *state;
	struct listener *listener;

	if (!bed_has_v6()) {
		print_message("no IPv6 here\n");
		return;
	}
	bed->settings.v6only = true;
	listener = bed_listen(bed, "tcp:*:0");
	assert_memory_equal(listener_text(listener), "tcp6:*:", 7);
	assert_false(can_connect(AF_INET, "127.0.0.1", bed_port(listener)));
	listener_unref(listener);
}

/* --- identity --------------------------------------------------------------*/

static void
test_same_address_same_listener(void **state)
{
	static const char *const pairs[][2] = {
	    {"tcp:127.0.0.1:0", "tcp4:localhost:0"},
	    {"tcp4:*:0", "tcp4:0.0.0.0:0"},
	    {"tcp:*:0", "tcp:[::]:0"},
	    {"udp:127.0.0.1:0", "udp4:localhost:0"},
	};
	struct bed *bed = *state;
	struct listener *first, *second;
	char word[128];
	unsigned i;

	for (i = 0; i < BASE_COUNT(pairs); i++) {
		/* A port that is free, then asked for by number. */
		first = bed_listen(bed, pairs[i][0]);
		snprintf(
		    word, sizeof(word), "%s", with_port(pairs[i][0], first));
		listener_unref(first);
		first = bed_listen(bed, word);
		second = bed_listen(bed, with_port(pairs[i][1], first));
		assert_ptr_equal(first, second);
		listener_unref(first);
		assert_string_equal(listener_text(second), word);
		listener_unref(second);
	}
}

static void
test_tcp_and_udp_are_two(void **state)
{
	struct bed *bed = *state;
	struct listener *tcp = bed_listen(bed, "tcp:127.0.0.1:0");
	struct listener *udp = bed_listen(
	    bed, with_port("udp:127.0.0.1:0", tcp));

	assert_ptr_not_equal(tcp, udp);
	assert_false(listener_is_datagram(tcp));
	assert_true(listener_is_datagram(udp));
	listener_unref(tcp);
	listener_unref(udp);
}

static void
test_port_0_belongs_to_service_and_number(void **state)
{
	struct bed *bed = *state;
	struct endpoint_spec spec = bed_spec("tcp:127.0.0.1:0");
	struct listener *a, *again, *b, *other;

	assert_int_equal(listeners_acquire(bed->listeners, &spec,
			     &bed->settings, "a", 0, NULL, &a),
	    0);
	assert_int_equal(listeners_acquire(bed->listeners, &spec,
			     &bed->settings, "a", 0, NULL, &again),
	    0);
	assert_ptr_equal(a, again);
	assert_int_equal(listeners_acquire(bed->listeners, &spec,
			     &bed->settings, "a", 1, NULL, &b),
	    0);
	assert_int_equal(listeners_acquire(bed->listeners, &spec,
			     &bed->settings, "b", 0, NULL, &other),
	    0);
	assert_true(bed_port(a) != bed_port(b));
	assert_true(bed_port(a) != bed_port(other));
	listener_unref(a);
	listener_unref(again);
	listener_unref(b);
	listener_unref(other);
}

static void
name_each(void *context, struct listener *listener)
{
	struct text *text = context;

	text_printf(text, "%s ", listener_text(listener));
}

static void
test_each_in_order_of_birth(void **state)
{
	struct bed *bed = *state;
	struct listener *a = bed_listen(bed, "unix:@berth-a");
	struct listener *b = bed_listen(bed, "unix:@berth-b");
	struct listener *c = bed_listen(bed, "unix:@berth-c");
	AUTO_TEXT text = {0}, wanted = {0};

	listener_unref(b);
	b = bed_listen(bed, "unix:@berth-b");
	listeners_each(bed->listeners, name_each, &text);
	text_printf(&wanted, "%s ", bed_word("unix:@berth-a"));
	text_printf(&wanted, "%s ", bed_word("unix:@berth-c"));
	text_printf(&wanted, "%s ", bed_word("unix:@berth-b"));
	assert_string_equal(text.data, wanted.data);
	listener_unref(a);
	listener_unref(b);
	listener_unref(c);
}

int
main(void)
{
#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, bed_setup, bed_teardown)
	static const struct CMUnitTest tests[] = {
	    TEST(test_R_LIS_1_reuseaddr),
	    TEST(test_udp_ports_are_not_shared),
	    TEST(test_R_LIS_2_in_use_by_another_process),
	    TEST(test_R_LIS_2_in_use_by_one_of_ours),
	    TEST(test_an_address_that_is_not_ours),
	    TEST(test_R_LIS_3_backlog),
	    TEST(test_connections_inherit_options),
	    TEST(test_every_socket_is_cloexec_and_nonblock),
	    TEST(test_star_is_dual_stack),
	    TEST(test_families_are_exact),
	    TEST(test_v6only_makes_star_six),
	    TEST(test_same_address_same_listener),
	    TEST(test_tcp_and_udp_are_two),
	    TEST(test_port_0_belongs_to_service_and_number),
	    TEST(test_each_in_order_of_birth),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
