/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * parse_stream: `stream NAME { … }`, and `stream dynamic …` or `stream static
 * …` with a block of modules behind it.
 *
 * `{ key =` begins attributes and anything else modules: the second token
 * decides.  A stream with a mistake in one of its modules is dropped whole.
 */
#include "config/config_priv.h"

#include <errno.h>

/* The next token but for newlines. */
static void
look_ahead(struct lexer *lexer, struct token *ret_token)
{
	do
		lexer_next(lexer, LEX_KEY, ret_token);
	while (ret_token->kind == TOKEN_NEWLINE);
}

bool
parser_at_modules(const struct parser *parser)
{
	const struct token *brace = &parser->token;
	struct lexer lexer = parser->lexer;
	struct token first, second;

	look_ahead(&lexer, &first);
	if (first.kind == TOKEN_END || token_is(&first, '}'))
		return parser->defining;
	look_ahead(&lexer, &second);
	if (token_is_operator(&second))
		return false;
	if (parser->defining)
		return true;
	/* On a line that is not deeper, it is the next directive, and the
	 * block of attributes was not closed. */
	return keyword_is_directive(&first) &&
	       (first.place.line == brace->place.line ||
		   first.indent > brace->indent);
}

/* A dynamic of a stream's block has to be a module. */
static void
check_modules(struct parser *parser, const struct directive *directive)
{
	const struct directive *module;

	TAILQ_FOREACH (module, &directive->modules, link) {
		if (module->kind != DIRECTIVE_DYNAMIC ||
		    module->type == BERTH_KIND_MODULE)
			continue;
		reader_tell(parser->reader, &module->place,
		    "'%s' is of type %s; a stream is made of Module",
		    module->name, type_name(module->type));
	}
}

int
parse_modules(struct parser *parser, struct directive *directive)
{
	const struct token brace = parser->token, *block = parser->block;
	struct directive_list *into = parser->into;
	bool defining = parser->defining;
	int result;

	parser_advance(parser);
	parser->block = &brace;
	parser->nesting++;
	parser->into = &directive->modules;
	parser->defining = false;
	result = parser_directives(parser);
	parser->nesting--;
	parser->block = block;
	parser->into = into;
	parser->defining = defining;
	if (result < 0)
		return result;
	directive->has_block = true;
	check_modules(parser, directive);
	if (token_is(&parser->token, '}')) {
		parser_advance(parser);
		return 0;
	}
	/* What stands there begins a directive of its own. */
	reader_tell(parser->reader, &brace.place, "this '{' is never closed");
	return 0;
}

/* `dynamic …` or `static …` behind `stream`. */
static int
parse_definition(struct parser *parser, struct directive *directive)
{
	bool is_dynamic = token_is_word(&parser->token, "dynamic");
	struct directive *defines;
	int result;

	defines = tree_add(parser->reader->tree,
	    is_dynamic ? DIRECTIVE_DYNAMIC : DIRECTIVE_STATIC,
	    &parser->token.place);
	if (defines == NULL)
		return -ENOMEM;
	parser_advance(parser);
	parser->defining = true;
	result = is_dynamic ? parse_dynamic(parser, defines)
			    : parse_static(parser, defines);
	parser->defining = false;
	if (result != 0)
		return result;
	if (is_dynamic && defines->type != BERTH_KIND_STREAM &&
	    defines->type != 0)
		reader_tell(parser->reader, &defines->place,
		    "'%s' is of type %s; a stream is of type STREAM",
		    defines->name, type_name(defines->type));
	directive->defines = defines;
	directive->name = defines->name;
	directive->name_place = defines->name_place;
	return 0;
}

int
parse_stream(struct parser *parser, struct directive *directive)
{
	const struct token *token = &parser->token;
	bool modules;
	int result;

	if (token_is_word(token, "dynamic") || token_is_word(token, "static"))
		result = parse_definition(parser, directive);
	else
		result = parser_name(parser, directive);
	if (result != 0 || !token_is(&parser->token, '{'))
		return result;
	parser->defining = true;
	modules = parser_at_modules(parser);
	parser->defining = false;
	if (modules)
		return parse_modules(parser, directive);
	return reader_tell(parser->reader, &parser->token.place,
	    "attributes stand where a stream is defined, before its modules");
}
