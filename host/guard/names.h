/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * names: addresses of names and names of addresses, without the loop's waiting
 * for them.
 *
 * Questions are asked of the system's resolver on threads of their own, a few
 * at a time, each question once however many wait for it.  Answers are kept
 * for a minute, what there is not for ten seconds.  What takes longer than
 * NAMES_PATIENCE_MS counts as not known, until the answer comes after all.
 *
 * All calls are the loop's; only the functions of a resolver run elsewhere.
 */
#ifndef GUARD_NAMES_H
#define GUARD_NAMES_H

#include "config/config_access.h"
#include "reactor/reactor.h"

#define NAMES_GOOD_MS 60000u
#define NAMES_BAD_MS 10000u
#define NAMES_PATIENCE_MS 5000u
#define NAMES_CACHE_MAX 4096u
#define NAMES_THREADS_MAX 4u
#define NAMES_PREFIXES_MAX 64u
#define NAMES_TEXT_MAX 256u

/* Called by several threads at once; may block.  0; -ENOENT: there is none;
 * another negative errno: it is not known now. */
struct names_resolver {
	/* Addresses of a host, or the network of that name. */
	int (*addresses)(void *context, const char *name,
	    struct access_prefix *prefixes, unsigned *ret_count);
	/* The name of an address, as it is told; names checks it. */
	int (*name)(void *context, const struct access_prefix *address,
	    char name[NAMES_TEXT_MAX]);
	void *context;
};

struct names;
struct names_entry;

/* resolver: NULL is the system's. */
int names_new(struct reactor *reactor, const struct names_resolver *resolver,
    struct names **ret_names);
/* Nobody may be waiting.  Does not wait for a question that hangs: the thread
 * that asked it ends by itself, and touches nothing of ours. */
struct names *names_free(struct names *names);

enum names_state {
	NAMES_PENDING, /* it is being asked */
	NAMES_GOOD,
	NAMES_NONE,  /* there is none, or it does not lead back */
	NAMES_FAILED /* nobody knows */
};

/* Good until the next call. */
struct names_answer {
	enum names_state state;
	struct names_entry *entry; /* to wait for; NULL unless pending */
	const struct access_prefix *prefixes;
	unsigned count;
	const char *name;
};

/* What is known, or it is asked from now on.  Never fails: without memory, or
 * when too much is asked already, the state says so. */
void names_addresses(
    struct names *names, const char *name, struct names_answer *ret_answer);
/* The name of an address, if it has that address among its own. */
void names_name(struct names *names, const struct access_prefix *address,
    struct names_answer *ret_answer);

/* Embedded; all zero when it does not wait. */
struct names_waiter {
	TAILQ_ENTRY(names_waiter) link;
	struct names_entry *entry;
	void (*fn)(struct names_waiter *waiter);
};

/* fn is called once, when the entry is pending no longer. */
void names_wait(struct names_entry *entry, struct names_waiter *waiter,
    void (*fn)(struct names_waiter *waiter));
void names_unwait(struct names_waiter *waiter);

#endif
