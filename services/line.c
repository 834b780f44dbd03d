/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lines from a telnet client, or from nc(1), out of bytes that come in any
 * portions.
 *
 * CR and LF both end a line, so that CR LF, LF, and the CR NUL of telnet do;
 * a line with nothing but blanks is no line.  NUL bytes are dropped.  Commands
 * of the telnet protocol (RFC 854, 855) are taken out wherever they stand and
 * never answered: a client that offers an option goes on without it.  An
 * escaped 255 counts as a byte of the line.
 *
 * No memory is held between lines.  An overlong line costs LINE_LIMIT bytes
 * until it is told, and nothing while its rest is skipped.
 */
#include "services_priv.h"

#include <errno.h>
#include <stdlib.h>

#define IAC 255u /* RFC 854 */
#define DONT 254u
#define WILL 251u
#define SB 250u
#define SE 240u

#define FIRST_ROOM 128

static int
append(struct line *line, unsigned char byte)
{
	size_t room = line->room;
	char *grown;

	if (line->size + 1 >= room) {
		room = room == 0 ? FIRST_ROOM : room * 2;
		grown = malloc(room);
		if (grown == NULL)
			return -ENOMEM;
		/* Not realloc: the bytes may be a token, see line_reset(). */
		if (line->size > 0)
			memcpy(grown, line->data, line->size);
		if (line->data != NULL)
			explicit_bzero(line->data, line->room);
		free(line->data);
		line->data = grown;
		line->room = room;
	}
	line->data[line->size++] = (char)byte;
	line->data[line->size] = '\0';
	return 0;
}

/* What ends with CR, LF or the client; is it worth reading? */
static int
finish(struct line *line)
{
	size_t i;

	line->skip = false;
	for (i = 0; i < line->size; i++)
		if (line->data[i] != ' ' && line->data[i] != '\t')
			return LINE_E_READY;
	line_reset(line);
	return 0;
}

static int
plain(struct line *line, unsigned char byte)
{
	if (byte == '\n' || byte == '\r')
		return finish(line);
	if (byte == '\0' || line->skip)
		return 0;
	if (line->size < LINE_LIMIT)
		return append(line, byte);
	line_reset(line);
	line->skip = true;
	return LINE_E_LONG;
}

/* The byte after IAC. */
static int
command(struct line *line, unsigned char byte)
{
	line->state = LINE_PLAIN;
	if (byte == IAC)
		return plain(line, byte);
	if (byte >= WILL && byte <= DONT)
		line->state = LINE_OPTION;
	else if (byte == SB)
		line->state = LINE_SUBOPTION;
	return 0;
}

static int
feed_byte(struct line *line, unsigned char byte)
{
	switch (line->state) {
	case LINE_IAC:
		return command(line, byte);
	case LINE_OPTION:
		line->state = LINE_PLAIN;
		return 0;
	case LINE_SUBOPTION:
		if (byte == IAC)
			line->state = LINE_SUBOPTION_IAC;
		return 0;
	case LINE_SUBOPTION_IAC:
		line->state = byte == SE ? LINE_PLAIN : LINE_SUBOPTION;
		return 0;
	case LINE_PLAIN:
		break;
	}
	if (byte == IAC) {
		line->state = LINE_IAC;
		return 0;
	}
	return plain(line, byte);
}

int
line_feed(struct line *line, struct berth_bytes in, size_t *ret_taken)
{
	const unsigned char *bytes = in.data;
	size_t i;
	int result = 0;

	for (i = 0; i < in.size && result == 0; i++)
		result = feed_byte(line, bytes[i]);
	if (result >= 0)
		*ret_taken = i;
	return result;
}

int
line_end(struct line *line)
{
	line->state = LINE_PLAIN;
	return finish(line);
}

void
line_reset(struct line *line)
{
	if (line->data != NULL)
		explicit_bzero(line->data, line->room);
	free(line->data);
	line->data = NULL;
	line->size = 0;
	line->room = 0;
}
