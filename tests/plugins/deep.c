/* SPDX-License-Identifier: BSD-2-Clause */
/* Sin: calls itself so deep that no stack is large enough, as soon as its
 * client says anything; in sequence and by callbacks. */
#include <berth/berth.h>

#define FRAME 3000

static int
sink(volatile char *above, unsigned depth)
{
	volatile char frame[FRAME];

	frame[0] = above[0];
	frame[FRAME - 1] = (char)depth;
	if (depth > 1u << 30)
		return frame[FRAME - 1];
	/* What is added keeps the frame until it has returned. */
	return sink(frame, depth + 1) + frame[0];
}

static int
deep(void)
{
	volatile char first = 1;

	return sink(&first, 0);
}

static int
deep_serve(struct berth_session *session)
{
	struct berth_bytes in;
	int r = berth_peek(session, 0, &in);

	return r > 0 ? deep() : r;
}

static int
deep_input(struct berth_session *session, struct berth_bytes in)
{
	(void)session;
	return deep() > 0 ? (int)in.size : 0;
}

BERTH_SERVICE(make_deep_serve, .flags = BERTH_CONCURRENT,
    .session = {.serve = deep_serve});
BERTH_SERVICE(make_deep_input, .flags = BERTH_CONCURRENT,
    .session = {.input = deep_input});
