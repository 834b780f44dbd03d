/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fuzzes a session of the manager: a client that sends anything in any
 * portions, reads or not, ends its side or goes away.
 *
 * The first byte chooses the protocol and how much the client reads at once.
 * Then follow portions: a byte of length (0: the client reads what was written
 * to it) and so many bytes.  Whatever comes, the session is not broken off by
 * us, gives back all that it holds, and each line that it sends in ACE's
 * protocol or its own ends.
 */
#include "fuzz/fuzz.h"

#include <errno.h>
#include <stdlib.h>

#include "services_priv.h"
#include "unit/services_desk.h"

#define EXPECT(x) ((x) ? (void)0 : abort())

static void
talk(struct desk *desk, const uint8_t *data, size_t size)
{
	size_t portion;

	while (size > 0 && !desk->client.ended && !desk->client.closing) {
		portion = *data++;
		size--;
		if (portion == 0)
			desk_read(desk);
		if (portion > size)
			portion = size;
		desk_type(desk, data, portion);
		data += portion;
		size -= portion;
	}
}

static void
part(struct desk *desk, bool go_away)
{
	unsigned turns = 0;

	if (go_away) {
		fake_session_end(&desk->client, -ECONNRESET);
		return;
	}
	while (!desk->client.closing && turns++ < 1000000) {
		desk_read(desk);
		if (!desk->client.paused)
			desk_hang_up(desk);
	}
	desk_read(desk);
	EXPECT(desk->client.closing && !desk->client.aborted);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct manager *manager;
	struct desk desk;
	uint8_t how;

	if (size < 1)
		return 0;
	how = data[0];
	EXPECT(desk_start(&desk, how & 1 ? "-l" : "") == 0);
	desk_connect(&desk);
	if (how & 2)
		desk.client.output_limit = 500 + (size_t)(how >> 3) * 64;
	talk(&desk, data + 1, size - 1);
	part(&desk, how & 4);
	if (!(how & 5) && desk.client.output.size > 0)
		EXPECT(desk.client.output.data[desk.client.output.size - 1] ==
		       '\n');
	desk_disconnect(&desk);
	manager = desk.service.public.state;
	EXPECT(manager->budget.used == 0);
	desk_stop(&desk);
	return 0;
}
