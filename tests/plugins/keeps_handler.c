/* SPDX-License-Identifier: BSD-2-Clause */
/* Sin: leaves a handler registered on a pipe that is always ready. */
#include <berth/berth.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

struct sin {
	struct berth_handler handler;
	int pipe[2];
	unsigned calls;
};

static int
sin_event(struct berth_handler *handler, int fd)
{
	struct sin *sin = (struct sin *)(void *)handler;

	(void)fd;
	sin->calls++;
	return 0;
}

static void
sin_close(struct berth_handler *handler, int fd, unsigned mask)
{
	struct sin *sin = (struct sin *)(void *)handler;

	(void)fd;
	(void)mask;
	close(sin->pipe[0]);
	close(sin->pipe[1]);
}

static const struct berth_handler_type sin_handler = {
    .input = sin_event,
    .close = sin_close,
};

static int
sin_init(struct berth_service *service, int argc, char **argv)
{
	struct sin *sin = service->state;

	(void)argc;
	(void)argv;
	sin->handler.type = &sin_handler;
	if (pipe2(sin->pipe, O_CLOEXEC | O_NONBLOCK) < 0)
		return berth_fail(service, errno, "no pipe");
	if (write(sin->pipe[1], "x", 1) != 1)
		return berth_fail(service, EIO, "cannot fill the pipe");
	return berth_add(service, &sin->handler, sin->pipe[0], BERTH_READ);
}

BERTH_SERVICE(make_sin, .state_size = sizeof(struct sin), .init = sin_init);
