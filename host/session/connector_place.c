/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * connector_place: the endpoints of a connector, and sockets that connect.
 *
 * Nothing here blocks: hosts in numbers are turned into addresses at once,
 * those with a name are left to who may ask for it.
 */
#include "session/connector_priv.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

static bool
is_number(const char *host)
{
	struct in6_addr any;

	/* With a zone, which inet_pton(3) does not know. */
	return strchr(host, ':') != NULL || inet_pton(AF_INET, host, &any) == 1;
}

/* 0, -EINVAL or -ENOMEM. */
static int
parse(struct arena *arena, const char *word, struct endpoint_spec *ret_spec)
{
	const char *reason;

	return word != NULL ? endpoint_parse(arena, word, ret_spec, &reason)
			    : -EINVAL;
}

static int
parse_ends(
    struct connector_place *place, const struct berth_connect_options *options)
{
	struct endpoint_spec from, port;
	int result = parse(place->arena, options->to, &place->to);

	if (result != 0)
		return result;
	port = place->to;
	if (port.host != NULL && strcmp(port.host, "*") == 0)
		return -EINVAL;
	place->is_name = port.host != NULL && !is_number(port.host);
	if (place->is_name)
		port.host = "*";
	result = address_resolve(&port, NULL, &place->address);
	if (result != 0 || options->from == NULL)
		return result;
	result = parse(place->arena, options->from, &from);
	if (result == 0 && from.host != NULL && strcmp(from.host, "*") != 0 &&
	    !is_number(from.host))
		result = -EINVAL;
	if (result == 0)
		result = address_resolve(&from, NULL, &place->from);
	return result;
}

int
connector_place_init(
    struct connector_place *place, const struct berth_connect_options *options)
{
	int result;

	*place = (struct connector_place){.arena = arena_new_sized(512)};
	if (place->arena == NULL)
		return -ENOMEM;
	result = parse_ends(place, options);
	if (result != 0)
		connector_place_fini(place);
	return result;
}

void
connector_place_fini(struct connector_place *place)
{
	place->arena = arena_free(place->arena);
}

/* --- addresses of a name ---------------------------------------------------*/

static void
put_word(uint8_t *bytes, uint64_t word)
{
	for (unsigned i = 0; i < 8; i++)
		bytes[i] = (uint8_t)(word >> (56 - 8 * i) & 0xff);
}

bool
connector_place_with(const struct connector_place *place,
    const struct access_prefix *prefix, struct address *ret_address)
{
	enum endpoint_kind kind = place->to.kind;
	struct address address = {.socket_type = place->address.socket_type};
	/* The port is at the same place in both families. */
	const struct sockaddr_in *any = (const void *)&place->address.storage;
	struct sockaddr_in v4 = {
	    .sin_family = AF_INET, .sin_port = any->sin_port};
	struct sockaddr_in6 v6 = {
	    .sin6_family = AF_INET6, .sin6_port = any->sin_port};

	if (prefix->v6 && kind != ENDPOINT_TCP4 && kind != ENDPOINT_UDP4) {
		put_word(v6.sin6_addr.s6_addr, prefix->high);
		put_word(v6.sin6_addr.s6_addr + 8, prefix->low);
		memcpy(&address.storage, &v6, sizeof(v6));
		address.size = sizeof(v6);
	} else if (!prefix->v6 && kind != ENDPOINT_TCP6 &&
		   kind != ENDPOINT_UDP6) {
		v4.sin_addr.s_addr = htonl((uint32_t)(prefix->high >> 32));
		memcpy(&address.storage, &v4, sizeof(v4));
		address.size = sizeof(v4);
	} else {
		return false;
	}
	*ret_address = address;
	return true;
}

/* --- sockets ---------------------------------------------------------------*/

static int
bind_to(int fd, const struct address *from)
{
	const void *any = &from->storage;
	int one = 1;

	if (from->size == 0)
		return 0;
	if (from->storage.ss_family != AF_UNIX &&
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) != 0)
		return -errno;
	return bind(fd, any, from->size) != 0 ? -errno : 0;
}

int
connector_begin(const struct connector_place *place,
    const struct address *address, int *ret_fd)
{
	const void *any = &address->storage;
	AUTO_FD fd = socket(address->storage.ss_family,
	    address->socket_type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int result;

	if (fd < 0)
		return -errno;
	result = bind_to(fd, &place->from);
	if (result == 0 && connect(fd, any, address->size) != 0)
		result = -errno;
	/* Unix: its backlog is full, and nothing tells when it is not. */
	if (result != 0 && result != -EINPROGRESS)
		return result;
	*ret_fd = base_take_fd(&fd);
	return result;
}

int
connector_outcome(int fd)
{
	int error = 0;
	socklen_t size = sizeof(error);

	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0)
		return -errno;
	return -error;
}
