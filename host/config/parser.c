/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * parser: tokens to directives, by recursive descent.
 *
 * Each verb has a row in the table; its function takes what follows the
 * keyword.  A mistake is told where it is and the directive is dropped, then
 * recover() looks for the next place where a directive begins: a keyword, or
 * a word at the start of a line that is not indented deeper than the line
 * where the broken directive began.  So three broken lines are three
 * messages, and the rest of a broken directive is none.
 *
 * Nothing is linked into the tree before the whole directive is read and
 * found right.
 */
#include "config/config_priv.h"

#include <errno.h>
#include <string.h>

/* Of lost blocks: a block of modules that is right holds none. */
#define NESTING_LIMIT 4u

static const struct verb {
	const char *word;
	int (*parse)(struct parser *parser, struct directive *directive);
	enum directive_kind kind;
	bool makes;    /* a directive of the tree */
	bool in_block; /* may stand in a block of modules */
	bool in_ace;   /* and so is no name */
} verbs[] = {
    {"dynamic", parse_dynamic, DIRECTIVE_DYNAMIC, true, true, true},
    {"static", parse_static, DIRECTIVE_STATIC, true, true, true},
    {"remove", parser_name, DIRECTIVE_REMOVE, true, true, true},
    {"suspend", parser_name, DIRECTIVE_SUSPEND, true, true, true},
    {"resume", parser_name, DIRECTIVE_RESUME, true, true, true},
    {"stream", parse_stream, DIRECTIVE_STREAM, true, false, true},
    {"include", parse_include, DIRECTIVE_DYNAMIC, false, false, false},
    {"includedir", parse_includedir, DIRECTIVE_DYNAMIC, false, false, false},
    {"defaults", parse_defaults, DIRECTIVE_DYNAMIC, false, false, false},
    {"host", parse_host, DIRECTIVE_DYNAMIC, false, false, false},
};

const char *
directive_kind_name(enum directive_kind kind)
{
	return verbs[kind].word;
}

static const struct verb *
find_verb(const struct token *token)
{
	for (size_t i = 0; i < BASE_COUNT(verbs); i++)
		if (token_is_word(token, verbs[i].word))
			return &verbs[i];
	return NULL;
}

bool
keyword_is_directive(const struct token *token)
{
	const struct verb *verb = find_verb(token);

	return verb != NULL && verb->in_ace;
}

bool
keyword_begins(const struct token *token)
{
	return find_verb(token) != NULL;
}

void
parser_advance(struct parser *parser)
{
	parser->last = parser->token;
	lexer_next(&parser->lexer, LEX_DIRECTIVE, &parser->token);
}

bool
parser_same_line(const struct parser *parser)
{
	return parser->token.kind != TOKEN_END &&
	       parser->token.place.line == parser->last.place.line;
}

int
parser_expected(struct parser *parser, const char *what)
{
	struct token_name found, last;

	if (parser->token.kind == TOKEN_BAD)
		return reader_tell(parser->reader, &parser->token.place, "%s",
		    parser->token.mistake);
	if (parser_same_line(parser))
		return reader_tell(parser->reader, &parser->token.place,
		    "expected %s, not %s", what,
		    token_name(&parser->token, &found));
	return reader_tell(parser->reader, &parser->last.place,
	    "expected %s after %s", what, token_name(&parser->last, &last));
}

/* ACE's keywords that are no verbs. */
bool
parser_is_reserved(const struct token *token)
{
	static const char *const words[] = {
	    "Service_Object", "Module", "STREAM", "active", "inactive"};

	for (size_t i = 0; i < BASE_COUNT(words); i++)
		if (token_is_word(token, words[i]))
			return true;
	return keyword_is_directive(token);
}

/* Where the word stops being a name; its size if it does not. */
static size_t
name_end(const struct token *word)
{
	size_t at = 0;

	while (at < word->size && strchr("/\\%~;\"'", word->text[at]) == NULL)
		at++;
	return at;
}

/* Tells what makes the word no name; what is behind it is looked at all the
 * same, unless that is within a string. */
static int
check_name(struct parser *parser, const struct token *word)
{
	size_t at = name_end(word);
	struct place place = word->place;
	struct token_name name;

	if (parser_is_reserved(word)) {
		reader_tell(parser->reader, &place,
		    "%s is a keyword and cannot be a name",
		    token_name(word, &name));
		return 0;
	}
	if (at == word->size)
		return 0;
	place.column += (unsigned)at;
	place.length = 1;
	if (word->text[at] == '"' || word->text[at] == '\'')
		return reader_tell(parser->reader, &place,
		    "a quote within a name; put a blank before a string");
	reader_tell(parser->reader, &place, "'%c' cannot stand in a name%s",
	    word->text[at],
	    word->text[at] == ';' ? "; directives need nothing between them"
				  : "");
	return 0;
}

int
parser_name(struct parser *parser, struct directive *directive)
{
	const struct token token = parser->token;
	const char *name;
	int result = 0;

	if (token.kind == TOKEN_STRING && parser_same_line(parser))
		reader_tell(parser->reader, &token.place,
		    "a name stands without quotes");
	else if (token.kind != TOKEN_WORD ||
		 (find_verb(&token) != NULL && !parser_same_line(parser)))
		return parser_expected(parser, "a name");
	else
		result = check_name(parser, &token);
	parser_advance(parser);
	name = arena_copy(parser->reader->tree->arena, token.text, token.size);
	if (name == NULL)
		return -ENOMEM;
	directive->name = name;
	directive->name_place = token.place;
	return result;
}

/* What is wrong wherever it stands. */
static int
tell_stray(struct parser *parser, const struct token *token)
{
	struct token_name name;

	if (token->kind == TOKEN_BAD)
		return reader_tell(
		    parser->reader, &token->place, "%s", token->mistake);
	if (token_is(token, '{'))
		return reader_tell(parser->reader, &token->place,
		    "'{' without a directive before it");
	if (token_is(token, '}'))
		return reader_tell(parser->reader, &token->place,
		    "'}' without a '{' before it");
	return reader_tell(parser->reader, &token->place,
	    "expected a directive, not %s", token_name(token, &name));
}

/* Something is left on the line that cannot begin a directive. */
static int
check_end(struct parser *parser)
{
	const struct token *token = &parser->token;
	struct token_name found, last;

	if (!parser_same_line(parser) || find_verb(token) != NULL ||
	    (parser->block != NULL && token_is(token, '}')))
		return 0;
	if (token->kind != TOKEN_WORD && token->kind != TOKEN_STRING)
		return tell_stray(parser, token);
	return reader_tell(parser->reader, &token->place,
	    "%s does not belong behind %s", token_name(token, &found),
	    token_name(&parser->last, &last));
}

/* No verb where a directive should begin; tells, and takes it. */
static int
unknown(struct parser *parser)
{
	const struct token token = parser->token;
	struct suggestion suggestion;
	struct token_name name;
	struct token_word word;
	struct hint near;

	/* The block behind a stray brace is recover()'s. */
	if (!token_is(&token, '{'))
		parser_advance(parser);
	if (token.kind != TOKEN_WORD)
		return tell_stray(parser, &token);
	suggestion_init(&suggestion, token_word(&token, &word));
	for (size_t i = 0; i < BASE_COUNT(verbs); i++)
		suggestion_offer(&suggestion, verbs[i].word);
	return reader_tell(parser->reader, &token.place,
	    "unknown directive %s%s", token_name(&token, &name),
	    hint(&suggestion, &near));
}

/* For its mistakes only; for none if nobody knows what it belongs to. */
static int
parse_lost_block(struct parser *parser, const struct token *broken)
{
	struct reader *reader = parser->reader;
	unsigned quiet = find_verb(broken) == NULL ? 1 : 0;
	struct endpoint_words words = reader->default_words;
	struct settings settings = reader->defaults;
	struct host_settings host = reader->tree->host;
	struct directive lost = {.kind = DIRECTIVE_STREAM};
	int result;

	TAILQ_INIT(&lost.modules);
	reader->quiet += quiet;
	if (token_is_word(broken, "host"))
		result = parse_block(parser, ATTRIBUTE_HOST, &host, NULL);
	else if (parser->nesting < NESTING_LIMIT && parser_at_modules(parser))
		result = parse_modules(parser, &lost);
	else
		result = parse_block(
		    parser, ATTRIBUTE_SERVICE, &settings, &words);
	reader->quiet -= quiet;
	return result < 0 ? result : 0;
}

static bool
may_begin(const struct parser *parser, const struct token *broken, bool torn)
{
	const struct token *token = &parser->token;
	bool first = token->place.column == token->indent &&
		     token->place.line != parser->last.place.line;

	if (token->kind != TOKEN_WORD)
		return false;
	if (first && token->indent <= broken->indent)
		return true;
	if (torn && !first)
		return false;
	return first ? find_verb(token) != NULL : keyword_is_directive(token);
}

static int
recover(struct parser *parser, const struct token *broken)
{
	/* Within what may be the rest of a string. */
	bool torn = parser->last.kind == TOKEN_BAD;
	int result;

	for (;;) {
		const struct token *token = &parser->token;

		if (token->kind == TOKEN_END || may_begin(parser, broken, torn))
			return 0;
		/* The block's end, or a stray one to tell about. */
		if (token_is(token, '}') &&
		    (parser->block != NULL || !parser_same_line(parser)))
			return 0;
		if (token_is(token, '{')) {
			result = parse_lost_block(parser, broken);
			if (result < 0)
				return result;
			continue;
		}
		torn = torn || token->kind == TOKEN_BAD;
		parser_advance(parser);
	}
}

static int
make(struct parser *parser, const struct verb *verb)
{
	struct reader *reader = parser->reader;
	unsigned before = reader->mistakes;
	struct directive *directive;
	int result;

	directive = tree_add(reader->tree, verb->kind, &parser->token.place);
	if (directive == NULL)
		return -ENOMEM;
	parser_advance(parser);
	result = verb->parse(parser, directive);
	if (result == 0)
		result = check_end(parser);
	if (result == 0 && verb->makes && reader->mistakes == before)
		TAILQ_INSERT_TAIL(parser->into, directive, link);
	return result;
}

static int
misplaced(struct parser *parser, const struct verb *verb)
{
	struct place place = parser->token.place;

	parser_advance(parser);
	return reader_tell(parser->reader, &place,
	    "'%s' cannot stand in a block of modules", verb->word);
}

/* Is the block's closing brace missing before this line? */
static bool
is_outside(const struct parser *parser)
{
	const struct token *token = &parser->token;

	return token->place.column == token->indent &&
	       token->indent <= parser->block->indent &&
	       token->place.line != parser->block->place.line;
}

static int
parse_one(struct parser *parser)
{
	const struct token first = parser->token;
	const struct verb *verb = find_verb(&first);
	int result;

	if (verb == NULL)
		result = unknown(parser);
	else if (parser->block != NULL && !verb->in_block)
		result = misplaced(parser, verb);
	else
		result = make(parser, verb);
	return result > 0 ? recover(parser, &first) : result;
}

int
parser_directives(struct parser *parser)
{
	int result = 0;

	while (result == 0 && parser->token.kind != TOKEN_END) {
		const struct verb *verb = find_verb(&parser->token);

		if (parser->block != NULL && token_is(&parser->token, '}'))
			break;
		if (parser->block != NULL && verb != NULL && !verb->in_block &&
		    is_outside(parser))
			break;
		result = parse_one(parser);
	}
	return result;
}

int
parser_read(struct reader *reader, const struct source *source)
{
	struct parser parser = {
	    .reader = reader, .into = &reader->tree->directives};

	lexer_init(&parser.lexer, source);
	parser_advance(&parser);
	return parser_directives(&parser);
}
