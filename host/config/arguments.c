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

/* Bytes that stand for themselves, up to the next that may not. */
static int
copy_run(struct split *split)
{
	struct cursor *at = &split->expansion.at;
	const char *text = cursor_text(at);
	size_t left = split->expansion.end - at->offset, size = 1;

	while (size < left && strchr(" \t\"'\\$", text[size]) == NULL)
		size++;
	/* A string has newlines behind backslashes only. */
	at->offset += size;
	return text_add(split->expansion.out, text, size);
}

static int
split_piece(struct split *split)
{
	struct expansion *expansion = &split->expansion;
	int byte = peek(split);

	if ((byte == ' ' || byte == '\t') && split->quote == '\0') {
		cursor_step(&expansion->at);
		return end_word(split);
	}
	if ((byte == '"' || byte == '\'') &&
	    (split->quote == '\0' || split->quote == byte)) {
		toggle_quote(split, (char)byte);
		return 0;
	}
	split->in_word = split->in_word || byte != '\\' || !joins_lines(split);
	if (byte == '\\')
		return expand_escape(expansion, split->quote == '\0');
	if (byte == '$')
		return expand_variable(expansion);
	return copy_run(split);
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
	const char *at = token->text, *end = at + token->size;
	struct text *out = &reader->scratch;

	text_reset(out);
	while (at < end) {
		const char *stop = memchr(at, '\\', (size_t)(end - at));

		stop = stop != NULL ? stop : end;
		text_add(out, at, (size_t)(stop - at));
		at = stop;
		if (at == end)
			break;
		if (at[1] == '\n')
			at += 2;
		else if (at[1] == '\r' && at[2] == '\n')
			at += 3;
		else {
			text_add(out, at, 2);
			at += 2;
		}
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
