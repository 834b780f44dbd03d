/* SPDX-License-Identifier: BSD-2-Clause */
/* Sin: its input hook crashes or aborts when a client says so, on whatever loop
 * that is. */
#include <berth/berth.h>
#include <signal.h>
#include <stdlib.h>

static int
sin_input(struct berth_session *session, struct berth_bytes in)
{
	if (in.size >= 5 && memcmp(in.data, "crash", 5) == 0)
		(void)raise(SIGSEGV);
	if (in.size >= 5 && memcmp(in.data, "abort", 5) == 0)
		abort();
	return berth_write(session, in);
}

BERTH_SERVICE(
    make_sin, .flags = BERTH_CONCURRENT, .session = {.input = sin_input});
