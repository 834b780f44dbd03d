/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * notify: tells a supervisor what the host is doing: one datagram of
 * assignments to the socket that NOTIFY_SOCKET names, by path or, with an @,
 * in the abstract name space.  sd_notify(3) is the description of the
 * protocol.  Without the variable all calls do nothing.
 *
 * A supervisor that does not take its datagrams holds the host up for at most
 * a second a message; what was not taken then is lost (-EAGAIN).
 */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "main/main.h"
#include "reactor/reactor.h"

#define PATIENCE_MS 1000
#define DATAGRAM_SIZE 1024

static int
read_address(struct notify *notify)
{
	const char *name = getenv("NOTIFY_SOCKET");
	size_t size;

	if (name == NULL || *name == '\0')
		return 0;
	size = strlen(name);
	if (name[0] != '/' && name[0] != '@')
		return -EAFNOSUPPORT;
	if (size >= sizeof(notify->address.sun_path))
		return -ENAMETOOLONG;
	notify->address.sun_family = AF_UNIX;
	memcpy(notify->address.sun_path, name, size);
	if (name[0] == '@')
		notify->address.sun_path[0] = '\0';
	notify->address_size =
	    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size);
	return 0;
}

/* 0: the variable is not there or is no number. */
static uint64_t
environment_number(const char *name)
{
	const char *text = getenv(name);
	char *end;
	unsigned long long number;

	if (text == NULL || *text < '0' || *text > '9')
		return 0;
	errno = 0;
	number = strtoull(text, &end, 10);
	return errno == 0 && *end == '\0' ? number : 0;
}

static uint64_t
read_watchdog_ns(void)
{
	uint64_t pid = environment_number("WATCHDOG_PID");
	uint64_t interval_us = environment_number("WATCHDOG_USEC");

	if (pid != 0 && pid != (uint64_t)getpid())
		return 0;
	return interval_us <= UINT64_MAX / 1000 ? interval_us * 1000 : 0;
}

int
notify_init(struct notify *notify)
{
	int result;

	memset(notify, 0, sizeof(*notify));
	notify->fd = -1;
	result = read_address(notify);
	notify->watchdog_ns = read_watchdog_ns();
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
	return result;
}

void
notify_fini(struct notify *notify)
{
	fd_close(&notify->fd);
}

/* One descriptor for all messages: a host that has run out of descriptors can
 * still tell. */
static int
open_socket(struct notify *notify)
{
	if (notify->fd >= 0)
		return 0;
	notify->fd = socket(
	    AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	return notify->fd < 0 ? -errno : 0;
}

static int
send_datagram(struct notify *notify, const char *text, size_t size)
{
	struct pollfd wait = {.events = POLLOUT};
	int result = open_socket(notify);

	if (result != 0)
		return result;
	/* Each time: a supervisor that was restarted is another one. */
	if (connect(notify->fd, (const struct sockaddr *)&notify->address,
		notify->address_size) != 0)
		return -errno;
	if (send(notify->fd, text, size, MSG_NOSIGNAL) >= 0)
		return 0;
	wait.fd = notify->fd;
	if (errno != EAGAIN || poll(&wait, 1, PATIENCE_MS) != 1)
		return -errno;
	return send(notify->fd, text, size, MSG_NOSIGNAL) >= 0 ? 0 : -errno;
}

int
notify_send(struct notify *notify, const char *format, ...)
{
	char text[DATAGRAM_SIZE];
	va_list ap;
	int size;

	if (notify->address_size == 0)
		return 0;
	va_start(ap, format);
	size = vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	if (size < 0 || (size_t)size >= sizeof(text))
		return -EMSGSIZE;
	return send_datagram(notify, text, (size_t)size);
}

int
notify_state(struct notify *notify, const char *state, const char *text)
{
	/* A status is one line that a person reads in a table. */
	const int limit = 200;
	size_t size = text == NULL ? 0 : strcspn(text, "\n");

	if (size == 0)
		return notify_send(notify, "%s", state);
	return notify_send(notify, "%s\nSTATUS=%.*s", state,
	    size > (size_t)limit ? limit : (int)size, text);
}

int
notify_reloading(struct notify *notify)
{
	return notify_send(notify,
	    "RELOADING=1\nMONOTONIC_USEC=%" PRIu64 "\nSTATUS=reloading",
	    mono_now().ns / 1000);
}

static int
ping(struct berth_handler *handler, uint64_t now_ns, void *token)
{
	struct notify *notify = BASE_CONTAINER(handler, struct notify, handler);

	(void)now_ns;
	(void)token;
	/* A lost ping is the supervisor's to notice: that is what it is for. */
	notify_send(notify, "WATCHDOG=1");
	return 0;
}

int
notify_watch(struct notify *notify, struct reactor_owner *owner)
{
	static const struct berth_handler_type type = {.timeout = ping};
	uint64_t interval_ns = notify->watchdog_ns / 2;

	if (notify->address_size == 0 || interval_ns == 0)
		return 0;
	notify->handler.type = &type;
	return reactor_schedule(
	    owner, &notify->handler, NULL, interval_ns, interval_ns, NULL);
}
