/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sink_file: a file of lines, which others may move away or cut.
 *
 * A line is one write(2) at the end of the file.  When the disk takes only a
 * part of it, the next one begins a line of its own.  Above the soft limit the
 * host's log says so once; a line that would go above the hard one is not
 * written, and it goes on when the file is shorter again.  The limits cost one
 * fstat(2) a line, since whoever cuts a file tells nobody.
 *
 * A symbolic link is not followed: it may be somebody else's (CVE-2008-1684).
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>
#include <berth/host.h>

#include "ledger/ledger_priv.h"

#define FILE_FLAGS                                                             \
	(O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | \
	    O_NOCTTY)
#define FILE_MODE 0640

int
sink_file_open(struct sink *sink)
{
	int fd = open(sink->spec.path, FILE_FLAGS, FILE_MODE);

	if (fd < 0)
		return -errno;
	fd_close(&sink->fd);
	sink->fd = fd;
	sink->soft_told = false;
	sink->torn = false;
	return 0;
}

void
sink_file_reopen(struct sink *sink)
{
	int result = sink_file_open(sink);

	if (result < 0)
		log_printf(sink->ledgers->log, BERTH_WARNING, NULL,
		    "log file '%s' cannot be opened anew: %s; lines go where "
		    "they went",
		    sink->spec.path, strerror(-result));
}

/* 0, or -EFBIG. */
static int
check_limits(struct sink *sink, size_t size)
{
	const struct sink_spec *spec = &sink->spec;
	struct stat status;
	uint64_t after;

	if (spec->soft_bytes == 0 || fstat(sink->fd, &status) < 0)
		return 0;
	after = (uint64_t)status.st_size + size;
	if (after > spec->hard_bytes)
		return -EFBIG;
	if (after <= spec->soft_bytes) {
		sink->soft_told = false;
		return 0;
	}
	if (!sink->soft_told)
		log_printf(sink->ledgers->log, BERTH_WARNING, NULL,
		    "log file '%s' is above its soft limit of %" PRIu64
		    " bytes; at %" PRIu64 " no more is written",
		    spec->path, spec->soft_bytes, spec->hard_bytes);
	sink->soft_told = true;
	return 0;
}

int
sink_file_write(struct sink *sink, const struct sink_line *line)
{
	char newline[] = "\n";
	void *data = (void *)(uintptr_t)line->data;
	struct iovec parts[] = {
	    {newline, sink->torn ? 1 : 0},
	    {data, line->size},
	    {newline, 1},
	};
	size_t size = parts[0].iov_len + line->size + 1;
	ssize_t written;
	int result = check_limits(sink, size);

	if (result < 0)
		return result;
	do {
		written = writev(sink->fd, parts, BASE_COUNT(parts));
	} while (written < 0 && errno == EINTR);
	if (written < 0)
		return errno == EFBIG ? -ENOSPC : -errno;
	sink->torn = (size_t)written < size;
	return sink->torn ? -ENOSPC : 0;
}
