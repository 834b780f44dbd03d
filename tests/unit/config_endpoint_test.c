/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Endpoints: what a word means, how it is written for comparison, and what
 * is none.
 */
#include "unit/config_fixture.h"

#include <errno.h>
#include <string.h>

static const struct {
	const char *word;
	enum endpoint_kind kind;
	const char *host, *port, *path;
	const char *text; /* NULL: as the word */
} good[] = {
    {"tcp:*:7", ENDPOINT_TCP, "*", "7", NULL, NULL},
    {"tcp4:*:7", ENDPOINT_TCP4, "*", "7", NULL, NULL},
    {"tcp6:*:7", ENDPOINT_TCP6, "*", "7", NULL, NULL},
    {"udp:*:7", ENDPOINT_UDP, "*", "7", NULL, NULL},
    {"udp4:*:7", ENDPOINT_UDP4, "*", "7", NULL, NULL},
    {"udp6:*:7", ENDPOINT_UDP6, "*", "7", NULL, NULL},
    {"tcp:127.0.0.1:0", ENDPOINT_TCP, "127.0.0.1", "0", NULL, NULL},
    {"tcp:127.0.0.1:000", ENDPOINT_TCP, "127.0.0.1", "0", NULL,
	"tcp:127.0.0.1:0"},
    {"tcp:127.0.0.1:65535", ENDPOINT_TCP, "127.0.0.1", "65535", NULL, NULL},
    {"tcp:127.0.0.1:00080", ENDPOINT_TCP, "127.0.0.1", "80", NULL,
	"tcp:127.0.0.1:80"},
    {"tcp:[::]:7", ENDPOINT_TCP, "::", "7", NULL, NULL},
    {"tcp:[0:0:0:0:0:0:0:1]:7", ENDPOINT_TCP, "::1", "7", NULL, "tcp:[::1]:7"},
    {"udp6:[2001:DB8::A]:7", ENDPOINT_UDP6, "2001:db8::a", "7", NULL,
	"udp6:[2001:db8::a]:7"},
    {"tcp:[::ffff:1.2.3.4]:7", ENDPOINT_TCP, "::ffff:1.2.3.4", "7", NULL, NULL},
    {"tcp:[fe80::1%lo]:7", ENDPOINT_TCP, "fe80::1%lo", "7", NULL, NULL},
    {"tcp:LocalHost:Echo", ENDPOINT_TCP, "localhost", "Echo", NULL,
	"tcp:localhost:Echo"},
    {"tcp:a-b.example.org:3com-tsmux", ENDPOINT_TCP, "a-b.example.org",
	"3com-tsmux", NULL, NULL},
    {"unix:/run/echo", ENDPOINT_UNIX, NULL, NULL, "/run/echo", NULL},
    {"unix:/a:b", ENDPOINT_UNIX, NULL, NULL, "/a:b", NULL},
    {"unix:@name", ENDPOINT_UNIX, NULL, NULL, "@name", NULL},
    {"@name", ENDPOINT_UNIX, NULL, NULL, "@name", "unix:@name"},
    {"@a:b", ENDPOINT_UNIX, NULL, NULL, "@a:b", "unix:@a:b"},
    {"unix-dgram:/run/d", ENDPOINT_UNIX_DGRAM, NULL, NULL, "/run/d", NULL},
    {"unix-seqpacket:@s", ENDPOINT_UNIX_SEQPACKET, NULL, NULL, "@s", NULL},
};

static const char *const bad[] = {"", "7", "tcp", "tcp:", "tcp:7", "tcp::7",
    "tcp:*", "tcp:*:", "tcp:*:65536", "tcp:*:-1", "tcp:*:+1", "tcp:*: 7",
    "tcp:*:7x!", "tcp:*:99999999999999999999", "tcp:::1:7", "tcp:[::1]",
    "tcp:[::1:7", "tcp:[::1]7", "tcp:[]:7", "tcp:[::g]:7", "tcp:[1.2.3.4]:7",
    "tcp:[::1%]:7", "tcp4:[::1]:7", "tcp6:1.2.3.4:7", "tcp:1.2.3:7",
    "tcp:256.1.1.1:7", "tcp:a b:7", "tcp:**:7", "TCP:*:7", "sctp:*:7", "unix",
    "unix:", "unix:x", "unix:/", "unix:@", "@", "unix-stream:/x",
    "unixdgram:/x"};

static void
check_text(const char *found, const char *wanted)
{
	if (wanted == NULL)
		assert_null(found);
	else
		assert_string_equal(found, wanted);
}

static void
test_good(void **state)
{
	struct arena *arena = arena_new();

	(void)state;
	for (size_t i = 0; i < BASE_COUNT(good); i++) {
		struct endpoint_spec spec, again;
		const char *reason;

		assert_int_equal(
		    endpoint_parse(arena, good[i].word, &spec, &reason), 0);
		assert_int_equal(spec.kind, good[i].kind);
		check_text(spec.host, good[i].host);
		check_text(spec.port, good[i].port);
		check_text(spec.path, good[i].path);
		check_text(spec.text,
		    good[i].text != NULL ? good[i].text : good[i].word);
		/* The canonical text is its own. */
		assert_int_equal(
		    endpoint_parse(arena, spec.text, &again, &reason), 0);
		assert_int_equal(again.kind, spec.kind);
		assert_string_equal(again.text, spec.text);
	}
	arena_free(arena);
}

static void
test_bad(void **state)
{
	struct arena *arena = arena_new();

	(void)state;
	for (size_t i = 0; i < BASE_COUNT(bad); i++) {
		struct endpoint_spec spec = {.text = "untouched"};
		const char *reason = NULL;

		assert_int_equal(
		    endpoint_parse(arena, bad[i], &spec, &reason), -EINVAL);
		assert_non_null(reason);
		assert_string_equal(spec.text, "untouched");
	}
	arena_free(arena);
}

/* sockaddr_un holds 107 bytes of a path and its NUL. */
static void
test_long_path(void **state)
{
	struct arena *arena = arena_new();
	struct endpoint_spec spec;
	const char *reason;
	char word[5 + 108 + 1] = "unix:/";

	(void)state;
	memset(word + 6, 'x', 106);
	assert_int_equal(endpoint_parse(arena, word, &spec, &reason), 0);
	memset(word + 6, 'x', 107);
	assert_int_equal(endpoint_parse(arena, word, &spec, &reason), -EINVAL);
	arena_free(arena);
}

static void
test_datagrams(void **state)
{
	(void)state;
	assert_false(endpoint_is_datagram(ENDPOINT_TCP));
	assert_false(endpoint_is_datagram(ENDPOINT_UNIX));
	assert_false(endpoint_is_datagram(ENDPOINT_UNIX_SEQPACKET));
	assert_true(endpoint_is_datagram(ENDPOINT_UDP));
	assert_true(endpoint_is_datagram(ENDPOINT_UDP6));
	assert_true(endpoint_is_datagram(ENDPOINT_UNIX_DGRAM));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_good),
	    cmocka_unit_test(test_bad),
	    cmocka_unit_test(test_long_path),
	    cmocka_unit_test(test_datagrams),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
