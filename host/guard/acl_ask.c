/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * acl_ask: lists that hold names.
 *
 * What is nearer to one client counts more: an address, written as a number or
 * as the name of a host; then a domain, the longer one first; then a network
 * with a name; then networks in numbers.  Of the same, no_access.
 *
 * What is not known counts against the client: a host of no_access that nobody
 * can tell the addresses of, and a client without a name that leads back to
 * him where no_access has domains.  A name that there is not has no addresses.
 */
#include "guard/acl_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* --- whole addresses -------------------------------------------------------
 */

int
acl_exact_init(struct acl_exact *exact, const struct acl_prefix *prefixes,
    uint32_t count, unsigned bits)
{
	exact->list = calloc((size_t)count + 1, sizeof(*exact->list));
	if (exact->list == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < count; i++)
		if (prefixes[i].bits == bits)
			exact->list[exact->count++] = prefixes[i];
	return 0;
}

static int
compare_keys(const void *a, const void *b)
{
	const struct acl_key *key = a;
	const struct acl_prefix *prefix = b;

	if (key->high != prefix->key.high)
		return key->high < prefix->key.high ? -1 : 1;
	if (key->low != prefix->key.low)
		return key->low < prefix->key.low ? -1 : 1;
	return 0;
}

enum acl_rule
acl_exact_find(const struct acl_exact *exact, struct acl_key key)
{
	const struct acl_prefix *found = bsearch(&key, exact->list,
	    exact->count, sizeof(*exact->list), compare_keys);

	return found != NULL ? (enum acl_rule)found->rule : ACL_NONE;
}

/* --- hosts and networks ----------------------------------------------------
 */

struct asking {
	const struct acl *acl;
	struct names *names;
	struct acl_client client;
	enum acl_rule exact;
	enum acl_rule network;
	unsigned network_bits;
	struct names_entry *pending_allow; /* what there is to wait for */
	struct names_entry *pending_deny;
};

static void
match_prefix(struct asking *asking, const struct access_prefix *prefix,
    enum acl_rule rule)
{
	const struct acl_key key = {prefix->high, prefix->low};
	bool whole = prefix->bits == (prefix->v6 ? 128 : 32);

	if (prefix->v6 != asking->client.v6 ||
	    !acl_key_match(asking->client.key, key, prefix->bits))
		return;
	if (whole) {
		asking->exact = rule > asking->exact ? rule : asking->exact;
	} else if (prefix->bits > asking->network_bits ||
		   asking->network == ACL_NONE) {
		asking->network = rule;
		asking->network_bits = prefix->bits;
	} else if (prefix->bits == asking->network_bits &&
		   rule > asking->network) {
		asking->network = rule;
	}
}

static void
ask_host(struct asking *asking, const struct acl_name *name)
{
	enum acl_rule rule = name->deny ? ACL_DENY : ACL_ALLOW;
	struct names_answer answer;

	names_addresses(asking->names, name->text, &answer);
	if (answer.state == NAMES_PENDING && name->deny)
		asking->pending_deny = answer.entry;
	else if (answer.state == NAMES_PENDING)
		asking->pending_allow = answer.entry;
	else if (answer.state == NAMES_FAILED && name->deny)
		asking->exact = ACL_DENY;
	else if (answer.state == NAMES_GOOD)
		for (unsigned i = 0; i < answer.count; i++)
			match_prefix(asking, &answer.prefixes[i], rule);
}

static void
ask_hosts(struct asking *asking)
{
	const struct acl *acl = asking->acl;

	for (size_t i = 0; i < acl->name_count; i++)
		if (acl->names[i].text[0] != '.')
			ask_host(asking, &acl->names[i]);
}

/* --- domains ---------------------------------------------------------------
 */

static bool
is_within(const char *name, const char *domain)
{
	size_t size = strlen(name), end = strlen(domain);

	return size > end && strcasecmp(name + size - end, domain) == 0;
}

/* Of a client with that name, or with none. */
static enum acl_rule
match_domains(const struct acl *acl, const char *name)
{
	enum acl_rule rule = ACL_NONE;
	size_t longest = 0;

	for (size_t i = 0; i < acl->name_count; i++) {
		const struct acl_name *one = &acl->names[i];
		size_t size = strlen(one->text);

		if (one->text[0] != '.')
			continue;
		if (name == NULL && one->deny)
			return ACL_DENY;
		if (name == NULL || !is_within(name, one->text) ||
		    size < longest || (size == longest && !one->deny))
			continue;
		rule = one->deny ? ACL_DENY : ACL_ALLOW;
		longest = size;
	}
	return rule;
}

/* Could a domain make another answer of this one? */
static bool
domains_matter(const struct acl *acl, enum acl_answer without)
{
	for (size_t i = 0; i < acl->name_count; i++)
		if (acl->names[i].text[0] == '.' &&
		    acl->names[i].deny == (without == ACL_ALLOWED))
			return true;
	return false;
}

static enum acl_answer
ask_domains(struct asking *asking, enum acl_answer without,
    struct names_entry **ret_pending)
{
	const struct acl_key key = asking->client.key;
	const struct access_prefix address = {.high = key.high,
	    .low = key.low,
	    .bits = asking->client.v6 ? 128 : 32,
	    .v6 = asking->client.v6};
	struct names_answer answer;
	enum acl_rule rule;

	if (!domains_matter(asking->acl, without))
		return without;
	names_name(asking->names, &address, &answer);
	*ret_pending = answer.entry;
	if (answer.state == NAMES_PENDING)
		return ACL_UNKNOWN;
	rule = match_domains(
	    asking->acl, answer.state == NAMES_GOOD ? answer.name : NULL);
	return rule == ACL_NONE ? without : acl_answer_of(asking->acl, rule);
}

/* --- the whole -------------------------------------------------------------
 */

static enum acl_answer
judge(struct asking *asking, struct names_entry **ret_pending)
{
	const struct acl *acl = asking->acl;
	enum acl_rule network;

	asking->exact = acl_exact_find(
	    asking->client.v6 ? &acl->exact_v6 : &acl->exact_v4,
	    asking->client.key);
	if (asking->exact != ACL_DENY)
		ask_hosts(asking);
	if (asking->exact == ACL_DENY)
		return ACL_DENIED;
	*ret_pending = asking->pending_deny;
	if (*ret_pending == NULL && asking->exact == ACL_NONE)
		*ret_pending = asking->pending_allow;
	if (*ret_pending != NULL)
		return ACL_UNKNOWN;
	if (asking->exact == ACL_ALLOW)
		return ACL_ALLOWED;
	network = asking->network;
	if (network == ACL_NONE)
		network = acl_find(acl, &asking->client);
	return ask_domains(asking, acl_answer_of(acl, network), ret_pending);
}

enum acl_answer
acl_ask(const struct acl *acl, struct names *names, const struct acl_peer *peer,
    struct names_waiter *waiter, void (*fn)(struct names_waiter *waiter))
{
	struct asking asking = {.acl = acl, .names = names};
	struct names_entry *pending = NULL;
	enum acl_answer answer = acl_check(acl, peer->address, peer->size);

	if (answer != ACL_UNKNOWN ||
	    !acl_client_init(&asking.client, peer->address, peer->size))
		return answer;
	if (names == NULL)
		return ACL_DENIED;
	answer = judge(&asking, &pending);
	if (answer == ACL_UNKNOWN && waiter != NULL)
		names_wait(pending, waiter, fn);
	return answer;
}
