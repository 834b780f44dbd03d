/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reader: the module that reads a log file and sends its records down, from a
 * thread of its own.
 *
 * At the end of the file it sends a BERTH_MB_STOP and is done; with -f it waits
 * for more, also in a new file of the same name.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "display.h"
#include "input.h"

#define LOOK_NS UINT64_C(200000000)

struct reader {
	const char *name;
	int follows;
};

static int
init(struct berth_service *service, int argc, char **argv)
{
	struct reader *reader = service->state;
	int at = 1;

	if (at < argc && strcmp(argv[at], "-f") == 0) {
		reader->follows = 1;
		at++;
	}
	if (at + 1 != argc)
		return berth_fail(
		    service, EINVAL, "it reads one file: [-f] FILE");
	reader->name = argv[at];
	return 0;
}

/* --- in the stream ---------------------------------------------------------*/

static int
open_file(struct berth_side *side)
{
	const struct reader *reader = side->module->state;
	int result = input_open(side->state, reader->name);

	if (result != 0)
		return berth_fail(side->module, -result, "%s: %s", reader->name,
		    strerror(-result));
	return 0;
}

static void
close_file(struct berth_side *side)
{
	input_close(side->state);
}

/* Waits so long for the end, and hands on what comes from others meanwhile.
 * -ESHUTDOWN: the end. */
static int
look_up(struct berth_side *side, uint64_t wait_ns)
{
	uint64_t until_ns = wait_ns > 0 ? berth_now(side->module) + wait_ns
					: BERTH_NO_WAIT;
	struct berth_message *m;
	int result;

	while ((result = berth_getq(side, &m, until_ns)) == 0)
		if (berth_put_next(side, m, BERTH_WAIT) != 0)
			berth_message_release(m);
	return result;
}

/* Puts it to the next, however long that takes, unless it shall end. */
static int
deliver(struct berth_side *side, struct berth_message *m)
{
	int result;

	if (m == NULL)
		return -ENOMEM;
	do
		result = berth_put_next(
		    side, m, berth_now(side->module) + LOOK_NS);
	while (result == -EWOULDBLOCK && look_up(side, 0) != -ESHUTDOWN);
	if (result != 0)
		berth_message_release(m);
	return result;
}

/* Somebody has put another file there. */
static int
is_moved(const struct input *input)
{
	struct stat named, open;

	return stat(input->name, &named) == 0 && fstat(input->fd, &open) == 0 &&
	       (named.st_ino != open.st_ino || named.st_dev != open.st_dev);
}

/* 0: there may be more; or negative: there is none. */
static int
at_end(struct berth_side *side)
{
	const struct reader *reader = side->module->state;
	struct input *input = side->state, next;

	if (!reader->follows)
		return -ENODATA;
	if (is_moved(input) && input_open(&next, reader->name) == 0) {
		input_close(input);
		*input = next;
		return 0;
	}
	return look_up(side, LOOK_NS) == -ESHUTDOWN ? -ESHUTDOWN : 0;
}

static void
complain(struct berth_side *side, int result)
{
	const struct input *input = side->state;

	berth_log(side->module, BERTH_WARNING, "%s: at %llu: %s", input->name,
	    (unsigned long long)input->offset,
	    result == INPUT_E_WITHIN ? "the file ends within this entry"
	    : result == -EPROTO || result == -EMSGSIZE
		? "this is no entry of a log"
		: strerror(-result));
}

static void
run(struct berth_side *side)
{
	const struct reader *reader = side->module->state;
	struct entry entry;
	int result = 0;

	while (result == 0 && look_up(side, 0) != -ESHUTDOWN) {
		result = input_next(side->state, &entry);
		if (result == 0) {
			result = deliver(
			    side, display_message(side->module, &entry));
		} else if (result > 0) {
			if (result == INPUT_E_WITHIN && !reader->follows)
				complain(side, result);
			result = at_end(side);
		}
	}
	if (result < 0 && result != -ENODATA && result != -ESHUTDOWN)
		complain(side, result);
	deliver(side, display_block(side->module, BERTH_MB_STOP, "", 0));
}

BERTH_MODULE(make_reader, .summary = "reads a log file",
    .state_size = sizeof(struct reader), .init = init,
    .layer_size = sizeof(struct input),
    .down = {.open = open_file, .close = close_file, .svc = run});
