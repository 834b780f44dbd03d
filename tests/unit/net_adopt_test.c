/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sockets that were handed in, and addresses that are our own.
 */
#include "unit/net_bed.h"

#include <arpa/inet.h>

/* --- adoption --------------------------------------------------------------*/

static int
foreign_socket(const char *host, struct sockaddr_in *ret_address)
{
	void *any = ret_address;
	socklen_t size = sizeof(*ret_address);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	memset(ret_address, 0, sizeof(*ret_address));
	ret_address->sin_family = AF_INET;
	assert_int_equal(inet_pton(AF_INET, host, &ret_address->sin_addr), 1);
	assert_int_equal(bind(fd, any, size), 0);
	assert_int_equal(listen(fd, 5), 0);
	assert_int_equal(getsockname(fd, any, &size), 0);
	return fd;
}

static void
test_adopted_by_address_and_type(void **state)
{
	struct bed *bed = *state;
	struct sockaddr_in address;
	struct listener *tcp, *udp;
	char word[64];
	int fd = foreign_socket("127.0.0.1", &address);

	assert_int_equal(listeners_adopt(bed->listeners, fd), 0);
	snprintf(
	    word, sizeof(word), "udp:127.0.0.1:%u", ntohs(address.sin_port));
	udp = bed_listen(bed, word);
	assert_int_not_equal(listener_fd(udp), fd);
	snprintf(
	    word, sizeof(word), "tcp:127.0.0.1:%u", ntohs(address.sin_port));
	tcp = bed_listen(bed, word);
	assert_int_equal(listener_fd(tcp), fd);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
	assert_string_equal(listener_text(tcp), word);
	listener_unref(tcp);
	listener_unref(udp);
	/* It was taken: the next is a new one. */
	tcp = bed_listen(bed, word);
	listener_unref(tcp);
}

static void
test_adopted_but_never_asked_for(void **state)
{
	struct bed *bed = *state;
	struct sockaddr_in address;

	/* The teardown counts the descriptors. */
	assert_int_equal(listeners_adopt(bed->listeners,
			     foreign_socket("127.0.0.1", &address)),
	    0);
}

static void
test_adopted_dual_stack(void **state)
{
	struct bed *bed = *state;
	struct sockaddr_in6 address = {.sin6_family = AF_INET6};
	void *any = &address;
	socklen_t size = sizeof(address);
	struct listener *listener;
	int fd = socket(AF_INET6, SOCK_STREAM, 0), zero = 0;
	char word[64];

	if (fd < 0) {
		print_message("no IPv6 here\n");
		return;
	}
	setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof(zero));
	assert_int_equal(bind(fd, any, size), 0);
	assert_int_equal(listen(fd, 5), 0);
	assert_int_equal(getsockname(fd, any, &size), 0);
	assert_int_equal(listeners_adopt(bed->listeners, fd), 0);
	snprintf(word, sizeof(word), "tcp:*:%u", ntohs(address.sin6_port));
	listener = bed_listen(bed, word);
	assert_int_equal(listener_fd(listener), fd);
	listener_unref(listener);
}

static void
test_adopting_what_is_no_socket(void **state)
{
	struct bed *bed = *state;
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	assert_int_equal(listeners_adopt(bed->listeners, fd), -ENOTSOCK);
	assert_int_equal(fcntl(fd, F_GETFD), -1);
}

/* --- loops -----------------------------------------------------------------*/

static void
test_own_datagram_ports(void **state)
{
	struct bed *bed = *state;
	struct listener *udp = bed_listen(bed, "udp:127.0.0.1:0"), *again;
	struct sockaddr_in other = {.sin_family = AF_INET,
	    .sin_port = htons((in_port_t)bed_port(udp)),
	    .sin_addr.s_addr = htonl(0xc0000201)};
	void *any = &other;
	char word[64];

	/* On another machine too: it may run the same. */
	assert_true(listeners_own_datagram(bed->listeners, any, sizeof(other)));
	/* As long as one of them has the port. */
	snprintf(word, sizeof(word), "udp:127.0.0.2:%u", bed_port(udp));
	again = bed_listen(bed, word);
	listener_unref(udp);
	assert_true(listeners_own_datagram(bed->listeners, any, sizeof(other)));
	listener_unref(again);
	assert_false(
	    listeners_own_datagram(bed->listeners, any, sizeof(other)));
}

static void
test_tcp_ports_do_not_count(void **state)
{
	struct bed *bed = *state;
	struct listener *tcp = bed_listen(bed, "tcp:127.0.0.1:0");
	struct sockaddr_in other = {.sin_family = AF_INET,
	    .sin_port = htons((in_port_t)bed_port(tcp)),
	    .sin_addr.s_addr = htonl(0xc0000201)};
	void *any = &other;

	assert_false(
	    listeners_own_datagram(bed->listeners, any, sizeof(other)));
	listener_unref(tcp);
}

int
main(void)
{
#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, bed_setup, bed_teardown)
	static const struct CMUnitTest tests[] = {
	    TEST(test_adopted_by_address_and_type),
	    TEST(test_adopted_but_never_asked_for),
	    TEST(test_adopted_dual_stack),
	    TEST(test_adopting_what_is_no_socket),
	    TEST(test_own_datagram_ports),
	    TEST(test_tcp_ports_do_not_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
