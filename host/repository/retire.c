/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The end of an instance: sessions, threads, fini, revocation, unloading.
 *
 * It runs in the background, in phases, and never blocks the loop.  fini is
 * called if and only if init succeeded, after the last session and thread.
 * What the service has left registered is revoked and named in the log.  Its
 * code is unloaded at the end of the turn, when no frame of it can be left; a
 * thread that does not end keeps the instance, visible, until it does.
 */

#include <errno.h>

#include "repository/repository_priv.h"

#define JOIN_INTERVAL_NS MONO_MS(5)
#define JOIN_SLOW_NS MONO_MS(500)
#define THREAD_GRACE_NS MONO_MS(1000)

static void
tell_leftovers(struct instance *instance)
{
	struct reactor_owner *owner = &instance->owner;

	if (owner->descriptors == 0 && owner->timers == 0)
		return;
	log_printf(instance->repository->log, BERTH_WARNING,
	    instance->public.name,
	    "left %u descriptor%s and %u timer%s registered after fini; "
	    "revoked",
	    owner->descriptors, owner->descriptors == 1 ? "" : "s",
	    owner->timers, owner->timers == 1 ? "" : "s");
}

static void
unload(struct repository *repository, struct image *image, const char *name)
{
	const char *why;

	if (image == NULL)
		return;
	why = image_sticky(image);
	if (image_unref(image) == IMAGE_E_STILL_MAPPED)
		log_printf(repository->log, BERTH_WARNING, name,
		    "its code stays mapped: %s",
		    why != NULL ? why : "the loader keeps it");
}

static void
end_of_turn(struct reactor_deferred *deferred)
{
	struct instance *instance = BASE_CONTAINER(
	    deferred, struct instance, deferred);
	struct repository *repository = instance->repository;
	struct record *record = instance->record;
	struct image *image = instance->image;

	if (instance->list != NULL)
		TAILQ_REMOVE(instance->list, instance, link);
	instance->list = NULL;
	/* The name is the instance's, so the code goes first. */
	unload(repository, image, instance->public.name);
	instance->image = NULL;
	if (record != NULL)
		record_unlist(record, instance);
	instance_free(instance);
	repository_step(repository);
}

static void
finish(struct instance *instance)
{
	struct repository_doors *doors = &instance->repository->doors;

	if (instance->phase == PHASE_FINISHED)
		return;
	instance->phase = PHASE_FINISHED;
	places_free(instance);
	instance_fini(instance);
	if (instance->program != NULL)
		external_leave(instance->program);
	if (doors->forget != NULL)
		doors->forget(doors->context, &instance->public);
	instance->server = server_free(instance->server);
	tell_leftovers(instance);
	reactor_revoke(&instance->owner, true);
	reactor_defer(
	    instance->repository->reactor, &instance->deferred, end_of_turn);
}

/* At shutdown the order is the reverse of starting: see repository_step(). */
static void
threads_gone(struct instance *instance)
{
	reactor_cancel_all(&instance->repository->owner, &instance->joiner);
	/* Its modules wait for it, wherever they stand in the order. */
	places_free(instance);
	if (instance->repository->stopping && instance->record != NULL &&
	    instance->record->current == instance) {
		instance->phase = PHASE_WAITS;
		repository_step(instance->repository);
		return;
	}
	finish(instance);
}

static void
tell_late(struct instance *instance)
{
	AUTO_TEXT holders;

	text_init(&holders);
	instance_holders(instance, &holders);
	log_printf(instance->repository->log, BERTH_ERROR,
	    instance->public.name,
	    "does not end: %s; its code stays loaded until then",
	    text_string(&holders));
	instance->late_told = true;
	instance_set_state(instance, SERVICE_FAILED);
}

/* Its own threads, and what others still run of it. */
static bool
all_joined(struct instance *instance)
{
	return threads_join(instance) && !places_left(instance);
}

static int
join_again(struct berth_handler *handler, uint64_t now_ns, void *token)
{
	struct instance *instance = BASE_CONTAINER(
	    handler, struct instance, joiner);
	uint64_t wait = JOIN_INTERVAL_NS;

	(void)token;
	if (all_joined(instance)) {
		threads_gone(instance);
		return 0;
	}
	if (now_ns >= instance->deadline.ns) {
		wait = JOIN_SLOW_NS;
		/* Connections that go on with a module are no fault of its. */
		if (!instance->late_told && instance->module == NULL)
			tell_late(instance);
	}
	if (instance->join_interval_ns != wait) {
		reactor_cancel_all(&instance->repository->owner, handler);
		reactor_schedule(&instance->repository->owner, handler, NULL,
		    wait, wait, NULL);
		instance->join_interval_ns = wait;
	}
	return 0;
}

static const struct berth_handler_type joiner_type = {
    .timeout = join_again,
};

/* The server's last session is gone. */
void
instance_drained(void *context)
{
	struct instance *instance = context;
	struct mono now = reactor_now(instance->repository->reactor);

	if (instance->phase != PHASE_SESSIONS)
		return;
	instance->phase = PHASE_THREADS;
	threads_signal(instance);
	if (all_joined(instance)) {
		threads_gone(instance);
		return;
	}
	if (instance->deadline.ns < now.ns + THREAD_GRACE_NS)
		instance->deadline.ns = now.ns + THREAD_GRACE_NS;
	instance->joiner.type = &joiner_type;
	join_again(&instance->joiner, now.ns, NULL);
}

/* It goes on if the hook returns after all. */
void
instance_stuck(void *context)
{
	tell_late(context);
}

/* All that started later have finished. */
void
instance_finish_waiting(struct instance *instance)
{
	finish(instance);
}

void
instance_retire(struct instance *instance, uint64_t drain_ns)
{
	struct repository *repository = instance->repository;

	if (instance->phase != PHASE_RUNS) {
		if (instance->phase == PHASE_SESSIONS)
			server_drain(instance->server, drain_ns);
		return;
	}
	instance_set_state(instance, SERVICE_DRAINING);
	instance->deadline.ns = instance->since.ns + drain_ns;
	if (instance->list == NULL && instance->record == NULL) {
		instance->list = &repository->loose;
		TAILQ_INSERT_TAIL(instance->list, instance, link);
	}
	instance->phase = PHASE_SESSIONS;
	server_drain(instance->server, drain_ns);
	/* What nobody else serves is closed now: a client that comes while
	 * others are drained is refused at once and can look elsewhere, instead
	 * of waiting in a backlog that nobody will ever take it from. */
	server_set_listeners(instance->server, NULL, 0);
}

/* What is pinned stays mapped without a reference. */
static void
leave_code(struct instance *instance)
{
	if (instance->image == NULL)
		return;
	image_pin(instance->image);
	image_unref(instance->image);
	instance->image = NULL;
}

/* For the end of the process, when its sessions are gone: only threads are
 * waited for. */
void
instance_end(struct instance *instance)
{
	if (instance->phase == PHASE_FINISHED)
		return;
	threads_signal(instance);
	if (!threads_join_within(instance, 1) ||
	    (instance->server != NULL && server_orphan(instance->server))) {
		/* It runs on in this code and state: leave both to it. */
		tell_late(instance);
		leave_code(instance);
		instance->phase = PHASE_FINISHED;
		return;
	}
	finish(instance);
}
