/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lexer: bytes to tokens, one at a time, in the mode that the parser asks
 * for: what ends a word in `echo:make_echo()` is part of one in
 * `listen = tcp:*:7`.
 *
 * A lexer is a position and nothing else, so that a copy of it looks ahead.
 * It never fails: what is no token is a TOKEN_BAD that says why, and the next
 * call goes on behind it.  A `#` begins a comment where a token could begin.
 * Words and strings keep their bytes; expand.c gives them their meaning.
 */
#include "config/config_priv.h"

#include <stdio.h>
#include <string.h>

#define TORN_LINES 16u

/* What a byte is, and of which mode's words it is the end. */
#define ENDS_DIRECTIVE 0x01u
#define ENDS_KEY 0x02u
#define ENDS_VALUE 0x04u
#define ENDS_ALL (ENDS_DIRECTIVE | ENDS_KEY | ENDS_VALUE)
#define IS_BLANK 0x08u
#define IS_CONTROL 0x10u /* in a string: a mistake, or the end of the line */
#define OPERATOR 0x20u	 /* perhaps */
#define QUOTED 0x40u	 /* means something in a string */
#define BLANK (IS_BLANK | ENDS_ALL)
#define CONTROL (IS_CONTROL | ENDS_ALL)

static const unsigned char classes[256] = {
    [0x00 ... 0x08] = CONTROL,
    ['\t'] = BLANK,
    ['\n'] = CONTROL,
    [0x0b ... 0x0c] = CONTROL,
    ['\r'] = BLANK | CONTROL,
    [0x0e ... 0x1f] = CONTROL,
    [' '] = BLANK,
    ['"'] = QUOTED,
    ['\''] = QUOTED,
    ['\\'] = QUOTED,
    [':'] = ENDS_DIRECTIVE,
    ['*'] = ENDS_DIRECTIVE,
    ['('] = ENDS_DIRECTIVE,
    [')'] = ENDS_DIRECTIVE,
    ['{'] = ENDS_DIRECTIVE | ENDS_KEY,
    ['}'] = ENDS_DIRECTIVE | ENDS_KEY | ENDS_VALUE,
    [';'] = ENDS_KEY | ENDS_VALUE,
    ['+'] = OPERATOR,
    ['-'] = OPERATOR,
    ['='] = OPERATOR,
    [0x7f] = CONTROL,
};

static const unsigned char ends[] = {
    [LEX_DIRECTIVE] = ENDS_DIRECTIVE,
    [LEX_KEY] = ENDS_KEY,
    [LEX_VALUE] = ENDS_VALUE,
};

/* Has the byte one of these marks?  The end of the text has none. */
static bool
is(int byte, unsigned marks)
{
	return byte >= 0 && (classes[byte] & marks) != 0;
}

struct place
cursor_place(const struct cursor *cursor, size_t length)
{
	struct place place = {cursor->source, cursor->line,
	    cursor_column(cursor), length == 0 ? 1 : (unsigned)length};

	return place;
}

size_t
cursor_newline(const struct cursor *cursor, size_t ahead)
{
	int byte = cursor_peek(cursor, ahead);

	if (byte == '\n')
		return 1;
	if (byte == '\r' && cursor_peek(cursor, ahead + 1) == '\n')
		return 2;
	return 0;
}

void
lexer_init(struct lexer *lexer, const struct source *source)
{
	memset(lexer, 0, sizeof(*lexer));
	lexer->at.source = source;
	lexer->at.line = 1;
}

static void
skip_comment(struct cursor *at)
{
	const char *text = cursor_text(at);
	size_t left = at->source->size - at->offset;
	const char *newline = memchr(text, '\n', left);

	at->offset += newline != NULL ? (size_t)(newline - text) : left;
}

static void
skip_blanks(struct lexer *lexer, enum lexer_mode mode)
{
	struct cursor *at = &lexer->at;

	for (;;) {
		int byte = cursor_peek(at, 0);

		if (byte == '#')
			skip_comment(at);
		else if (is(byte, IS_BLANK) ||
			 (byte == '\n' && mode == LEX_DIRECTIVE))
			cursor_step(at);
		else
			return;
	}
}

/* The rest of the line from a string that did not end on it. */
static size_t
line_end(const struct cursor *from)
{
	size_t length = 0;

	while (cursor_peek(from, length) != -1 &&
	       cursor_newline(from, length) == 0)
		length++;
	return length;
}

static void
bad(struct token *token, const struct place *place, const char *mistake)
{
	/* The first mistake of a token is the one that is told. */
	if (token->kind == TOKEN_BAD)
		return;
	token->kind = TOKEN_BAD;
	token->place = *place;
	token->mistake = mistake;
}

static void
step_by(struct cursor *at, size_t count)
{
	while (count-- > 0)
		cursor_step(at);
}

/* One byte of a string, or two of an escape, or a joined line. */
static void
string_piece(struct cursor *at, struct token *token)
{
	int byte = cursor_peek(at, 0);
	size_t newline;

	if (is(byte, IS_CONTROL)) {
		struct place place = cursor_place(at, 1);

		bad(token, &place,
		    "a control character in a string; write it as \\xHH");
	}
	cursor_step(at);
	if (byte != '\\')
		return;
	newline = cursor_newline(at, 0);
	if (newline > 0)
		step_by(at, newline);
	else if (cursor_peek(at, 0) == '\\' || cursor_peek(at, 0) == '"' ||
		 cursor_peek(at, 0) == '\'')
		cursor_step(at);
}

static bool
is_operator(const struct cursor *at)
{
	int byte = cursor_peek(at, 0);

	if (byte == '+' || byte == '-')
		byte = cursor_peek(at, 1);
	return byte == '=';
}

/* ${NAME:-default} is one piece of a value, blanks and braces included. */
static size_t
braced_size(const struct cursor *at)
{
	size_t size = 2;

	if (cursor_peek(at, 0) != '$' || cursor_peek(at, 1) != '{')
		return 0;
	for (;; size++) {
		int byte = cursor_peek(at, size);

		if (byte == -1 || byte == '\n')
			return 0;
		if (byte == '}')
			return size + 1;
	}
}

static bool
ends_word(const struct cursor *at, enum lexer_mode mode)
{
	int byte = cursor_peek(at, 0);

	if (byte == -1 || is(byte, ends[mode]))
		return true;
	return mode == LEX_KEY && is(byte, OPERATOR) && is_operator(at);
}

/* Does the line that begins here look like something new? */
static bool
begins_anew(struct cursor at)
{
	struct token word = {.kind = TOKEN_WORD};
	int byte;

	while (is(byte = cursor_peek(&at, 0), IS_BLANK))
		cursor_step(&at);
	if (byte <= 0 || strchr("#{}\n", byte) != NULL)
		return true;
	word.text = cursor_text(&at);
	while (!ends_word(&at, LEX_DIRECTIVE)) {
		cursor_step(&at);
		word.size++;
	}
	return keyword_begins(&word);
}

/*
 * A string was not closed on its line.  If the quote comes on one of the next
 * lines, before anything that looks new, it was meant to go on there: what is
 * in it is skipped, since it would give nothing but further messages.
 */
static void
skip_torn(struct cursor *at, int quote)
{
	struct cursor ahead = *at;

	for (unsigned lines = 0; lines < TORN_LINES;) {
		int byte = cursor_peek(&ahead, 0);

		if (byte == -1)
			return;
		cursor_step(&ahead);
		if (byte == quote) {
			*at = ahead;
			return;
		}
		if (byte == '\n') {
			lines++;
			if (begins_anew(ahead))
				return;
		} else if (byte == '\\' && cursor_peek(&ahead, 0) == quote) {
			cursor_step(&ahead);
		}
	}
}

/* Up to the quote, the end of the line, or that of the text. */
static void
skip_string(struct cursor *at, int quote, struct token *token)
{
	for (;;) {
		int byte = cursor_peek(at, 0);

		if (byte == -1 || byte == quote || cursor_newline(at, 0) > 0)
			return;
		if (is(byte, QUOTED | IS_CONTROL))
			string_piece(at, token);
		else
			at->offset++;
	}
}

static void
read_string(struct cursor *at, enum lexer_mode mode, struct token *token)
{
	int quote = cursor_peek(at, 0);
	const struct cursor start = *at;

	token->kind = TOKEN_STRING;
	cursor_step(at);
	token->inside = *at;
	token->text = cursor_text(at);
	skip_string(at, quote, token);
	token->size = at->offset - token->inside.offset;
	if (cursor_peek(at, 0) != quote) {
		token->place = cursor_place(&start, line_end(&start));
		bad(token, &token->place,
		    "the string is not closed on its line; a backslash at "
		    "the end of the line continues it");
		if (mode == LEX_DIRECTIVE)
			skip_torn(at, quote);
		return;
	}
	cursor_step(at);
	if (token->kind == TOKEN_STRING)
		token->place = cursor_place(
		    &start, at->line == start.line ? at->offset - start.offset
						   : line_end(&start));
}

/* No word holds a newline. */
static void
read_word(struct cursor *at, enum lexer_mode mode, struct token *token)
{
	const struct cursor start = *at;

	token->kind = TOKEN_WORD;
	while (!ends_word(at, mode)) {
		size_t braced = mode == LEX_VALUE ? braced_size(at) : 0;

		at->offset += braced > 0 ? braced : 1;
	}
	token->size = at->offset - start.offset;
	token->place = cursor_place(&start, token->size);
	if (token->size > 0)
		return;
	/* Only a control character ends a word that is not begun yet. */
	bad(token, &token->place, "a control character outside a string");
	cursor_step(at);
}

/* The operator's size, or 0. */
static size_t
operator_size(const struct cursor *at, int byte, enum token_kind *ret_kind)
{
	if (!is(byte, OPERATOR) || !is_operator(at))
		return 0;
	*ret_kind = byte == '+'	  ? TOKEN_ADD
		    : byte == '-' ? TOKEN_TAKE
				  : TOKEN_ASSIGN;
	return byte == '=' ? 1 : 2;
}

/* The size of a token of fixed form, or 0. */
static size_t
fixed_size(
    const struct cursor *at, enum lexer_mode mode, enum token_kind *ret_kind)
{
	int byte = cursor_peek(at, 0);

	if (byte == '\n') {
		*ret_kind = TOKEN_NEWLINE;
		return 1;
	}
	if (is(byte, ends[mode]) && !is(byte, IS_CONTROL)) {
		*ret_kind = TOKEN_PUNCTUATION;
		return 1;
	}
	return mode == LEX_KEY ? operator_size(at, byte, ret_kind) : 0;
}

void
lexer_next(struct lexer *lexer, enum lexer_mode mode, struct token *ret_token)
{
	struct cursor *at = &lexer->at;
	struct token *token = ret_token;
	int byte;

	skip_blanks(lexer, mode);
	byte = cursor_peek(at, 0);
	token->kind = TOKEN_END;
	token->punctuation = (char)byte;
	token->text = cursor_text(at);
	token->inside = *at;
	token->mistake = NULL;
	token->size = fixed_size(at, mode, &token->kind);
	token->place = cursor_place(at, token->size);
	if (at->line != lexer->indent_line) {
		lexer->indent_line = at->line;
		lexer->indent = token->place.column;
	}
	token->indent = lexer->indent;
	if (token->size > 0)
		step_by(at, token->size);
	else if (byte == '"' || byte == '\'')
		read_string(at, mode, token);
	else if (byte != -1)
		read_word(at, mode, token);
}

bool
token_is(const struct token *token, char punctuation)
{
	return token->kind == TOKEN_PUNCTUATION &&
	       token->punctuation == punctuation;
}

bool
token_is_word(const struct token *token, const char *word)
{
	return token->kind == TOKEN_WORD && token->text[0] == word[0] &&
	       token->size == strlen(word) &&
	       memcmp(token->text, word, token->size) == 0;
}

bool
token_is_operator(const struct token *token)
{
	return token->kind == TOKEN_ASSIGN || token->kind == TOKEN_ADD ||
	       token->kind == TOKEN_TAKE;
}

const char *
token_word(const struct token *token, struct token_word *word)
{
	size_t size = token->size < sizeof(word->text) ? token->size : 0;

	memcpy(word->text, token->text, size);
	word->text[size] = '\0';
	return word->text;
}

const char *
token_name(const struct token *token, struct token_name *name)
{
	size_t size = token->size;
	bool cut = size > 60;

	if (token->kind == TOKEN_END)
		return "the end of the file";
	if (token->kind == TOKEN_STRING)
		return "a string";
	if (token->kind == TOKEN_NEWLINE)
		return "the end of the line";
	for (size = cut ? 60 : size; cut && size > 0; size--)
		if (((unsigned char)token->text[size] & 0xc0) != 0x80)
			break;
	snprintf(name->text, sizeof(name->text), "'%.*s%s'", (int)size,
	    token->text, cut ? "…" : "");
	return name->text;
}
