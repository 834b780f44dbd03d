/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pipe: the bytes of a target that has many, without a copy.
 *
 * A download of any size is moved by the kernel from the target's socket into
 * a pipe and from there to the client's, splice(2), for less than half of what
 * two copies cost.  Each relay that does so needs two descriptors more, so that
 * it begins with those that have shown that they are large.
 *
 * What is in the pipe came before all that is still at the target: the target
 * is not read while a client leaves bytes there.
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "redirect.h"

#define LARGE_BYTES (1u << 20) /* after which a pipe is worth its price */
#define ROOM_BYTES (1 << 18)   /* asked of the kernel, which may say no */

void
pipe_end(struct relay *relay)
{
	for (int i = 0; i < 2; i++) {
		if (relay->pipe[i] >= 0)
			close(relay->pipe[i]);
		relay->pipe[i] = -1;
	}
}

int
pipe_wanted(struct relay *relay)
{
	if (relay->pipe[0] >= 0)
		return 1;
	/* What a client has left is in its session's buffer. */
	if (relay->copies || relay->copied < LARGE_BYTES)
		return 0;
	if (pipe2(relay->pipe, O_CLOEXEC | O_NONBLOCK) != 0) {
		relay->pipe[0] = relay->pipe[1] = -1;
		relay->copies = 1;
		return 0;
	}
	/* Modules around the connection want to see the bytes. */
	if (berth_splice(relay->session, relay->pipe[0], 0) < 0) {
		pipe_end(relay);
		relay->copies = 1;
		return 0;
	}
	(void)fcntl(relay->pipe[1], F_SETPIPE_SZ, ROOM_BYTES);
	return 1;
}

long
pipe_drain(struct relay *relay)
{
	int moved;

	if (relay->piped == 0)
		return 0;
	moved = berth_splice(relay->session, relay->pipe[0], relay->piped);
	if (moved < 0)
		return moved;
	relay->piped -= (size_t)moved;
	return (long)relay->piped;
}

int
pipe_move(struct relay *relay)
{
	long left = pipe_drain(relay);
	ssize_t size;

	if (left != 0)
		return left < 0 ? (int)left : 0;
	size = splice(relay->fd, NULL, relay->pipe[1], NULL, ROOM_BYTES,
	    SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
	if (size == 0)
		return PIPE_END;
	if (size < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	relay->piped = (size_t)size;
	left = pipe_drain(relay);
	if (left < 0)
		return (int)left;
	return left == 0 && (size_t)size >= BUFFER_BYTES;
}
