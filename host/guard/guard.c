/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * guard: the tests of admission in their order, and what they count.
 *
 * The gate asks what is the same for all: time, load, rate.  The door asks who
 * it is.  Only who passes both takes from the rate, so that those who are
 * refused anyway cannot use it up for the others.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "guard/guard_priv.h"

#define MINUTE_S 60
#define LOAD_AGAIN_NS MONO_MS(1000)

/* --- guards ----------------------------------------------------------------*/

int
guards_new(const struct guards_options *options, struct guards **ret_guards)
{
	struct guards *guards = calloc(1, sizeof(*guards));
	int result = 0;

	if (guards == NULL)
		return -ENOMEM;
	if (options != NULL)
		guards->options = *options;
	if (guards->options.reactor != NULL)
		result = names_new(
		    guards->options.reactor, NULL, &guards->names);
	if (result < 0) {
		free(guards);
		return result;
	}
	guards->load.path = guards->options.load_path;
	if (guards->load.path == NULL)
		guards->load.path = "/proc/loadavg";
	*ret_guards = guards;
	return 0;
}

struct names *
guards_names(const struct guards *guards)
{
	return guards->names;
}

struct guards *
guards_free(struct guards *guards)
{
	if (guards == NULL)
		return NULL;
	BASE_ASSERT(guards->by_name == NULL);
	names_free(guards->names);
	free(guards);
	return NULL;
}

static int
guard_new(struct guards *guards, const char *name, struct guard **ret_guard)
{
	size_t size = strlen(name) + 1;
	struct guard *guard = calloc(1, sizeof(*guard) + size);
	int result = -ENOMEM;

	if (guard == NULL)
		return result;
	memcpy(guard->name, name, size);
	guard->guards = guards;
	result = sources_init(&guard->sources);
	if (result < 0) {
		free(guard);
		return result;
	}
	HASH_ADD_STR(guards->by_name, name, guard);
	if (guard->hash_failed) {
		sources_fini(&guard->sources);
		free(guard);
		return -ENOMEM;
	}
	*ret_guard = guard;
	return 0;
}

int
guard_acquire(struct guards *guards, const char *name, struct guard **ret_guard)
{
	struct guard *guard;
	int result = 0;

	HASH_FIND_STR(guards->by_name, name, guard);
	if (guard == NULL)
		result = guard_new(guards, name, &guard);
	if (result < 0)
		return result;
	guard->references++;
	*ret_guard = guard;
	return 0;
}

struct guard *
guard_unref(struct guard *guard)
{
	if (guard == NULL || --guard->references > 0)
		return NULL;
	HASH_DEL(guard->guards->by_name, guard);
	sources_fini(&guard->sources);
	free(guard);
	return NULL;
}

/* --- the tests -------------------------------------------------------------*/

static time_t
wall_of(const struct guards *guards)
{
	if (guards->options.wall != NULL)
		return guards->options.wall(guards->options.context);
	return time(NULL);
}

/* Each: how long it says no; 0: it says yes. */

static uint64_t
wait_for_time(const struct guard_question *question)
{
	const struct guard_rules *rules = question->rules;
	time_t wall;

	if (!rules->has_times)
		return 0;
	wall = wall_of(question->guard->guards);
	if (spans_have(rules->spans, rules->span_count, wall))
		return 0;
	/* It is looked at again with each minute. */
	return MONO_MS(1000) * (uint64_t)(MINUTE_S - wall % MINUTE_S);
}

static uint64_t
wait_for_load(const struct guard_question *question)
{
	unsigned limit = question->rules->max_load_percent;

	if (limit == 0 || load_percent(&question->guard->guards->load,
			      question->now.ns) < limit)
		return 0;
	return LOAD_AGAIN_NS;
}

static uint64_t
wait_for_rate(const struct guard_question *question)
{
	const struct rate *rate = &question->rules->cps;

	if (rate->count == 0)
		return 0;
	return bucket_wait(&question->guard->bucket, rate, question->now.ns);
}

static const struct gate {
	enum guard_reason reason;
	uint64_t (*wait)(const struct guard_question *question);
} gates[] = {
    {GUARD_CPS, wait_for_rate},
    {GUARD_TIME, wait_for_time},
    {GUARD_LOAD, wait_for_load},
};

static bool
queues(const struct guard_question *question, enum guard_reason reason)
{
	return question->queues ||
	       guard_policy(question->settings, reason) == POLICY_QUEUE;
}

uint64_t
guard_wait(const struct guard_question *question, enum guard_reason *ret_reason)
{
	for (unsigned i = 0; i < BASE_COUNT(gates); i++) {
		enum guard_reason reason = gates[i].reason;
		uint64_t wait;

		if (!queues(question, reason))
			continue;
		wait = gates[i].wait(question);
		if (wait == 0)
			continue;
		*ret_reason = reason;
		return wait;
	}
	return 0;
}

void
guard_overrun(const struct guard_question *question)
{
	bucket_overrun(
	    &question->guard->bucket, &question->rules->cps, question->now.ns);
}

enum guard_reason
guard_gate(const struct guard_question *question)
{
	for (unsigned i = 0; i < BASE_COUNT(gates); i++) {
		enum guard_reason reason = gates[i].reason;

		/* Who may wait was let wait before. */
		if (queues(question, reason) || gates[i].wait(question) == 0)
			continue;
		if (reason == GUARD_CPS)
			guard_overrun(question);
		return reason;
	}
	return GUARD_SERVED;
}

enum acl_answer
guard_access(const struct guard_question *question, const struct acl_peer *peer,
    struct names_waiter *waiter, void (*fn)(struct names_waiter *waiter))
{
	const struct guard_rules *rules = question->rules;

	if (rules == NULL || rules->acl == NULL)
		return ACL_ALLOWED;
	return acl_ask(
	    rules->acl, question->guard->guards->names, peer, waiter, fn);
}

enum guard_reason
guard_door(const struct guard_question *question, const struct sockaddr *peer,
    socklen_t size, const struct ucred *user, struct guard_source **ret_source)
{
	const struct guard_rules *rules = question->rules;
	struct source_key key;

	(void)size;
	*ret_source = NULL;
	if (rules->has_users && peer->sa_family == AF_UNIX &&
	    (user == NULL || !rules_have_user(rules, user)))
		return GUARD_USER;
	if (rules->per_source == 0 && rules->source_cps.count == 0)
		return GUARD_SERVED;
	source_key(&rules->prefixes, peer, user, &key);
	return sources_enter(
	    &question->guard->sources, &key, question, ret_source);
}

void
guard_begins(const struct guard_question *question)
{
	const struct rate *rate = &question->rules->cps;

	if (rate->count != 0)
		bucket_take(&question->guard->bucket, rate, question->now.ns);
}

enum guard_reason
guard_datagram(const struct guard_question *question,
    const struct sockaddr *peer, socklen_t size)
{
	const struct acl_peer client = {peer, size};
	struct guard_source *source = NULL;
	enum guard_reason reason = GUARD_SERVED;

	for (unsigned i = 0; reason == GUARD_SERVED && i < BASE_COUNT(gates);
	     i++)
		if (gates[i].wait(question) != 0)
			reason = gates[i].reason;
	if (reason == GUARD_CPS)
		guard_overrun(question);
	if (reason == GUARD_SERVED &&
	    guard_access(question, &client, NULL, NULL) != ACL_ALLOWED)
		reason = GUARD_ADDRESS;
	if (reason == GUARD_SERVED && size > 0)
		reason = guard_door(question, peer, size, NULL, &source);
	if (reason == GUARD_SERVED)
		guard_begins(question);
	guard_leave(source);
	return reason;
}
