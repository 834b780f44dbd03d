/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Modules around connections, for tests.
 *
 * make_pass: passes on, by hooks of its own.
 */
#include <berth/berth.h>

/* --- pass ------------------------------------------------------------------*/

struct pass {
	uint64_t up;
	uint64_t down;
};

static int
pass_up(struct berth_filter *f, struct berth_bytes in)
{
	struct pass *pass = f->state;
	int result = berth_pass_up(f, in);

	pass->up += in.size;
	return result < 0 ? result : (int)in.size;
}

static int
pass_down(struct berth_filter *f, struct berth_bytes in)
{
	struct pass *pass = f->state;
	int result = berth_pass_down(f, in);

	pass->down += in.size;
	return result < 0 ? result : (int)in.size;
}

static const struct berth_filter_type pass_filter = {
    .state_size = sizeof(struct pass),
    .up = pass_up,
    .down = pass_down,
};

BERTH_FILTER(make_pass, .summary = "passes on", .filter = &pass_filter);
