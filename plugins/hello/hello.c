/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hello: the service of the classic preforking server.  A client sends two
 * lines, who it is and what it has to say, and is told who serves it:
 *
 *	Hello <id>, this is PID <pid>
 *	<message>
 *
 * without a newline at its end; then the connection is closed.  Run it with
 * whatever concurrency you like.
 */
#include <berth/berth.h>
#include <unistd.h>

#define LINE_MAX_BYTES 512u
/* How long a client may take for its two lines. */
#define PATIENCE_MS 60000u

static int
hello_serve(struct berth_session *session)
{
	char id[LINE_MAX_BYTES], message[LINE_MAX_BYTES];
	int result = berth_deadline(session, PATIENCE_MS);

	if (result == 0)
		result = berth_read_line(session, id, sizeof(id), NULL);
	if (result > 0)
		result = berth_read_line(
		    session, message, sizeof(message), NULL);
	if (result > 0)
		result = berth_printf(session, "Hello %s, this is PID %d\n%s",
		    id, (int)getpid(), message);
	/* Who ended before that is owed nothing. */
	return result < 0 ? result : 0;
}

BERTH_SERVICE(make_hello, .summary = "greets, and says which process it is",
    .flags = BERTH_CONCURRENT, .session = {.serve = hello_serve});
