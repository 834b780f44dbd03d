/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Access lists against a list that is looked through from its beginning to its
 * end: random prefixes of every length, near to each other and far, IPv4 and
 * IPv6, both asked with addresses in and around them.
 */
#include "unit/guard_peers.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PREFIXES_MAX 60u
#define ROUNDS 1500u
#define ASKED 200u

struct prefix {
	uint8_t address[16];
	unsigned bits;
	bool v6;
	bool deny;
	char word[64];
};

struct set {
	struct prefix prefixes[PREFIXES_MAX];
	unsigned count;
	uint64_t seed;
};

static uint64_t
draw(struct set *set)
{
	uint64_t x = set->seed;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	set->seed = x;
	return x * UINT64_C(0x2545f4914f6cdd1d) >> 16;
}

static bool
bit_of(const uint8_t *address, unsigned bit)
{
	return (address[bit / 8] >> (7 - bit % 8) & 1) != 0;
}

static bool
covers(const struct prefix *prefix, const uint8_t *address)
{
	for (unsigned i = 0; i < prefix->bits; i++)
		if (bit_of(prefix->address, i) != bit_of(address, i))
			return false;
	return true;
}

/* Half of them begin as one that is there already, for some bits. */
static void
draw_address(struct set *set, bool v6, uint8_t *address)
{
	unsigned bits = v6 ? 128 : 32;
	const struct prefix *near;

	for (unsigned i = 0; i < 16; i++)
		address[i] = (uint8_t)draw(set);
	if (set->count == 0 || draw(set) % 4 == 0)
		return;
	near = &set->prefixes[draw(set) % set->count];
	if (near->v6 != v6)
		return;
	bits = (unsigned)(draw(set) % (bits + 1));
	for (unsigned i = 0; i < bits; i++) {
		uint8_t mask = (uint8_t)(0x80u >> (i % 8));

		address[i / 8] = (uint8_t)((address[i / 8] & ~mask) |
					   (near->address[i / 8] & mask));
	}
}

static void
draw_prefix(struct set *set, struct prefix *prefix)
{
	char text[INET6_ADDRSTRLEN];

	prefix->v6 = draw(set) % 2 == 0;
	prefix->deny = draw(set) % 2 == 0;
	prefix->bits = (unsigned)(draw(set) % (prefix->v6 ? 129 : 33));
	draw_address(set, prefix->v6, prefix->address);
	/* It would be an IPv4 network in other clothes. */
	if (prefix->v6)
		prefix->address[0] |= 1;
	assert_non_null(inet_ntop(prefix->v6 ? AF_INET6 : AF_INET,
	    prefix->address, text, sizeof(text)));
	snprintf(
	    prefix->word, sizeof(prefix->word), "%s/%u", text, prefix->bits);
}

static struct acl *
make(const struct set *set)
{
	char words[2][PREFIXES_MAX * 64] = {"", ""};

	for (unsigned i = 0; i < set->count; i++) {
		char *to = words[set->prefixes[i].deny];

		strcat(to, set->prefixes[i].word);
		strcat(to, " ");
	}
	return peer_acl(words[0], words[1]);
}

static enum acl_answer
look_through(const struct set *set, bool v6, const uint8_t *address)
{
	int longest = -1;
	bool deny = true; /* only_from is set */
	bool any = false;

	for (unsigned i = 0; i < set->count; i++) {
		const struct prefix *prefix = &set->prefixes[i];

		any = any || !prefix->deny;
		if (prefix->v6 != v6 || !covers(prefix, address) ||
		    (int)prefix->bits < longest)
			continue;
		deny = (int)prefix->bits == longest ? deny || prefix->deny
						    : prefix->deny;
		longest = (int)prefix->bits;
	}
	return deny || !any ? ACL_DENIED : ACL_ALLOWED;
}

static void
ask(struct set *set, const struct acl *acl)
{
	bool v6 = draw(set) % 2 == 0;
	uint8_t address[16];
	char text[INET6_ADDRSTRLEN], mapped[INET6_ADDRSTRLEN + 8];
	enum acl_answer wanted;

	draw_address(set, v6, address);
	if (v6)
		address[0] |= 1;
	assert_non_null(
	    inet_ntop(v6 ? AF_INET6 : AF_INET, address, text, sizeof(text)));
	wanted = look_through(set, v6, address);
	if (peer_check(acl, text) != wanted) {
		for (unsigned i = 0; i < set->count; i++)
			print_error("%s%s\n", set->prefixes[i].deny ? "-" : "",
			    set->prefixes[i].word);
		fail_msg("%s: not %d\n", text, (int)wanted);
	}
	if (v6)
		return;
	snprintf(mapped, sizeof(mapped), "::ffff:%s", text);
	assert_int_equal(peer_check(acl, mapped), wanted);
}

static void
test_random(void **state)
{
	struct set set = {.seed = UINT64_C(0x9e3779b97f4a7c15)};

	(void)state;
	for (unsigned round = 0; round < ROUNDS; round++) {
		unsigned count = (unsigned)(draw(&set) % PREFIXES_MAX) + 1;
		struct acl *acl;

		set.count = 0;
		while (set.count < count) {
			draw_prefix(&set, &set.prefixes[set.count]);
			set.count++;
		}
		acl = make(&set);
		for (unsigned i = 0; i < ASKED; i++)
			ask(&set, acl);
		acl_free(acl);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
