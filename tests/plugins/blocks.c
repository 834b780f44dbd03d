/* SPDX-License-Identifier: BSD-2-Clause */
/* Sin: its input hook blocks, for as many milliseconds as the client asks, on
 * whatever loop that is. */
#include <berth/berth.h>
#include <stdlib.h>
#include <unistd.h>

static int
sin_input(struct berth_session *session, struct berth_bytes in)
{
	char text[16] = "";
	size_t size = in.size < sizeof(text) ? in.size : sizeof(text) - 1;
	useconds_t ms;

	memcpy(text, in.data, size);
	ms = (useconds_t)atoi(text);
	for (; ms > 0; ms--)
		usleep(1000);
	(void)berth_printf(session, "slept\n");
	return (int)in.size;
}

BERTH_SERVICE(
    make_sin, .flags = BERTH_CONCURRENT, .session = {.input = sin_input});
