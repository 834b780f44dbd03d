/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The header of the PROXY protocol: the examples of its document, what is no
 * header, every place where it may be torn, and what our own encoder writes.
 */
#include "unit/unit.h"

#include <arpa/inet.h>
#include <berth/proxy_read.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"

#define BOTH (BERTH_PROXY_V1 | BERTH_PROXY_V2)
#define SIG BERTH_PROXY_SIGNATURE
#define BYTES(text) text, sizeof(text) - 1

static const struct good {
	const char *bytes;
	size_t size;
	size_t header;	       /* its size */
	const char *from, *to; /* "ip port"; NULL: not told */
} good[] = {
    {BYTES("PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\nGET /"), 47,
	"192.168.0.1 56324", "192.168.0.11 443"},
    {BYTES("PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n"), 56,
	"255.255.255.255 65535", "255.255.255.255 65535"},

    {BYTES("PROXY TCP6 2001:db8::1 ::1 1 2\r\n"), 32, "2001:db8::1 1", "::1 2"},
    {BYTES("PROXY UNKNOWN\r\n"), 15, NULL, NULL},
    {BYTES("PROXY UNKNOWN ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
	   "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\nx"),
	107, NULL, NULL},
    {BYTES(SIG "\x21\x11\0\x0c\x7f\0\0\x01\x0a\0\0\x02\x30\x39\0\x50more"), 28,
	"127.0.0.1 12345", "10.0.0.2 80"},
    /* A TLV behind the addresses. */
    {BYTES(SIG "\x21\x11\0\x10\x7f\0\0\x01\x0a\0\0\x02\x30\x39\0\x50"
	       "\x04\0\x01z"),
	32, "127.0.0.1 12345", "10.0.0.2 80"},
    {BYTES(SIG "\x21\x21\0\x24"
	       "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01"
	       "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\0\x07\0\x09"),
	52, "2001:db8::1 7", "::1 9"},
    {BYTES(SIG "\x20\0\0\0"), 16, NULL, NULL},	     /* LOCAL */
    {BYTES(SIG "\x20\x11\0\x02zz"), 18, NULL, NULL}, /* LOCAL */
    {BYTES(SIG "\x21\0\0\0"), 16, NULL, NULL},	     /* UNSPEC */
    {BYTES(SIG "\x21\x31\0\x01z"), 17, NULL, NULL},  /* Unix */
};

static void
check_address(const struct sockaddr_storage *address, const char *expected)
{
	const void *any = address;
	const struct sockaddr_in *v4 = any;
	const struct sockaddr_in6 *v6 = any;
	char text[80], ip[INET6_ADDRSTRLEN];
	bool is_v4 = address->ss_family == AF_INET;

	inet_ntop(address->ss_family,
	    is_v4 ? (const void *)&v4->sin_addr : (const void *)&v6->sin6_addr,
	    ip, sizeof(ip));
	snprintf(text, sizeof(text), "%s %u", ip,
	    (unsigned)ntohs(is_v4 ? v4->sin_port : v6->sin6_port));
	assert_string_equal(text, expected);
}

static void
test_good_headers_and_every_part_of_them(void **state)
{
	(void)state;
	for (size_t i = 0; i < BASE_COUNT(good); i++) {
		const struct good *row = &good[i];
		struct berth_proxy_header header;

		assert_int_equal(
		    berth_proxy_read(row->bytes, row->size, BOTH, &header), 0);
		assert_int_equal(header.size, row->header);
		assert_int_equal(header.told, row->from != NULL);
		if (row->from != NULL) {
			check_address(&header.from, row->from);
			check_address(&header.to, row->to);
		}
		for (size_t part = 0; part < row->header; part++) {
			/* Of its own, so that one byte too far is seen. */
			char *copy = malloc(part + 1);

			assert_non_null(copy);
			memcpy(copy, row->bytes, part);
			copy = realloc(copy, part > 0 ? part : 1);
			assert_int_equal(
			    berth_proxy_read(copy, part, BOTH, &header),
			    -EAGAIN);
			free(copy);
		}
	}
}

static const struct bad {
	const char *bytes;
	size_t size;
	unsigned versions;
} bad[] = {
    {BYTES("GET / HTTP/1.0\r\n"), BOTH},
    {BYTES("proxy TCP4 1.2.3.4 1.2.3.4 1 2\r\n"), BOTH},
    {BYTES("PROXY TCP4 1.2.3.4 1.2.3.4 1 2\n"), BOTH},
    {BYTES("PROXY TCP4  1.2.3.4 1.2.3.4 1 2\r\n"), BOTH},
    {BYTES("PROXY TCP4 1.2.3.4 1.2.3.4 1 2 \r\n"), BOTH},
    {BYTES("PROXY TCP4 1.2.3.4 1.2.3.4 1 2 3\r\n"), BOTH},
    {BYTES("PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n"), BOTH},
    {BYTES("PROXY TCP4 1.2.3.4 1.2.3.4 1 65536\r\n"), BOTH},
    {BYTES("PROXY TCP4 1.2.3.4 1.2.3.4 1 99999\r\n"), BOTH},
    {BYTES("PROXY TCP4 1.2.3.4 1.2.3.4 01 2\r\n"), BOTH},
    {BYTES("PROXY TCP4 1.2.3.4 1.2.3.4 -1 2\r\n"), BOTH},
    {BYTES("PROXY TCP4 1.2.3.4.5 1.2.3.4 1 2\r\n"), BOTH},
    {BYTES("PROXY TCP4 ::1 ::1 1 2\r\n"), BOTH},
    {BYTES("PROXY TCP6 1.2.3.4 1.2.3.4 1 2\r\n"), BOTH},
    {BYTES("PROXY TCP4 1.2.3.4 1.2.3.4 1 2\0\r\n"), BOTH},
    {BYTES("PROXY UNKNOWNX\r\n"), BOTH},
    {BYTES("PROXY UDP4 1.2.3.4 1.2.3.4 1 2\r\n"), BOTH},
    {BYTES("PROXY \r\n"), BOTH},
    {BYTES("PROXY TCP4 1.2.3.4 1.2.3.4 1 2\r\n"), BERTH_PROXY_V2},
    {BYTES(SIG "\x21\x11\0\x0c\x7f\0\0\x01\x0a\0\0\x02\x30\x39\0\x50"),
	BERTH_PROXY_V1},
    {BYTES("\r\n\r\n\0\r\nQUIT\r"), BOTH},
    {BYTES(SIG "\x11\x11\0\0"), BOTH}, /* version 1 in 2's clothes */
    {BYTES(SIG "\x22\x11\0\0"), BOTH}, /* no such command */
    {BYTES(SIG "\x21\x11\0\x0b\x7f\0\0\x01\x0a\0\0\x02\x30\x39\0"), BOTH},
    {BYTES(SIG "\x21\x41\0\0"), BOTH},	   /* no such family */
    {BYTES(SIG "\x21\x13\0\0"), BOTH},	   /* no such transport */
    {BYTES(SIG "\x21\x11\xff\xff"), BOTH}, /* more than we hold */
};

static void
test_what_is_no_header(void **state)
{
	char line[200];
	struct berth_proxy_header header;

	(void)state;
	for (size_t i = 0; i < BASE_COUNT(bad); i++)
		assert_int_equal(berth_proxy_read(bad[i].bytes, bad[i].size,
				     bad[i].versions, &header),
		    -EBADMSG);
	memset(line, 'x', sizeof(line));
	memcpy(line, "PROXY UNKNOWN ", 14);
	assert_int_equal(berth_proxy_read(line, 106, BOTH, &header), -EAGAIN);
	assert_int_equal(berth_proxy_read(line, 107, BOTH, &header), -EBADMSG);
	memcpy(line + 106, "\r\n", 2);
	assert_int_equal(berth_proxy_read(line, 108, BOTH, &header), -EBADMSG);
}

static void
make_address(int family, const char *ip, unsigned port,
    struct sockaddr_storage *ret_address)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};

	v4.sin_port = v6.sin6_port = htons((in_port_t)port);
	memset(ret_address, 0, sizeof(*ret_address));
	if (family == AF_INET) {
		assert_int_equal(inet_pton(family, ip, &v4.sin_addr), 1);
		memcpy(ret_address, &v4, sizeof(v4));
	} else {
		assert_int_equal(inet_pton(family, ip, &v6.sin6_addr), 1);
		memcpy(ret_address, &v6, sizeof(v6));
	}
}

static void
test_what_we_write_is_read(void **state)
{
	static const struct {
		int family;
		const char *from, *to;
	} rows[] = {{AF_INET, "192.0.2.1", "198.51.100.255"},
	    {AF_INET6, "2001:db8::1", "::1"},
	    {AF_INET6, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe",
		"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"}};
	char buffer[BERTH_PROXY_MAX], expected[80];
	struct sockaddr_storage from, to;
	const void *from_any = &from, *to_any = &to;
	struct berth_proxy_header header;

	(void)state;
	for (size_t i = 0; i < BASE_COUNT(rows); i++) {
		make_address(rows[i].family, rows[i].from, 65535, &from);
		make_address(rows[i].family, rows[i].to, 1, &to);
		for (int version = 1; version <= 2; version++) {
			size_t size = (version == 1 ? berth_proxy_v1
						    : berth_proxy_v2)(
			    from_any, to_any, buffer);

			assert_int_equal(
			    berth_proxy_read(buffer, size, BOTH, &header), 0);
			assert_int_equal(header.size, size);
			assert_true(header.told);
			snprintf(expected, sizeof(expected), "%s 65535",
			    rows[i].from);
			check_address(&header.from, expected);
			snprintf(
			    expected, sizeof(expected), "%s 1", rows[i].to);
			check_address(&header.to, expected);
		}
	}
	assert_int_equal(
	    berth_proxy_read(
		buffer, berth_proxy_v1(NULL, to_any, buffer), BOTH, &header),
	    0);
	assert_false(header.told);
	assert_int_equal(
	    berth_proxy_read(
		buffer, berth_proxy_v2(NULL, to_any, buffer), BOTH, &header),
	    0);
	assert_false(header.told);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_good_headers_and_every_part_of_them),
	    cmocka_unit_test(test_what_is_no_header),
	    cmocka_unit_test(test_what_we_write_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
