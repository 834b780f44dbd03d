/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The endpoints of an instance: those of its attributes, and behind them those
 * that its init asked for.  The sockets are the host's; an instance holds
 * references.
 */

#include <errno.h>
#include <stdlib.h>

#include "repository/repository_priv.h"

/* Is there a hook for such a socket?  Told at the endpoint's place if not. */
static int
check_hook(struct instance *instance, const struct endpoint_spec *spec,
    struct errors *errors)
{
	bool datagram = endpoint_is_datagram(spec->kind);

	if (server_serves(instance->server, datagram))
		return 0;
	if (instance->program != NULL)
		errors_add(errors, SEVERITY_ERROR, -EPROTONOSUPPORT,
		    &spec->place,
		    "'%s' can't serve %s: datagrams need a program with "
		    "wait = yes",
		    instance->public.name, spec->text);
	else
		errors_add(errors, SEVERITY_ERROR, -EPROTONOSUPPORT,
		    &spec->place,
		    "'%s' can't serve %s: its code has no hook for %s",
		    instance->public.name, spec->text,
		    datagram ? "datagrams" : "connections");
	return -EPROTONOSUPPORT;
}

static int
acquire(struct instance *instance, const struct settings *settings,
    unsigned number, struct errors *errors, struct listener **ret_listener)
{
	const struct endpoint_spec *spec = &settings->listen[number];
	int result = check_hook(instance, spec, errors);

	if (result < 0)
		return result;
	return listeners_acquire(instance->repository->listeners, spec,
	    settings, instance->public.name, number, errors, ret_listener);
}

int
instance_bind(struct instance *instance, const struct settings *settings,
    struct errors *errors)
{
	int first = 0;

	for (unsigned i = 0; i < settings->listen_count; i++) {
		struct listener *listener;
		int result = acquire(instance, settings, i, errors, &listener);

		if (result == 0) {
			result = server_add_listener(
			    instance->server, listener);
			if (result < 0)
				listener_unref(listener);
		}
		if (first == 0)
			first = result;
	}
	instance->attribute_endpoints = server_listener_count(instance->server);
	return first;
}

static int
listen_at(struct instance *instance, const char *word, struct arena *arena)
{
	struct hook_call *call = instance->call;
	struct endpoint_spec spec;
	struct listener *listener;
	const char *reason;
	int result;

	result = endpoint_parse(arena, word, &spec, &reason);
	if (result == -EINVAL)
		errors_add(call->errors, SEVERITY_ERROR, result, call->place,
		    "endpoint '%s': %s", word, reason);
	if (result < 0)
		return result;
	spec.place = *call->place;
	result = check_hook(instance, &spec, call->errors);
	if (result < 0)
		return result;
	/* Numbers from 1000 on never meet those of the attributes. */
	result = listeners_acquire(instance->repository->listeners, &spec,
	    instance->definition->settings, instance->public.name,
	    1000 + instance->own_endpoints, call->errors, &listener);
	if (result < 0)
		return result;
	result = server_add_listener(instance->server, listener);
	if (result < 0)
		listener_unref(listener);
	else
		instance->own_endpoints++;
	return result;
}

int
instance_listen(struct instance *instance, const char *word)
{
	struct arena *arena = arena_new_sized(256);
	int result;

	if (arena == NULL)
		return -ENOMEM;
	result = listen_at(instance, word, arena);
	arena_free(arena);
	return result;
}

void
endpoint_set_free(struct endpoint_set *set)
{
	for (unsigned i = 0; i < set->count; i++)
		listener_unref(set->listeners[i]);
	free(set->listeners);
	set->listeners = NULL;
	set->count = 0;
}

int
instance_prepare_endpoints(struct instance *instance,
    const struct settings *settings, struct errors *errors,
    struct endpoint_set *ret_set)
{
	unsigned own = instance->own_endpoints;
	struct endpoint_set set = {.count = 0};
	int first = 0;

	set.listeners = calloc(
	    settings->listen_count + own + 1, sizeof(struct listener *));
	if (set.listeners == NULL)
		return -ENOMEM;
	for (unsigned i = 0; i < settings->listen_count; i++) {
		int result = acquire(
		    instance, settings, i, errors, &set.listeners[set.count]);

		if (result == 0)
			result = server_make_room(
			    instance->server, set.listeners[set.count++]);
		if (first == 0)
			first = result;
	}
	for (unsigned i = 0; i < own; i++)
		set.listeners[set.count++] = listener_ref(server_listener(
		    instance->server, instance->attribute_endpoints + i));
	if (first < 0) {
		endpoint_set_free(&set);
		return first;
	}
	*ret_set = set;
	return 0;
}

void
instance_commit_endpoints(struct instance *instance, struct endpoint_set *set)
{
	instance->attribute_endpoints = set->count - instance->own_endpoints;
	server_set_listeners(instance->server, set->listeners, set->count);
	set->listeners = NULL;
	set->count = 0;
}
