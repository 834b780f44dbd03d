/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Addresses as text and text as addresses.
 */
#include "unit/net_bed.h"

#include <arpa/inet.h>

static void
set_v4(struct sockaddr_storage *storage, const char *host, unsigned port)
{
	struct sockaddr_in v4 = {
	    .sin_family = AF_INET, .sin_port = htons((in_port_t)port)};

	assert_int_equal(inet_pton(AF_INET, host, &v4.sin_addr), 1);
	memcpy(storage, &v4, sizeof(v4));
}

static void
set_v6(struct sockaddr_storage *storage, const char *host, unsigned port)
{
	struct sockaddr_in6 v6 = {
	    .sin6_family = AF_INET6, .sin6_port = htons((in_port_t)port)};

	assert_int_equal(inet_pton(AF_INET6, host, &v6.sin6_addr), 1);
	memcpy(storage, &v6, sizeof(v6));
}

static void
test_print_inet(void **state)
{
	static const struct {
		const char *host;
		unsigned port;
		const char *text;
	} cases[] = {
	    {"127.0.0.1", 7, "127.0.0.1:7"},
	    {"0.0.0.0", 65535, "0.0.0.0:65535"},
	    {"::1", 7, "[::1]:7"},
	    {"2001:db8::2", 80, "[2001:db8::2]:80"},
	    {"::ffff:10.1.2.3", 4711, "10.1.2.3:4711"},
	};
	struct sockaddr_storage storage;
	void *any = &storage;
	char text[128];
	unsigned i;

	(void)state;
	for (i = 0; i < BASE_COUNT(cases); i++) {
		memset(&storage, 0, sizeof(storage));
		if (strchr(cases[i].host, ':') != NULL)
			set_v6(&storage, cases[i].host, cases[i].port);
		else
			set_v4(&storage, cases[i].host, cases[i].port);
		assert_int_equal(
		    address_print(any, sizeof(storage), text, sizeof(text)),
		    strlen(cases[i].text));
		assert_string_equal(text, cases[i].text);
	}
}

static void
test_print_names_its_link(void **state)
{
	struct sockaddr_storage storage = {0};
	void *any = &storage;
	struct sockaddr_in6 *v6 = any;
	char text[128];

	(void)state;
	set_v6(&storage, "fe80::1", 7);
	v6->sin6_scope_id = 1;
	address_print(any, sizeof(storage), text, sizeof(text));
	assert_string_equal(text, "[fe80::1%lo]:7");
	v6->sin6_scope_id = 99999;
	address_print(any, sizeof(storage), text, sizeof(text));
	assert_string_equal(text, "[fe80::1%99999]:7");
}

static void
test_print_unix(void **state)
{
	static const struct {
		const char *name;
		size_t size;
		const char *text;
	} cases[] = {
	    {"", 0, "unix"},
	    {"/run/x", 7, "unix:/run/x"},
	    {"/run/x", 6, "unix:/run/x"},
	    {"\0name", 5, "@name"},
	    {"\0a\nb\\", 5, "@a\\x0ab\\x5c"},
	    {"/a b", 5, "unix:/a\\x20b"},
	};
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	void *any = &address;
	char text[512];
	unsigned i;

	(void)state;
	for (i = 0; i < BASE_COUNT(cases); i++) {
		memcpy(address.sun_path, cases[i].name, cases[i].size);
		address_print(any,
		    (socklen_t)(offsetof(struct sockaddr_un, sun_path) +
				cases[i].size),
		    text, sizeof(text));
		assert_string_equal(text, cases[i].text);
	}
}

static void
test_print_needs_no_room(void **state)
{
	struct sockaddr_storage storage = {0};
	void *any = &storage;
	char text[4] = "xyz";

	(void)state;
	set_v4(&storage, "127.0.0.1", 7);
	assert_int_equal(address_print(any, sizeof(storage), text, 4), 11);
	assert_string_equal(text, "127");
	assert_int_equal(address_print(any, sizeof(storage), NULL, 0), 11);
}

static void
test_resolve(void **state)
{
	static const struct {
		const char *word;
		int type;
		const char *text;
	} cases[] = {
	    {"tcp:127.0.0.1:7", SOCK_STREAM, "127.0.0.1:7"},
	    {"tcp4:*:7", SOCK_STREAM, "0.0.0.0:7"},
	    {"tcp6:*:7", SOCK_STREAM, "[::]:7"},
	    {"tcp:*:65535", SOCK_STREAM, "[::]:65535"},
	    {"udp:[::1]:53", SOCK_DGRAM, "[::1]:53"},
	    {"tcp4:localhost:80", SOCK_STREAM, "127.0.0.1:80"},
	    {"tcp:127.0.0.1:echo", SOCK_STREAM, "127.0.0.1:7"},
	    {"udp:127.0.0.1:discard", SOCK_DGRAM, "127.0.0.1:9"},
	    {"unix:/run/x", SOCK_STREAM, "unix:/run/x"},
	    {"unix-dgram:@x", SOCK_DGRAM, NULL},
	    {"unix-seqpacket:x", SOCK_SEQPACKET, "unix:x"},
	};
	struct endpoint_spec spec;
	struct address address;
	void *any = &address.storage;
	char text[128];
	unsigned i;

	(void)state;
	for (i = 0; i < BASE_COUNT(cases); i++) {
		spec = bed_spec(cases[i].word);
		assert_int_equal(address_resolve(&spec, NULL, &address), 0);
		assert_int_equal(address.socket_type, cases[i].type);
		address_print(any, address.size, text, sizeof(text));
		assert_string_equal(text, cases[i].text != NULL
					      ? cases[i].text
					      : bed_word(":@x") + 1);
	}
}

static void
test_resolve_tells_why_not(void **state)
{
	static const char longer[] =
	    "unix:/0123456789012345678901234567890123456789012345678901234567"
	    "89012345678901234567890123456789012345678901234567890123456789";
	static const struct {
		const char *word;
		int result;
		const char *text;
	} cases[] = {
	    {"tcp:127.0.0.1:65536", -EINVAL,
		"a port is 0 to 65535 or a service's name, not '65536'"},
	    {"tcp:127.0.0.1:7x", -EINVAL,
		"a port is 0 to 65535 or a service's name, not '7x'"},
	    {"tcp:127.0.0.1:no-such-port", -EINVAL,
		"unknown port 'no-such-port'"},
	    {"tcp4:[::1]:7", -EINVAL,
		"cannot resolve host '::1': Address family for hostname not "
		"supported"},
	    {"tcp6:127.0.0.1:7", -EINVAL,
		"cannot resolve host '127.0.0.1': Address family for hostname "
		"not supported"},
	    {"unix:", -ENAMETOOLONG,
		"a socket's path has 1 to 107 bytes, this one 0"},
	    {longer, -ENAMETOOLONG,
		"a socket's path has 1 to 107 bytes, this one 121"},
	};
	struct bed *bed = *state;
	struct endpoint_spec spec;
	struct address address;
	unsigned i;

	for (i = 0; i < BASE_COUNT(cases); i++) {
		spec = bed_spec(cases[i].word);
		errors_reset(bed->errors);
		assert_int_equal(address_resolve(&spec, bed->errors, &address),
		    cases[i].result);
		assert_string_equal(bed_error(bed), cases[i].text);
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_print_inet),
	    cmocka_unit_test(test_print_names_its_link),
	    cmocka_unit_test(test_print_unix),
	    cmocka_unit_test(test_print_needs_no_room),
	    cmocka_unit_test(test_resolve),
	    cmocka_unit_test_setup_teardown(
		test_resolve_tells_why_not, bed_setup, bed_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
