/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * <berth/serve.h>: what a sequential service calls within serve, where a call
 * may wait; while it does others are served.  berth_write() and berth_printf()
 * wait there too.  berth_session(3) is the manual.
 *
 * Common results: -ETIMEDOUT, the time of berth_deadline() is over and the call
 * would have to wait; -ECANCELED, the host ends the session, and serve has to
 * return, for every further call will say so (input_limit is a reason too);
 * what the connection met with; -EPERM, outside of serve; -EOPNOTSUPP, the type
 * has no serve.
 */
#ifndef BERTH_SERVE_H
#define BERTH_SERVE_H

#include <berth/calls.h>
#include <berth/frame.h>

/*
 * Wait until there are more than have bytes that were not taken yet.  1:
 * *ret_bytes are all of them, good until the next call that may wait.  0: the
 * client has ended its side, and they are the rest.
 */
static inline int
berth_peek(struct berth_session *s, size_t have, struct berth_bytes *ret_bytes)
{
	return s->service->host->peek(s, have, ret_bytes);
}

/* Take so many of them, from the front; they stay readable as long. */
static inline void
berth_take(struct berth_session *s, size_t size)
{
	s->service->host->take(s, size);
}

/* Wait so many milliseconds.  0, or a negative errno if that was not all. */
static inline int
berth_sleep(struct berth_session *s, uint32_t ms)
{
	return (s->service->host->sleep)(s, ms);
}

/* From now on, until the next deadline, no call waits longer than so many
 * milliseconds from now; 0: for ever.  0 or -ENOMEM. */
static inline int
berth_deadline(struct berth_session *s, uint32_t ms)
{
	return s->service->host->deadline(s, ms);
}

/* At least one byte, at most size.  0: the client has ended its side. */
static inline int
berth_read(struct berth_session *s, void *buffer, size_t size)
{
	struct berth_bytes in;
	int result = berth_peek(s, 0, &in);

	if (result <= 0)
		return result;
	if (in.size > size)
		in.size = size;
	memcpy(buffer, in.data, in.size);
	berth_take(s, in.size);
	return (int)in.size;
}

/* Exactly size bytes: 1.  0: the client ended its side before the first of
 * them; -EBADMSG: in between. */
static inline int
berth_read_exact(struct berth_session *s, void *buffer, size_t size)
{
	char *to = (char *)buffer;
	size_t got = 0;
	int result;

	while (got < size) {
		result = berth_read(s, to + got, size - got);
		if (result == 0)
			return got == 0 ? 0 : -EBADMSG;
		if (result < 0)
			return result;
		got += (size_t)result;
	}
	return 1;
}

/*
 * One frame: 1; it is good until the next call that may wait.  0: the client
 * has ended its side.  -EBADMSG and -EMSGSIZE: see berth_frame_next(); the
 * session is of no more use then.  A last line without its end is a frame.
 */
static inline int
berth_read_frame(struct berth_session *s, const struct berth_frame_codec *codec,
    struct berth_bytes *ret_frame)
{
	struct berth_bytes in = berth_bytes("", 0);
	int result, used;

	do {
		result = berth_peek(s, in.size, &in);
		if (result < 0)
			return result;
		used = berth_frame_next(codec, in, ret_frame);
	} while (used == 0 && result > 0);
	if (used == 0)
		used = berth_frame_last(codec, in, ret_frame);
	if (used <= 0)
		return used;
	berth_take(s, (size_t)used);
	return 1;
}

/* Takes what is left of a line that is too long. */
static inline int
berth_skip_line(struct berth_session *s)
{
	struct berth_bytes in;
	size_t at;
	int result;

	do {
		result = berth_peek(s, 0, &in);
		if (result < 0)
			return result;
		if (result == 0)
			break;
		at = berth_frame_find(in, berth_bytes("\n", 1));
		berth_take(s, at < in.size ? at + 1 : in.size);
	} while (at == in.size);
	return -EMSGSIZE;
}

/*
 * One line, ended by LF or CRLF, which is left off; a NUL follows it in the
 * buffer.  1; its length goes to *ret_length, if that is not NULL.  0: the
 * client has ended its side; a last line without its end is a line.  -EMSGSIZE:
 * it was longer than size - 1 bytes, and was thrown away whole: the next call
 * reads the next line.
 */
static inline int
berth_read_line(
    struct berth_session *s, char *buffer, size_t size, size_t *ret_length)
{
	struct berth_frame_codec lines;
	struct berth_bytes line = berth_bytes("", 0);
	int result;

	if (size == 0)
		return -EINVAL;
	memset(&lines, 0, sizeof(lines));
	lines.kind = BERTH_FRAME_LINE;
	lines.size = size - 1;
	result = berth_read_frame(s, &lines, &line);
	if (result == -EMSGSIZE)
		return berth_skip_line(s);
	if (result <= 0)
		return result;
	memcpy(buffer, line.data, line.size);
	buffer[line.size] = '\0';
	if (ret_length != NULL)
		*ret_length = line.size;
	return 1;
}

#endif
