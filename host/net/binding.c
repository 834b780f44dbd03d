/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * binding: what an endpoint asks of the kernel, and its canonical text.
 *
 * Two endpoints are one socket if and only if their texts are equal, however
 * they were written.  `tcp:*:7` is one v6 socket that takes v4 too, and stays
 * `tcp:*:7` where there is no v6; `tcp4:*:7` and `tcp6:*:7` are one family
 * each.
 */
#include "net/net_priv.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

static const struct sockaddr *
sockaddr_of(const struct binding *binding)
{
	const void *any = &binding->address.storage;

	return any;
}

static bool
is_any(const struct address *address)
{
	const void *any = &address->storage;

	if (address->storage.ss_family == AF_INET)
		return ((const struct sockaddr_in *)any)->sin_addr.s_addr ==
		       htonl(INADDR_ANY);
	if (address->storage.ss_family == AF_INET6)
		return IN6_IS_ADDR_UNSPECIFIED(
		    &((const struct sockaddr_in6 *)any)->sin6_addr);
	return false;
}

static bool
is_v6_kind(enum endpoint_kind kind)
{
	return kind == ENDPOINT_TCP6 || kind == ENDPOINT_UDP6;
}

int
binding_resolve(const struct endpoint_spec *spec, bool v6only,
    struct errors *errors, struct binding *ret_binding)
{
	struct binding binding = {.any = false};
	int result = address_resolve(spec, errors, &binding.address);

	if (result != 0)
		return result;
	binding.any = is_any(&binding.address);
	binding.dual = binding.any && !v6only && !is_v6_kind(spec->kind) &&
		       binding.address.storage.ss_family == AF_INET6;
	*ret_binding = binding;
	return 0;
}

int
binding_of_socket(int fd, struct binding *ret_binding)
{
	struct binding binding = {.any = false};
	void *any = &binding.address.storage;
	socklen_t size = sizeof(binding.address.storage);
	socklen_t one = sizeof(int);
	int v6only = 1;

	if (getsockname(fd, any, &size) != 0)
		return -errno;
	binding.address.size = size;
	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &binding.address.socket_type,
		&one) != 0)
		return -errno;
	binding.any = is_any(&binding.address);
	if (binding.any && binding.address.storage.ss_family == AF_INET6) {
		one = sizeof(v6only);
		if (getsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6only, &one) !=
		    0)
			return -errno;
		binding.dual = v6only == 0;
	}
	*ret_binding = binding;
	return 0;
}

bool
binding_is_datagram(const struct binding *binding)
{
	return binding->address.socket_type == SOCK_DGRAM;
}

static int
print_any(const struct binding *binding, char *buffer, size_t room)
{
	const char *family = "6";

	if (binding->dual)
		family = "";
	else if (binding->address.storage.ss_family == AF_INET)
		family = "4";
	return snprintf(buffer, room, "%s%s:*:%u",
	    binding_is_datagram(binding) ? "udp" : "tcp", family,
	    address_port(sockaddr_of(binding)));
}

static const char *
unix_prefix(int socket_type)
{
	switch (socket_type) {
	case SOCK_DGRAM:
		return "unix-dgram";
	case SOCK_SEQPACKET:
		return "unix-seqpacket";
	default:
		return "unix";
	}
}

int
binding_print(const struct binding *binding, char *buffer, size_t room)
{
	char text[NET_TEXT_MAX];
	const char *start = text;

	if (binding->any)
		return print_any(binding, buffer, room);
	address_print(
	    sockaddr_of(binding), binding->address.size, text, sizeof(text));
	if (binding->address.storage.ss_family != AF_UNIX)
		return snprintf(buffer, room, "%s:%s",
		    binding_is_datagram(binding) ? "udp" : "tcp", text);
	if (strncmp(text, "unix:", 5) == 0)
		start = text + 5;
	return snprintf(buffer, room, "%s:%s",
	    unix_prefix(binding->address.socket_type), start);
}

static bool
same_host(const struct binding *a, const struct binding *b)
{
	const void *x = &a->address.storage, *y = &b->address.storage;
	const struct sockaddr_in *v4[2] = {x, y};
	const struct sockaddr_in6 *v6[2] = {x, y};

	if (a->address.storage.ss_family == AF_INET)
		return v4[0]->sin_addr.s_addr == v4[1]->sin_addr.s_addr;
	return memcmp(&v6[0]->sin6_addr, &v6[1]->sin6_addr,
		   sizeof(v6[0]->sin6_addr)) == 0;
}

static bool
overlaps_unix(const struct binding *a, const struct binding *b)
{
	const void *any = &a->address.storage;

	/* Abstract names are one name space for each type, paths are one. */
	if (address_unix_path(any, a->address.size) == NULL &&
	    a->address.socket_type != b->address.socket_type)
		return false;
	return a->address.size == b->address.size &&
	       memcmp(any, &b->address.storage, a->address.size) == 0;
}

bool
binding_overlaps(const struct binding *a, const struct binding *b)
{
	sa_family_t family = a->address.storage.ss_family;

	if ((family == AF_UNIX) != (b->address.storage.ss_family == AF_UNIX))
		return false;
	if (family == AF_UNIX)
		return overlaps_unix(a, b);
	if (a->address.socket_type != b->address.socket_type ||
	    address_port(sockaddr_of(a)) == 0 ||
	    address_port(sockaddr_of(a)) != address_port(sockaddr_of(b)))
		return false;
	if (family != b->address.storage.ss_family)
		return a->dual || b->dual;
	return a->any || b->any || same_host(a, b);
}
