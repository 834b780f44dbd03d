/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Words that are options of a socket: set, changed and taken off again while
 * it listens, inherited by connections, and refused where the kernel refuses.
 */
#include "unit/net_bed.h"

#include <net/if.h>
#include <netinet/tcp.h>
#include <sys/stat.h>

static int
option_of(int fd, int level, int number)
{
	int value = -1;
	socklen_t size = sizeof(value);

	assert_int_equal(getsockopt(fd, level, number, &value, &size), 0);
	return value;
}

#define FIELD(name_) offsetof(struct settings, name_)

static const struct row {
	const char *word; /* endpoint */
	size_t offset;
	size_t size; /* of the field */
	uint64_t given[2];
	int level, number, found[2];
} rows[] = {
    {"tcp:127.0.0.1:0", FIELD(keepalive_time_ms), 8, {60000, 1500}, IPPROTO_TCP,
	TCP_KEEPIDLE, {60, 2}},
    {"tcp:127.0.0.1:0", FIELD(keepalive_interval_ms), 8, {5000, 7000},
	IPPROTO_TCP, TCP_KEEPINTVL, {5, 7}},
    {"tcp:127.0.0.1:0", FIELD(keepalive_probes), 4, {3, 4}, IPPROTO_TCP,
	TCP_KEEPCNT, {3, 4}},
    {"tcp:127.0.0.1:0", FIELD(defer_accept_ms), 8, {1000, 3000}, IPPROTO_TCP,
	TCP_DEFER_ACCEPT, {1, 3}},
    {"tcp:127.0.0.1:0", FIELD(fast_open), 4, {16, 32}, IPPROTO_TCP,
	TCP_FASTOPEN, {16, 32}},
    {"tcp:127.0.0.1:0", FIELD(ip_tos), 4, {16, 8}, IPPROTO_IP, IP_TOS, {16, 8}},
    {"udp:127.0.0.1:0", FIELD(ip_tos), 4, {16, 8}, IPPROTO_IP, IP_TOS, {16, 8}},
    {"tcp:127.0.0.1:0", FIELD(ip_ttl), 4, {3, 255}, IPPROTO_IP, IP_TTL,
	{3, 255}},
    {"tcp:[::1]:0", FIELD(ip_tos), 4, {16, 8}, IPPROTO_IPV6, IPV6_TCLASS,
	{16, 8}},
    {"tcp:[::1]:0", FIELD(ip_ttl), 4, {3, 255}, IPPROTO_IPV6, IPV6_UNICAST_HOPS,
	{3, 255}},
    {"tcp:*:0", FIELD(ip_tos), 4, {16, 8}, IPPROTO_IP, IP_TOS, {16, 8}},
    {"tcp:127.0.0.1:0", FIELD(free_bind), 1, {1, 1}, IPPROTO_IP, IP_FREEBIND,
	{1, 1}},
    {"tcp:127.0.0.1:0", FIELD(reuse_port), 1, {1, 1}, SOL_SOCKET, SO_REUSEPORT,
	{1, 1}},
    {"tcp:127.0.0.1:0", FIELD(receive_buffer_bytes), 8, {32768, 65536},
	SOL_SOCKET, SO_RCVBUF, {65536, 131072}},
    {"udp:127.0.0.1:0", FIELD(receive_buffer_bytes), 8, {32768, 65536},
	SOL_SOCKET, SO_RCVBUF, {65536, 131072}},
    {"unix-dgram:@options", FIELD(send_buffer_bytes), 8, {32768, 65536},
	SOL_SOCKET, SO_SNDBUF, {65536, 131072}},
};

static void
put(struct settings *settings, const struct row *row, uint64_t value)
{
	memcpy((char *)settings + row->offset, &value, row->size);
}

static bool
can_test(const struct row *row)
{
	return strchr(row->word, '[') == NULL || bed_has_v6();
}

static void
test_set_changed_and_taken_off(void **state)
{
	struct bed *bed = *state;

	for (unsigned i = 0; i < BASE_COUNT(rows); i++) {
		const struct row *row = &rows[i];
		struct listener *plain, *listener;
		int before, fd;

		if (!can_test(row))
			continue;
		plain = bed_listen(bed, row->word);
		before = option_of(listener_fd(plain), row->level, row->number);
		listener_unref(plain);
		put(&bed->settings, row, row->given[0]);
		listener = bed_listen(bed, row->word);
		fd = listener_fd(listener);
		assert_int_equal(
		    option_of(fd, row->level, row->number), row->found[0]);
		put(&bed->settings, row, row->given[1]);
		listener_tune(listener, &bed->settings);
		assert_int_equal(
		    option_of(fd, row->level, row->number), row->found[1]);
		put(&bed->settings, row, 0);
		listener_tune(listener, &bed->settings);
		assert_int_equal(
		    option_of(fd, row->level, row->number), before);
		listener_unref(listener);
	}
}

static void
test_listening_without_words_is_as_the_kernel_has_it(void **state)
{
	struct bed *bed = *state;
	struct listener *listener = bed_listen(bed, "tcp:127.0.0.1:0");
	int plain = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	for (unsigned i = 0; i < BASE_COUNT(rows); i++)
		if (rows[i].level != IPPROTO_IPV6)
			assert_int_equal(option_of(listener_fd(listener),
					     rows[i].level, rows[i].number),
			    option_of(plain, rows[i].level, rows[i].number));
	close(plain);
	listener_unref(listener);
}

/* --- refusals --------------------------------------------------------------*/

static void
test_no_such_device(void **state)
{
	struct bed *bed = *state;
	struct listener *listener;

	bed->settings.bind_to_device = "no-such-device0";
	assert_true(bed_try_listen(bed, "tcp:127.0.0.1:0", &listener) < 0);
	assert_string_equal(bed_error(bed),
	    "cannot listen on tcp:127.0.0.1:0: bind_to_device: No such device");
	bed->settings.bind_to_device = "a-name-that-no-device-can-have";
	assert_true(bed_try_listen(bed, "udp:127.0.0.1:0", &listener) < 0);
	assert_string_equal(bed_error(bed),
	    "cannot listen on udp:127.0.0.1:0: bind_to_device: No such device");
}

static void
test_device(void **state)
{
	struct bed *bed = *state;
	struct listener *listener;
	char found[IF_NAMESIZE] = "";
	socklen_t size = sizeof(found);

	bed->settings.bind_to_device = "lo";
	listener = bed_listen(bed, "tcp:127.0.0.1:0");
	assert_int_equal(getsockopt(listener_fd(listener), SOL_SOCKET,
			     SO_BINDTODEVICE, found, &size),
	    0);
	assert_string_equal(found, "lo");
	bed->settings.bind_to_device = NULL;
	listener_tune(listener, &bed->settings);
	size = sizeof(found);
	assert_int_equal(getsockopt(listener_fd(listener), SOL_SOCKET,
			     SO_BINDTODEVICE, found, &size),
	    0);
	/* Off again if the host may. */
	assert_true(size == 0 || geteuid() != 0);
	listener_unref(listener);
}

/* What can't be had is told when the listener is shared, and the socket that
 * is in use stays as it was. */
static void
test_refused_for_a_socket_in_use(void **state)
{
	struct bed *bed = *state;
	struct listener *listener = bed_listen(bed, "tcp:127.0.0.1:0"), *same;
	char word[64];

	snprintf(word, sizeof(word), "tcp:127.0.0.1:%u", bed_port(listener));
	bed->settings.ip_tos = 16;
	bed->settings.bind_to_device = "no-such-device0";
	assert_true(bed_try_listen(bed, word, &same) < 0);
	assert_non_null(strstr(bed_error(bed), "bind_to_device: No such"));
	assert_int_equal(
	    option_of(listener_fd(listener), IPPROTO_IP, IP_TOS), 0);
	bed->settings.bind_to_device = NULL;
	same = bed_listen(bed, word);
	assert_ptr_equal(same, listener);
	assert_int_equal(
	    option_of(listener_fd(listener), IPPROTO_IP, IP_TOS), 0);
	listener_tune(listener, &bed->settings);
	assert_int_equal(
	    option_of(listener_fd(listener), IPPROTO_IP, IP_TOS), 16);
	listener_unref(same);
	listener_unref(listener);
}

/* The kernel decides who may mark; we tell what it says. */
static void
test_mark(void **state)
{
	struct bed *bed = *state;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
	bool may = setsockopt(fd, SOL_SOCKET, SO_MARK, &one, sizeof(one)) == 0;
	struct listener *listener;

	close(fd);
	bed->settings.mark = 42;
	if (may) {
		listener = bed_listen(bed, "tcp:127.0.0.1:0");
		assert_int_equal(
		    option_of(listener_fd(listener), SOL_SOCKET, SO_MARK), 42);
		listener_unref(listener);
		return;
	}
	assert_true(bed_try_listen(bed, "tcp:127.0.0.1:0", &listener) < 0);
	assert_string_equal(bed_error(bed),
	    "cannot listen on tcp:127.0.0.1:0: mark: Operation not permitted");
}

static void
test_an_address_that_is_not_there(void **state)
{
	struct bed *bed = *state;
	struct listener *listener;

	assert_true(bed_try_listen(bed, "tcp:192.0.2.1:0", &listener) < 0);
	bed->settings.free_bind = true;
	listener = bed_listen(bed, "tcp:192.0.2.1:0");
	listener_unref(listener);
}

/* --- owners of paths -------------------------------------------------------*/

static struct stat
status_of(const char *word)
{
	struct stat status;

	assert_int_equal(lstat(strchr(word, ':') + 1, &status), 0);
	return status;
}

static void
test_owner_that_is_not_there(void **state)
{
	struct bed *bed = *state;
	const char *word = bed_path(bed, "unix:", "owned");
	struct listener *listener;
	char text[256];

	bed->settings.socket_user = "no-such-user";
	assert_true(bed_try_listen(bed, word, &listener) < 0);
	snprintf(text, sizeof(text),
	    "cannot listen on %s: socket_user: there is no 'no-such-user'",
	    word);
	assert_string_equal(bed_error(bed), text);
	bed->settings.socket_user = NULL;
	bed->settings.socket_group = "no-such-group";
	assert_true(bed_try_listen(bed, word, &listener) < 0);
	snprintf(text, sizeof(text),
	    "cannot listen on %s: socket_group: there is no 'no-such-group'",
	    word);
	assert_string_equal(bed_error(bed), text);
}

static void
expect_owner(const char *word, uid_t uid, gid_t gid)
{
	struct stat status = status_of(word);

	assert_int_equal(status.st_uid, uid);
	assert_int_equal(status.st_gid, gid);
}

static void
test_owner(void **state)
{
	struct bed *bed = *state;
	const char *word = bed_path(bed, "unix:", "owned");
	struct listener *listener, *same;

	bed->settings.socket_user = "4711";
	bed->settings.socket_group = "4712";
	bed->settings.socket_mode = 0640;
	if (geteuid() != 0) {
		assert_true(bed_try_listen(bed, word, &listener) < 0);
		assert_non_null(strstr(
		    bed_error(bed), "socket_user: Operation not permitted"));
		return;
	}
	listener = bed_listen(bed, word);
	expect_owner(word, 4711, 4712);
	assert_int_equal(status_of(word).st_mode & 0777, 0640);

	/* Looked up when it is acquired, given when it comes into force. */
	bed->settings.socket_user = "root";
	bed->settings.socket_group = NULL;
	same = bed_listen(bed, word);
	expect_owner(word, 4711, 4712);
	listener_tune(listener, &bed->settings);
	expect_owner(word, 0, 0);
	listener_unref(same);

	/* What was looked up and given up leaves nothing. */
	bed->settings.socket_user = "4711";
	same = bed_listen(bed, word);
	listener_unref(same);
	bed->settings.socket_user = "root";
	listener_tune(listener, &bed->settings);
	expect_owner(word, 0, 0);

	bed->settings.socket_user = NULL;
	same = bed_listen(bed, word);
	listener_tune(listener, &bed->settings);
	expect_owner(word, geteuid(), getegid());
	listener_unref(same);
	listener_unref(listener);
}

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, bed_setup, bed_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_set_changed_and_taken_off),
	    TEST(test_listening_without_words_is_as_the_kernel_has_it),
	    TEST(test_no_such_device),
	    TEST(test_device),
	    TEST(test_refused_for_a_socket_in_use),
	    TEST(test_mark),
	    TEST(test_an_address_that_is_not_there),
	    TEST(test_owner_that_is_not_there),
	    TEST(test_owner),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
