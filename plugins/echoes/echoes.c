/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * echoes: two services that send back what comes.
 *
 * echo_line, in sequence: each line is sent back with CR LF at its end, however
 * it ended when it came; `quit` is the last one.  echo_raw, by events: every
 * byte as it came.  A client may end its side and read on: he gets all that is
 * due to him, and then the end.  One who sends and does not read is not read
 * from.
 */
#include <berth/berth.h>

#define LINE_MAX_BYTES 4096u

static int
none(struct berth_service *service, int argc, char **argv)
{
	if (argc == 1)
		return 0;
	return berth_fail(service, EINVAL, "takes no words, not '%s'", argv[1]);
}

static int
line_serve(struct berth_session *session)
{
	char line[LINE_MAX_BYTES + 2];
	int result;

	do {
		size_t size = 0;

		/* With the NUL, which the end of the line replaces. */
		result = berth_read_line(
		    session, line, LINE_MAX_BYTES + 1, &size);
		if (result <= 0)
			break;
		memcpy(line + size, "\r\n", 2);
		result = berth_write(session, berth_bytes(line, size + 2));
		if (size == 4 && memcmp(line, "quit", 4) == 0)
			break;
	} while (result >= 0);
	/* Too long a line is the end, but not of what was sent before it. */
	return result < 0 && result != -EMSGSIZE ? result : 0;
}

static int
raw_input(struct berth_session *session, struct berth_bytes in)
{
	return berth_write(session, in);
}

BERTH_SERVICE(make_echo_line, .summary = "sends back lines until quit",
    .flags = BERTH_CONCURRENT, .init = none, .session = {.serve = line_serve});

BERTH_SERVICE(make_echo_raw, .summary = "sends back bytes",
    .flags = BERTH_CONCURRENT, .init = none, .session = {.input = raw_input});
