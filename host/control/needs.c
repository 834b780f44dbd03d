/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * needs: what in a configuration is root's to do, for whoever wonders whether
 * the host has to be root.  It is told from the settings of the services that
 * run; files that only root can read are not looked at.
 */
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "control/control_priv.h"
#include "net/net.h"

#define PORT_FILE "/proc/sys/net/ipv4/ip_unprivileged_port_start"
#define PORT_USUAL 1024u
#define PORT_DIGITS 16u
#define USERS_SHOWN 8u

/* What asks for it, besides programs' users and ports. */
struct need {
	const char *text;
	bool (*has)(const struct settings *settings);
};

static bool
has_chroot(const struct settings *settings)
{
	return settings->chroot != NULL;
}

static bool
has_priority(const struct settings *settings)
{
	return settings->nice < 0;
}

static bool
has_owner(const struct settings *settings)
{
	return settings->socket_user != NULL || settings->socket_group != NULL;
}

static bool
has_network(const struct settings *settings)
{
	return settings->transparent || settings->mark != 0;
}

static bool
has_capabilities(const struct settings *settings)
{
	return settings->capability_bounding_set.is_set ||
	       settings->ambient_capabilities.is_set;
}

static const struct need needs[] = {
    {"other roots (chroot)", has_chroot},
    {"priorities (nice)", has_priority},
    {"capabilities (capability_bounding_set, ambient_capabilities)",
	has_capabilities},
    {"owners of sockets (socket_user, socket_group)", has_owner},
    {"options of sockets (mark, transparent)", has_network},
};

static const struct definition *
definition_of(const struct record *record)
{
	const struct instance *instance = record_current(record);

	return instance != NULL ? instance_definition(instance) : NULL;
}

static void
separate(struct text *text, size_t start, const char *separator)
{
	if (text->size > start)
		text_printf(text, "%s", separator);
}

/* --- users of programs --- */

/* NULL: it is no program. */
static const char *
user_of(const struct record *record)
{
	const struct definition *definition = definition_of(record);

	if (definition == NULL || definition->program == NULL)
		return NULL;
	return definition->settings->user != NULL ? definition->settings->user
						  : "root";
}

static void
add_users(const struct host *host, struct text *text)
{
	const char *users[USERS_SHOWN];
	struct record *record = repository_first(host->repository);
	unsigned count = 0;

	for (; record != NULL; record = record_next(record)) {
		const char *user = user_of(record);
		unsigned i = 0;

		if (user == NULL)
			continue;
		while (i < count && strcmp(users[i], user) != 0)
			i++;
		if (i < count)
			continue;
		if (count == USERS_SHOWN) {
			text_printf(text, ", ...");
			return;
		}
		users[count++] = user;
		text_printf(
		    text, "%s%s", count == 1 ? "programs of " : ", ", user);
	}
}

/* --- ports --- */

static unsigned
first_free_port(void)
{
	char digits[PORT_DIGITS] = "";
	AUTO_FD fd = open(PORT_FILE, O_RDONLY | O_CLOEXEC);
	ssize_t size = fd < 0 ? -1 : read(fd, digits, sizeof(digits) - 1);

	return size > 0 ? (unsigned)strtoul(digits, NULL, 10) : PORT_USUAL;
}

/* 0: it has none. */
static unsigned
port_of(const struct listener *listener)
{
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
		struct sockaddr_storage storage;
	} address;
	socklen_t size = sizeof(address);

	if (getsockname(listener_fd(listener), &address.any, &size) < 0)
		return 0;
	if (address.any.sa_family == AF_INET)
		return ntohs(address.v4.sin_port);
	if (address.any.sa_family == AF_INET6)
		return ntohs(address.v6.sin6_port);
	return 0;
}

static bool
has_port_below(const struct record *record, unsigned limit)
{
	const struct instance *instance = record_current(record);
	const struct server *server = instance != NULL
					  ? instance_server(instance)
					  : NULL;
	unsigned count = server != NULL ? server_listener_count(server) : 0;

	for (unsigned i = 0; i < count; i++) {
		unsigned port = port_of(server_listener(server, i));

		if (port != 0 && port < limit)
			return true;
	}
	return false;
}

static void
add_ports(const struct host *host, size_t start, struct text *text)
{
	struct record *record = repository_first(host->repository);
	unsigned limit = first_free_port();

	while (record != NULL && !has_port_below(record, limit))
		record = record_next(record);
	if (record == NULL)
		return;
	separate(text, start, "; ");
	text_printf(text, "ports below %u", limit);
}

/* --- all --- */

static bool
any_has(const struct host *host, const struct need *need)
{
	struct record *record = repository_first(host->repository);

	for (; record != NULL; record = record_next(record)) {
		const struct definition *definition = definition_of(record);

		if (definition != NULL && need->has(definition->settings))
			return true;
	}
	return false;
}

void
host_needs_root(const struct host *host, struct text *text)
{
	size_t start = text->size;

	add_users(host, text);
	add_ports(host, start, text);
	for (size_t i = 0; i < BASE_COUNT(needs); i++)
		if (any_has(host, &needs[i])) {
			separate(text, start, "; ");
			text_printf(text, "%s", needs[i].text);
		}
}
