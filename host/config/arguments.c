/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * arguments: the string of a service becomes argc and argv.
 *
 * Words are split at blanks, and quotes of either kind within the string
 * group, as in ACE.  It is one pass over the bytes of the source, so that an
 * escape or a variable can neither split a word nor close a quote, and
 * mistakes are told where they are.  A backslash is replaced with what is
 * behind it in \" \' \$ \n \t \xHH, and \\ within inner quotes; it is itself
 * before anything else, and \\ outside inner quotes stays two: so ACE splits.
 *
 * argv[0] is the service's name, argv[argc] NULL; all in the tree's arena.
 */
#include "config/config_priv.h"

#include <errno.h>
#include <string.h>

struct split {
	struct expansion expansion; /* its text: words, each with its NUL */
	int count;
	char quote; /* the open inner one, or NUL */
	struct place quote_place;
	bool in_word;
};

static int
peek(const struct split *split)
{
	if (split->expansion.at.offset >= split->expansion.end)
		return -1;
	return cursor_peek(&split->expansion.at, 0);
}

static int
end_word(struct split *split)
{
	if (!split->in_word)
		return 0;
	split->in_word = false;
	split->count++;
	return text_add(split->expansion.out, "", 1);
}

static void
toggle_quote(struct split *split, char byte)
{
	split->quote_place = cursor_place(&split->expansion.at, 1);
	split->quote = split->quote == byte ? '\0' : byte;
	split->in_word = true;
	cursor_step(&split->expansion.at);
}

/* A backslash before a newline is nothing, not even the start of a word. */
static bool
joins_lines(const struct split *split)
{
	return cursor_newline(&split->expansion.at, 1) > 0;
}

static int
split_piece(struct split *split)
{
	struct expansion *expansion = &split->expansion;
	int byte = peek(split);
	char copy = (char)byte;
	bool blank = byte == ' ' || byte == '\t';

	if (blank && split->quote == '\0') {
		cursor_step(&expansion->at);
		return end_word(split);
	}
	if ((byte == '"' || byte == '\'') &&
	    (split->quote == '\0' || split->quote == byte)) {
		toggle_quote(split, copy);
		return 0;
	}
	split->in_word = split->in_word || byte != '\\' || !joins_lines(split);
	if (byte == '\\')
		return expand_escape(expansion, split->quote == '\0');
	if (byte == '$')
		return expand_variable(expansion);
	cursor_step(&expansion->at);
	return text_add(expansion->out, &copy, 1);
}

static int
split_all(struct split *split)
{
	while (peek(split) != -1) {
		int result = split_piece(split);

		if (result != 0)
			return result;
	}
	if (split->quote != '\0')
		return reader_tell(split->expansion.reader, &split->quote_place,
		    "the quote is not closed within the string; \\%c is the "
		    "character",
		    split->quote);
	return end_word(split);
}

/* The words, one behind the other, into argv. */
static int
fill(struct arena *arena, const struct text *words, int count,
    struct directive *directive)
{
	char **argv = arena_alloc(arena, ((size_t)count + 2) * sizeof(*argv));
	char *word = arena_copy(arena, text_string(words), words->size);

	if (argv == NULL || word == NULL)
		return -ENOMEM;
	argv[0] = arena_string(arena, directive->name);
	if (argv[0] == NULL)
		return -ENOMEM;
	for (int i = 1; i <= count; i++) {
		argv[i] = word;
		word += strlen(word) + 1;
	}
	directive->argc = count + 1;
	directive->argv = argv;
	return 0;
}

/* The string as written, but on one line. */
static int
keep_string(struct reader *reader, const struct token *token,
    struct directive *directive)
{
	struct cursor at = token->inside;
	size_t end = at.offset + token->size;
	struct text *out = &reader->scratch;

	text_reset(out);
	while (at.offset < end) {
		char byte = (char)cursor_peek(&at, 0);
		size_t joined = byte == '\\' ? cursor_newline(&at, 1) : 0;
		size_t pair = byte == '\\' && joined == 0 ? 1 : 0;

		if (joined == 0)
			text_add(out, at.source->data + at.offset, 1 + pair);
		for (size_t i = 0; i < 1 + joined + pair; i++)
			cursor_step(&at);
	}
	if (out->failed)
		return -ENOMEM;
	directive->arguments = arena_copy(
	    reader->tree->arena, text_string(out), out->size);
	directive->arguments_place = token->place;
	return directive->arguments == NULL ? -ENOMEM : 0;
}

int
arguments_read(struct reader *reader, const struct token *token,
    struct directive *directive)
{
	struct split split = {.expansion = {.reader = reader}};
	int result;

	if (token != NULL) {
		result = keep_string(reader, token, directive);
		if (result < 0)
			return result;
		split.expansion.at = token->inside;
		split.expansion.end = token->inside.offset + token->size;
	}
	split.expansion.out = &reader->scratch;
	text_reset(&reader->scratch);
	if (token != NULL) {
		result = split_all(&split);
		if (result != 0)
			return result;
	}
	return fill(
	    reader->tree->arena, &reader->scratch, split.count, directive);
}
