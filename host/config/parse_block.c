/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * parse_block: { key = value … }, and the directives `defaults` and `host`
 * that are nothing else.
 *
 * A statement with a mistake is skipped up to its newline or semicolon; the
 * others of the block are read.  A directive's keyword without an operator
 * behind it means that the closing brace is missing: the block ends there.
 */
#include "config/config_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct block {
	struct parser *parser;
	enum attribute_scope scope;
	void *values;
	struct given *given;
	struct endpoint_words words;
	struct place word_place; /* of the first of them in this block */
	bool in_defaults;
	struct token brace;
	struct place set[ATTRIBUTE_ROWS]; /* where = was */
	struct given touched;		  /* by any operator */
};

/* One key with its values. */
struct statement {
	struct token key;
	struct token how;
	const struct attribute *attribute; /* NULL: unknown, and told */
	unsigned row;
	unsigned count; /* of reader->values */
};

static void
next(struct block *block, enum lexer_mode mode, struct token *ret_token)
{
	lexer_next(&block->parser->lexer, mode, ret_token);
}

static bool
ends_statement(const struct token *token)
{
	return token->kind == TOKEN_END || token->kind == TOKEN_NEWLINE ||
	       token_is(token, ';') || token_is(token, '}');
}

/* The next token; what closes the block is left for who looks for it. */
static void
next_within(struct block *block, enum lexer_mode mode, struct token *ret_token)
{
	struct lexer before = block->parser->lexer;

	next(block, mode, ret_token);
	if (token_is(ret_token, '}'))
		block->parser->lexer = before;
}

static void
skip_statement(struct block *block)
{
	struct token token;

	do
		next_within(block, LEX_VALUE, &token);
	while (!ends_statement(&token));
}

static void
unknown_key(struct block *block, const struct token *key, const char *word)
{
	struct reader *reader = block->parser->reader;
	const struct attribute *row = attributes(block->scope);
	bool of_host = block->scope == ATTRIBUTE_HOST;
	struct suggestion suggestion;
	struct token_name name;
	struct hint near;

	if (of_host && attribute_find(ATTRIBUTE_SERVICE, word) != NULL) {
		reader_tell(reader, &key->place,
		    "'%s' is a service's: it stands with one, or in "
		    "'defaults { }'",
		    word);
		return;
	}
	if (!of_host && attribute_find(ATTRIBUTE_HOST, word) != NULL) {
		reader_tell(reader, &key->place,
		    "'%s' is the host's: it stands in 'host { }'", word);
		return;
	}
	suggestion_init(&suggestion, word);
	for (; row->name != NULL; row++)
		suggestion_offer(&suggestion, row->name);
	reader_tell(reader, &key->place, "unknown attribute %s%s",
	    token_name(key, &name), hint(&suggestion, &near));
}

static unsigned
row_of(const struct attribute *attribute)
{
	return (unsigned)(attribute - attributes(attribute->scope));
}

static void
find_attribute(struct block *block, struct statement *statement)
{
	struct token_word buffer;
	const char *word = token_word(&statement->key, &buffer);

	statement->attribute = attribute_find(block->scope, word);
	if (statement->attribute == NULL)
		unknown_key(block, &statement->key, word);
	else
		statement->row = row_of(statement->attribute);
}

/* --- values ----------------------------------------------------------------
 */

static int
take_value(
    struct block *block, const struct token *token, struct statement *statement)
{
	struct reader *reader = block->parser->reader;
	struct value value = {.place = token->place};
	int result;

	if (token->kind == TOKEN_BAD)
		return reader_tell(reader, &token->place, "%s", token->mistake);
	result = expand_token(reader, token, &value.text);
	if (result != 0)
		return result;
	result = reader_add_value(reader, statement->count, &value);
	if (result == 0)
		statement->count++;
	return result;
}

/* All values of a statement, and its end. */
static int
take_values(struct block *block, struct statement *statement)
{
	struct token token;
	int result = 0;

	for (;;) {
		int answer;

		next_within(block, LEX_VALUE, &token);
		if (ends_statement(&token))
			return result;
		/* Behind a torn value, nobody knows where the next begins. */
		answer = result > 0 ? result
				    : take_value(block, &token, statement);
		if (answer < 0)
			return answer;
		result = answer;
	}
}

static int
check_operator(struct block *block, const struct statement *statement)
{
	struct reader *reader = block->parser->reader;
	const struct attribute *attribute = statement->attribute;
	struct place *set = &block->set[statement->row];
	const struct place *key = &statement->key.place;
	struct token_name name;

	given_add(&block->touched, statement->row);
	if (statement->how.kind != TOKEN_ASSIGN) {
		if (attribute->kind == VALUE_ENDPOINTS ||
		    attribute->kind == VALUE_WORDS)
			return 0;
		return reader_tell(reader, &statement->how.place,
		    "%s: '%s' is no list, and is set with '='",
		    token_name(&statement->how, &name), attribute->name);
	}
	if (set->line != 0)
		return reader_tell(reader, key,
		    "'%s' is set twice in one block; the first is in line %u",
		    attribute->name, set->line);
	*set = *key;
	return 0;
}

static int
set_part(struct block *block, const struct statement *statement)
{
	struct parser *parser = block->parser;

	if (block->in_defaults &&
	    strcmp(statement->attribute->name, "port") == 0)
		return reader_tell(parser->reader, &statement->key.place,
		    "'port' belongs to one service, not to defaults");
	if (block->word_place.line == 0)
		block->word_place = statement->key.place;
	return endpoint_word_set(parser->reader, statement->attribute,
	    &parser->reader->values[0], &block->words);
}

/* Into the settings only if it is the one value; a message about the value
 * itself comes first. */
static int
read_value(struct block *block, const struct statement *statement)
{
	const struct attribute *attribute = statement->attribute;
	char *field = (char *)block->values + attribute->offset;
	uint64_t elsewhere[3]; /* as large as any field */
	struct message message;
	int result;

	if (statement->count > 1)
		field = (char *)elsewhere;
	result = value_type(attribute->kind)
		     ->read(attribute, block->parser->reader->values[0].text,
			 field, &message);
	if (result != -EINVAL)
		return result;
	return reader_tell(block->parser->reader,
	    &block->parser->reader->values[0].place, "%s", message.text);
}

static int
set_scalar(struct block *block, const struct statement *statement)
{
	struct reader *reader = block->parser->reader;
	const struct attribute *attribute = statement->attribute;
	int result;

	if (statement->count == 0)
		return reader_tell(reader, &statement->how.place,
		    "'%s' needs a value: %s", attribute->name,
		    attribute->syntax);
	if (attribute->kind == VALUE_PART)
		result = set_part(block, statement);
	else
		result = read_value(block, statement);
	if (result == 0 && statement->count > 1)
		return reader_tell(reader, &reader->values[1].place,
		    "'%s' takes one value", attribute->name);
	return result;
}

static int
assign(struct block *block, const struct statement *statement)
{
	const struct attribute *attribute = statement->attribute;
	struct reader *reader = block->parser->reader;
	int result = check_operator(block, statement);

	if (result == 0)
		result = attribute_check(
		    reader, attribute, &statement->key.place);
	if (result != 0)
		return result;
	if (attribute->kind == VALUE_ENDPOINTS)
		result = endpoints_assign(reader, statement->how.kind,
		    reader->values, statement->count, block->values);
	else if (list_takes(attribute))
		result = list_assign(reader, attribute, statement->how.kind,
		    reader->values, statement->count, &statement->how.place,
		    (char *)block->values + attribute->offset);
	else
		result = set_scalar(block, statement);
	if (result == 0 && block->scope == ATTRIBUTE_SERVICE)
		result = attribute_keep_place(reader, attribute,
		    statement->count > 0 ? &reader->values[0].place
					 : &statement->how.place,
		    block->values);
	if (result == 0 && attribute->kind != VALUE_PART)
		given_add(block->given, statement->row);
	return result;
}

/* --- the block -------------------------------------------------------------
 */

static int
missing_operator(struct block *block, const struct statement *statement)
{
	const struct token *key = &statement->key, *found = &statement->how;
	bool on_line = found->kind != TOKEN_NEWLINE && found->kind != TOKEN_END;
	struct token_name key_name, found_name;

	reader_tell(block->parser->reader,
	    on_line ? &found->place : &key->place,
	    "expected '=' behind %s, not %s", token_name(key, &key_name),
	    token_name(found, &found_name));
	if (!ends_statement(found))
		skip_statement(block);
	return CONFIG_E_MISTAKE;
}

static int
parse_statement(struct block *block, const struct token *key)
{
	struct statement statement = {.key = *key};
	int result;

	next_within(block, LEX_KEY, &statement.how);
	if (!token_is_operator(&statement.how))
		return missing_operator(block, &statement);
	find_attribute(block, &statement);
	result = take_values(block, &statement);
	if (result == 0 && statement.attribute != NULL)
		result = assign(block, &statement);
	return result;
}

/* No word where a key should be. */
static int
bad_key(struct block *block, const struct token *token)
{
	struct reader *reader = block->parser->reader;
	struct token_name name;

	if (token->kind == TOKEN_BAD)
		reader_tell(reader, &token->place, "%s", token->mistake);
	else
		reader_tell(reader, &token->place,
		    "expected an attribute, not %s", token_name(token, &name));
	skip_statement(block);
	return CONFIG_E_MISTAKE;
}

/* Is this key the keyword of the directive behind an unclosed block? */
static bool
is_next_directive(const struct block *block, const struct token *key)
{
	struct lexer ahead = block->parser->lexer;
	struct token token;

	if (!keyword_begins(key))
		return false;
	lexer_next(&ahead, LEX_KEY, &token);
	return !token_is_operator(&token);
}

/* parser->token is the closing brace afterwards, if there is one. */
static int
parse_statements(struct block *block)
{
	struct parser *parser = block->parser;
	int result = 0;

	while (result >= 0) {
		struct lexer before = parser->lexer;
		struct token token;

		next(block, LEX_KEY, &token);
		if (token_is(&token, '}')) {
			parser->token = token;
			return 0;
		}
		if (token.kind == TOKEN_END ||
		    is_next_directive(block, &token)) {
			parser->lexer = before;
			return reader_tell(parser->reader, &block->brace.place,
			    "this '{' is never closed");
		}
		if (ends_statement(&token))
			continue;
		result = token.kind == TOKEN_WORD
			     ? parse_statement(block, &token)
			     : bad_key(block, &token);
	}
	return result;
}

/* What `port` and its kin of this block make up. */
static int
combine(struct block *block, struct endpoint_words *defaults)
{
	struct parser *parser = block->parser;
	struct settings *settings = block->values;
	unsigned listen;
	int result;

	if (block->word_place.line == 0)
		return 0;
	if (block->in_defaults) {
		*defaults = block->words;
		return 0;
	}
	listen = row_of(attribute_find(ATTRIBUTE_SERVICE, "listen"));
	if (given_has(&block->touched, listen))
		return reader_tell(parser->reader, &block->word_place,
		    "'port' and 'listen' say the same; use one of them");
	result = endpoints_combine(
	    parser->reader, &block->word_place, &block->words, settings);
	if (result == 0)
		given_add(&settings->given, listen);
	return result;
}

int
parse_block(struct parser *parser, enum attribute_scope scope, void *values,
    struct endpoint_words *defaults)
{
	struct block block = {.parser = parser, .scope = scope};
	int result, combined = 0;

	block.values = values;
	block.given = scope == ATTRIBUTE_HOST
			  ? &((struct host_settings *)values)->given
			  : &((struct settings *)values)->given;
	block.brace = parser->token;
	block.in_defaults = values == &parser->reader->defaults;
	if (defaults != NULL)
		block.words = *defaults;
	result = parse_statements(&block);
	if (result >= 0)
		combined = combine(&block, defaults);
	if (combined == 0 && scope == ATTRIBUTE_SERVICE)
		combined = endpoints_check_words(
		    parser->reader, &block.touched, values);
	if (result < 0 || combined < 0)
		return -ENOMEM;
	/* Mistakes of a block do not derail the directive around it. */
	parser_advance(parser);
	return 0;
}

int
parse_defaults(struct parser *parser, struct directive *directive)
{
	struct reader *reader = parser->reader;

	(void)directive;
	if (!token_is(&parser->token, '{'))
		return parser_expected(parser, "'{'");
	reader->plain = NULL;
	return parse_block(parser, ATTRIBUTE_SERVICE, &reader->defaults,
	    &reader->default_words);
}

int
parse_host(struct parser *parser, struct directive *directive)
{
	(void)directive;
	if (!token_is(&parser->token, '{'))
		return parser_expected(parser, "'{'");
	parser->reader->tree->host_place = parser->last.place;
	return parse_block(
	    parser, ATTRIBUTE_HOST, &parser->reader->tree->host, NULL);
}
