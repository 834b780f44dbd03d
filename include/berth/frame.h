/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * <berth/frame.h>: frames in a stream of bytes, which has no boundaries of its
 * own: what was sent in one piece may come in three, and three in one.
 *
 * A codec is a constant that says how frames are told apart.  It has no state:
 * it looks at the bytes that there are.  An input hook takes all frames that
 * are whole, and leaves the rest to be offered again:
 *
 *	while ((used = berth_frame_next(&lines, in, &line)) > 0) {
 *		...
 *		in = berth_bytes_from(in, (size_t)used);
 *		taken += used;
 *	}
 *	return used < 0 ? used : taken;
 *
 * and serve has berth_read_frame() of <berth/serve.h>.
 */
#ifndef BERTH_FRAME_H
#define BERTH_FRAME_H

#include <berth/session.h>
#include <errno.h>

enum berth_frame_kind {
	BERTH_FRAME_LINE = 1,  /* ends with LF or CRLF */
	BERTH_FRAME_DELIMITER, /* ends with bytes of your choice */
	BERTH_FRAME_FIXED,     /* all of the same size */
	BERTH_FRAME_LENGTH     /* a header that holds a length */
};

#define BERTH_FRAME_CRLF 0x1u	/* LINE: put CRLF, not LF */
#define BERTH_FRAME_PADDED 0x2u /* FIXED: NULs at its end are not told */
#define BERTH_FRAME_LITTLE 0x4u /* LENGTH: the first byte is the lowest */
#define BERTH_FRAME_WHOLE 0x8u	/* LENGTH: it counts the header too */

struct berth_frame_codec {
	enum berth_frame_kind kind;
	unsigned flags;
	/* FIXED: of every frame.  Others: the most that a frame may have,
	 * without what ends it, with its header. */
	size_t size;
	struct berth_bytes delimiter; /* DELIMITER */
	size_t header;		      /* LENGTH: bytes before the body */
	size_t length_at;	      /* where in it the length is */
	size_t length_size;	      /* 1 to 8 bytes */
};

/* What is left of bytes behind the first count. */
static inline struct berth_bytes
berth_bytes_from(struct berth_bytes bytes, size_t count)
{
	const char *data = (const char *)bytes.data;

	if (count >= bytes.size)
		return berth_bytes(data + bytes.size, 0);
	return berth_bytes(data + count, bytes.size - count);
}

/* Where the delimiter begins, or in.size. */
static inline size_t
berth_frame_find(struct berth_bytes in, struct berth_bytes delimiter)
{
	const char *data = (const char *)in.data, *at;
	const char *first = (const char *)delimiter.data;
	size_t from = 0;

	while (from + delimiter.size <= in.size) {
		at = (const char *)memchr(
		    data + from, *first, in.size - delimiter.size + 1 - from);
		if (at == NULL)
			return in.size;
		from = (size_t)(at - data);
		if (memcmp(at, first, delimiter.size) == 0)
			return from;
		from++;
	}
	return in.size;
}

static inline int
berth_frame_next_ended(const struct berth_frame_codec *codec,
    struct berth_bytes in, struct berth_bytes *ret_frame)
{
	struct berth_bytes end = codec->delimiter;
	const char *data = (const char *)in.data;
	size_t size, used, spare;

	if (codec->kind == BERTH_FRAME_LINE)
		end = berth_bytes("\n", 1);
	if (end.size == 0)
		return -EINVAL;
	size = berth_frame_find(in, end);
	used = size + end.size;
	/* Not there yet, and a part of the end may be. */
	spare = codec->kind == BERTH_FRAME_LINE ? 1 : end.size - 1;
	if (size == in.size)
		return in.size > codec->size && in.size - codec->size > spare
			   ? -EMSGSIZE
			   : 0;
	if (codec->kind == BERTH_FRAME_LINE && size > 0 &&
	    data[size - 1] == '\r')
		size--;
	if (size > codec->size)
		return -EMSGSIZE;
	*ret_frame = berth_bytes(data, size);
	return (int)used;
}

static inline int
berth_frame_next_fixed(const struct berth_frame_codec *codec,
    struct berth_bytes in, struct berth_bytes *ret_frame)
{
	const char *data = (const char *)in.data;
	size_t size = codec->size;

	if (size == 0)
		return -EINVAL;
	if (in.size < size)
		return 0;
	if ((codec->flags & BERTH_FRAME_PADDED) != 0)
		while (size > 0 && data[size - 1] == '\0')
			size--;
	*ret_frame = berth_bytes(data, size);
	return (int)codec->size;
}

static inline uint64_t
berth_frame_length(const struct berth_frame_codec *codec, const void *header)
{
	const unsigned char *at = (const unsigned char *)header;
	size_t i, size = codec->length_size;
	uint64_t length = 0;

	at += codec->length_at;
	for (i = 0; i < size; i++)
		length =
		    length << 8 |
		    at[(codec->flags & BERTH_FRAME_LITTLE) != 0 ? size - 1 - i
								: i];
	return length;
}

static inline int
berth_frame_next_length(const struct berth_frame_codec *codec,
    struct berth_bytes in, struct berth_bytes *ret_frame)
{
	size_t size = codec->length_size, header = codec->header;
	uint64_t length;

	if (size == 0 || size > 8 || header < size ||
	    codec->length_at > header - size || codec->size < header)
		return -EINVAL;
	if (in.size < header)
		return 0;
	length = berth_frame_length(codec, in.data);
	if ((codec->flags & BERTH_FRAME_WHOLE) != 0) {
		if (length < header)
			return -EBADMSG;
		length -= header;
	}
	if (length > codec->size - header)
		return -EMSGSIZE;
	if (in.size - header < length)
		return 0;
	*ret_frame = berth_bytes(in.data, header + (size_t)length);
	return (int)ret_frame->size;
}

/*
 * The frame that begins in front: *ret_frame, without what ends it, but with
 * its header, lies within the bytes.  Returns how many bytes it takes up in
 * all; 0, more has to come first; -EMSGSIZE, it is longer than allowed, which
 * may be seen before it has come; -EBADMSG, a length that can't be; -EINVAL, no
 * such codec.  After an error no further frame can be found.
 */
static inline int
berth_frame_next(const struct berth_frame_codec *codec, struct berth_bytes in,
    struct berth_bytes *ret_frame)
{
	switch (codec->kind) {
	case BERTH_FRAME_LINE:
	case BERTH_FRAME_DELIMITER:
		return berth_frame_next_ended(codec, in, ret_frame);
	case BERTH_FRAME_FIXED:
		return berth_frame_next_fixed(codec, in, ret_frame);
	case BERTH_FRAME_LENGTH:
		return berth_frame_next_length(codec, in, ret_frame);
	}
	return -EINVAL;
}

/*
 * What is left when the client has ended its side, and berth_frame_next() gave
 * 0.  For a line or a delimiter it is a last frame, whose end is missing; half
 * a frame of another kind is -EBADMSG.  0: nothing is left.
 */
static inline int
berth_frame_last(const struct berth_frame_codec *codec, struct berth_bytes rest,
    struct berth_bytes *ret_frame)
{
	if (rest.size == 0)
		return 0;
	if (codec->kind == BERTH_FRAME_FIXED ||
	    codec->kind == BERTH_FRAME_LENGTH)
		return -EBADMSG;
	if (rest.size > codec->size)
		return -EMSGSIZE;
	*ret_frame = rest;
	return (int)rest.size;
}

#endif
