/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Places: modules in the streams of a host.
 *
 * Both are instances like services, with the same hooks and states.  A stream's
 * instance holds the stream (the room of that name), a module's counts the
 * places that it has, and so outlives them: it is finished when its last place
 * is closed.  A stream in its turn is finished when its threads have ended and
 * nobody who found it by its name holds it any more.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "repository/repository_priv.h"

/* How long a module that shall leave has for what it was handed before. */
#define STILL_NS MONO_MS(2000)

/* --- instances of the two kinds --------------------------------------------*/

/* Their first members are a service's, up to info. */
static int
borrow_hooks(struct instance *instance, const struct berth_module_type *from)
{
	struct berth_service_type *type = malloc(sizeof(*type));

	if (type == NULL)
		return -ENOMEM;
	*type = (struct berth_service_type){
	    .header = from->header,
	    .summary = from->summary,
	    .state_size = from->state_size,
	    .init = from->init,
	    .fini = from->fini,
	    .suspend = from->suspend,
	    .resume = from->resume,
	    .info = from->info,
	};
	instance->own_type = type;
	instance->type = type;
	return 0;
}

_Static_assert(offsetof(struct berth_module_type, info) ==
		   offsetof(struct berth_stream_type, info),
    "modules and streams begin alike");

int
instance_make_parts_of_stream(
    struct instance *instance, const struct berth_service_type *type)
{
	const void *object = type;
	const struct berth_stream_type *stream = object;
	struct berth_stream_options options = {.flags = 0};
	int result;

	switch (type->header.kind) {
	case BERTH_KIND_MODULE:
		instance->module = object;
		return borrow_hooks(instance, object);
	case BERTH_KIND_STREAM:
		options.high_bytes = stream->high_bytes;
		options.low_bytes = stream->low_bytes;
		result = borrow_hooks(instance, object);
		if (result < 0)
			return result;
		return stream_new(&options, &instance->stream);
	default:
		return 0;
	}
}

bool
instance_is_stream(const struct instance *instance)
{
	return instance->stream != NULL;
}

bool
instance_is_service(const struct instance *instance)
{
	return instance->stream == NULL && instance->module == NULL;
}

static struct instance *
module_of(struct layer *layer)
{
	return instance_of(layer_module(layer));
}

unsigned
instance_place_count(const struct instance *instance)
{
	struct layer *layer = stream_first(instance->stream);
	unsigned count = 0;

	for (; layer != NULL; layer = layer_next(layer))
		count++;
	return count;
}

const char *
instance_place_name(const struct instance *instance, unsigned index)
{
	return berth_stream_name(stream_public(instance->stream), index);
}

/* "Reader Formatter Writer", from the head on. */
void
places_tell(const struct instance *instance, struct text *text)
{
	struct layer *layer = stream_first(instance->stream);
	const char *blank = "";

	if (layer == NULL)
		text_printf(text, "no modules");
	for (; layer != NULL; layer = layer_next(layer)) {
		text_printf(text, "%s%s", blank, layer_module(layer)->name);
		blank = " ";
	}
}

/* --- the end ---------------------------------------------------------------*/

/* Once nobody uses it any more, a stream is asked to end. */
bool
places_left(struct instance *instance)
{
	around_sweep(instance->repository);
	if (instance->places > 0)
		return true;
	if (instance->stream == NULL)
		return false;
	stream_stop(instance->stream);
	return berth_stream_wait(
		   stream_public(instance->stream), BERTH_NO_WAIT) != 0;
}

void
places_free(struct instance *instance)
{
	struct layer *layer;

	if (instance->stream == NULL)
		return;
	around_forget(instance);
	while ((layer = stream_first(instance->stream)) != NULL)
		place_remove(layer);
	instance->stream = stream_free(instance->stream);
}

/* --- places ----------------------------------------------------------------*/

int
place_open(struct instance *stream, struct instance *module,
    const struct place *place, struct errors *errors, struct layer **ret_layer)
{
	struct hook_call call;
	int result;

	instance_hook_begins(module, &call, place, errors);
	result = stream_open_layer(
	    stream->stream, module->module, &module->public, ret_layer);
	if (result == 0)
		module->places++;
	return instance_hook_ends(module, "open", result);
}

struct layer *
place_close(struct layer *layer)
{
	if (layer == NULL)
		return NULL;
	module_of(layer)->places--;
	return stream_close_layer(layer);
}

struct layer *
place_find(const struct instance *stream, const struct instance *module)
{
	struct layer *layer = stream_first(stream->stream);

	while (layer != NULL && layer_module(layer) != &module->public)
		layer = layer_next(layer);
	return layer;
}

int
place_still(
    struct layer *layer, const struct place *place, struct errors *errors)
{
	struct instance *module = module_of(layer);
	struct repository *repository = module->repository;
	uint64_t until = reactor_now(repository->reactor).ns + STILL_NS;
	int result = stream_still_layer(layer, until);

	if (result != 0)
		errors_add(errors, SEVERITY_ERROR, result, place,
		    "'%s' does not get on with the messages that it has: what "
		    "comes after it is full",
		    module->public.name);
	return result;
}

void
place_free(struct layer *layer)
{
	stream_free_layer(layer);
}

void
places_begin_change(struct instance *stream)
{
	stream_begin_change(stream->stream);
}

void
places_end_change(struct instance *stream)
{
	stream_end_change(stream->stream);
	around_forget(stream);
}

void
place_insert(struct layer *after, struct layer *layer)
{
	stream_insert(layer_stream(layer), after, layer);
}

void
place_replace(struct layer *old, struct layer *layer)
{
	module_of(old)->places--;
	stream_replace(old, layer);
}

void
place_remove(struct layer *old)
{
	module_of(old)->places--;
	stream_remove(old);
}

/* --- streams by name -------------------------------------------------------*/

/* The one that comes with the same reload is meant, if there is one. */
int
places_find_stream(struct berth_service *service, const char *name,
    struct berth_stream **ret_stream)
{
	struct repository *repository = instance_of(service)->repository;
	struct record *record = NULL;
	struct instance *instance;

	HASH_FIND_STR(repository->by_name, name, record);
	if (record == NULL)
		return -ENOENT;
	instance = record->coming != NULL ? record->coming : record->current;
	if (instance == NULL || instance->stream == NULL)
		return -ENOENT;
	instance->places++;
	*ret_stream = stream_public(instance->stream);
	return 0;
}

static bool
release_in(struct instance *instance, const struct berth_stream *stream)
{
	if (instance == NULL || instance->stream == NULL ||
	    stream_public(instance->stream) != stream)
		return false;
	BASE_ASSERT(instance->places > 0);
	instance->places--;
	return true;
}

static bool
release_in_list(
    const struct instance_list *list, const struct berth_stream *stream)
{
	struct instance *instance;

	TAILQ_FOREACH (instance, list, link) {
		if (release_in(instance, stream))
			return true;
	}
	return false;
}

/* It may be of an old generation by now, or was never committed. */
void
places_release_stream(
    struct berth_service *service, struct berth_stream *stream)
{
	struct repository *repository = instance_of(service)->repository;
	struct record *record;

	if (release_in_list(&repository->loose, stream))
		return;
	for (record = repository->by_name; record != NULL;
	     record = record->hh.next) {
		if (release_in(record->coming, stream) ||
		    release_in(record->current, stream) ||
		    release_in_list(&record->draining, stream))
			return;
	}
}
