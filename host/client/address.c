/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * address: PATH, unix:PATH, @NAME, or tcp:HOST:PORT (tcp4:, tcp6:), as in the
 * attribute `listen`.  Names are looked up when connecting.
 */
#include <stddef.h>
#include <string.h>

#include "client/client_priv.h"

static const struct {
	const char *name;
	int family;
} prefixes[] = {{"tcp:", AF_UNSPEC}, {"tcp4:", AF_INET}, {"tcp6:", AF_INET6}};

static int
parse_path(const char *path, struct client *client, struct address *address)
{
	size_t size = strlen(path);

	if (size == 0 || size >= sizeof(address->path.sun_path)) {
		client_tell(client,
		    "'%s': the path of a socket has 1 to %zu bytes",
		    address->text, sizeof(address->path.sun_path) - 1);
		return CLIENT_USAGE;
	}
	address->family = AF_UNIX;
	address->path.sun_family = AF_UNIX;
	memcpy(address->path.sun_path, path, size + 1);
	address->path_size =
	    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size + 1);
	if (path[0] == '@') { /* abstract: no NUL at its end */
		address->path.sun_path[0] = '\0';
		address->path_size--;
	}
	return 0;
}

static int
parse_port(const char *text, struct client *client, struct address *address)
{
	const char *colon = strrchr(text, ':');
	bool brackets = text[0] == '[';

	if (colon != NULL) {
		address->host = text + brackets;
		address->host_size = (size_t)(colon - text) - 2u * brackets;
		address->port = colon + 1;
	}
	if (colon == NULL || colon == text || colon[1] == '\0' ||
	    (brackets && (colon - text < 3 || colon[-1] != ']')) ||
	    (!brackets && memchr(text, ':', (size_t)(colon - text)) != NULL)) {
		client_tell(client,
		    "'%s' is not tcp:HOST:PORT; an IPv6 address stands in [ ]",
		    address->text);
		return CLIENT_USAGE;
	}
	return 0;
}

int
address_parse(
    const char *text, struct client *client, struct address *ret_address)
{
	struct address address = {.text = text};
	int result;

	for (size_t i = 0; i < BASE_COUNT(prefixes); i++) {
		size_t size = strlen(prefixes[i].name);

		if (strncmp(text, prefixes[i].name, size) != 0)
			continue;
		address.family = prefixes[i].family;
		result = parse_port(text + size, client, &address);
		if (result == 0)
			*ret_address = address;
		return result;
	}
	result = parse_path(
	    strncmp(text, "unix:", 5) == 0 ? text + 5 : text, client, &address);
	if (result == 0)
		*ret_address = address;
	return result;
}
