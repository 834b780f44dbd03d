/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Inside an access list: the tree of prefixes, and what stands beside it.
 */
#ifndef GUARD_ACL_PRIV_H
#define GUARD_ACL_PRIV_H

#include "config/config_access.h"
#include "guard/acl.h"

enum acl_rule { ACL_NONE, ACL_ALLOW, ACL_DENY };

struct acl_key {
	uint64_t high, low; /* as in struct access_prefix */
};

/* While a list is made, and behind a slot that leads to one prefix only. */
struct acl_prefix {
	struct acl_key key;
	uint8_t bits;
	uint8_t rule;
};

/*
 * Six bits of an address, behind `depth` that all below have in common: 64
 * slots, a bit each in the masks.  allow and deny hold the answer of a slot,
 * also where more is to come, for when that does not match.  Children lie side
 * by side, in the order of their slots.  One line of the cache.
 */
#define ACL_STRIDE 6u
struct acl_node {
	uint64_t inner; /* slots that lead to a node */
	uint64_t tails; /* slots that lead to the one prefix below them */
	uint64_t allow;
	uint64_t deny;
	struct acl_key path;
	uint32_t first_node;
	uint32_t first_tail;
	uint8_t depth; /* a multiple of ACL_STRIDE */
};

/* Of one family. */
struct acl_tree {
	struct acl_node
	    *nodes; /* aligned to their size; the first is the root */
	struct acl_prefix *tails;
	uint32_t node_count;
	uint32_t tail_count;
	uint32_t prefix_count;
	uint8_t whole; /* rule for no bits at all */
};

/* Prefixes, in any order and more than once; sorted in place.  0, -ENOMEM, or
 * -EFBIG for more than fit. */
int acl_tree_init(
    struct acl_tree *tree, struct acl_prefix *prefixes, size_t count);
void acl_tree_fini(struct acl_tree *tree);
enum acl_rule acl_tree_find(const struct acl_tree *tree, struct acl_key key);

/* Of the prefixes that are whole addresses, sorted: the rule of one. */
struct acl_exact {
	struct acl_prefix *list;
	size_t count;
};

/* What of a list of prefixes acl_tree_init() left, that are so long. */
int acl_exact_init(struct acl_exact *exact, const struct acl_prefix *prefixes,
    uint32_t count, unsigned bits);
enum acl_rule acl_exact_find(const struct acl_exact *exact, struct acl_key key);

/* A client as the lists know him. */
struct acl_client {
	struct acl_key key;
	bool v6;
};
/* False: he has no address. */
bool acl_client_init(
    struct acl_client *client, const struct sockaddr *peer, socklen_t size);
enum acl_rule acl_find(const struct acl *acl, const struct acl_client *client);
enum acl_answer acl_answer_of(const struct acl *acl, enum acl_rule rule);

/* Upper bits of a key; bits at most 128. */
static inline struct acl_key
acl_key_cut(struct acl_key key, unsigned bits)
{
	if (bits <= 64) {
		key.low = 0;
		key.high = bits == 0 ? 0
				     : key.high >> (64 - bits) << (64 - bits);
	} else if (bits < 128) {
		key.low = key.low >> (128 - bits) << (128 - bits);
	}
	return key;
}

/* Do the first bits agree? */
static inline bool
acl_key_match(struct acl_key a, struct acl_key b, unsigned bits)
{
	struct acl_key differ = {a.high ^ b.high, a.low ^ b.low};

	differ = acl_key_cut(differ, bits);
	return (differ.high | differ.low) == 0;
}

/* The six bits from depth on, zeros behind the last. */
static inline unsigned
acl_key_slot(struct acl_key key, unsigned depth)
{
	uint64_t bits;

	if (depth >= 64)
		bits = key.low << (depth - 64);
	else if (depth > 58)
		bits = key.high << depth | key.low >> (64 - depth);
	else
		bits = key.high << depth;
	return (unsigned)(bits >> 58);
}

struct acl_name {
	const char *text; /* a domain begins with its dot */
	bool deny;
};

struct acl {
	struct arena *arena; /* of the names */
	struct acl_tree v4;
	struct acl_tree v6;
	struct acl_exact exact_v4; /* empty where there are no names */
	struct acl_exact exact_v6;
	struct acl_name *names;
	size_t name_count;
	size_t name_room;
	bool has_only_from;
	bool nobody; /* only_from is set and empty */
};

#endif
