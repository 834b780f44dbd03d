/* SPDX-License-Identifier: BSD-2-Clause */
/* Sin: its input hook crashes when a client says so. */
#include <berth/berth.h>
#include <signal.h>

static int
sin_input(struct berth_session *session, struct berth_bytes in)
{
	if (in.size >= 5 && memcmp(in.data, "crash", 5) == 0)
		(void)raise(SIGSEGV);
	return berth_write(session, in);
}

BERTH_SERVICE(make_sin, .session = {.input = sin_input});
