/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * make_who: tells each client who it has proved to be, as a module around the
 * connection says, and closes.
 */
#include <berth/berth.h>

static int
tell(struct berth_session *session)
{
	char name[256];
	int size = berth_peer_identity(session, name, sizeof(name));

	size = berth_printf(session, "%s\n", size < 0 ? "nobody" : name);
	berth_close(session);
	return size < 0 ? size : 0;
}

BERTH_SERVICE(
    make_who, .summary = "tells who you are", .session = {.open = tell});
