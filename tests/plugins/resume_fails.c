/* SPDX-License-Identifier: BSD-2-Clause */
/* Sin: resume fails. */
#include <berth/berth.h>
#include <errno.h>

static int
sin_resume(struct berth_service *service)
{
	return berth_fail(service, EIO, "%s sleeps on", service->name);
}

static int
sin_input(struct berth_session *session, struct berth_bytes in)
{
	return berth_write(session, in);
}

BERTH_SERVICE(make_sin, .resume = sin_resume, .session = {.input = sin_input});
