/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * guard_priv: what the files of the room share.
 */
#ifndef GUARD_GUARD_PRIV_H
#define GUARD_GUARD_PRIV_H

#include <pthread.h>

#define HASH_NONFATAL_OOM 1
#define uthash_nonfatal_oom(element) ((element)->hash_failed = true)
#include <uthash.h>

#include "guard/guard.h"

/* --- bucket.c --------------------------------------------------------------*/

/* A token bucket as one time: that at which it will be full again. */
struct bucket {
	uint64_t full_ns;
	uint64_t paused_ns; /* none is given before */
};

/* How long until there is one to take, of so many in a span; 0: now. */
uint64_t bucket_wait(
    const struct bucket *bucket, const struct rate *rate, uint64_t now_ns);
void bucket_take(
    struct bucket *bucket, const struct rate *rate, uint64_t now_ns);
/* Somebody wanted one and there was none; while it pauses this is nothing. */
void bucket_overrun(
    struct bucket *bucket, const struct rate *rate, uint64_t now_ns);
/* As if nothing had ever been taken. */
bool bucket_is_full(const struct bucket *bucket, uint64_t now_ns);

/* --- times.c ---------------------------------------------------------------*/

struct span {
	uint16_t from, to; /* minutes of the day; to is not within */
};

int spans_new(const struct word_list *words, struct span **ret_spans);
bool spans_have(const struct span *spans, unsigned count, time_t wall);

/* --- load.c ----------------------------------------------------------------*/

struct load {
	const char *path;
	uint64_t read_ns; /* when; 0: never */
	unsigned percent;
};

/* The load average of a minute, not older than a second; one that can't be
 * read is 0. */
unsigned load_percent(struct load *load, uint64_t now_ns);

/* --- sources.c -------------------------------------------------------------*/

struct source_key {
	unsigned char address[16];
	uint32_t kind; /* AF_INET, AF_INET6, AF_UNIX */
};

struct sources;

struct guard_source {
	UT_hash_handle hh;
	bool hash_failed;
	bool is_idle; /* in the list of those without a session */
	unsigned sessions;
	struct source_key key;
	struct sources *sources;
	struct bucket bucket;
	TAILQ_ENTRY(guard_source) link;
};

TAILQ_HEAD(source_list, guard_source);

struct sources {
	pthread_mutex_t lock; /* of all below */
	struct guard_source *by_key;
	struct source_list idle; /* oldest first */
	unsigned idle_count;
	uint64_t secret[3]; /* of the hash: its clients are not to know it */
};

/* Idle ones that are kept at most: then the oldest are forgotten. */
#define SOURCES_IDLE_MAX 16384u

int sources_init(struct sources *sources);
void sources_fini(struct sources *sources);
void source_key(const struct prefixes *prefixes, const struct sockaddr *peer,
    const struct ucred *user, struct source_key *ret_key);
enum guard_reason sources_enter(struct sources *sources,
    const struct source_key *key, const struct guard_question *question,
    struct guard_source **ret_source);

/* --- rules.c ---------------------------------------------------------------*/

struct guard_rules {
	struct rate cps;
	struct rate source_cps;
	struct prefixes prefixes;
	unsigned per_source;
	unsigned max_load_percent;
	bool has_times; /* even if there is none */
	struct span *spans;
	unsigned span_count;
	bool has_users;
	uid_t *users;
	unsigned user_count;
	gid_t *groups;
	unsigned group_count;
	struct acl *acl; /* NULL: everybody */
	struct berth_bytes banners[GUARD_BANNER_FAIL + 1];
};

/* --- users.c ---------------------------------------------------------------*/

int rules_add_users(struct guard_rules *rules, const struct settings *settings,
    const struct place *place, struct errors *errors);
bool rules_have_user(const struct guard_rules *rules, const struct ucred *user);

/* --- guard.c ---------------------------------------------------------------*/

struct guards {
	struct guards_options options;
	struct names *names;
	struct guard *by_name;
	struct load load;
};

struct guard {
	UT_hash_handle hh;
	bool hash_failed;
	unsigned references;
	struct guards *guards;
	struct bucket bucket;
	struct sources sources;
	char name[];
};

#endif
