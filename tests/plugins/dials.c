/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dials: connects to where its word says, on the loop and in a thread, and
 * leaves it all to the host when it ends.
 */
#include <berth/berth.h>
#include <string.h>
#include <unistd.h>

struct dials {
	struct berth_service *service;
	struct berth_connector *connector;
	struct berth_connect_options options;
};

static int
connected(void *arg, int fd)
{
	struct dials *dials = arg;
	ssize_t size = write(fd, "dialled\n", 8);

	berth_log(dials->service, BERTH_NOTICE, "connected");
	close(fd);
	return size == 8 ? 0 : -1;
}

static void
failed(void *arg, int error, uint64_t again_ns)
{
	struct dials *dials = arg;

	berth_log(dials->service, BERTH_NOTICE, "failed: %s%s",
	    strerror(-error), again_ns > 0 ? ", again" : "");
}

static void
wait_there(struct berth_thread *thread, void *arg)
{
	struct dials *dials = arg;
	int fd = berth_connect_wait(dials->service, &dials->options);

	(void)thread;
	if (fd >= 0)
		close(fd);
	berth_log(dials->service, BERTH_NOTICE, "the thread: %s",
	    fd < 0 ? strerror(-fd) : "connected");
}

static int
init(struct berth_service *service, int argc, char **argv)
{
	struct dials *dials = service->state;
	int result;

	dials->service = service;
	dials->options = (struct berth_connect_options){
	    .to = argv[argc - 1],
	    .timeout_ns = BERTH_CONNECT_FOREVER,
	    .retry_ns = 1000000,
	    .connected = connected,
	    .failed = failed,
	    .arg = dials,
	};
	result = berth_connect(service, &dials->options, &dials->connector);
	if (result != 0)
		return berth_fail(service, -result, "%s: %s", argv[argc - 1],
		    strerror(-result));
	return berth_thread_start(service, "dials", wait_there, dials);
}

BERTH_SERVICE(make_dials, .summary = "connects to somewhere",
    .state_size = sizeof(struct dials), .init = init);
