/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * work: an echo that computes before it answers, so many rounds over each
 * byte: a service whose own code is what costs, for bench/strategies.
 */
#include <berth/berth.h>
#include <errno.h>
#include <stdlib.h>

struct work {
	unsigned rounds;
	volatile unsigned result; /* it has to be computed for somebody */
};

static int
init(struct berth_service *service, int argc, char **argv)
{
	struct work *work = service->state;

	if (argc != 2)
		return berth_fail(service, EINVAL, "how many rounds?");
	work->rounds = (unsigned)strtoul(argv[1], NULL, 10);
	return 0;
}

static int
input(struct berth_session *session, struct berth_bytes in)
{
	struct work *work = session->service->state;
	const unsigned char *bytes = in.data;
	unsigned sum = 2166136261u;

	for (unsigned round = 0; round < work->rounds; round++)
		for (size_t i = 0; i < in.size; i++)
			sum = (sum ^ bytes[i]) * 16777619u;
	work->result = sum;
	return berth_write(session, in);
}

BERTH_SERVICE(make_work, .summary = "computes, then echoes",
    .flags = BERTH_CONCURRENT, .state_size = sizeof(struct work), .init = init,
    .session = {.input = input});
