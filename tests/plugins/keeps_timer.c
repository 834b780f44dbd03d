/* SPDX-License-Identifier: BSD-2-Clause */
/* Sin: leaves a periodic timer scheduled, and a post on its way. */
#include <berth/berth.h>

struct sin {
	struct berth_handler handler;
	unsigned calls;
};

static int
sin_timeout(struct berth_handler *handler, uint64_t now_ns, void *token)
{
	(void)now_ns;
	(void)token;
	((struct sin *)(void *)handler)->calls++;
	return 0;
}

static const struct berth_handler_type sin_handler = {.timeout = sin_timeout};

static void
sin_post(void *arg)
{
	((struct sin *)arg)->calls++;
}

static int
sin_init(struct berth_service *service, int argc, char **argv)
{
	struct sin *sin = service->state;

	(void)argc;
	(void)argv;
	sin->handler.type = &sin_handler;
	return berth_schedule(
	    service, &sin->handler, NULL, 1000000, 1000000, NULL);
}

static void
sin_fini(struct berth_service *service)
{
	(void)berth_post(service, sin_post, service->state);
}

BERTH_SERVICE(make_sin, .state_size = sizeof(struct sin), .init = sin_init,
    .fini = sin_fini);
