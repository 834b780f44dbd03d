/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * greet: asks for a name and greets it.  A model for a sequential service,
 * which reads and writes in a row; it compiles as C99 and as C++20.
 *
 *	dynamic Greet Service_Object * greet:make_greet()
 */
#include <berth/berth.h>

#define PATIENCE_MS 10000

static int
greet_serve(struct berth_session *session)
{
	char name[64];
	int result;

	berth_printf(session, "Who are you?\n");
	berth_deadline(session, PATIENCE_MS);
	result = berth_read_line(session, name, sizeof(name), NULL);
	berth_deadline(session, 0);
	if (result == -ETIMEDOUT)
		berth_printf(session, "Never mind.\n");
	else if (result == -EMSGSIZE)
		berth_printf(session, "That is no name.\n");
	else if (result > 0)
		berth_printf(session, "Hello %s!\n", name);
	return 0;
}

BERTH_SERVICE(make_greet, .summary = "asks for a name and greets it",
    .session = {.serve = greet_serve});
