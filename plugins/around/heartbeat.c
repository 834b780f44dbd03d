/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * heartbeat: a module that sends a text to a client who is silent, and ends the
 * connection when he stays so; see berth-around(8).
 *
 *	heartbeat:make_heartbeat()	[-n COUNT] [-s BYTES] [-t TIME]
 *
 * Whatever the client sends is an answer.
 */
#include <berth/berth.h>
#include <errno.h>
#include <stddef.h>

#include "words.h"

#define PAUSE_MS 30000u
#define BEATS 3u
#define MS UINT64_C(1000000)

struct heartbeat {
	struct berth_bytes text;
	uint32_t pause_ms;
	size_t most; /* that may go unanswered */
};

struct pulse {
	uint64_t heard_ns;
	size_t beats; /* since then */
};

static int
heartbeat_init(struct berth_service *module, int argc, char **argv)
{
	static const struct word table[] = {
	    {'n', WORD_COUNT, offsetof(struct heartbeat, most), 1, 0},
	    {'s', WORD_BYTES, offsetof(struct heartbeat, text), 0, 0},
	    {'t', WORD_TIME, offsetof(struct heartbeat, pause_ms), 1, 0},
	    {'\0', WORD_END, 0, 0, 0}};
	struct heartbeat *heartbeat = module->state;

	heartbeat->text = berth_bytes("\r\n", 2);
	heartbeat->pause_ms = PAUSE_MS;
	heartbeat->most = BEATS;
	return words_read(module, table, heartbeat, argc, argv);
}

static int
opened(struct berth_filter *f)
{
	const struct heartbeat *heartbeat = f->module->state;
	struct pulse *pulse = f->state;

	pulse->heard_ns = berth_now(f->module);
	return berth_filter_timeout(f, heartbeat->pause_ms);
}

static int
up(struct berth_filter *f, struct berth_bytes in)
{
	struct pulse *pulse = f->state;
	int result;

	pulse->heard_ns = berth_now(f->module);
	pulse->beats = 0;
	result = berth_pass_up(f, in);
	return result < 0 ? result : (int)in.size;
}

/* One that does not even take what there is gets no more of it. */
static int
beat(struct berth_filter *f)
{
	const struct heartbeat *heartbeat = f->module->state;
	struct pulse *pulse = f->state;
	int result = 0;

	if (pulse->beats >= heartbeat->most)
		return berth_filter_fail(
		    f, ETIMEDOUT, "%zu heartbeats unanswered", pulse->beats);
	pulse->beats++;
	if (berth_room_down(f) >= heartbeat->text.size)
		result = berth_pass_down(f, heartbeat->text);
	/* Our side may have ended: then there is nobody to be asked. */
	if (result < 0)
		return result == -EPIPE ? 0 : result;
	return berth_filter_timeout(f, heartbeat->pause_ms);
}

static int
timeout(struct berth_filter *f)
{
	const struct heartbeat *heartbeat = f->module->state;
	const struct pulse *pulse = f->state;
	uint64_t silent_ms = (berth_now(f->module) - pulse->heard_ns) / MS;

	if (pulse->beats > 0 || silent_ms >= heartbeat->pause_ms)
		return beat(f);
	return berth_filter_timeout(
	    f, (uint32_t)(heartbeat->pause_ms - silent_ms));
}

static const struct berth_filter_type filter = {
    .state_size = sizeof(struct pulse),
    .open = opened,
    .up = up,
    .timeout = timeout,
};

BERTH_FILTER(make_heartbeat,
    .summary = "asks silent clients whether they are there",
    .state_size = sizeof(struct heartbeat), .init = heartbeat_init,
    .filter = &filter);
