/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Services of which two instances can't be up at once (BERTH_EXCLUSIVE): to
 * replace one, the old instance is halted first, here and now, and restarted
 * as it was when the new one fails.
 *
 * A halted instance keeps its object, its code and its endpoints, so that
 * clients wait in the backlog whatever happens.  Its sessions are lost; that
 * is the price of exclusiveness.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "repository/repository_priv.h"

#define JOIN_LIMIT_S 1

bool
instance_must_alternate(
    const struct instance *instance, const struct instance *before)
{
	return ((instance->type->flags | before->type->flags) &
		   BERTH_EXCLUSIVE) != 0;
}

/* The endpoints stay with the instance while it has no server. */
static int
keep_endpoints(struct instance *instance, struct endpoint_set *ret_set)
{
	unsigned count = server_listener_count(instance->server);
	struct endpoint_set set = {.count = 0};

	set.listeners = calloc(count + 1, sizeof(struct listener *));
	if (set.listeners == NULL)
		return -ENOMEM;
	for (unsigned i = 0; i < count; i++)
		set.listeners[set.count++] = listener_ref(
		    server_listener(instance->server, i));
	*ret_set = set;
	return 0;
}

static int
stop_threads(
    struct instance *instance, const struct place *place, struct errors *errors)
{
	AUTO_TEXT holders;

	text_init(&holders);
	threads_signal(instance);
	if (threads_join_within(instance, JOIN_LIMIT_S) &&
	    !server_is_busy(instance->server))
		return 0;
	instance_holders(instance, &holders);
	errors_add(errors, SEVERITY_ERROR, -EBUSY, place,
	    "'%s' has to stop before its replacement starts, and does not: %s",
	    instance->public.name, text_string(&holders));
	return -EBUSY;
}

int
instance_halt(
    struct instance *instance, const struct place *place, struct errors *errors)
{
	struct repository_doors *doors = &instance->repository->doors;
	struct endpoint_set set = {.count = 0};
	struct server *server;
	int result;

	if (keep_endpoints(instance, &set) < 0 ||
	    instance_make_server(instance, &server) < 0) {
		endpoint_set_free(&set);
		errors_add(errors, SEVERITY_ERROR, -ENOMEM, place,
		    "no memory to stop '%s'", instance->public.name);
		return -ENOMEM;
	}
	server_accept(instance->server, false);
	server_abort(instance->server, BERTH_CLOSED_DRAINED);
	result = stop_threads(instance, place, errors);
	if (result < 0) {
		server_accept(
		    instance->server, instance->state == SERVICE_ACTIVE);
		server_free(server);
		endpoint_set_free(&set);
		return result;
	}
	instance_fini(instance);
	instance->halted = true;
	if (doors->forget != NULL)
		doors->forget(doors->context, &instance->public);
	server_free(instance->server);
	reactor_revoke(&instance->owner, true);
	fd_close(&instance->stop_fd);
	/* What takes the endpoints over when it starts again. */
	instance_set_server(instance, server);
	server_set_listeners(server, set.listeners, set.count);
	return 0;
}

void
instance_restart(
    struct instance *instance, const struct place *place, struct errors *errors)
{
	const struct definition *definition = instance->first_definition;
	size_t words = ((size_t)definition->argc + 1) * sizeof(char *);
	bool suspended = instance->state == SERVICE_SUSPENDED;

	if (!instance->halted)
		return;
	if (instance->public.state != NULL)
		memset(instance->public.state, 0, instance->type->state_size);
	memcpy(instance->argv, definition->argv, words);
	if (instance_init(instance, NULL, place, errors) < 0) {
		instance_set_state(instance, SERVICE_FAILED);
		return;
	}
	instance->halted = false;
	instance_set_state(
	    instance, suspended ? SERVICE_SUSPENDED : SERVICE_ACTIVE);
	server_accept(instance->server, !suspended);
}
