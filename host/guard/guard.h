/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * guard: admission.  Who is served, how many at once, how often and when; and
 * the count of those who were not, by reason.
 *
 * What the settings of a service ask is made into rules, once, when they are
 * read.  What is counted (rates, sessions of each source) is a guard's, which
 * belongs to the name of a service: new rules and new instances go on with it.
 *
 * Neither asks the kernel for anything but the time, and only where a rule
 * needs it.  One thread, but what is marked [any thread].
 */
#ifndef GUARD_GUARD_H
#define GUARD_GUARD_H

#include <time.h>

#include "guard/acl.h"
#include "net/net.h"

/* --- refusals: refusal.c ---------------------------------------------------*/

/* Why somebody is not served. */
enum guard_reason {
	GUARD_SERVED, /* is */
	GUARD_INSTANCES,
	GUARD_PER_SOURCE,
	GUARD_CPS,
	GUARD_SOURCE_CPS,
	GUARD_ADDRESS,
	GUARD_USER,
	GUARD_TIME,
	GUARD_LOAD,
	GUARD_LIBWRAP,
	GUARD_CROWDED, /* too many wait to be judged, or no memory to count */
	GUARD_LATE,    /* what was needed to judge did not come in time */
	GUARD_BROKEN,  /* the connection was gone, or said nonsense */
	GUARD_PROXY,   /* no proxy that is believed, or no header of one */
	GUARD_REASONS
};

/* One word, as the counters are called: "instances". */
const char *guard_reason_name(enum guard_reason reason);
/* For people: "there are as many sessions as …". */
const char *guard_reason_text(enum guard_reason reason);
/* By the on_… of these settings. */
enum limit_policy guard_policy(
    const struct settings *settings, enum guard_reason reason);

/* Counted, and told at most once a minute for each reason. */
struct guard_refusals {
	uint64_t count[GUARD_REASONS];
	uint32_t untold[GUARD_REASONS];
	uint32_t told_s[GUARD_REASONS]; /* 0: never */
};

/* How many are to be told of now, this one among them; 0: none. */
unsigned guard_refused(
    struct guard_refusals *refusals, enum guard_reason reason, struct mono now);

/* --- rules: rules.c --------------------------------------------------------*/

struct guard_rules;

/* Looks up users, reads banners.  *ret_rules is NULL when nothing is asked,
 * and all below take that.  Every mistake is told at the place; 0, or -EINVAL,
 * -ENOENT, -ENOMEM, … */
int guard_rules_new(const struct settings *settings, const struct place *place,
    struct errors *errors, struct guard_rules **ret_rules);
struct guard_rules *guard_rules_free(struct guard_rules *rules);

/* Is there something to ask before the client is known; of the client? */
bool guard_has_gate(const struct guard_rules *rules);
bool guard_has_door(const struct guard_rules *rules);

/* only_from and no_access; NULL: everybody. */
const struct acl *guard_acl(const struct guard_rules *rules);

enum guard_banner { GUARD_BANNER, GUARD_BANNER_SUCCESS, GUARD_BANNER_FAIL };

struct berth_bytes guard_banner(
    const struct guard_rules *rules, enum guard_banner which);

/* --- guards: guard.c -------------------------------------------------------*/

struct guards;
struct guard;
struct guard_source;

struct guards_options {
	struct reactor *reactor;       /* NULL: names cannot be asked for */
	const char *load_path;	       /* NULL: /proc/loadavg */
	time_t (*wall)(void *context); /* NULL: time(2) */
	void *context;
};

/* Those of a host; options may be NULL. */
int guards_new(
    const struct guards_options *options, struct guards **ret_guards);
/* NULL without a reactor. */
struct names *guards_names(const struct guards *guards);
/* No reference may be left. */
struct guards *guards_free(struct guards *guards);

/* The guard of a service of this name; a new reference. */
int guard_acquire(
    struct guards *guards, const char *name, struct guard **ret_guard);
struct guard *guard_unref(struct guard *guard);

/* What is asked with rules that are not NULL. */
struct guard_question {
	struct guard *guard;
	const struct guard_rules *rules;
	const struct settings *settings;
	struct mono now;
	bool queues; /* nobody can be turned away: all limits let wait */
};

/* Of limits whose policy is to queue: how long nobody is to be taken, in
 * nanoseconds; 0: somebody may.  The reason is the limit that says so. */
uint64_t guard_wait(
    const struct guard_question *question, enum guard_reason *ret_reason);
/* By the rules' access list, as acl_ask() answers. */
enum acl_answer guard_access(const struct guard_question *question,
    const struct acl_peer *peer, struct names_waiter *waiter,
    void (*fn)(struct names_waiter *waiter));
/* A client is there and finds cps used up: its pause begins. */
void guard_overrun(const struct guard_question *question);

/* Of the limits that do not ask who it is. */
enum guard_reason guard_gate(const struct guard_question *question);
/* Of this peer, who is counted when he is served.  *ret_source is what to give
 * back at the end of his session, or NULL. */
enum guard_reason guard_door(const struct guard_question *question,
    const struct sockaddr *peer, socklen_t size, const struct ucred *user,
    struct guard_source **ret_source);
/* A session begins, whose client has passed all the rest. */
void guard_begins(const struct guard_question *question);
/* Its session is over; takes NULL.  [any thread] */
void guard_leave(struct guard_source *source);
/* All of it for a datagram, which is over at once: it does not wait for names,
 * but those that come when they are known find them. */
enum guard_reason guard_datagram(const struct guard_question *question,
    const struct sockaddr *peer, socklen_t size);

/* Sources that are known: those with sessions, and those whose rate is not
 * forgotten yet. */
unsigned guard_source_count(const struct guard *guard);

#endif
