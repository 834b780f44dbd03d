/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * yaml_block: the attributes of a directive, as keys of its mapping.
 */
#include "config/config_yaml.h"

#include <errno.h>
#include <string.h>

struct block {
	const struct yaml *yaml;
	enum attribute_scope scope;
	void *values;
	struct given *given;
	struct endpoint_words words;
	struct place word_place;
	struct given seen;
	bool in_defaults;
};

static int
unknown(const struct block *block, const struct value *key)
{
	const struct attribute *row = attributes(block->scope);
	struct suggestion suggestion;
	struct hint near;

	suggestion_init(&suggestion, key->text);
	for (; row->name != NULL; row++)
		suggestion_offer(&suggestion, row->name);
	return reader_tell(block->yaml->reader, &key->place,
	    "unknown attribute '%.60s'%s", key->text, hint(&suggestion, &near));
}

static int
set_one(
    struct block *block, const struct attribute *row, const struct value *value)
{
	struct reader *reader = block->yaml->reader;
	struct message message;
	int result;

	if (row->kind == VALUE_PART) {
		if (block->in_defaults && strcmp(row->name, "port") == 0)
			return reader_tell(reader, &value->place,
			    "'port' belongs to one service, not to defaults");
		block->word_place = value->place;
		return endpoint_word_set(reader, row, value, &block->words);
	}
	result = value_type(row->kind)->read(
	    row, value->text, (char *)block->values + row->offset, &message);
	if (result != -EINVAL)
		return result;
	return reader_tell(reader, &value->place, "%s", message.text);
}

static int
set(struct block *block, const struct attribute *row, const struct value *key,
    unsigned count)
{
	struct reader *reader = block->yaml->reader;

	if (row->kind == VALUE_ENDPOINTS)
		return endpoints_assign(
		    reader, TOKEN_ASSIGN, reader->values, count, block->values);
	if (list_takes(row))
		return list_assign(reader, row, TOKEN_ASSIGN, reader->values,
		    count, &key->place, (char *)block->values + row->offset);
	if (count != 1)
		return reader_tell(reader,
		    count == 0 ? &key->place : &reader->values[1].place,
		    "'%s' takes one value", row->name);
	return set_one(block, row, &reader->values[0]);
}

static int
take_pair(struct block *block, const struct value *key, const yaml_node_t *node)
{
	struct reader *reader = block->yaml->reader;
	const struct attribute *row = attribute_find(block->scope, key->text);
	unsigned index, count = 0;
	int result;

	if (row == NULL)
		return unknown(block, key);
	index = (unsigned)(row - attributes(block->scope));
	if (given_has(&block->seen, index))
		return reader_tell(
		    reader, &key->place, "'%s' is set twice", row->name);
	given_add(&block->seen, index);
	result = attribute_check(reader, row, &key->place);
	if (result == 0)
		result = yaml_values(block->yaml, node,
		    row->kind == VALUE_ENDPOINTS || list_takes(row), &count);
	if (result == 0)
		result = set(block, row, key, count);
	if (result == 0 && block->scope == ATTRIBUTE_SERVICE)
		result = attribute_keep_place(reader, row,
		    count > 0 ? &reader->values[0].place : &key->place,
		    block->values);
	if (result == 0 && row->kind != VALUE_PART)
		given_add(block->given, index);
	return result;
}

/* What `port` and its kin make up. */
static int
combine(struct block *block)
{
	struct reader *reader = block->yaml->reader;
	const struct attribute *listen = attribute_find(
	    ATTRIBUTE_SERVICE, "listen");
	unsigned index = (unsigned)(listen - attributes(ATTRIBUTE_SERVICE));
	int result;

	if (block->word_place.line == 0)
		return 0;
	if (block->in_defaults) {
		reader->default_words = block->words;
		return 0;
	}
	if (given_has(&block->seen, index))
		return reader_tell(reader, &block->word_place,
		    "'port' and 'listen' say the same; use one of them");
	result = endpoints_combine(
	    reader, &block->word_place, &block->words, block->values);
	if (result == 0)
		given_add(block->given, index);
	return result;
}

int
yaml_block(const struct yaml *yaml, const yaml_node_t *node,
    enum attribute_scope scope, void *values, bool (*skip)(const char *key))
{
	struct block block = {.yaml = yaml, .scope = scope, .values = values};
	const yaml_node_pair_t *pair = node->data.mapping.pairs.start;
	int result = 0;

	block.given = scope == ATTRIBUTE_HOST
			  ? &((struct host_settings *)values)->given
			  : &((struct settings *)values)->given;
	block.in_defaults = values == &yaml->reader->defaults;
	if (scope == ATTRIBUTE_SERVICE)
		block.words = yaml->reader->default_words;
	for (; pair < node->data.mapping.pairs.top; pair++) {
		struct value key;
		int answer = yaml_text(yaml,
		    yaml_document_get_node(yaml->document, pair->key), &key);

		if (answer == 0 && (skip == NULL || !skip(key.text)))
			answer = take_pair(&block, &key,
			    yaml_document_get_node(
				yaml->document, pair->value));
		if (answer < 0)
			return answer;
		result = answer > 0 ? answer : result;
	}
	if (result == 0)
		result = combine(&block);
	if (result == 0 && scope == ATTRIBUTE_SERVICE)
		result = endpoints_check_words(
		    yaml->reader, &block.seen, values);
	return result;
}
