/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * address: socket addresses as text.
 *
 * What is printed is one word and safe in a log: other bytes of a Unix name
 * become \\xHH.  An IPv4 address that came through a v6
 * socket is printed as the IPv4 address that it is.
 *
 * Results: the length of the text, as snprintf(3) counts it.
 */
#include "net/net_priv.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

static int
print_v4(
    const struct in_addr *address, unsigned port, char *buffer, size_t room)
{
	char text[INET_ADDRSTRLEN];

	if (inet_ntop(AF_INET, address, text, sizeof(text)) == NULL)
		return snprintf(buffer, room, "?");
	return snprintf(buffer, room, "%s:%u", text, port);
}

static int
print_v6(const struct sockaddr_in6 *address, char *buffer, size_t room)
{
	unsigned port = ntohs(address->sin6_port);
	char text[INET6_ADDRSTRLEN], scope[IF_NAMESIZE + 1] = "";
	struct in_addr v4;

	if (IN6_IS_ADDR_V4MAPPED(&address->sin6_addr)) {
		memcpy(&v4, &address->sin6_addr.s6_addr[12], sizeof(v4));
		return print_v4(&v4, port, buffer, room);
	}
	if (inet_ntop(AF_INET6, &address->sin6_addr, text, sizeof(text)) ==
	    NULL)
		return snprintf(buffer, room, "?");
	if (address->sin6_scope_id != 0) {
		scope[0] = '%';
		if (if_indextoname(address->sin6_scope_id, scope + 1) == NULL)
			snprintf(scope + 1, IF_NAMESIZE, "%u",
			    (unsigned)address->sin6_scope_id);
	}
	return snprintf(buffer, room, "[%s%s]:%u", text, scope, port);
}

/* One byte of a Unix name; returns the end of what was written. */
static char *
escape_byte(char *out, unsigned char byte)
{
	static const char digits[] = "0123456789abcdef";

	if (byte > ' ' && byte < 0x7f && byte != '\\') {
		*out++ = (char)byte;
		return out;
	}
	*out++ = '\\';
	*out++ = 'x';
	*out++ = digits[byte >> 4];
	*out++ = digits[byte & 15];
	return out;
}

static int
print_unix(const struct sockaddr_un *address, socklen_t size, char *buffer,
    size_t room)
{
	char name[4 * sizeof(address->sun_path) + 1], *out = name;
	size_t start = offsetof(struct sockaddr_un, sun_path);
	size_t length = size > start ? size - start : 0, i = 0;
	bool abstract = length > 0 && address->sun_path[0] == '\0';

	if (length > sizeof(address->sun_path))
		length = sizeof(address->sun_path);
	if (length == 0)
		return snprintf(buffer, room, "unix");
	if (abstract)
		i = 1;
	else
		length = strnlen(address->sun_path, length);
	while (i < length)
		out = escape_byte(out, (unsigned char)address->sun_path[i++]);
	*out = '\0';
	return snprintf(buffer, room, "%s%s", abstract ? "@" : "unix:", name);
}

int
address_print(
    const struct sockaddr *address, socklen_t size, char *buffer, size_t room)
{
	const void *any = address;
	const struct sockaddr_in *v4 = any;

	if (size < sizeof(sa_family_t))
		return snprintf(buffer, room, "unix");
	switch (address->sa_family) {
	case AF_INET:
		return print_v4(
		    &v4->sin_addr, ntohs(v4->sin_port), buffer, room);
	case AF_INET6:
		return print_v6(any, buffer, room);
	case AF_UNIX:
		return print_unix(any, size, buffer, room);
	default:
		return snprintf(
		    buffer, room, "family %d", (int)address->sa_family);
	}
}

unsigned
address_port(const struct sockaddr *address)
{
	const void *any = address;

	if (address->sa_family == AF_INET)
		return ntohs(((const struct sockaddr_in *)any)->sin_port);
	if (address->sa_family == AF_INET6)
		return ntohs(((const struct sockaddr_in6 *)any)->sin6_port);
	return 0;
}

const char *
address_unix_path(const struct sockaddr *address, socklen_t size)
{
	const void *any = address;
	const struct sockaddr_un *path = any;

	if (address->sa_family != AF_UNIX ||
	    size <= offsetof(struct sockaddr_un, sun_path) ||
	    path->sun_path[0] == '\0')
		return NULL;
	return path->sun_path;
}
