/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * idle: a module that ends a connection on which nothing passes for too long;
 * see berth-around(8).
 *
 *	idle:make_idle()	[-t TIME] [-c]
 *
 * With -c only what the client sends counts.  The time of what passes is noted;
 * the timer is not touched for it, but looks at the note when it runs out.
 */
#include <berth/berth.h>
#include <errno.h>
#include <stddef.h>

#include "words.h"

#define LIMIT_MS 60000u
#define MS UINT64_C(1000000)

struct idle {
	uint32_t limit_ms;
	bool client_only;
};

struct silence {
	uint64_t since_ns;
};

static int
idle_init(struct berth_service *module, int argc, char **argv)
{
	static const struct word table[] = {
	    {'t', WORD_TIME, offsetof(struct idle, limit_ms), 1, 0},
	    {'c', WORD_FLAG, offsetof(struct idle, client_only), 0, 0},
	    {'\0', WORD_END, 0, 0, 0}};
	struct idle *idle = module->state;

	idle->limit_ms = LIMIT_MS;
	return words_read(module, table, idle, argc, argv);
}

static void
note(struct berth_filter *f)
{
	struct silence *silence = f->state;

	silence->since_ns = berth_now(f->module);
}

static int
opened(struct berth_filter *f)
{
	const struct idle *idle = f->module->state;

	note(f);
	return berth_filter_timeout(f, idle->limit_ms);
}

static int
timeout(struct berth_filter *f)
{
	const struct idle *idle = f->module->state;
	const struct silence *silence = f->state;
	uint64_t silent_ms = (berth_now(f->module) - silence->since_ns) / MS;

	if (silent_ms >= idle->limit_ms)
		return berth_filter_fail(f, ETIMEDOUT,
		    "nothing passed for %llu ms",
		    (unsigned long long)silent_ms);
	return berth_filter_timeout(f, (uint32_t)(idle->limit_ms - silent_ms));
}

static int
up(struct berth_filter *f, struct berth_bytes in)
{
	int result;

	note(f);
	result = berth_pass_up(f, in);
	return result < 0 ? result : (int)in.size;
}

static int
down(struct berth_filter *f, struct berth_bytes out)
{
	const struct idle *idle = f->module->state;
	int result;

	if (!idle->client_only)
		note(f);
	result = berth_pass_down(f, out);
	return result < 0 ? result : (int)out.size;
}

static const struct berth_filter_type filter = {
    .state_size = sizeof(struct silence),
    .open = opened,
    .up = up,
    .down = down,
    .timeout = timeout,
};

BERTH_FILTER(make_idle, .summary = "ends silent connections",
    .state_size = sizeof(struct idle), .init = idle_init, .filter = &filter);
