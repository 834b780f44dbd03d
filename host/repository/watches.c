/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Watches: services that want the stream of a name, whichever it is now.
 *
 * When a stream has come, was replaced or has gone, all watches are looked
 * through at the end of the turn, when no commit is on the stack: each whose
 * stream is another one by now is told, and lets the one before go when it
 * knows.  While the host ends nobody is told: a stream goes after its users.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "repository/repository_priv.h"

#define WATCH_MAGIC 0x57415443u

struct berth_stream_watch {
	uint32_t magic;
	LIST_ENTRY(berth_stream_watch) link; /* of the repository's */
	struct instance *owner;
	struct instance *seen; /* its place is counted; NULL: none */
	berth_stream_watch_fn *fn;
	void *arg;
	bool told; /* once at least */
	bool calls, ended;
	char name[];
};

static struct instance *
stream_now(const struct berth_stream_watch *watch)
{
	struct record *record = NULL;

	HASH_FIND_STR(watch->owner->repository->by_name, watch->name, record);
	if (record == NULL || record->current == NULL ||
	    record->current->stream == NULL)
		return NULL;
	return record->current;
}

static void
watch_free(struct berth_stream_watch *watch)
{
	LIST_REMOVE(watch, link);
	if (watch->seen != NULL)
		watch->seen->places--;
	watch->magic = 0;
	free(watch);
}

/* The one before is let go only when the service knows of the other. */
static void
tell(struct berth_stream_watch *watch, struct instance *now)
{
	struct instance *before = watch->seen;

	watch->seen = now;
	watch->told = true;
	if (now != NULL)
		now->places++;
	watch->calls = true;
	watch->fn(watch->arg, now != NULL ? stream_public(now->stream) : NULL);
	watch->calls = false;
	if (before != NULL)
		before->places--;
	if (watch->ended)
		watch_free(watch);
}

/* Whether one was told; it may have ended others. */
static bool
tell_one(struct repository *repository)
{
	struct berth_stream_watch *watch;

	LIST_FOREACH (watch, &repository->watches, link) {
		struct instance *now = stream_now(watch);

		if (watch->told && now == watch->seen)
			continue;
		tell(watch, now);
		return true;
	}
	return false;
}

static void
look_through(struct reactor_deferred *deferred)
{
	struct repository *repository = BASE_CONTAINER(
	    deferred, struct repository, watch_turn);

	repository->watch_queued = false;
	while (!repository->stopping && tell_one(repository))
		;
}

void
watches_look(struct repository *repository)
{
	if (LIST_EMPTY(&repository->watches) || repository->watch_queued)
		return;
	repository->watch_queued = true;
	reactor_defer(
	    repository->reactor, &repository->watch_turn, look_through);
}

int
watches_add(struct berth_service *service, const char *name,
    berth_stream_watch_fn *fn, void *arg, struct berth_stream_watch **ret_watch)
{
	struct instance *instance = instance_of(service);
	struct berth_stream_watch *watch;

	if (!instance_is_here(instance))
		return -EPERM;
	if (instance->phase != PHASE_RUNS)
		return -ESHUTDOWN;
	watch = calloc(1, sizeof(*watch) + strlen(name) + 1);
	if (watch == NULL)
		return -ENOMEM;
	watch->magic = WATCH_MAGIC;
	watch->owner = instance;
	watch->fn = fn;
	watch->arg = arg;
	strcpy(watch->name, name);
	LIST_INSERT_HEAD(&instance->repository->watches, watch, link);
	watches_look(instance->repository);
	*ret_watch = watch;
	return 0;
}

void
watches_remove(struct berth_service *service, struct berth_stream_watch *watch)
{
	BASE_ASSERT(instance_is_here(instance_of(service)));
	if (watch == NULL)
		return;
	BASE_ASSERT(watch->magic == WATCH_MAGIC);
	if (watch->calls)
		watch->ended = true;
	else
		watch_free(watch);
}

void
watches_free(struct instance *instance)
{
	struct berth_stream_watch *watch, *next;

	for (watch = LIST_FIRST(&instance->repository->watches); watch != NULL;
	     watch = next) {
		next = LIST_NEXT(watch, link);
		if (watch->owner == instance)
			watch_free(watch);
	}
}
