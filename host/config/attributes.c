/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * attributes: the table of every attribute.  The reader, the printer, the
 * help and the manual page all take it from here; so do the defaults, which
 * are read from their text.
 */
#include "config/config_priv.h"

#include <errno.h>
#include <string.h>

#define KIB UINT64_C(1024)
#define GIB (KIB * KIB * KIB)
#define SECOND UINT64_C(1000)
#define HOUR (3600 * SECOND)
#define DAY (24 * HOUR)

#define SERVICE(name_, kind_, change_, field_)                                 \
	.name = (name_), .scope = ATTRIBUTE_SERVICE, .change = (change_),      \
	.kind = (kind_), .offset = offsetof(struct settings, field_)
#define HOST(name_, kind_, change_, field_)                                    \
	.name = (name_), .scope = ATTRIBUTE_HOST, .change = (change_),         \
	.kind = (kind_), .offset = offsetof(struct host_settings, field_)
#define PART(name_, of_)                                                       \
	.name = (name_), .scope = ATTRIBUTE_SERVICE, .change = CHANGE_REBIND,  \
	.kind = VALUE_PART, .initial = "", .synonym_of = (of_)

static const struct attribute service_attributes[] = {
    {SERVICE("listen", VALUE_ENDPOINTS, CHANGE_REBIND, listen),
	.syntax = "ENDPOINT ...", .initial = "",
	.help = "Where clients reach the service; see ENDPOINTS."},
    {PART("port", "listen"), .syntax = "NUMBER | NAME",
	.help = "The port of the one endpoint that port, bind, socket_type "
		"and protocol make up."},
    {PART("bind", "listen"), .syntax = "ADDRESS",
	.help = "The address to go with port; without it, all addresses."},
    {PART("interface", "bind"), .syntax = "ADDRESS",
	.help = "Another word for bind."},
    {PART("socket_type", "listen"), .syntax = "stream | dgram",
	.help = "To go with port; without it, what protocol implies, or "
		"stream."},
    {PART("protocol", "listen"),
	.syntax = "tcp | tcp4 | tcp6 | udp | udp4 | udp6",
	.help = "To go with port; without it, what socket_type implies, or "
		"tcp."},
    {SERVICE("backlog", VALUE_COUNT, CHANGE_LIVE, backlog), .syntax = "NUMBER",
	.initial = "511", .low = 1, .high = 65535,
	.help = "Connections that may wait in the kernel until the service "
		"takes them; the kernel's own limit is net.core.somaxconn."},
    {SERVICE("v6only", VALUE_FLAG, CHANGE_REBIND, v6only), .syntax = "yes | no",
	.initial = "no",
	.help = "Whether an endpoint on all addresses or on an IPv6 address "
		"refuses IPv4 clients."},
    {SERVICE("keepalive", VALUE_FLAG, CHANGE_SESSION, keepalive),
	.syntax = "yes | no", .initial = "no",
	.help = "Whether the kernel probes silent TCP connections."},
    {SERVICE("nodelay", VALUE_FLAG, CHANGE_SESSION, nodelay),
	.syntax = "yes | no", .initial = "yes",
	.help = "Whether TCP sends small pieces at once instead of "
		"collecting them."},
    {SERVICE("reserved_sources", VALUE_FLAG, CHANGE_LIVE, reserved_sources),
	.syntax = "yes | no", .initial = "no",
	.help = "Whether datagrams from ports below 1024 are served; they "
		"are how two servers are set upon each other."},
    {SERVICE("concurrency", VALUE_CONCURRENCY, CHANGE_REPLACE, concurrency),
	.syntax = "reactive | iterative | thread | pool | process",
	.initial = "reactive",
	.help = "How connections are driven; this release runs reactive "
		"only."},
    {SERVICE("instances", VALUE_LIMIT, CHANGE_LIVE, instances),
	.syntax = "NUMBER | unlimited", .initial = "unlimited", .low = 0,
	.high = 1000000,
	.help = "Sessions at once; further clients wait in the backlog."},
    {SERVICE("idle_timeout", VALUE_TIME, CHANGE_LIVE, idle_timeout_ms),
	.syntax = "TIME", .initial = "0", .low = 0, .high = 365 * DAY,
	.help = "A session in which nothing moves for so long is closed; 0 "
		"means never."},
    {SERVICE("drain", VALUE_TIME, CHANGE_LIVE, drain_ms), .syntax = "TIME",
	.initial = "30s", .low = 0, .high = DAY,
	.help = "How long sessions may go on when the service is removed or "
		"replaced, before they are closed."},
    {SERVICE("ready_timeout", VALUE_TIME, CHANGE_LIVE, ready_timeout_ms),
	.syntax = "TIME", .initial = "30s", .low = 1, .high = HOUR,
	.help = "How long a new instance that is asked whether it is ready "
		"may say not yet; then the one before it goes on."},
    {SERVICE("suspend", VALUE_SUSPEND, CHANGE_LIVE, suspend),
	.syntax = "clients | sessions", .initial = "clients",
	.help = "Whether a suspension lets only new clients wait, or is not "
		"reading from sessions either."},
    {SERVICE("socket_mode", VALUE_MODE, CHANGE_REBIND, socket_mode),
	.syntax = "MODE", .initial = "0666", .low = 0, .high = 0777,
	.help = "The mode of the file of a Unix endpoint, octal; the umask "
		"does not count."},
    {SERVICE("linger", VALUE_TIME, CHANGE_LIVE, linger_ms), .syntax = "TIME",
	.initial = "2s", .low = 0, .high = HOUR,
	.help = "How long an orderly close waits for the client to close as "
		"well, so that the last bytes are not lost."},
    {SERVICE("input_limit", VALUE_SIZE, CHANGE_LIVE, input_limit_bytes),
	.syntax = "SIZE", .initial = "64K", .low = 512, .high = GIB,
	.help = "Bytes of a session that are held while the service has not "
		"taken them; a session that needs more is closed."},
    {SERVICE("output_limit", VALUE_SIZE, CHANGE_LIVE, output_limit_bytes),
	.syntax = "SIZE", .initial = "256K", .low = 512, .high = GIB,
	.help = "Bytes that are held for a client that does not read; above "
		"it the service has to wait."},
    {.name = NULL},
};

static const struct attribute host_attributes[] = {
    {HOST("reload", VALUE_RELOAD, CHANGE_LIVE, reload),
	.syntax = "script | exact", .initial = "script",
	.help = "Whether the files are a script, and what they do not "
		"mention stays, or a declaration, and it is removed; see "
		"RELOADING."},
    {HOST("plugin_path", VALUE_PATH_LIST, CHANGE_LIVE, plugin_path),
	.syntax = "PATH[:PATH ...]", .initial = "",
	.help = "Folders in which plugins are looked for, instead of the one "
		"that was built in."},
    {HOST("pid_file", VALUE_PATH, CHANGE_RESTART, pid_file), .syntax = "PATH",
	.initial = "",
	.help = "A file that holds the process id and is locked while the "
		"host runs."},
    {HOST("control", VALUE_PATH, CHANGE_LIVE, control), .syntax = "PATH",
	.initial = "",
	.help = "The control socket, by which the host's own user and root "
		"steer it; see berthctl(1)."},
    {HOST("watch", VALUE_FLAG, CHANGE_LIVE, watch), .syntax = "yes | no",
	.initial = "no",
	.help = "Whether a changed file of the configuration is read at "
		"once, without a signal."},
    {HOST("log_level", VALUE_LEVEL, CHANGE_LIVE, log_level),
	.syntax = "error | warning | notice | info | debug", .initial = "info",
	.low = 3, .high = 7,
	.help = "The least severe messages that are logged."},
    {HOST("watchdog", VALUE_TIME, CHANGE_LIVE, watchdog_ms), .syntax = "TIME",
	.initial = "1s", .low = 0, .high = HOUR,
	.help = "A call into a service that takes longer is logged with its "
		"name; 0 means never."},
    {HOST("shutdown", VALUE_TIME, CHANGE_LIVE, shutdown_ms), .syntax = "TIME",
	.initial = "10s", .low = 0, .high = DAY,
	.help = "How long all sessions may go on when the host ends."},
    {.name = NULL},
};

const struct attribute *
attributes(enum attribute_scope scope)
{
	return scope == ATTRIBUTE_HOST ? host_attributes : service_attributes;
}

const struct attribute *
attribute_find(enum attribute_scope scope, const char *name)
{
	const struct attribute *row = attributes(scope);

	while (row->name != NULL && strcmp(row->name, name) != 0)
		row++;
	return row->name != NULL ? row : NULL;
}

static void
set_defaults(enum attribute_scope scope, void *values)
{
	const struct attribute *row = attributes(scope);
	struct message message;

	for (; row->name != NULL; row++) {
		int result;

		if (row->initial[0] == '\0')
			continue;
		result = value_type(row->kind)->read(
		    row, row->initial, (char *)values + row->offset, &message);
		BASE_ASSERT(result == 0);
	}
}

void
settings_init(struct settings *settings)
{
	memset(settings, 0, sizeof(*settings));
	set_defaults(ATTRIBUTE_SERVICE, settings);
}

void
host_settings_init(struct host_settings *settings)
{
	memset(settings, 0, sizeof(*settings));
	set_defaults(ATTRIBUTE_HOST, settings);
}

bool
attribute_equal(const struct attribute *attribute, const void *a, const void *b)
{
	const char *one = a, *two = b;

	if (attribute->kind == VALUE_PART)
		return true;
	return value_type(attribute->kind)
	    ->equal(one + attribute->offset, two + attribute->offset);
}

int
attribute_print(
    const struct attribute *attribute, const void *settings, struct text *text)
{
	const char *start = settings;

	if (attribute->kind != VALUE_PART)
		value_type(attribute->kind)
		    ->print(attribute, start + attribute->offset, text);
	return text->failed ? -ENOMEM : 0;
}

/* --- copies ----------------------------------------------------------------
 */

/* 0 with a copy, or with NULL for NULL. */
static int
copy_string(struct arena *arena, const char *from, const char **ret_to)
{
	const char *copy = from == NULL ? NULL : arena_string(arena, from);

	if (from != NULL && copy == NULL)
		return -ENOMEM;
	*ret_to = copy;
	return 0;
}

static int
copy_endpoint(struct arena *arena, const struct endpoint_spec *from,
    struct endpoint_spec *ret_to)
{
	struct endpoint_spec to = {.kind = from->kind};

	if (copy_string(arena, from->host, &to.host) < 0 ||
	    copy_string(arena, from->port, &to.port) < 0 ||
	    copy_string(arena, from->path, &to.path) < 0 ||
	    copy_string(arena, from->text, &to.text) < 0)
		return -ENOMEM;
	*ret_to = to;
	return 0;
}

int
settings_copy(
    struct arena *arena, const struct settings *from, struct settings *ret_to)
{
	struct settings to = *from;

	to.listen = arena_alloc(
	    arena, (size_t)from->listen_count * sizeof(*to.listen));
	if (to.listen == NULL)
		return -ENOMEM;
	for (unsigned i = 0; i < from->listen_count; i++) {
		int result = copy_endpoint(
		    arena, &from->listen[i], &to.listen[i]);

		if (result < 0)
			return result;
	}
	*ret_to = to;
	return 0;
}

int
host_settings_copy(struct arena *arena, const struct host_settings *from,
    struct host_settings *ret_to)
{
	const struct attribute *row = host_attributes;
	struct host_settings to = *from;

	for (; row->name != NULL; row++) {
		const char **path = (void *)((char *)&to + row->offset);

		if (row->kind != VALUE_PATH && row->kind != VALUE_PATH_LIST)
			continue;
		if (copy_string(arena, *path, path) < 0)
			return -ENOMEM;
	}
	*ret_to = to;
	return 0;
}
