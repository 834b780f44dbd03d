/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sink_socket: syslog and the journal, as datagrams to their Unix sockets.
 *
 * openlog(3) belongs to the process and has one facility; here each line
 * brings its own.  The socket is not connected: whoever is bound to the path
 * when a line is sent gets it, also after that daemon was started again.
 * Nobody waits: a daemon that does not read loses lines.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "ledger/ledger_priv.h"

#define LEVEL_OF(priority) ((priority)&LOG_PRIMASK)
#define FACILITY_OF(priority) (((priority)&LOG_FACMASK) >> 3)

int
sink_socket_open(struct sink *sink)
{
	sink->fd = socket(
	    AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	return sink->fd < 0 ? -errno : 0;
}

static int
transmit(struct sink *sink, const char *path, struct iovec *parts, size_t count)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct msghdr message = {
	    .msg_name = &address,
	    .msg_namelen = sizeof(address),
	    .msg_iov = parts,
	    .msg_iovlen = count,
	};

	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, path, strlen(path) + 1);
	return sendmsg(sink->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT) < 0
		   ? -errno
		   : 0;
}

static struct iovec
part(const char *data, size_t size)
{
	void *start = (void *)(uintptr_t)data;

	return (struct iovec){start, size};
}

int
sink_syslog_write(struct sink *sink, const struct sink_line *line)
{
	static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May",
	    "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	time_t now = time(NULL);
	struct tm parts;
	struct iovec vector[2];
	char head[96];
	int size;

	localtime_r(&now, &parts);
	size = snprintf(head, sizeof(head),
	    "<%d>%s %2d %02d:%02d:%02d " LEDGER_IDENT "[%d]: ", line->priority,
	    months[parts.tm_mon], parts.tm_mday, parts.tm_hour, parts.tm_min,
	    parts.tm_sec, (int)getpid());
	vector[0] = part(head, (size_t)size);
	vector[1] = part(line->data, line->size);
	return transmit(sink, sink->ledgers->syslog, vector, 2);
}

int
sink_journal_write(struct sink *sink, const struct sink_line *line)
{
	AUTO_TEXT fields = {0};
	struct iovec vector[4];
	char head[96];
	int size = snprintf(head, sizeof(head),
	    "PRIORITY=%d\nSYSLOG_FACILITY=%d\nSYSLOG_IDENTIFIER=" LEDGER_IDENT
	    "\nMESSAGE=",
	    LEVEL_OF(line->priority), FACILITY_OF(line->priority | LOG_DAEMON));

	format_journal(line->record, &fields);
	if (fields.failed)
		return -ENOMEM;
	vector[0] = part(head, (size_t)size);
	vector[1] = part(line->data, line->size);
	vector[2] = part("\n", 1);
	vector[3] = part(text_string(&fields), fields.size);
	return transmit(sink, sink->ledgers->journal, vector, 4);
}
