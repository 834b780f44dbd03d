/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * yaml: a list of directives, each a mapping that begins with its keyword.
 *
 *	- dynamic: Echo
 *	  type: Service_Object
 *	  location: echo:make_echo()
 *	  arguments: [-x, a b]
 *	  listen: [tcp:127.0.0.1:7, udp:127.0.0.1:7]
 *
 * libyaml reads the bytes; what scalars mean is up to the rows of the table:
 * `yes` is the word yes.  A list of attributes may be one scalar with blanks.
 * Places are those of libyaml, its characters counted back to bytes.
 */
#include "config/config_yaml.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The byte of a line that so many characters are before. */
static unsigned
byte_column(const struct source *source, size_t line, size_t characters)
{
	const char *at = source->data, *end = at + source->size;
	const char *start;

	for (; line > 0 && at < end; at++)
		line -= *at == '\n' ? 1 : 0;
	start = at;
	while (at < end && characters > 0 && *at != '\n') {
		do
			at++;
		while (at < end && ((unsigned char)*at & 0xc0) == 0x80);
		characters--;
	}
	return (unsigned)(at - start) + 1;
}

static struct place
mark_place(
    const struct source *source, const yaml_mark_t *from, const yaml_mark_t *to)
{
	struct place place = {
	    .source = source, .line = (unsigned)from->line + 1, .length = 1};

	place.column = byte_column(source, from->line, from->column);
	if (to != NULL && to->line == from->line && to->column > from->column)
		place.length = byte_column(source, to->line, to->column) -
			       place.column;
	return place;
}

struct place
yaml_place(const struct yaml *yaml, const yaml_node_t *node)
{
	return mark_place(yaml->source, &node->start_mark,
	    node->type == YAML_SCALAR_NODE ? &node->end_mark : NULL);
}

int
yaml_text(
    const struct yaml *yaml, const yaml_node_t *node, struct value *ret_value)
{
	struct place place = yaml_place(yaml, node);
	const char *data;
	size_t size;

	if (node->type != YAML_SCALAR_NODE)
		return reader_tell(
		    yaml->reader, &place, "one value is expected here");
	data = (const char *)node->data.scalar.value;
	size = node->data.scalar.length;
	if (memchr(data, '\0', size) != NULL)
		return reader_tell(yaml->reader, &place, "a NUL byte");
	*ret_value = make_value(yaml->reader, &place, data, size);
	return ret_value->text == NULL ? -ENOMEM : 0;
}

static bool
is_null(const yaml_node_t *node)
{
	static const char *const words[] = {"", "~", "null"};

	if (node->type != YAML_SCALAR_NODE ||
	    node->data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
		return false;
	for (size_t i = 0; i < BASE_COUNT(words); i++)
		if (strcmp((const char *)node->data.scalar.value, words[i]) ==
		    0)
			return true;
	return false;
}

/* A scalar's words, by their blanks. */
static int
split(const struct yaml *yaml, const struct value *value, unsigned *count)
{
	const char *at = value->text + strspn(value->text, " \t\n");
	int result = 0;

	while (*at != '\0' && result == 0) {
		size_t size = strcspn(at, " \t\n");
		struct value word = make_value(
		    yaml->reader, &value->place, at, size);

		if (word.text == NULL)
			return -ENOMEM;
		result = reader_add_value(yaml->reader, (*count)++, &word);
		at += size;
		at += strspn(at, " \t\n");
	}
	return result;
}

static int
take_list(const struct yaml *yaml, const yaml_node_t *node, unsigned *count)
{
	const yaml_node_item_t *item = node->data.sequence.items.start;
	int result = 0;

	for (; item < node->data.sequence.items.top && result == 0; item++) {
		struct value value;

		result = yaml_text(yaml,
		    yaml_document_get_node(yaml->document, *item), &value);
		if (result == 0)
			result = reader_add_value(
			    yaml->reader, (*count)++, &value);
	}
	return result;
}

int
yaml_values(const struct yaml *yaml, const yaml_node_t *node, bool list,
    unsigned *ret_count)
{
	struct place place = yaml_place(yaml, node);
	struct value value;
	int result;

	*ret_count = 0;
	if (node->type == YAML_SEQUENCE_NODE)
		return take_list(yaml, node, ret_count);
	if (node->type != YAML_SCALAR_NODE)
		return reader_tell(yaml->reader, &place,
		    "a value or a list of values is expected here");
	if (is_null(node))
		return 0;
	result = yaml_text(yaml, node, &value);
	if (result != 0)
		return result;
	if (list && node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE)
		return split(yaml, &value, ret_count);
	*ret_count = 1;
	return reader_add_value(yaml->reader, 0, &value);
}

/* --- documents -------------------------------------------------------------
 */

static int
read_items(const struct yaml *yaml, const yaml_node_t *root)
{
	struct place place = yaml_place(yaml, root);
	const yaml_node_item_t *item;
	int result = 0;

	if (is_null(root))
		return 0;
	if (root->type != YAML_SEQUENCE_NODE)
		return reader_tell(yaml->reader, &place,
		    "a list of directives is expected, each behind '- '");
	for (item = root->data.sequence.items.start;
	     item < root->data.sequence.items.top; item++) {
		int answer = yaml_item(
		    yaml, yaml_document_get_node(yaml->document, *item));

		if (answer < 0)
			return answer;
		result = answer > 0 ? answer : result;
	}
	return result;
}

static int
tell_problem(const struct yaml *yaml, const yaml_parser_t *parser)
{
	struct place place;

	if (parser->error == YAML_MEMORY_ERROR)
		return -ENOMEM;
	place = mark_place(yaml->source, &parser->problem_mark, NULL);
	if (parser->error == YAML_READER_ERROR)
		place = (struct place){yaml->source, 1, 1, 1};
	return reader_tell(yaml->reader, &place, "%s%s%s",
	    parser->problem != NULL ? parser->problem : "this is no YAML",
	    parser->context != NULL ? ", " : "",
	    parser->context != NULL ? parser->context : "");
}

static int
read_documents(struct yaml *yaml, yaml_parser_t *parser)
{
	int result = 0;

	for (;;) {
		yaml_document_t document;
		yaml_node_t *root;
		int answer = 0;

		if (yaml_parser_load(parser, &document) == 0)
			return tell_problem(yaml, parser);
		root = yaml_document_get_root_node(&document);
		yaml->document = &document;
		if (root != NULL)
			answer = read_items(yaml, root);
		yaml->document = NULL;
		yaml_document_delete(&document);
		if (answer < 0 || root == NULL)
			return answer < 0 ? answer : result;
		result = answer > 0 ? answer : result;
	}
}

int
yaml_read(struct reader *reader, const struct source *source)
{
	struct yaml yaml = {.reader = reader, .source = source};
	yaml_parser_t parser;
	int result;

	if (yaml_parser_initialize(&parser) == 0)
		return -ENOMEM;
	yaml_parser_set_input_string(
	    &parser, (const unsigned char *)source->data, source->size);
	result = read_documents(&yaml, &parser);
	yaml_parser_delete(&parser);
	return result;
}
