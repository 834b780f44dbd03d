/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tee: a module that copies what passes to a file; see berth-around(8).
 *
 *	tee:make_tee()	-f FILE [-d] [-m SIZE] [-q SIZE] [-r] [-u]
 *
 * A line of the file has the connection's number, its direction, and the bytes
 * up to a newline, or as many as came at once, with what can't be printed
 * escaped:
 *
 *	7 > HELO example.org\r\n
 *
 * The file is a sink's: the connection never waits for it, and what is lost is
 * said.
 */
#include <berth/berth.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "sink.h"
#include "words.h"

#define QUEUE_BYTES (1u << 20)
#define PIECE_BYTES 1024u /* of the conversation, in one line */
#define LINE_MAX_BYTES (4 * PIECE_BYTES + 32)

struct tee {
	const char *path;
	size_t most; /* bytes of a direction; 0: all */
	size_t queue;
	bool raw;
	bool only_up;
	bool only_down;
	struct sink sink;
};

struct copy {
	uint64_t up;
	uint64_t down;
};

static int
tee_init(struct berth_service *module, int argc, char **argv)
{
	static const struct word table[] = {
	    {'f', WORD_TEXT, offsetof(struct tee, path), 0, 0},
	    {'m', WORD_SIZE, offsetof(struct tee, most), 1, 0},
	    {'q', WORD_SIZE, offsetof(struct tee, queue), 8192, 0},
	    {'r', WORD_FLAG, offsetof(struct tee, raw), 0, 0},
	    {'u', WORD_FLAG, offsetof(struct tee, only_up), 0, 0},
	    {'d', WORD_FLAG, offsetof(struct tee, only_down), 0, 0},
	    {'\0', WORD_END, 0, 0, 0}};
	struct tee *tee = module->state;
	int result;

	tee->queue = QUEUE_BYTES;
	result = words_read(module, table, tee, argc, argv);
	if (result != 0)
		return result;
	if (tee->path == NULL)
		return berth_fail(module, EINVAL, "to which file?  -f FILE");
	if (tee->only_up && tee->only_down)
		return berth_fail(module, EINVAL,
		    "-u is from the client alone, -d is to it alone");
	if (tee->raw && !tee->only_up && !tee->only_down)
		return berth_fail(module, EINVAL,
		    "-r tells no directions apart: add -u or -d");
	tee->sink.tells = !tee->raw;
	return sink_init(&tee->sink, module, tee->path, tee->queue);
}

static void
tee_fini(struct berth_service *module)
{
	struct tee *tee = module->state;

	sink_fini(&tee->sink);
}

static void
tee_info(struct berth_service *module, struct berth_text *text)
{
	struct tee *tee = module->state;

	berth_text_printf(text, "to %s, %llu bytes lost", tee->path,
	    (unsigned long long)sink_lost(&tee->sink));
}

/* --- lines -----------------------------------------------------------------*/

static int
put_byte(unsigned char byte, char *to)
{
	static const char digits[] = "0123456789abcdef";
	static const char plain[] = "\n\r\t\\", letters[] = "nrt\\";
	const char *found = byte != 0 ? strchr(plain, byte) : NULL;

	if (found == NULL && byte > 0x1f && byte < 0x7f) {
		to[0] = (char)byte;
		return 1;
	}
	to[0] = '\\';
	to[1] = found != NULL ? letters[found - plain] : 'x';
	if (found != NULL)
		return 2;
	to[2] = digits[byte >> 4];
	to[3] = digits[byte & 15];
	return 4;
}

/* Up to a newline. */
static size_t
piece_of(struct berth_bytes bytes)
{
	size_t size = bytes.size < PIECE_BYTES ? bytes.size : PIECE_BYTES;
	const char *end = memchr(bytes.data, '\n', size);

	return end == NULL ? size
			   : (size_t)(end - (const char *)bytes.data) + 1;
}

static void
put_lines(struct berth_filter *f, char direction, struct berth_bytes bytes)
{
	struct tee *tee = f->module->state;
	char line[LINE_MAX_BYTES];

	while (bytes.size > 0) {
		const unsigned char *data = bytes.data;
		size_t size = piece_of(bytes), i;
		int at = snprintf(line, sizeof(line), "%llu %c ",
		    (unsigned long long)berth_session_id(f->session),
		    direction);

		for (i = 0; i < size; i++)
			at += put_byte(data[i], line + at);
		line[at++] = '\n';
		sink_put(&tee->sink, berth_bytes(line, (size_t)at), size);
		bytes = berth_bytes_from(bytes, size);
	}
}

static void
copy(struct berth_filter *f, char direction, struct berth_bytes bytes,
    uint64_t *count)
{
	struct tee *tee = f->module->state;

	if (tee->most != 0 && bytes.size > tee->most - *count)
		bytes.size = tee->most - *count;
	*count += bytes.size;
	if (tee->raw)
		sink_put(&tee->sink, bytes, bytes.size);
	else
		put_lines(f, direction, bytes);
}

/* --- the filter ------------------------------------------------------------*/

static int
opened(struct berth_filter *f)
{
	struct tee *tee = f->module->state;

	sink_join(&tee->sink);
	return 0;
}

static int
up(struct berth_filter *f, struct berth_bytes in)
{
	const struct tee *tee = f->module->state;
	struct copy *state = f->state;
	int result;

	if (!tee->only_down)
		copy(f, '>', in, &state->up);
	result = berth_pass_up(f, in);
	return result < 0 ? result : (int)in.size;
}

static int
down(struct berth_filter *f, struct berth_bytes out)
{
	const struct tee *tee = f->module->state;
	struct copy *state = f->state;
	int result;

	if (!tee->only_up)
		copy(f, '<', out, &state->down);
	result = berth_pass_down(f, out);
	return result < 0 ? result : (int)out.size;
}

static void
closed(struct berth_filter *f, int reason)
{
	struct tee *tee = f->module->state;

	(void)reason;
	sink_leave(&tee->sink);
}

static const struct berth_filter_type filter = {
    .state_size = sizeof(struct copy),
    .open = opened,
    .up = up,
    .down = down,
    .close = closed,
};

BERTH_FILTER(make_tee, .summary = "copies what passes to a file",
    .state_size = sizeof(struct tee), .init = tee_init, .fini = tee_fini,
    .info = tee_info, .filter = &filter);
