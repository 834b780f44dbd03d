/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sources: how many sessions each source has, and how often it comes.  A
 * source is a network of IPv4 or IPv6, by source_prefix, or a user of this
 * machine.  An IPv4 address in IPv6's clothes is the IPv4 address that it is.
 *
 * A source is known from its first session on; who is refused costs no memory.
 * It is forgotten when it has no session and its rate would be the same
 * without it.  There are never more than SOURCES_IDLE_MAX without a session:
 * an attacker with a thousand networks makes the oldest be forgotten.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "guard/guard_priv.h"

/* How many forgettable ones are looked for with each that comes. */
#define SWEEP_STEPS 2u

/* --- keys ------------------------------------------------------------------*/

static void
mask(unsigned char *address, size_t size, unsigned bits)
{
	size_t whole = bits / 8;

	if (whole >= size)
		return;
	address[whole] &= (unsigned char)(0xff00u >> (bits % 8));
	memset(address + whole + 1, 0, size - whole - 1);
}

void
source_key(const struct prefixes *prefixes, const struct sockaddr *peer,
    const struct ucred *user, struct source_key *ret_key)
{
	const void *any = peer;
	const struct sockaddr_in *v4 = any;
	const struct sockaddr_in6 *v6 = any;

	memset(ret_key, 0, sizeof(*ret_key));
	ret_key->kind = peer->sa_family;
	if (peer->sa_family == AF_INET) {
		memcpy(ret_key->address, &v4->sin_addr, 4);
		mask(ret_key->address, 4, prefixes->v4);
	} else if (peer->sa_family == AF_INET6 &&
		   IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr)) {
		ret_key->kind = AF_INET;
		memcpy(ret_key->address, &v6->sin6_addr.s6_addr[12], 4);
		mask(ret_key->address, 4, prefixes->v4);
	} else if (peer->sa_family == AF_INET6) {
		memcpy(ret_key->address, &v6->sin6_addr, 16);
		mask(ret_key->address, 16, prefixes->v6);
	} else if (user != NULL) {
		memcpy(ret_key->address, &user->uid, sizeof(user->uid));
	}
}

/* Keyed, so that nobody can choose networks that collide. */
static unsigned
hash_of(const struct sources *sources, const struct source_key *key)
{
	uint64_t low, high, product;

	memcpy(&low, key->address, sizeof(low));
	memcpy(&high, key->address + sizeof(low), sizeof(high));
	low = (low ^ sources->secret[0]) * (sources->secret[1] | 1);
	low ^= low >> 32;
	high = (high ^ low ^ key->kind) * (sources->secret[2] | 1);
	product = (high ^ high >> 29) * UINT64_C(0x9e3779b97f4a7c15);
	return (unsigned)(product >> 32);
}

/* --- life ------------------------------------------------------------------*/

int
sources_init(struct sources *sources)
{
	TAILQ_INIT(&sources->idle);
	/* Early in the life of a machine there may be none; then there is no
	 * secret, and all else is the same. */
	if (getrandom(sources->secret, sizeof(sources->secret), GRND_NONBLOCK) <
	    0)
		memset(sources->secret, 0x5a, sizeof(sources->secret));
	return -pthread_mutex_init(&sources->lock, NULL);
}

static void
leave_idle(struct guard_source *source)
{
	if (!source->is_idle)
		return;
	TAILQ_REMOVE(&source->sources->idle, source, link);
	source->sources->idle_count--;
	source->is_idle = false;
}

static void
forget(struct guard_source *source)
{
	leave_idle(source);
	HASH_DEL(source->sources->by_key, source);
	free(source);
}

void
sources_fini(struct sources *sources)
{
	struct guard_source *source;

	while ((source = TAILQ_FIRST(&sources->idle)) != NULL)
		forget(source);
	BASE_ASSERT(sources->by_key == NULL);
	pthread_mutex_destroy(&sources->lock);
}

static struct guard_source *
make(struct sources *sources, const struct source_key *key, unsigned hash)
{
	struct guard_source *source = calloc(1, sizeof(*source));

	if (source == NULL)
		return NULL;
	source->key = *key;
	source->sources = sources;
	HASH_ADD_BYHASHVALUE(
	    hh, sources->by_key, key, sizeof(source->key), hash, source);
	if (source->hash_failed) {
		free(source);
		return NULL;
	}
	return source;
}

/* --- coming and going ------------------------------------------------------*/

static void
sweep(struct sources *sources, uint64_t now_ns)
{
	struct guard_source *source;

	for (unsigned i = 0; i < SWEEP_STEPS; i++) {
		source = TAILQ_FIRST(&sources->idle);
		if (source == NULL ||
		    (sources->idle_count <= SOURCES_IDLE_MAX &&
			!bucket_is_full(&source->bucket, now_ns)))
			return;
		forget(source);
	}
}

static enum guard_reason
judge(struct guard_source *source, const struct guard_question *question)
{
	const struct guard_rules *rules = question->rules;
	uint64_t now_ns = question->now.ns;

	if (rules->per_source != 0 && source->sessions >= rules->per_source)
		return GUARD_PER_SOURCE;
	if (rules->source_cps.count == 0 ||
	    bucket_wait(&source->bucket, &rules->source_cps, now_ns) == 0)
		return GUARD_SERVED;
	bucket_overrun(&source->bucket, &rules->source_cps, now_ns);
	return GUARD_SOURCE_CPS;
}

static enum guard_reason
enter(struct sources *sources, const struct source_key *key,
    const struct guard_question *question, struct guard_source **ret_source)
{
	const struct rate *rate = &question->rules->source_cps;
	unsigned hash = hash_of(sources, key);
	struct guard_source *source;
	enum guard_reason reason = GUARD_SERVED;

	sweep(sources, question->now.ns);
	HASH_FIND_BYHASHVALUE(
	    hh, sources->by_key, key, sizeof(*key), hash, source);
	if (source != NULL)
		reason = judge(source, question);
	else
		source = make(sources, key, hash);
	if (source == NULL)
		return GUARD_CROWDED;
	if (reason != GUARD_SERVED)
		return reason;
	leave_idle(source);
	source->sessions++;
	if (rate->count != 0)
		bucket_take(&source->bucket, rate, question->now.ns);
	*ret_source = source;
	return GUARD_SERVED;
}

enum guard_reason
sources_enter(struct sources *sources, const struct source_key *key,
    const struct guard_question *question, struct guard_source **ret_source)
{
	enum guard_reason reason;

	pthread_mutex_lock(&sources->lock);
	reason = enter(sources, key, question, ret_source);
	pthread_mutex_unlock(&sources->lock);
	return reason;
}

void
guard_leave(struct guard_source *source)
{
	struct sources *sources;

	if (source == NULL)
		return;
	sources = source->sources;
	pthread_mutex_lock(&sources->lock);
	BASE_ASSERT(source->sessions > 0);
	if (--source->sessions == 0) {
		/* Without a rate there is nothing to remember. */
		if (source->bucket.full_ns == 0) {
			forget(source);
		} else {
			TAILQ_INSERT_TAIL(&sources->idle, source, link);
			sources->idle_count++;
			source->is_idle = true;
		}
	}
	pthread_mutex_unlock(&sources->lock);
}

unsigned
guard_source_count(const struct guard *guard)
{
	return HASH_COUNT(guard->sources.by_key);
}
