/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * frame: modules that make frames of the bytes of a connection; see
 * berth-around(8).
 *
 *	frame:make_line()	[-ck] [-m SIZE]
 *	frame:make_delimiter()	-d BYTES [-k] [-m SIZE]
 *	frame:make_fixed()	-s SIZE [-p]
 *	frame:make_length()	[-klw] [-b BYTES] [-n BYTES] [-o BYTES] [-m
 *SIZE]
 *
 * Each call of the service's input hook is one whole frame, without what marks
 * it, and what the service writes in one call becomes one.  What is no frame,
 * or longer than allowed, ends the connection.
 */
#include <berth/berth.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "words.h"

#define HEADER_MAX 64u
#define FRAME_MAX 65536u /* unless told */

struct frame {
	struct berth_frame_codec codec;
	size_t header; /* of a length: bytes before the body */
	size_t length_size;
	size_t length_at;
	bool keeps; /* the service deals in what marks a frame itself */
	bool crlf;
	bool padded;
	bool little;
	bool whole;
};

/* --- options ---------------------------------------------------------------*/

#define SIZE_LIMIT                                                             \
	{                                                                      \
		'm', WORD_SIZE, offsetof(struct frame, codec.size), 1, 0       \
	}
#define KEEP                                                                   \
	{                                                                      \
		'k', WORD_FLAG, offsetof(struct frame, keeps), 0, 0            \
	}

static int
read_words(struct berth_service *module, const struct word *table,
    enum berth_frame_kind kind, int argc, char **argv)
{
	struct frame *frame = module->state;

	frame->codec.kind = kind;
	frame->codec.size = FRAME_MAX;
	return words_read(module, table, frame, argc, argv);
}

static int
line_init(struct berth_service *module, int argc, char **argv)
{
	static const struct word table[] = {SIZE_LIMIT, KEEP,
	    {'c', WORD_FLAG, offsetof(struct frame, crlf), 0, 0},
	    {'\0', WORD_END, 0, 0, 0}};

	return read_words(module, table, BERTH_FRAME_LINE, argc, argv);
}

static int
delimiter_init(struct berth_service *module, int argc, char **argv)
{
	static const struct word table[] = {SIZE_LIMIT, KEEP,
	    {'d', WORD_BYTES, offsetof(struct frame, codec.delimiter), 0, 0},
	    {'\0', WORD_END, 0, 0, 0}};
	struct frame *frame = module->state;
	int result = read_words(
	    module, table, BERTH_FRAME_DELIMITER, argc, argv);

	if (result == 0 && frame->codec.delimiter.size == 0)
		return berth_fail(module, EINVAL,
		    "which delimiter?  -d SEQUENCE, such as \\r\\n in single "
		    "quotes");
	return result;
}

static int
fixed_init(struct berth_service *module, int argc, char **argv)
{
	static const struct word table[] = {
	    {'s', WORD_SIZE, offsetof(struct frame, codec.size), 1, 0},
	    {'p', WORD_FLAG, offsetof(struct frame, padded), 0, 0},
	    {'\0', WORD_END, 0, 0, 0}};
	struct frame *frame = module->state;
	int result;

	frame->codec.kind = BERTH_FRAME_FIXED;
	result = words_read(module, table, frame, argc, argv);
	if (result == 0 && frame->codec.size == 0)
		return berth_fail(module, EINVAL, "of which size?  -s SIZE");
	if (frame->padded)
		frame->codec.flags = BERTH_FRAME_PADDED;
	return result;
}

static int
length_check(struct berth_service *module, struct frame *frame)
{
	struct berth_frame_codec *codec = &frame->codec;

	codec->length_size = frame->length_size != 0 ? frame->length_size : 4;
	codec->length_at = frame->length_at;
	codec->header = frame->header;
	if (codec->header == 0)
		codec->header = codec->length_at + codec->length_size;
	if (codec->length_at + codec->length_size > codec->header)
		return berth_fail(module, EINVAL,
		    "-b %zu: the header ends before its length of %zu bytes "
		    "at %zu",
		    codec->header, codec->length_size, codec->length_at);
	if (codec->size < codec->header)
		return berth_fail(module, EINVAL,
		    "-m %zu: not even the header of %zu bytes is allowed",
		    codec->size, codec->header);
	if (frame->little)
		codec->flags |= BERTH_FRAME_LITTLE;
	if (frame->whole)
		codec->flags |= BERTH_FRAME_WHOLE;
	return 0;
}

static int
length_init(struct berth_service *module, int argc, char **argv)
{
	static const struct word table[] = {SIZE_LIMIT, KEEP,
	    {'n', WORD_COUNT, offsetof(struct frame, length_size), 1, 8},
	    {'o', WORD_COUNT, offsetof(struct frame, length_at), 0, 56},
	    {'b', WORD_COUNT, offsetof(struct frame, header), 1, HEADER_MAX},
	    {'l', WORD_FLAG, offsetof(struct frame, little), 0, 0},
	    {'w', WORD_FLAG, offsetof(struct frame, whole), 0, 0},
	    {'\0', WORD_END, 0, 0, 0}};
	int result = read_words(module, table, BERTH_FRAME_LENGTH, argc, argv);

	return result != 0 ? result : length_check(module, module->state);
}

/* --- up --------------------------------------------------------------------*/

static const struct frame *
frame_of(const struct berth_filter *f)
{
	return f->module->state;
}

/* What the service is given of it: a codec leaves off an end, not a header. */
static struct berth_bytes
content(const struct frame *frame, struct berth_bytes in,
    struct berth_bytes found, size_t used)
{
	if (frame->keeps)
		return berth_bytes(in.data, used);
	if (frame->codec.kind == BERTH_FRAME_LENGTH)
		return berth_bytes_from(found, frame->codec.header);
	return found;
}

static int
refuse(struct berth_filter *f, int error)
{
	const struct frame *frame = frame_of(f);

	if (error == -EMSGSIZE)
		return berth_filter_fail(f, EMSGSIZE,
		    "a frame of more than %zu bytes", frame->codec.size);
	return berth_filter_fail(f, EBADMSG, "what came is no whole frame");
}

static int
up(struct berth_filter *f, struct berth_bytes in)
{
	const struct frame *frame = frame_of(f);
	struct berth_bytes found = {"", 0};
	int taken = 0, used = 0, result;

	while (berth_room_up(f) > 0) {
		used = berth_frame_next(&frame->codec, in, &found);
		if (used <= 0)
			break;
		result = berth_pass_up(
		    f, content(frame, in, found, (size_t)used));
		if (result < 0)
			return result;
		in = berth_bytes_from(in, (size_t)used);
		taken += used;
	}
	return used < 0 ? refuse(f, used) : taken;
}

/* A last line may lack its end. */
static int
up_end(struct berth_filter *f, struct berth_bytes rest)
{
	const struct frame *frame = frame_of(f);
	struct berth_bytes found;
	int result = berth_frame_last(&frame->codec, rest, &found);

	if (result < 0)
		return refuse(f, result);
	return result == 0 ? 0 : berth_pass_up(f, found);
}

/* --- down ------------------------------------------------------------------*/

/* Several pieces are one frame: nothing comes between them. */
static int
pass_two(struct berth_filter *f, struct berth_bytes one, struct berth_bytes two)
{
	int result = berth_pass_down(f, one);

	return result < 0 ? result : berth_pass_down(f, two);
}

static int
down_fixed(struct berth_filter *f, struct berth_bytes out)
{
	static const char none[512];
	const struct frame *frame = frame_of(f);
	size_t size = frame->codec.size, missing, piece;
	int result;

	if (out.size > size || (out.size < size && !frame->padded))
		return berth_filter_fail(f, EMSGSIZE,
		    "the service wrote %zu bytes, a frame has %zu", out.size,
		    size);
	result = berth_pass_down(f, out);
	for (missing = size - out.size; result == 0 && missing > 0;
	     missing -= piece) {
		piece = missing < sizeof(none) ? missing : sizeof(none);
		result = berth_pass_down(f, berth_bytes(none, piece));
	}
	return result;
}

static int
down_length(struct berth_filter *f, struct berth_bytes out)
{
	const struct berth_frame_codec *codec = &frame_of(f)->codec;
	unsigned char header[HEADER_MAX] = {0};
	uint64_t length = out.size;
	size_t size = codec->length_size, i;

	if ((codec->flags & BERTH_FRAME_WHOLE) != 0)
		length += codec->header;
	if (out.size > codec->size - codec->header ||
	    (size < 8 && length >> 8 * size != 0))
		return refuse(f, -EMSGSIZE);
	for (i = 0; i < size; i++) {
		bool little = (codec->flags & BERTH_FRAME_LITTLE) != 0;

		header[codec->length_at + (little ? i : size - 1 - i)] =
		    (unsigned char)(length >> 8 * i);
	}
	return pass_two(f, berth_bytes(header, codec->header), out);
}

static int
down(struct berth_filter *f, struct berth_bytes out)
{
	const struct frame *frame = frame_of(f);
	int result;

	if (frame->keeps)
		result = berth_pass_down(f, out);
	else if (frame->codec.kind == BERTH_FRAME_FIXED)
		result = down_fixed(f, out);
	else if (frame->codec.kind == BERTH_FRAME_LENGTH)
		result = down_length(f, out);
	else if (frame->codec.kind == BERTH_FRAME_DELIMITER)
		result = pass_two(f, out, frame->codec.delimiter);
	else
		result = pass_two(f, out,
		    frame->crlf ? berth_bytes("\r\n", 2)
				: berth_bytes("\n", 1));
	return result < 0 ? result : (int)out.size;
}

/* --- what the plugin exports -----------------------------------------------*/

static const struct berth_filter_type filter = {
    .flags = BERTH_FILTER_FRAMES,
    .up = up,
    .down = down,
    .up_end = up_end,
};

BERTH_FILTER(make_line, .summary = "frames that are lines",
    .state_size = sizeof(struct frame), .init = line_init, .filter = &filter);

BERTH_FILTER(make_delimiter, .summary = "frames that end with given bytes",
    .state_size = sizeof(struct frame), .init = delimiter_init,
    .filter = &filter);

BERTH_FILTER(make_fixed, .summary = "frames of one size",
    .state_size = sizeof(struct frame), .init = fixed_init, .filter = &filter);

BERTH_FILTER(make_length, .summary = "frames that tell their length",
    .state_size = sizeof(struct frame), .init = length_init, .filter = &filter);
