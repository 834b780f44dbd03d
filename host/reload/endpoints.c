/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One endpoint, one service: looks at all endpoints as they would be after the
 * commit, and tells each that two services would have.
 */

#include <errno.h>

#include "reload/reload_priv.h"

struct claim {
	UT_hash_handle hh;
	bool hash_failed;
	struct listener *listener;
	const char *service;
};

struct claims {
	struct plan *plan;
	struct claim *by_listener;
	struct step *step; /* the claimant, or NULL: untouched */
	const struct place *place;
	const char *service;
	int result;
};

static void
tell_conflict(struct claims *claims, const struct claim *other)
{
	errors_add(claims->plan->options.errors, SEVERITY_ERROR, -EADDRINUSE,
	    claims->place, "%s of '%s' is already served by '%s'",
	    listener_text(other->listener), claims->service, other->service);
	claims->result = -EADDRINUSE;
}

static void
claim(struct claims *claims, struct listener *listener)
{
	struct claim *found = NULL;

	HASH_FIND_PTR(claims->by_listener, &listener, found);
	if (found != NULL) {
		tell_conflict(claims, found);
		return;
	}
	found = arena_alloc(claims->plan->arena, sizeof(*found));
	if (found == NULL) {
		claims->result = -ENOMEM;
		return;
	}
	found->listener = listener;
	found->service = claims->service;
	HASH_ADD_PTR(claims->by_listener, listener, found);
	if (found->hash_failed)
		claims->result = -ENOMEM;
}

/* Of the attribute, or of the service when its code asked for the endpoint. */
static const struct place *
place_of(const struct step *step, unsigned number)
{
	if (step == NULL)
		return NULL;
	if (number < step->definition->settings->listen_count)
		return &step->definition->settings->listen[number].place;
	return &step->place;
}

static void
claim_server(struct claims *claims, const struct server *server)
{
	for (unsigned i = 0; i < server_listener_count(server); i++) {
		claims->place = place_of(claims->step, i);
		claim(claims, server_listener(server, i));
	}
}

static struct step *
step_of(const struct plan *plan, const char *name)
{
	struct step *step = NULL;

	HASH_FIND_STR(plan->by_name, name, step);
	return step;
}

/* What goes on as it is comes first, so that the newcomer is blamed. */
static void
claim_running(struct claims *claims)
{
	struct plan *plan = claims->plan;
	struct record *record = repository_first(plan->options.repository);

	for (; record != NULL; record = record_next(record)) {
		struct instance *running = record_current(record);
		struct step *step;

		if (running == NULL)
			continue;
		claims->service = record_name(record);
		step = step_of(plan, claims->service);
		if (step == NULL ||
		    (step->fate != FATE_REMOVE && step->fresh == NULL &&
			step->endpoints.listeners == NULL))
			claim_server(claims, instance_server(running));
	}
}

static void
claim_prepared(struct claims *claims)
{
	struct step *step;

	TAILQ_FOREACH (step, &claims->plan->steps, link) {
		claims->step = step;
		claims->service = step->name;
		if (step->fresh != NULL)
			claim_server(claims, instance_server(step->fresh));
		for (unsigned i = 0; i < step->endpoints.count; i++) {
			claims->place = place_of(step, i);
			claim(claims, step->endpoints.listeners[i]);
		}
	}
}

/* Nothing new is bound: nothing can clash. */
static bool
binds(const struct plan *plan)
{
	struct step *step;

	TAILQ_FOREACH (step, &plan->steps, link)
		if (step->endpoints.count > 0 ||
		    (step->fresh != NULL &&
			server_listener_count(instance_server(step->fresh)) >
			    0))
			return true;
	return false;
}

int
plan_check_endpoints(struct plan *plan)
{
	struct claims claims = {.plan = plan};

	if (!binds(plan))
		return 0;
	claim_running(&claims);
	claim_prepared(&claims);
	HASH_CLEAR(hh, claims.by_listener);
	if (claims.result == -ENOMEM)
		errors_add(plan->options.errors, SEVERITY_ERROR, -ENOMEM, NULL,
		    "no memory to compare the endpoints");
	return claims.result;
}
