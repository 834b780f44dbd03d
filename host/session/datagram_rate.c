/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * datagram_rate: how many datagrams of one address are served.
 *
 * Two servers that answer each other do so as fast as they can; a bucket that
 * is empty drops what goes round between them, and that is its end
 * (CVE-1999-0103, CVE-2024-2169).  An address is one of IPv4, or the first 64
 * bits of one of IPv6.
 *
 * A fixed table: addresses that meet in a row share its bucket until it is
 * full again.
 */
#include <netinet/in.h>
#include <string.h>

#include "session/session_priv.h"

#define SPAN_MS 10000u

/* SplitMix64's last step: spreads what an address differs in. */
static uint64_t
mix(uint64_t key)
{
	key = (key ^ key >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	key = (key ^ key >> 27) * UINT64_C(0x94d049bb133111eb);
	return key ^ key >> 31;
}

/* False: it is no address of a network. */
static bool
key_of(const struct sockaddr *peer, uint64_t *ret_key)
{
	const void *any = peer;
	const struct sockaddr_in *v4 = any;
	const struct sockaddr_in6 *v6 = any;
	uint32_t low;

	if (peer->sa_family == AF_INET) {
		*ret_key = v4->sin_addr.s_addr;
		return true;
	}
	if (peer->sa_family != AF_INET6)
		return false;
	memcpy(ret_key, &v6->sin6_addr, sizeof(*ret_key));
	if (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr)) {
		memcpy(&low, &v6->sin6_addr.s6_addr[12], sizeof(low));
		*ret_key = low;
	}
	return true;
}

bool
datagram_is_too_many(struct datagram_bucket *buckets, unsigned limit,
    struct mono now, const struct sockaddr *peer)
{
	uint64_t key, full = (uint64_t)limit * SPAN_MS, tokens;
	uint32_t now_ms = (uint32_t)(now.ns / MONO_MS(1));
	struct datagram_bucket *bucket;

	if (limit == 0 || !key_of(peer, &key))
		return false;
	/* Where an address is cannot be told from outside. */
	key = mix(key ^ (uintptr_t)buckets);
	bucket = &buckets[key % DATAGRAM_BUCKETS];
	tokens = full - bucket->spent;
	if (bucket->spent > full)
		tokens = 0;
	/* A token is SPAN_MS, and limit of those come each millisecond. */
	tokens += (uint64_t)(now_ms - bucket->at_ms) * limit;
	if (tokens > full)
		tokens = full;
	bucket->at_ms = now_ms;
	if (tokens < SPAN_MS) {
		bucket->spent = full - tokens;
		return true;
	}
	bucket->spent = full - tokens + SPAN_MS;
	return false;
}
