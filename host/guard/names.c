/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * names: the cache of answers, and who waits for one.
 *
 * An entry is made when something is first asked, and stays for the time of
 * its answer; the oldest goes when there are too many.  What is pending, or
 * waited for, stays.  Threads never see an entry: they have jobs.
 *
 * The descriptor and the threads begin with the first question: a host whose
 * lists hold no names has neither.
 */
#include "guard/names_priv.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define HASH_NONFATAL_OOM 1
#define uthash_nonfatal_oom(element) ((element)->hash_failed = true)
#include <uthash.h>

TAILQ_HEAD(names_waiters, names_waiter);
TAILQ_HEAD(names_entries, names_entry);

struct names_entry {
	UT_hash_handle hh;
	bool hash_failed;
	TAILQ_ENTRY(names_entry) link; /* the oldest first */
	struct names *names;
	struct names_waiters waiters;
	struct berth_handler handler; /* its patience */
	berth_timer_id timer;
	enum names_state state;
	bool asked;	/* a job is under way */
	bool answering; /* its waiters are being called */
	struct mono until;
	struct access_prefix *prefixes;
	unsigned count;
	char name[NAMES_TEXT_MAX]; /* that was found */
	char key[NAMES_TEXT_MAX + 8];
};

struct names {
	struct reactor *reactor;
	struct reactor_owner owner;
	struct berth_handler handler;
	struct names_resolver resolver;
	struct names_desk *desk; /* NULL until something is asked */
	struct names_entry *by_key;
	struct names_entries order;
	int event_fd;
};

/* --- entries ---------------------------------------------------------------
 */

static void
drop_entry(struct names_entry *entry)
{
	struct names *names = entry->names;

	BASE_ASSERT(TAILQ_EMPTY(&entry->waiters));
	if (entry->timer != 0)
		reactor_cancel(&names->owner, entry->timer, NULL);
	HASH_DEL(names->by_key, entry);
	TAILQ_REMOVE(&names->order, entry, link);
	free(entry->prefixes);
	free(entry);
}

static bool
make_room(struct names *names)
{
	struct names_entry *entry;

	if (HASH_COUNT(names->by_key) < NAMES_CACHE_MAX)
		return true;
	TAILQ_FOREACH (entry, &names->order, link)
		if (!entry->asked && !entry->answering &&
		    TAILQ_EMPTY(&entry->waiters)) {
			drop_entry(entry);
			return true;
		}
	return false;
}

static struct names_entry *
find_entry(struct names *names, const char *key)
{
	struct names_entry *entry;

	HASH_FIND_STR(names->by_key, key, entry);
	return entry;
}

static const struct berth_handler_type entry_type;

static struct names_entry *
add_entry(struct names *names, const char *key)
{
	struct names_entry *entry;

	if (!make_room(names))
		return NULL;
	entry = calloc(1, sizeof(*entry));
	if (entry == NULL)
		return NULL;
	entry->names = names;
	entry->handler.type = &entry_type;
	TAILQ_INIT(&entry->waiters);
	snprintf(entry->key, sizeof(entry->key), "%s", key);
	HASH_ADD_STR(names->by_key, key, entry);
	if (entry->hash_failed) {
		free(entry);
		return NULL;
	}
	TAILQ_INSERT_TAIL(&names->order, entry, link);
	return entry;
}

/* --- answers ---------------------------------------------------------------
 */

static void
settle(struct names_entry *entry, enum names_state state)
{
	uint64_t ms = state == NAMES_GOOD ? NAMES_GOOD_MS : NAMES_BAD_MS;
	struct names_waiter *waiter;

	entry->state = state;
	entry->until = (struct mono){
	    reactor_now(entry->names->reactor).ns + MONO_MS(ms)};
	if (entry->timer != 0)
		reactor_cancel(&entry->names->owner, entry->timer, NULL);
	entry->timer = 0;
	/* A waiter may wait again, or end others. */
	entry->answering = true;
	while (entry->state != NAMES_PENDING &&
	       (waiter = TAILQ_FIRST(&entry->waiters)) != NULL) {
		names_unwait(waiter);
		waiter->fn(waiter);
	}
	entry->answering = false;
}

static int
out_of_patience(struct berth_handler *handler, uint64_t now_ns, void *token)
{
	struct names_entry *entry = BASE_CONTAINER(
	    handler, struct names_entry, handler);

	(void)now_ns;
	(void)token;
	entry->timer = 0;
	settle(entry, NAMES_FAILED);
	return 0;
}

static const struct berth_handler_type entry_type = {
    .timeout = out_of_patience,
};

static void
take_answer(struct names_job *job)
{
	struct names_entry *entry = job->entry;
	enum names_state state = NAMES_FAILED;
	size_t size = job->count * sizeof(*job->prefixes);

	entry->asked = false;
	free(entry->prefixes);
	entry->prefixes = NULL;
	entry->count = 0;
	if (job->result == -ENOENT)
		state = NAMES_NONE;
	if (job->result == 0 && size > 0)
		entry->prefixes = malloc(size);
	if (entry->prefixes != NULL) {
		state = NAMES_GOOD;
		memcpy(entry->prefixes, job->prefixes, size);
		entry->count = job->count;
		memcpy(entry->name, job->name, sizeof(entry->name));
	}
	free(job);
	settle(entry, state);
}

static int
has_answers(struct berth_handler *handler, int fd)
{
	struct names *names = BASE_CONTAINER(handler, struct names, handler);
	uint64_t count;
	struct names_job *job;

	if (read(fd, &count, sizeof(count)) < 0)
		return 0;
	while ((job = names_desk_take(names->desk)) != NULL)
		take_answer(job);
	return 0;
}

static const struct berth_handler_type names_type = {
    .input = has_answers,
};

/* --- questions -------------------------------------------------------------
 */

static int
open_desk(struct names *names)
{
	AUTO_FD fd = -1;
	int result;

	if (names->desk != NULL)
		return 0;
	fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (fd < 0)
		return -errno;
	result = names_desk_new(&names->resolver, fd, &names->desk);
	if (result < 0)
		return result;
	result = reactor_add(&names->owner, &names->handler, fd, BERTH_READ);
	if (result < 0) {
		names->desk = names_desk_free(names->desk);
		return result;
	}
	names->event_fd = base_take_fd(&fd);
	return 0;
}

struct question {
	enum names_kind kind;
	struct access_prefix address;
	const char *name;
};

/* An answer that is under way already is waited for once more. */
static int
ask(struct names *names, struct names_entry *entry,
    const struct question *question)
{
	struct names_job *job = NULL;
	int result = 0;

	if (!entry->asked) {
		result = open_desk(names);
		if (result == 0 && (job = malloc(sizeof(*job))) == NULL)
			result = -ENOMEM;
		if (result < 0)
			return result;
		*job = (struct names_job){.kind = question->kind,
		    .address = question->address,
		    .entry = entry};
		snprintf(job->name, sizeof(job->name), "%s", question->name);
	}
	if (entry->timer == 0)
		result = reactor_schedule(&names->owner, &entry->handler, NULL,
		    MONO_MS(NAMES_PATIENCE_MS), 0, &entry->timer);
	if (result == 0 && job != NULL)
		result = names_desk_ask(names->desk, job);
	if (result < 0) {
		free(job);
		return result;
	}
	entry->asked = true;
	entry->state = NAMES_PENDING;
	return 0;
}

static bool
is_stale(const struct names *names, const struct names_entry *entry)
{
	return entry->state != NAMES_PENDING &&
	       entry->until.ns <= reactor_now(names->reactor).ns;
}

static void
look_up(struct names *names, const char *key, const struct question *question,
    struct names_answer *ret_answer)
{
	struct names_entry *entry = find_entry(names, key);
	bool fresh = entry == NULL;

	*ret_answer = (struct names_answer){.state = NAMES_FAILED};
	if (fresh)
		entry = add_entry(names, key);
	if (entry == NULL)
		return;
	if ((fresh || is_stale(names, entry)) &&
	    ask(names, entry, question) < 0) {
		entry->state = NAMES_FAILED; /* asked again at once */
		return;
	}
	*ret_answer = (struct names_answer){
	    .state = entry->state,
	    .entry = entry->state == NAMES_PENDING ? entry : NULL,
	    .prefixes = entry->prefixes,
	    .count = entry->count,
	    .name = entry->name,
	};
}

void
names_addresses(
    struct names *names, const char *name, struct names_answer *ret_answer)
{
	const struct question question = {
	    .kind = NAMES_ADDRESSES_OF, .name = name};
	char key[NAMES_TEXT_MAX + 8];

	snprintf(key, sizeof(key), "=%s", name);
	look_up(names, key, &question, ret_answer);
}

void
names_name(struct names *names, const struct access_prefix *address,
    struct names_answer *ret_answer)
{
	const struct question question = {
	    .kind = NAMES_NAME_OF, .address = *address, .name = ""};
	char key[64];

	snprintf(key, sizeof(key), "%c%016llx%016llx", address->v6 ? '6' : '4',
	    (unsigned long long)address->high,
	    (unsigned long long)address->low);
	look_up(names, key, &question, ret_answer);
}

void
names_wait(struct names_entry *entry, struct names_waiter *waiter,
    void (*fn)(struct names_waiter *waiter))
{
	BASE_ASSERT(entry->state == NAMES_PENDING && waiter->entry == NULL);
	waiter->fn = fn;
	waiter->entry = entry;
	TAILQ_INSERT_TAIL(&entry->waiters, waiter, link);
}

void
names_unwait(struct names_waiter *waiter)
{
	if (waiter->entry == NULL)
		return;
	TAILQ_REMOVE(&waiter->entry->waiters, waiter, link);
	waiter->entry = NULL;
}

/* --- life ------------------------------------------------------------------
 */

int
names_new(struct reactor *reactor, const struct names_resolver *resolver,
    struct names **ret_names)
{
	struct names *names = calloc(1, sizeof(*names));
	int result;

	if (names == NULL)
		return -ENOMEM;
	names->reactor = reactor;
	names->resolver = resolver != NULL ? *resolver : names_system_resolver;
	names->handler.type = &names_type;
	names->event_fd = -1;
	TAILQ_INIT(&names->order);
	result = reactor_owner_init(&names->owner, reactor, "names");
	if (result < 0) {
		free(names);
		return result;
	}
	*ret_names = names;
	return 0;
}

struct names *
names_free(struct names *names)
{
	struct names_entry *entry;

	if (names == NULL)
		return NULL;
	names->desk = names_desk_free(names->desk);
	while ((entry = TAILQ_FIRST(&names->order)) != NULL)
		drop_entry(entry);
	reactor_owner_fini(&names->owner);
	fd_close(&names->event_fd);
	free(names);
	return NULL;
}
