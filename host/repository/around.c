/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * around: the modules of a stream as they stand around connections.
 *
 * What a stream's modules are now is written down once, for all connections
 * that come until the stream changes.  Such a plan holds its modules, like a
 * place in a stream does; it ends when the last of its connections has, which
 * is noticed when somebody waits for a module, since a connection may end in
 * any thread.
 */
#include <errno.h>
#include <stdlib.h>

#include "repository/repository_priv.h"

struct around {
	LIST_ENTRY(around) link; /* when its stream has another one */
	struct chain_plan plan;	 /* last */
};

static struct around *
around_of(struct chain_plan *plan)
{
	return BASE_CONTAINER(plan, struct around, plan);
}

bool
instance_is_filter(const struct instance *instance)
{
	return instance->module != NULL && instance->module->filter != NULL;
}

static void
let_go(struct around *around)
{
	for (unsigned i = 0; i < around->plan.count; i++)
		instance_of(around->plan.modules[i].module)->places--;
	free(around);
}

void
around_sweep(struct repository *repository)
{
	struct around *around, *next;

	for (around = LIST_FIRST(&repository->arounds); around != NULL;
	     around = next) {
		next = LIST_NEXT(around, link);
		if (chain_plan_is_used(&around->plan))
			continue;
		LIST_REMOVE(around, link);
		let_go(around);
	}
}

void
around_forget(struct instance *stream)
{
	struct around *around;

	if (stream->around == NULL)
		return;
	around = around_of(stream->around);
	stream->around = NULL;
	LIST_INSERT_HEAD(&stream->repository->arounds, around, link);
	around_sweep(stream->repository);
}

/* The first module of the definition, at the tail, is nearest to the client. */
static int
make(struct instance *stream)
{
	unsigned count = instance_place_count(stream), at = count;
	struct layer *layer = stream_first(stream->stream);
	struct around *around;

	if (count > CHAIN_MODULES_MAX)
		return -E2BIG;
	around = calloc(
	    1, sizeof(*around) + count * sizeof(around->plan.modules[0]));
	if (around == NULL)
		return -ENOMEM;
	for (; layer != NULL; layer = layer_next(layer)) {
		struct instance *module = instance_of(layer_module(layer));

		if (!instance_is_filter(module)) {
			free(around);
			return -EPROTOTYPE;
		}
		at--;
		around->plan.modules[at].type = module->module->filter;
		around->plan.modules[at].module = &module->public;
	}
	around->plan.count = count;
	for (at = 0; at < count; at++)
		instance_of(around->plan.modules[at].module)->places++;
	stream->around = &around->plan;
	return 0;
}

/* Plans of reloads see to it that there is a stream, and what it is made of. */
int
instance_find_around(void *context, struct chain_plan **ret_plan)
{
	struct instance *instance = context;
	struct repository *repository = instance->repository;
	const char *name = instance->definition->settings->stream;
	struct record *record = repository_find(repository, name);
	struct instance *stream;
	int result = 0;

	if (record == NULL || record->current == NULL ||
	    record->current->stream == NULL)
		return -ENOENT;
	stream = record->current;
	if (stream->around == NULL)
		result = make(stream);
	if (result < 0)
		return result;
	if (stream->around->count == 0)
		return 0;
	chain_plan_ref(stream->around);
	*ret_plan = stream->around;
	return 0;
}
