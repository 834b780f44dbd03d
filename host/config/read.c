/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * read: one reading, from its inputs to a tree.
 *
 * All inputs make one text: what `defaults` of the first says holds in the
 * last.  The only side effect is that files are opened and read.  Result: 0
 * with a tree, however many mistakes were told; -ENOMEM without one.
 */
#include "config/config_formats.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int
reader_tell(
    struct reader *reader, const struct place *place, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	if (reader->quiet == 0)
		errors_vadd(reader->errors, SEVERITY_ERROR, 0,
		    reader->at != NULL ? reader->at : place, format, ap);
	va_end(ap);
	reader->mistakes++;
	return CONFIG_E_MISTAKE;
}

void
reader_warn(struct reader *reader, const struct place *place, bool lost,
    const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	errors_vadd(reader->errors, SEVERITY_WARNING, 0,
	    reader->at != NULL ? reader->at : place, format, ap);
	va_end(ap);
	reader->tree->losses += lost ? 1 : 0;
}

int
reader_add_value(
    struct reader *reader, unsigned count, const struct value *value)
{
	struct value *values;
	unsigned room;

	if (count == reader->value_room) {
		room = count == 0 ? 16 : count * 2;
		values = reallocarray(reader->values, room, sizeof(*values));
		if (values == NULL)
			return -ENOMEM;
		reader->values = values;
		reader->value_room = room;
	}
	reader->values[count] = *value;
	return 0;
}

const char *
hint(const struct suggestion *suggestion, struct hint *ret_hint)
{
	ret_hint->text[0] = '\0';
	if (suggestion->best != NULL)
		snprintf(ret_hint->text, sizeof(ret_hint->text),
		    "; did you mean '%s'?", suggestion->best);
	return ret_hint->text;
}

const struct source *
reader_source(struct reader *reader, const char *name, const char *data,
    size_t size, bool is_file)
{
	struct arena *arena = reader->tree->arena;
	struct source *source = arena_alloc(arena, sizeof(*source));
	size_t mark = 0;

	if (source == NULL)
		return NULL;
	if (size >= 3 && memcmp(data, "\xef\xbb\xbf", 3) == 0)
		mark = 3;
	source->name = arena_string(arena, name);
	source->size = size - mark;
	source->data = arena_copy(arena, data + mark, source->size);
	source->is_file = is_file;
	if (source->name == NULL || source->data == NULL)
		return NULL;
	return source;
}

/* Directives that stand in memory. */
static int
read_string(struct reader *reader, const struct config_input *input)
{
	const char *name = input->name != NULL ? input->name : "directive";
	const struct source *source = reader_source(
	    reader, name, input->text, strlen(input->text), false);

	if (source == NULL)
		return -ENOMEM;
	if (reader->format == CONFIG_AUTO)
		reader->format = CONFIG_SVC;
	return format_read(reader, source);
}

static int
read_input(struct reader *reader, const struct config_input *input)
{
	int result;

	reader->format = input->format;
	reader->address = input->address;
	if (input->kind == CONFIG_STRING)
		result = read_string(reader, input);
	else
		result = include_file(reader, input->text, false, NULL);
	return result < 0 ? result : 0;
}

static int
read_all(
    struct reader *reader, const struct config_input *inputs, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		int result = read_input(reader, &inputs[i]);

		if (result < 0)
			return result;
	}
	return tree_check_names(reader);
}

int
config_read(const struct config_input *inputs, unsigned count,
    const struct config_options *options, struct errors *errors,
    struct tree **ret_tree)
{
	struct reader reader = {.options = options, .errors = errors};
	int result;

	reader.tree = tree_new(errors);
	if (reader.tree == NULL)
		return -ENOMEM;
	settings_init(&reader.defaults);
	text_init(&reader.scratch);
	result = read_all(&reader, inputs, count);
	text_fini(&reader.scratch);
	free(reader.values);
	if (result < 0) {
		tree_free(reader.tree);
		return result;
	}
	*ret_tree = reader.tree;
	return 0;
}
