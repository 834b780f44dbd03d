/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rate: a module that lets only so many bytes a second pass; see
 *berth-around(8).
 *
 *	rate:make_rate()	[-b SIZE] [-d SIZE] [-u SIZE]
 *
 * What may pass is saved up with the time, up to -b bytes.  When nothing is
 * left, the direction is held until there is something again: the client is
 * not read from, or the service has to wait.  Nothing is lost, or kept here.
 */
#include <berth/berth.h>
#include <errno.h>
#include <stddef.h>

#include "words.h"

#define SECOND UINT64_C(1000000000)
#define MS UINT64_C(1000000)
#define STEPS 20u /* a second, in which a held direction goes on */

struct rate {
	size_t up; /* bytes a second; 0: as many as come */
	size_t down;
	size_t burst;
};

/* Bytes times nanoseconds: one byte is worth SECOND. */
struct purse {
	uint64_t credit;
	uint64_t at_ns;
	bool held;
};

struct flow {
	struct purse up;
	struct purse down;
	bool armed;
};

static int
rate_init(struct berth_service *module, int argc, char **argv)
{
	static const struct word table[] = {
	    {'u', WORD_SIZE, offsetof(struct rate, up), 1, 0},
	    {'d', WORD_SIZE, offsetof(struct rate, down), 1, 0},
	    {'b', WORD_SIZE, offsetof(struct rate, burst), 1, 0},
	    {'\0', WORD_END, 0, 0, 0}};
	struct rate *rate = module->state;
	int result = words_read(module, table, rate, argc, argv);

	if (result == 0 && rate->up == 0 && rate->down == 0)
		return berth_fail(module, EINVAL,
		    "which rate?  -u SIZE a second from the client, -d SIZE to "
		    "it");
	return result;
}

static size_t
burst_of(const struct rate *rate, size_t bytes_a_second)
{
	size_t step = bytes_a_second / STEPS;

	if (rate->burst > step)
		return rate->burst;
	return step > 0 ? step : 1;
}

/* How many bytes may pass now. */
static size_t
look(struct purse *purse, uint64_t now_ns, size_t bytes_a_second, size_t burst)
{
	uint64_t most = burst * SECOND, passed = now_ns - purse->at_ns;

	if (passed > SECOND)
		passed = SECOND;
	purse->at_ns = now_ns;
	purse->credit += passed * bytes_a_second;
	if (purse->credit > most)
		purse->credit = most;
	return (size_t)(purse->credit / SECOND);
}

static uint32_t
wait_ms(size_t bytes_a_second)
{
	return bytes_a_second >= STEPS ? 1000 / STEPS
				       : (uint32_t)(1000 / bytes_a_second + 1);
}

static int
arm(struct berth_filter *f, size_t bytes_a_second)
{
	struct flow *flow = f->state;

	if (flow->armed)
		return 0;
	flow->armed = true;
	return berth_filter_timeout(f, wait_ms(bytes_a_second));
}

/* The part of the bytes that may pass, which is then spent; else it is to be
 * held. */
static struct berth_bytes
spend(struct berth_filter *f, struct purse *purse, size_t bytes_a_second,
    struct berth_bytes bytes)
{
	const struct rate *rate = f->module->state;
	size_t size;

	if (bytes_a_second == 0)
		return bytes;
	size = look(purse, berth_now(f->module), bytes_a_second,
	    burst_of(rate, bytes_a_second));
	if (size >= bytes.size)
		size = bytes.size;
	else
		purse->held = true;
	purse->credit -= size * SECOND;
	return berth_bytes(bytes.data, size);
}

static int
opened(struct berth_filter *f)
{
	const struct rate *rate = f->module->state;
	struct flow *flow = f->state;

	flow->up.at_ns = flow->down.at_ns = berth_now(f->module);
	flow->up.credit = burst_of(rate, rate->up) * SECOND;
	flow->down.credit = burst_of(rate, rate->down) * SECOND;
	return 0;
}

static int
up(struct berth_filter *f, struct berth_bytes in)
{
	const struct rate *rate = f->module->state;
	struct flow *flow = f->state;
	struct berth_bytes part = spend(f, &flow->up, rate->up, in);
	int result = part.size > 0 || in.size == 0 ? berth_pass_up(f, part) : 0;

	if (result == 0 && flow->up.held) {
		berth_hold_up(f, 1);
		result = arm(f, rate->up);
	}
	return result < 0 ? result : (int)part.size;
}

static int
down(struct berth_filter *f, struct berth_bytes out)
{
	const struct rate *rate = f->module->state;
	struct flow *flow = f->state;
	struct berth_bytes part = spend(f, &flow->down, rate->down, out);
	int result = part.size > 0 || out.size == 0 ? berth_pass_down(f, part)
						    : 0;

	if (result == 0 && flow->down.held) {
		berth_hold_down(f, 1);
		result = arm(f, rate->down);
	}
	return result < 0 ? result : (int)part.size;
}

/* What is held again needs the timer again. */
static int
timeout(struct berth_filter *f)
{
	struct flow *flow = f->state;

	flow->armed = false;
	if (flow->up.held)
		berth_hold_up(f, 0);
	if (flow->down.held)
		berth_hold_down(f, 0);
	flow->up.held = false;
	flow->down.held = false;
	return 0;
}

static const struct berth_filter_type filter = {
    .state_size = sizeof(struct flow),
    .open = opened,
    .up = up,
    .down = down,
    .timeout = timeout,
};

BERTH_FILTER(make_rate, .summary = "so many bytes a second",
    .state_size = sizeof(struct rate), .init = rate_init, .filter = &filter);
