/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * layer: a module in its place in a stream: two sides and the state that they
 * share.  What a place needs is made before it is taken, so that taking it
 * cannot fail; a half-made layer is unwound.
 */
#include <errno.h>
#include <stdlib.h>

#include "stream/stream_priv.h"

static void
init_side(struct layer *layer, struct side *side,
    const struct berth_side_type *type, struct berth_service *module)
{
	side->public.module = module;
	side->public.stream = &layer->stream->public;
	side->public.state = layer->state;
	side->type = type;
	side->layer = layer;
	side->down = side == &layer->down;
}

static int
make_queue(struct side *side)
{
	const struct berth_queue_options options = {
	    .high_bytes = side->type->high_bytes,
	    .low_bytes = side->type->low_bytes,
	};

	if (side->type->svc == NULL)
		return 0;
	/* Its stream is the loop's, where nothing may wait. */
	if (!side->layer->stream->locks)
		return -ENOTSUP;
	return message_calls.queue_make(&options, &side->queue);
}

static int
open_side(struct side *side)
{
	int result = make_queue(side);

	if (result == 0 && side->type->open != NULL)
		result = side->type->open(&side->public);
	if (result > 0)
		result = -EINVAL;
	if (result == 0)
		side->opened = true;
	return result;
}

int
stream_open_layer(struct stream *stream, const struct berth_module_type *type,
    struct berth_service *module, struct layer **ret_layer)
{
	struct layer *layer = calloc(1, sizeof(*layer) + type->layer_size);
	int result;

	if (layer == NULL)
		return -ENOMEM;
	layer->stream = stream;
	init_side(layer, &layer->down, &type->down, module);
	init_side(layer, &layer->up, &type->up, module);
	result = open_side(&layer->down);
	if (result == 0)
		result = open_side(&layer->up);
	if (result == 0)
		result = side_start(&layer->down);
	if (result == 0)
		result = side_start(&layer->up);
	if (result != 0) {
		stream_close_layer(layer);
		return result;
	}
	*ret_layer = layer;
	return 0;
}

struct layer *
stream_close_layer(struct layer *layer)
{
	if (layer == NULL)
		return NULL;
	/* Both sides' threads first: one may be putting to the other. */
	side_end_threads(&layer->down);
	side_end_threads(&layer->up);
	side_free(&layer->up);
	side_free(&layer->down);
	free(layer);
	return NULL;
}

struct layer *
layer_next(struct layer *layer)
{
	return TAILQ_NEXT(layer, link);
}

struct stream *
layer_stream(struct layer *layer)
{
	return layer->stream;
}

struct berth_service *
layer_module(struct layer *layer)
{
	return layer->down.public.module;
}
