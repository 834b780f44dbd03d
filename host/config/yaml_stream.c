/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * yaml_stream: a stream with its modules, written as svc.conf has it and read
 * by that parser, so that the same rules hold.  What it tells, and what is
 * made, has the place of the stream's keyword.
 */
#include "config/config_yaml.h"

#include <errno.h>
#include <string.h>

struct writing {
	const struct yaml *yaml;
	struct text *text;
};

static const yaml_node_t *
node_at(const struct yaml *yaml, int index)
{
	return yaml_document_get_node(yaml->document, index);
}

static bool
is(const struct value *key, const char *word)
{
	return strcmp(key->text, word) == 0;
}

/* "keyword NAME TYPE * LOCATION STATE "ARGUMENTS"": as they stand, so that
 * keys in another order are a mistake. */
static int
write_pair(const struct writing *writing, const struct value *key,
    const struct value *value)
{
	struct reader *reader = writing->yaml->reader;
	const char *reason = strpbrk(value->text, "{}#\n\r");

	if (reason != NULL && !is(key, "arguments"))
		return reader_tell(
		    reader, &value->place, "'%c' cannot stand here", *reason);
	if (is(key, "type"))
		text_printf(writing->text, " %s *", value->text);
	else if (is(key, "location") || is(key, "state"))
		text_printf(writing->text, " %s", value->text);
	else if (is(key, "arguments"))
		print_arguments(value->text, writing->text);
	else if (is(key, "dynamic") || is(key, "static") || is(key, "remove") ||
		 is(key, "suspend") || is(key, "resume"))
		text_printf(writing->text, " %s %s", key->text, value->text);
	else
		return reader_tell(reader, &key->place,
		    "'%.60s' cannot stand in a stream", key->text);
	return 0;
}

static int
write_mapping(const struct writing *writing, const yaml_node_t *node)
{
	const struct yaml *yaml = writing->yaml;
	struct place place = yaml_place(yaml, node);
	const yaml_node_pair_t *pair;
	int result = 0;

	if (node->type != YAML_MAPPING_NODE)
		return reader_tell(
		    yaml->reader, &place, "a directive is expected");
	pair = node->data.mapping.pairs.start;
	for (; pair < node->data.mapping.pairs.top && result == 0; pair++) {
		struct value key, value;

		result = yaml_text(yaml, node_at(yaml, pair->key), &key);
		if (result == 0)
			result = yaml_text(
			    yaml, node_at(yaml, pair->value), &value);
		if (result == 0)
			result = write_pair(writing, &key, &value);
	}
	return result;
}

static int
write_modules(const struct writing *writing, const yaml_node_t *node)
{
	struct place place = yaml_place(writing->yaml, node);
	const yaml_node_item_t *item;
	int result = 0;

	if (node->type != YAML_SEQUENCE_NODE)
		return reader_tell(writing->yaml->reader, &place,
		    "a list of modules is expected");
	text_printf(writing->text, " {\n");
	for (item = node->data.sequence.items.start;
	     item < node->data.sequence.items.top && result == 0; item++) {
		result = write_mapping(writing, node_at(writing->yaml, *item));
		text_printf(writing->text, "\n");
	}
	text_printf(writing->text, "}");
	return result;
}

static int
write_stream(const struct writing *writing, const yaml_node_t *item)
{
	const struct yaml *yaml = writing->yaml;
	const yaml_node_pair_t *pair = item->data.mapping.pairs.start;
	const yaml_node_t *head = node_at(yaml, pair->value);
	struct value name, key;
	int result;

	text_printf(writing->text, "stream");
	if (head->type == YAML_MAPPING_NODE)
		result = write_mapping(writing, head);
	else
		result = yaml_text(yaml, head, &name);
	if (result == 0 && head->type != YAML_MAPPING_NODE)
		text_printf(writing->text, " %s", name.text);
	for (pair++; pair < item->data.mapping.pairs.top && result == 0;
	     pair++) {
		result = yaml_text(yaml, node_at(yaml, pair->key), &key);
		if (result == 0 && !is(&key, "modules"))
			result = reader_tell(yaml->reader, &key.place,
			    "'%.60s' is no key of a stream; did you mean "
			    "'modules'?",
			    key.text);
		if (result == 0)
			result = write_modules(
			    writing, node_at(yaml, pair->value));
	}
	return result;
}

static void
set_places(struct directive *directive, const struct place *place)
{
	directive->place = *place;
	directive->name_place = *place;
	directive->location_place = *place;
	directive->arguments_place = *place;
}

static void
set_all_places(struct directive *directive, const struct place *place)
{
	struct directive *module;

	set_places(directive, place);
	if (directive->defines != NULL)
		set_places(directive->defines, place);
	TAILQ_FOREACH (module, &directive->modules, link)
		set_places(module, place);
}

int
yaml_stream(const struct yaml *yaml, const yaml_node_t *item)
{
	struct reader *reader = yaml->reader;
	struct tree *tree = reader->tree;
	struct directive *last = TAILQ_LAST(&tree->directives, directive_list);
	struct place place = yaml_place(yaml, item);
	AUTO_TEXT text = {0};
	const struct writing writing = {yaml, &text};
	const struct source *source;
	int result = write_stream(&writing, item);

	if (result != 0)
		return result;
	source = text.failed ? NULL
			     : reader_source(reader, yaml->source->name,
				   text_string(&text), text.size, false);
	if (source == NULL)
		return -ENOMEM;
	reader->at = &place;
	result = parser_read(reader, source);
	reader->at = NULL;
	last = last != NULL ? TAILQ_NEXT(last, link)
			    : TAILQ_FIRST(&tree->directives);
	for (; last != NULL; last = TAILQ_NEXT(last, link))
		set_all_places(last, &place);
	return result;
}
