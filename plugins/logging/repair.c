/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * repair: a server that was killed may have left a part of its last entry in a
 * file, and what is appended to that could not be read.  So a file that was
 * not written since the server started is read through once, and such a part
 * cut off.  What is no entry at all is left as it is, and said.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "server.h"

#define ROOM (1u << 20)

/* Bytes of the whole entries that data begins with; what ended them. */
static size_t
whole(struct server *server, const char *data, size_t size, int *ret_result)
{
	size_t most = server->most > ROOM / 2 ? ROOM / 2 : server->most;
	struct entry entry;
	size_t at = 0;

	while ((*ret_result = entry_decode(
		    data + at, size - at, most, &entry)) == 0)
		at += entry.size;
	return at;
}

int
repair(struct server *server, const char *name, int fd, uint64_t *size)
{
	char *data = malloc(ROOM);
	int result = RECORD_E_MORE;
	uint64_t at = 0;
	ssize_t got = 0;

	if (data == NULL)
		return -ENOMEM;
	while (result == RECORD_E_MORE && at < *size) {
		size_t step;

		got = pread(fd, data, ROOM, (off_t)at);
		if (got <= 0)
			break;
		step = whole(server, data, (size_t)got, &result);
		at += step;
		if (step == 0)
			break;
	}
	free(data);
	if (got < 0)
		return -errno;
	if (at == *size || result != RECORD_E_MORE)
		return at == *size ? 0 : result;
	berth_log(server->service, BERTH_WARNING,
	    "%s: cut off %llu bytes of an entry that was not written whole",
	    name, (unsigned long long)(*size - at));
	if (ftruncate(fd, (off_t)at) != 0)
		return -errno;
	*size = at;
	return 0;
}
