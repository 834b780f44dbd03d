/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * acl_find: an address is looked up.
 *
 * Each step looks at one node, which is one line of the cache, and takes six
 * bits of the address, or as many as all prefixes below have in common.  No
 * memory, no locks, no way back: the answer so far is always right if what
 * comes does not match.
 */
#include "guard/acl_priv.h"

#include <endian.h>
#include <netinet/in.h>
#include <string.h>

static enum acl_rule
rule_of(const struct acl_node *node, uint64_t bit)
{
	if (node->deny & bit)
		return ACL_DENY;
	return node->allow & bit ? ACL_ALLOW : ACL_NONE;
}

/* How many slots of the mask stand before the bit. */
static uint32_t
rank(uint64_t mask, uint64_t bit)
{
	return (uint32_t)__builtin_popcountll(mask & (bit - 1));
}

enum acl_rule
acl_tree_find(const struct acl_tree *tree, struct acl_key key)
{
	enum acl_rule rule = (enum acl_rule)tree->whole;
	const struct acl_node *node = tree->nodes;

	while (node != NULL && acl_key_match(key, node->path, node->depth)) {
		uint64_t bit = UINT64_C(1) << acl_key_slot(key, node->depth);
		const struct acl_prefix *tail;

		rule = rule_of(node, bit);
		if (node->inner & bit) {
			node = tree->nodes + node->first_node +
			       rank(node->inner, bit);
			continue;
		}
		if ((node->tails & bit) == 0)
			return rule;
		tail = tree->tails + node->first_tail + rank(node->tails, bit);
		if (acl_key_match(key, tail->key, tail->bits))
			return (enum acl_rule)tail->rule;
		return rule;
	}
	return rule;
}

static struct acl_key
key_v4(const struct in_addr *address)
{
	struct acl_key key = {(uint64_t)ntohl(address->s_addr) << 32, 0};

	return key;
}

static struct acl_key
key_v6(const struct in6_addr *address)
{
	struct acl_key key;

	memcpy(&key, address, sizeof(key));
	key.high = be64toh(key.high);
	key.low = be64toh(key.low);
	return key;
}

bool
acl_client_init(
    struct acl_client *client, const struct sockaddr *peer, socklen_t size)
{
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;

	if (size >= sizeof(v4) && peer->sa_family == AF_INET) {
		memcpy(&v4, peer, sizeof(v4));
		client->key = key_v4(&v4.sin_addr);
		client->v6 = false;
		return true;
	}
	if (size < sizeof(v6) || peer->sa_family != AF_INET6)
		return false;
	memcpy(&v6, peer, sizeof(v6));
	client->key = key_v6(&v6.sin6_addr);
	client->v6 = !IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr);
	if (!client->v6)
		client->key = (struct acl_key){client->key.low << 32, 0};
	return true;
}

enum acl_rule
acl_find(const struct acl *acl, const struct acl_client *client)
{
	return acl_tree_find(client->v6 ? &acl->v6 : &acl->v4, client->key);
}

enum acl_answer
acl_answer_of(const struct acl *acl, enum acl_rule rule)
{
	if (rule == ACL_NONE)
		return acl->has_only_from ? ACL_DENIED : ACL_ALLOWED;
	return rule == ACL_ALLOW ? ACL_ALLOWED : ACL_DENIED;
}

enum acl_answer
acl_check(const struct acl *acl, const struct sockaddr *peer, socklen_t size)
{
	struct acl_client client;

	if (acl == NULL)
		return ACL_ALLOWED;
	if (acl->nobody)
		return ACL_DENIED;
	if (!acl_client_init(&client, peer, size))
		return ACL_ALLOWED;
	if (acl->name_count > 0)
		return ACL_UNKNOWN;
	return acl_answer_of(acl, acl_find(acl, &client));
}
