/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Records: found by name in a hash, kept in order of starting, made by a
 * reservation so that the commit that fills them cannot fail, and gone with
 * their last instance, so that churn leaves nothing behind.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "repository/repository_priv.h"

int
repository_new(const struct repository_options *options,
    struct repository **ret_repository)
{
	const struct guards_options guards = {.reactor = options->reactor};
	struct repository *repository = calloc(1, sizeof(*repository));
	int result;

	if (repository == NULL)
		return -ENOMEM;
	repository->reactor = options->reactor;
	repository->listeners = options->listeners;
	repository->ledgers = options->ledgers;
	repository->groups = options->groups;
	repository->wrapper = options->wrapper;
	repository->loops = options->loops;
	repository->log = options->log;
	repository->processes = options->processes;
	repository->doors = options->doors;
	TAILQ_INIT(&repository->order);
	TAILQ_INIT(&repository->loose);
	result = guards_new(&guards, &repository->guards);
	if (result == 0)
		result = reactor_owner_init(
		    &repository->owner, options->reactor, "repository");
	if (result < 0) {
		guards_free(repository->guards);
		free(repository);
		return result;
	}
	*ret_repository = repository;
	return 0;
}

static struct record *
record_free(struct record *record)
{
	if (record == NULL)
		return NULL;
	HASH_DEL(record->repository->by_name, record);
	if (record->in_order) {
		TAILQ_REMOVE(&record->repository->order, record, link);
		record->repository->count--;
	}
	free(record);
	return NULL;
}

/* --- the end --- */

/* Those that others still use are waiting for these others. */
static struct record *
last_unused(struct repository *repository)
{
	struct record *record;

	TAILQ_FOREACH_REVERSE(record, &repository->order, record_list, link)
	{
		if (record->current == NULL || record->current->places == 0)
			break;
	}
	return record;
}

/* Called whenever an instance has come further: lets the last one in order
 * finish first. */
void
repository_step(struct repository *repository)
{
	struct record *last = last_unused(repository);

	if (!repository->stopping)
		return;
	if (last != NULL && last->current != NULL &&
	    last->current->phase == PHASE_WAITS) {
		instance_finish_waiting(last->current);
		return;
	}
	if (TAILQ_EMPTY(&repository->order) &&
	    TAILQ_EMPTY(&repository->loose) && !repository->stopped_told) {
		repository->stopped_told = true;
		if (repository->doors.stopped != NULL)
			repository->doors.stopped(repository->doors.context);
	}
}

/* In reverse order of starting; instances stay in their lists until the end of
 * the turn, so fn may retire or finish them. */
static void
each_instance(struct repository *repository,
    void (*fn)(struct instance *instance, void *context), void *context)
{
	struct record *record;
	struct instance *instance;

	TAILQ_FOREACH_REVERSE(record, &repository->order, record_list, link)
	{
		if (record->current != NULL)
			fn(record->current, context);
		TAILQ_FOREACH (instance, &record->draining, link)
			fn(instance, context);
	}
	TAILQ_FOREACH (instance, &repository->loose, link)
		fn(instance, context);
}

static void
retire(struct instance *instance, void *context)
{
	const uint64_t *drain_ns = context;

	/* An idle console shall not hold up the end of the host. */
	instance_retire(
	    instance, instance->type->flags & BERTH_EPHEMERAL ? 0 : *drain_ns);
}

void
repository_shutdown(struct repository *repository, uint64_t drain_ns)
{
	repository->stopping = true;
	each_instance(repository, retire, &drain_ns);
	repository_step(repository);
}

static void
abort_sessions(struct instance *instance, void *context)
{
	(void)context;
	if (instance->server != NULL)
		server_abort(instance->server, BERTH_CLOSED_DRAINED);
}

static void
finish_now(struct instance *instance, void *context)
{
	(void)context;
	instance_end(instance);
}

struct repository *
repository_free(struct repository *repository)
{
	if (repository == NULL)
		return NULL;
	repository->stopping = false;
	each_instance(repository, abort_sessions, NULL);
	/* What was deferred goes with a turn. */
	reactor_turn(repository->reactor, 0);
	each_instance(repository, finish_now, NULL);
	reactor_turn(repository->reactor, 0);
	reactor_owner_fini(&repository->owner);
	HASH_CLEAR(hh, repository->by_name);
	guards_free(repository->guards);
	settings_unref(repository->common);
	free(repository);
	return NULL;
}

/* --- records --- */

static struct record *
lookup(struct repository *repository, const char *name)
{
	struct record *record = NULL;

	HASH_FIND_STR(repository->by_name, name, record);
	return record;
}

struct record *
repository_find(struct repository *repository, const char *name)
{
	struct record *record = lookup(repository, name);

	return record != NULL && record->in_order ? record : NULL;
}

struct record *
repository_first(struct repository *repository)
{
	return TAILQ_FIRST(&repository->order);
}

struct record *
record_next(struct record *record)
{
	return TAILQ_NEXT(record, link);
}

unsigned
repository_count(struct repository *repository)
{
	return repository->count;
}

const char *
record_name(const struct record *record)
{
	return record->name;
}

struct instance *
record_current(const struct record *record)
{
	return record->current;
}

enum service_state
record_state(const struct record *record)
{
	return record->current != NULL ? record->current->state
				       : SERVICE_DRAINING;
}

enum service_origin
record_origin(const struct record *record)
{
	return record->origin;
}

struct instance *
record_first_draining(const struct record *record)
{
	return TAILQ_FIRST(&record->draining);
}

struct instance *
instance_next_draining(const struct instance *instance)
{
	return TAILQ_NEXT(instance, link);
}

uint64_t
repository_begin_walk(struct repository *repository)
{
	return ++repository->walks;
}

void
record_mark(struct record *record, uint64_t walk)
{
	record->walk = walk;
}

bool
record_is_marked(const struct record *record, uint64_t walk)
{
	return record->walk == walk;
}

int
repository_reserve(
    struct repository *repository, const char *name, struct record **ret_record)
{
	struct record *record = lookup(repository, name);
	size_t size = strlen(name) + 1;

	if (record == NULL) {
		record = calloc(1, sizeof(*record) + size);
		if (record == NULL)
			return -ENOMEM;
		record->repository = repository;
		TAILQ_INIT(&record->draining);
		memcpy(record->name, name, size);
		HASH_ADD_KEYPTR(
		    hh, repository->by_name, record->name, size - 1, record);
		if (record->hash_failed) {
			free(record);
			return -ENOMEM;
		}
	}
	*ret_record = record;
	return 0;
}

void
repository_unreserve(struct record *record)
{
	if (!record->in_order)
		record_free(record);
}

void
record_announce(struct record *record, struct instance *instance)
{
	record->coming = instance;
}

/* An instance of the record is gone; the record goes with its last one. */
void
record_unlist(struct record *record, struct instance *instance)
{
	if (record->current == instance)
		record->current = NULL;
	if (record->current == NULL && TAILQ_EMPTY(&record->draining))
		record_free(record);
}

/* --- the commit --- */

static void
put_aside(struct record *record)
{
	struct instance *old = record->current;

	ready_end(old);
	record->current = NULL;
	old->list = &record->draining;
	TAILQ_INSERT_TAIL(&record->draining, old, link);
}

static void
retire_aside(struct instance *old)
{
	instance_retire(old, MONO_MS(old->definition->settings->drain_ms));
}

void
record_settle(struct record *record)
{
	struct instance *standby = record->standby;

	record->standby = NULL;
	if (standby != NULL)
		retire_aside(standby);
}

static void
take_over(struct record *record, struct instance *instance, bool suspended)
{
	instance_set_state(
	    instance, suspended ? SERVICE_SUSPENDED : SERVICE_ACTIVE);
	/* The new one takes the endpoints over before the old one lets go. */
	server_accept(instance->server, !suspended);
	record->current = instance;
}

void
record_start(struct record *record, struct instance *instance,
    enum service_origin origin, bool suspended)
{
	struct repository *repository = record->repository;
	struct instance *old = record->current;

	if (record->in_order)
		TAILQ_REMOVE(&repository->order, record, link);
	else
		repository->count++;
	TAILQ_INSERT_TAIL(&repository->order, record, link);
	record->in_order = true;
	record->origin = origin;
	instance->record = record;
	instance->generation = ++record->generations;
	record->coming = NULL;
	record_settle(record);
	if (old != NULL)
		put_aside(record);
	take_over(record, instance, suspended);
	if (old != NULL && instance->ready_in_ms > 0) {
		server_accept(old->server, false);
		record->standby = old;
	} else if (old != NULL) {
		retire_aside(old);
	}
	ready_begin(instance);
}

/* The current instance is not fit: what stood by goes on. */
void
record_roll_back(struct record *record, struct errors *errors)
{
	struct instance *failed = record->current;
	struct instance *standby = record->standby;
	bool suspended = failed->state == SERVICE_SUSPENDED;

	ready_end(failed);
	if (standby == NULL) {
		server_accept(failed->server, false);
		instance_set_state(failed, SERVICE_FAILED);
		return;
	}
	record->standby = NULL;
	TAILQ_REMOVE(&record->draining, standby, link);
	standby->list = NULL;
	put_aside(record);
	if (standby->halted) {
		server_abort(failed->server, BERTH_CLOSED_DRAINED);
		instance_end(failed);
		instance_restart(standby, NULL, errors);
		record->current = standby;
		return;
	}
	take_over(record, standby, suspended);
	instance_retire(failed, 0);
}

void
record_retire(struct record *record)
{
	struct instance *old = record->current;

	record_settle(record);
	if (old == NULL)
		return;
	put_aside(record);
	retire_aside(old);
}

void
record_resume(struct record *record)
{
	instance_set_state(record->current, SERVICE_ACTIVE);
	server_hold(record->current->server, false);
	server_accept(record->current->server, true);
}

void
record_suspend(struct record *record)
{
	server_accept(record->current->server, false);
	if (record->current->definition->settings->suspend == SUSPEND_SESSIONS)
		server_hold(record->current->server, true);
	instance_undo_resume(record->current);
	instance_set_state(record->current, SERVICE_SUSPENDED);
}

void
record_set_origin(struct record *record, enum service_origin origin)
{
	record->origin = origin;
}

struct groups *
repository_groups(const struct repository *repository)
{
	return repository->groups;
}
