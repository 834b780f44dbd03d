/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config_lexer: bytes to tokens, for the parser of this room.
 */
#ifndef CONFIG_CONFIG_LEXER_H
#define CONFIG_CONFIG_LEXER_H

#include "base/base.h"

/* A position in a source. */
struct cursor {
	const struct source *source;
	size_t offset;
	size_t line_offset; /* where its line begins */
	unsigned line;
};

/* The byte so far ahead, or -1 behind the end. */
static inline int
cursor_peek(const struct cursor *cursor, size_t ahead)
{
	if (ahead >= cursor->source->size - cursor->offset)
		return -1;
	return (unsigned char)cursor->source->data[cursor->offset + ahead];
}

/* Not at the end. */
static inline void
cursor_step(struct cursor *cursor)
{
	if (cursor->source->data[cursor->offset++] != '\n')
		return;
	cursor->line++;
	cursor->line_offset = cursor->offset;
}

static inline unsigned
cursor_column(const struct cursor *cursor)
{
	return (unsigned)(cursor->offset - cursor->line_offset) + 1;
}

static inline const char *
cursor_text(const struct cursor *cursor)
{
	return cursor->source->data + cursor->offset;
}

struct place cursor_place(const struct cursor *cursor, size_t length);
/* Bytes of the newline (LF or CR LF) so far ahead; 0: there is none. */
size_t cursor_newline(const struct cursor *cursor, size_t ahead);

enum token_kind {
	TOKEN_END,
	TOKEN_WORD,
	TOKEN_STRING,
	TOKEN_BAD,     /* `mistake` says what is wrong with it */
	TOKEN_NEWLINE, /* LEX_KEY and LEX_VALUE only */
	TOKEN_ASSIGN,  /* = */
	TOKEN_ADD,     /* += */
	TOKEN_TAKE,    /* -= */
	TOKEN_PUNCTUATION
};

struct token {
	enum token_kind kind;
	char punctuation; /* : * ( ) { } ; */
	const char *text; /* not NUL-terminated; of a string: within quotes */
	size_t size;
	struct place place;
	struct cursor inside; /* at text */
	unsigned indent;      /* column of the first token on its line */
	const char *mistake;
};

/* Which characters end a word depends on where it stands. */
enum lexer_mode {
	LEX_DIRECTIVE, /* ACE's rule; newlines are blanks */
	LEX_KEY,       /* of an attribute block */
	LEX_VALUE      /* behind = of an attribute block */
};

struct lexer {
	struct cursor at;
	unsigned indent, indent_line;
};

void lexer_init(struct lexer *lexer, const struct source *source);
void lexer_next(
    struct lexer *lexer, enum lexer_mode mode, struct token *ret_token);
bool token_is(const struct token *token, char punctuation);
bool token_is_word(const struct token *token, const char *word);
bool token_is_operator(const struct token *token); /* = += -= */
/* The word with a NUL, to look for others near it; "" if it is longer than
 * any that we know. */
struct token_word {
	char text[65];
};
const char *token_word(const struct token *token, struct token_word *word);
/* For messages: 'word', a string, the end of the file. */
struct token_name {
	char text[80];
};
const char *token_name(const struct token *token, struct token_name *name);

#endif
