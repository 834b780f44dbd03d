/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * parse_service: `dynamic` and `static`, what a service is made from.
 *
 * What stands in the wrong order is told and taken, so that the rest of the
 * directive is looked at too; the directive is dropped by the parser.
 */
#include "config/config_priv.h"

#include <errno.h>

static bool
at_state(const struct parser *parser)
{
	return token_is_word(&parser->token, "active") ||
	       token_is_word(&parser->token, "inactive");
}

static int
parse_state(struct parser *parser, struct directive *directive)
{
	struct token_name name;

	if (!at_state(parser))
		return 0;
	directive->inactive = token_is_word(&parser->token, "inactive");
	parser_advance(parser);
	while (at_state(parser)) {
		reader_tell(parser->reader, &parser->token.place,
		    "%s after the state is said already",
		    token_name(&parser->token, &name));
		parser_advance(parser);
	}
	return 0;
}

/* The string and the block, as they come. */
struct tail {
	struct token string;
	bool has_string;
	bool has_block;
};

static int
late_state(struct parser *parser, const struct directive *directive)
{
	struct token_name name;

	reader_tell(parser->reader, &parser->token.place,
	    directive->kind == DIRECTIVE_STATIC
		? "%s belongs to 'dynamic' only"
		: "%s stands before the string and the attributes",
	    token_name(&parser->token, &name));
	parser_advance(parser);
	return 0;
}

static int
parse_string(struct parser *parser, struct tail *tail)
{
	if (tail->has_string)
		reader_tell(parser->reader, &parser->token.place,
		    "a second string; one string holds all arguments");
	else if (tail->has_block)
		reader_tell(parser->reader, &parser->token.place,
		    "the string stands before the attributes");
	else
		tail->string = parser->token;
	tail->has_string = true;
	parser_advance(parser);
	return 0;
}

/* Settings of its own, for those who write some. */
static int
own_settings(struct reader *reader, struct directive *directive)
{
	directive->settings = arena_alloc(
	    reader->tree->arena, sizeof(*directive->settings));
	if (directive->settings == NULL)
		return -ENOMEM;
	*directive->settings = reader->defaults;
	return 0;
}

/* What `defaults` says, which all who add nothing to it share. */
static int
share_settings(struct reader *reader, struct directive *directive)
{
	int result = 0;

	if (reader->plain == NULL)
		result = own_settings(reader, directive);
	if (result == 0 && reader->plain == NULL)
		reader->plain = directive->settings;
	directive->settings = reader->plain;
	return result;
}

static int
parse_attributes(
    struct parser *parser, struct directive *directive, struct tail *tail)
{
	int result;

	if (parser_at_modules(parser))
		return reader_tell(parser->reader, &parser->token.place,
		    "a block of modules belongs to 'stream'");
	if (tail->has_block)
		reader_tell(parser->reader, &parser->token.place,
		    "a second block of attributes");
	tail->has_block = true;
	if (directive->settings == parser->reader->plain &&
	    own_settings(parser->reader, directive) < 0)
		return -ENOMEM;
	parser->reader->of_program = directive->type == CONFIG_KIND_PROGRAM;
	result = parse_block(parser, ATTRIBUTE_SERVICE, directive->settings,
	    &parser->reader->default_words);
	parser->reader->of_program = false;
	return result;
}

static int
parse_tail(struct parser *parser, struct directive *directive)
{
	struct tail tail = {0};
	int result = 0;

	while (result == 0) {
		const struct token *token = &parser->token;

		if (token->kind == TOKEN_BAD && parser_same_line(parser))
			return parser_expected(parser, "");
		if (token->kind == TOKEN_STRING)
			result = parse_string(parser, &tail);
		else if (at_state(parser))
			result = late_state(parser, directive);
		else if (token_is(token, '{') &&
			 !(parser->defining && parser_at_modules(parser)))
			result = parse_attributes(parser, directive, &tail);
		else
			break;
	}
	if (result != 0)
		return result;
	result = arguments_read(parser->reader,
	    tail.string.kind == TOKEN_STRING ? &tail.string : NULL, directive);
	return result < 0 ? result : 0;
}

int
parse_dynamic(struct parser *parser, struct directive *directive)
{
	int result = share_settings(parser->reader, directive);

	if (result == 0)
		result = parser_name(parser, directive);
	if (result == 0)
		result = parse_type(parser, directive);
	if (result == 0)
		result = parse_location(parser, directive);
	if (result == 0)
		result = parse_state(parser, directive);
	if (result == 0)
		result = parse_tail(parser, directive);
	return result;
}

int
parse_static(struct parser *parser, struct directive *directive)
{
	int result = share_settings(parser->reader, directive);

	if (result == 0)
		result = parser_name(parser, directive);
	if (result == 0)
		result = parse_tail(parser, directive);
	return result;
}
