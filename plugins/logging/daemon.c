/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * daemon: records for syslogd (RFC 3164) or journald (its native protocol),
 * one datagram each, from a socket of our own that never waits.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "server.h"

#define FACILITY_USER 8
#define TEXT_MOST 8192

int
daemon_open(struct server *server)
{
	struct sockaddr_un where = {.sun_family = AF_UNIX};

	if (strlen(server->path) >= sizeof(where.sun_path))
		return berth_fail(server->service, ENAMETOOLONG, "%s: %s",
		    server->path, strerror(ENAMETOOLONG));
	server->socket_fd = socket(
	    AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (server->socket_fd < 0)
		return berth_fail(
		    server->service, errno, "socket: %s", strerror(errno));
	return 0;
}

/* The text, without what ends a line. */
static int
copy_text(const struct record *record, char text[TEXT_MOST])
{
	size_t size = record->text_size < TEXT_MOST ? record->text_size
						    : TEXT_MOST;

	if (size > 0)
		memcpy(text, record->text, size);
	for (size_t i = 0; i < size; i++)
		if (text[i] == '\n' || text[i] == '\0')
			text[i] = ' ';
	return (int)size;
}

static int
print_syslog(
    const char *host, const struct record *record, char *out, size_t room)
{
	time_t secs = (time_t)record->secs;
	char text[TEXT_MOST], stamp[32] = "";
	struct tm parts;

	if (localtime_r(&secs, &parts) != NULL)
		strftime(stamp, sizeof(stamp), "%b %e %H:%M:%S", &parts);
	return snprintf(out, room, "<%d>%s %s[%" PRId32 "]: %.*s",
	    FACILITY_USER | record_severity(record->type), stamp, host,
	    record->pid, copy_text(record, text), text);
}

static int
print_journal(
    const char *host, const struct record *record, char *out, size_t room)
{
	char text[TEXT_MOST];

	return snprintf(out, room,
	    "PRIORITY=%d\nSYSLOG_IDENTIFIER=%s\nSYSLOG_PID=%" PRId32
	    "\nBERTH_LOG_TYPE=%" PRIu32 "\nBERTH_LOG_USEC=%" PRId64
	    "\nMESSAGE=%.*s\n",
	    record_severity(record->type), host, record->pid, record->type,
	    record->secs * 1000000 + record->usecs, copy_text(record, text),
	    text);
}

void
daemon_send(
    struct server *server, const char *host, const struct record *record)
{
	struct sockaddr_un where = {.sun_family = AF_UNIX};
	const void *any = &where;
	char line[TEXT_MOST + 1024];
	int size = server->sink == SINK_SYSLOG
		       ? print_syslog(host, record, line, sizeof(line))
		       : print_journal(host, record, line, sizeof(line));

	strcpy(where.sun_path, server->path);
	if (size < 0 || (size_t)size >= sizeof(line) ||
	    sendto(server->socket_fd, line, (size_t)size, MSG_NOSIGNAL, any,
		sizeof(where)) < 0)
		server->dropped++;
}
