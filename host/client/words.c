/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * words: the words of the command line as the one line that the host reads.
 *
 * They are joined with blanks and nothing is quoted anew: a directive's own
 * quotes are part of its words, so that
 *
 *	berthctl dynamic Echo 'Service_Object *' echo:make_echo '"-x"'
 *
 * says what the same line of svc.conf says.  What would end the line, or what
 * telnet's protocol eats, is refused: the host would run something else than
 * what was typed.
 */
#include <errno.h>
#include <string.h>

#include "client/client_priv.h"

static int
judge(struct client *client, const char *word)
{
	if (strpbrk(word, "\r\n") != NULL) {
		client_tell(client,
		    "a command is one line; between attributes, a semicolon "
		    "does what a newline does");
		return CLIENT_USAGE;
	}
	if (strchr(word, 0xff) != NULL) {
		client_tell(client,
		    "the protocol cannot carry the byte 0xff: not UTF-8");
		return CLIENT_USAGE;
	}
	return 0;
}

int
words_join(
    struct client *client, const struct options *options, struct text *line)
{
	int result = judge(client, options->name);

	text_add(line, options->name, strlen(options->name));
	for (unsigned i = 0; i < options->count && result == 0; i++) {
		result = judge(client, options->words[i]);
		text_printf(line, " %s", options->words[i]);
	}
	return result != 0 ? result : line->failed ? -ENOMEM : 0;
}
