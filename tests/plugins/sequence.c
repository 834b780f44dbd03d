/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * As banner.c, in sequence: greets with BANNER, then echoes until the client
 * ends its side.  What it lends it sends in place.
 */
#define BERTH_PLUGIN_VERSION BANNER
#include <berth/berth.h>

static int
sequence_serve(struct berth_session *session)
{
	struct berth_bytes in;
	int r = berth_printf(session, "%s\n", BANNER);

	while (r >= 0 && (r = berth_peek(session, 0, &in)) > 0) {
		r = berth_write(session, in);
		berth_take(session, in.size);
	}
	return r;
}

BERTH_SERVICE(make_banner, .summary = "greets in sequence with " BANNER,
    .flags = BERTH_CONCURRENT, .session = {.serve = sequence_serve});
