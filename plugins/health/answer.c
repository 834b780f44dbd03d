/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * answer: the verdict for a client, in the form that it understands.
 *
 * A program that writes an HTTP reply of its own, as checks for xinetd do, is
 * passed on as it is.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "health.h"

static int
put(struct berth_session *session, const char *data, size_t size)
{
	int taken = berth_write(session, berth_bytes(data, size));

	if (taken < 0)
		return taken;
	return (size_t)taken == size ? 0 : -ENOBUFS;
}

static int
put_head(struct asker *asker, int good, size_t size)
{
	char head[256];
	int length = snprintf(head, sizeof(head),
	    "HTTP/1.1 %s\r\n"
	    "Content-Type: text/plain\r\n"
	    "Content-Length: %zu\r\n"
	    "Cache-Control: no-store\r\n"
	    "Connection: close\r\n\r\n",
	    good ? "200 OK" : "503 Service Unavailable", size);

	return put(asker->session, head, (size_t)length);
}

int
answer(struct asker *asker)
{
	const struct health *health = asker->session->service->state;
	const struct verdict *verdict = &health->verdict;
	const char *text = verdict->output;
	size_t size = verdict->size;
	int own = size > 5 && memcmp(text, "HTTP/", 5) == 0, result = 0;

	asker->answered = 1;
	if (size == 0) {
		text = verdict->good ? "ok\n" : "failed\n";
		size = strlen(text);
	}
	if (asker->form >= FORM_HTTP && !own)
		result = put_head(asker, verdict->good, size);
	if (result == 0 && (own || asker->form != FORM_HTTP_HEAD))
		result = put(asker->session, text, size);
	if (result == 0)
		berth_close(asker->session);
	return result;
}
