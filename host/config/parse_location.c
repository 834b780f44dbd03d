/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * parse_location: the type of what is loaded, and where it is:
 * `Service_Object * echo:make_echo()`.
 *
 * A path is a word or a string.  A word is taken as it stands; a string has
 * its escapes and variables replaced.
 */
#include "config/config_priv.h"

#include <errno.h>
#include <string.h>

static const struct type {
	const char *word;
	uint32_t type;
} types[] = {
    {"Service_Object", BERTH_KIND_SERVICE},
    {"Module", BERTH_KIND_MODULE},
    {"STREAM", BERTH_KIND_STREAM},
    {"Stream", BERTH_KIND_STREAM},
    {"Program", CONFIG_KIND_PROGRAM},
};

#define A_TYPE "a type (Service_Object, Module, STREAM or Program)"

const char *
type_name(uint32_t type)
{
	for (size_t i = 0; i < BASE_COUNT(types); i++)
		if (types[i].type == type)
			return types[i].word;
	return "";
}

static const struct type *
find_type(const struct token *token)
{
	for (size_t i = 0; i < BASE_COUNT(types); i++)
		if (token_is_word(token, types[i].word))
			return &types[i];
	return NULL;
}

static int
unknown_type(struct parser *parser, const struct token *token)
{
	struct suggestion suggestion;
	struct token_name name;
	struct token_word word;
	struct hint near;

	suggestion_init(&suggestion, token_word(token, &word));
	for (size_t i = 0; i < BASE_COUNT(types); i++)
		suggestion_offer(&suggestion, types[i].word);
	return reader_tell(parser->reader, &token->place, "unknown type %s%s",
	    token_name(token, &name), hint(&suggestion, &near));
}

/* Could the word before this token have been the path of a location? */
static bool
follows_path(const struct parser *parser)
{
	return token_is(&parser->token, ':') && parser_same_line(parser);
}

int
parse_type(struct parser *parser, struct directive *directive)
{
	const struct token word = parser->token;
	const struct type *type = find_type(&word);
	struct token_name name;

	if (word.kind != TOKEN_WORD ||
	    (keyword_is_directive(&word) && !parser_same_line(parser)))
		return parser_expected(parser, A_TYPE);
	parser_advance(parser);
	if (type == NULL && follows_path(parser))
		return reader_tell(parser->reader, &word.place,
		    "expected " A_TYPE " before %s", token_name(&word, &name));
	if (type == NULL)
		unknown_type(parser, &word);
	else
		directive->type = type->type;
	if (token_is(&parser->token, '*')) {
		parser_advance(parser);
		return 0;
	}
	return parser_expected(parser, "'*'");
}

/* The path, if there is one; parser->token is the : behind it then. */
static int
parse_path(struct parser *parser, struct directive *directive)
{
	const struct token path = parser->token;
	int result;

	if (token_is(&path, ':'))
		return 0;
	if ((path.kind != TOKEN_WORD && path.kind != TOKEN_STRING) ||
	    (keyword_is_directive(&path) && !parser_same_line(parser)))
		return parser_expected(parser, "a location");
	parser_advance(parser);
	if (path.kind == TOKEN_STRING) {
		result = expand_token(parser->reader, &path, &directive->path);
		if (result < 0)
			return result;
		if (result == 0 && directive->path[0] == '\0')
			reader_tell(
			    parser->reader, &path.place, "the path is empty");
		return 0;
	}
	directive->path = arena_copy(
	    parser->reader->tree->arena, path.text, path.size);
	return directive->path == NULL ? -ENOMEM : 0;
}

static bool
is_symbol(const struct token *token)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				       "abcdefghijklmnopqrstuvwxyz_"
				       "0123456789.$@";

	for (size_t i = 0; i < token->size; i++)
		if (token->text[i] == '\0' ||
		    strchr(alphabet, token->text[i]) == NULL)
			return false;
	return token->size > 0 &&
	       strchr("0123456789.@", token->text[0]) == NULL;
}

static int
parse_symbol(struct parser *parser, struct directive *directive)
{
	const struct token symbol = parser->token;
	struct token_name name;

	if (symbol.kind != TOKEN_WORD || !parser_same_line(parser))
		if (symbol.kind != TOKEN_WORD || keyword_is_directive(&symbol))
			return parser_expected(parser, "a symbol");
	parser_advance(parser);
	if (!is_symbol(&symbol))
		reader_tell(parser->reader, &symbol.place,
		    "%s is not a symbol's name", token_name(&symbol, &name));
	directive->symbol = arena_copy(
	    parser->reader->tree->arena, symbol.text, symbol.size);
	return directive->symbol == NULL ? -ENOMEM : 0;
}

static int
parse_parentheses(struct parser *parser, struct directive *directive)
{
	if (!token_is(&parser->token, '(')) {
		/* A service of the host has a factory, and no object. */
		return directive->path == NULL ? parser_expected(parser, "'()'")
					       : 0;
	}
	parser_advance(parser);
	if (!token_is(&parser->token, ')'))
		return parser_expected(parser, "')'");
	parser_advance(parser);
	directive->factory = true;
	return 0;
}

static int
program_symbol(struct parser *parser)
{
	if (!token_is(&parser->token, ':'))
		return 0;
	return reader_tell(parser->reader, &parser->token.place,
	    "a program has a path only, and no symbol");
}

int
parse_location(struct parser *parser, struct directive *directive)
{
	bool program = directive->type == CONFIG_KIND_PROGRAM;
	struct place *place = &directive->location_place;
	int result;

	*place = parser->token.place;
	result = parse_path(parser, directive);
	if (result != 0)
		return result;
	if (program && directive->path != NULL)
		return program_symbol(parser);
	/* Of an unknown type, it may have been a program's. */
	if (directive->type == 0 && !token_is(&parser->token, ':'))
		return 0;
	if (!token_is(&parser->token, ':'))
		return parser_expected(parser, "':' and a symbol");
	if (program)
		return parser_expected(parser, "the path of a program");
	parser_advance(parser);
	result = parse_symbol(parser, directive);
	if (result == 0)
		result = parse_parentheses(parser, directive);
	/* From the first token to the last, if they share a line. */
	if (parser->last.place.line == place->line)
		place->length = parser->last.place.column +
				parser->last.place.length - place->column;
	return result;
}
