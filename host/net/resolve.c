/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * resolve: the words of an endpoint become a socket address.
 *
 * Host names and port names are asked of the resolver, which may block: this
 * runs when a configuration is read, never while clients are served.  A name
 * with several addresses means the first.
 *
 * Results: 0, or a negative errno that was told at the endpoint's place.
 */
#include "net/net_priv.h"

#include <ctype.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

static const struct kind {
	int family;
	int socket_type;
} kinds[] = {
    [ENDPOINT_TCP] = {AF_UNSPEC, SOCK_STREAM},
    [ENDPOINT_TCP4] = {AF_INET, SOCK_STREAM},
    [ENDPOINT_TCP6] = {AF_INET6, SOCK_STREAM},
    [ENDPOINT_UDP] = {AF_UNSPEC, SOCK_DGRAM},
    [ENDPOINT_UDP4] = {AF_INET, SOCK_DGRAM},
    [ENDPOINT_UDP6] = {AF_INET6, SOCK_DGRAM},
    [ENDPOINT_UNIX] = {AF_UNIX, SOCK_STREAM},
    [ENDPOINT_UNIX_DGRAM] = {AF_UNIX, SOCK_DGRAM},
    [ENDPOINT_UNIX_SEQPACKET] = {AF_UNIX, SOCK_SEQPACKET},
};

int
net_complain(const struct complaint *to, int code, const char *format, ...)
{
	va_list ap;

	if (to->errors == NULL)
		return code;
	va_start(ap, format);
	errors_vadd(
	    to->errors, SEVERITY_ERROR, code, &to->spec->place, format, ap);
	va_end(ap);
	return code;
}

static int
resolve_unix(const struct complaint *to, struct address *ret_address)
{
	const char *path = to->spec->path;
	size_t length = strlen(path), start;
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	start = offsetof(struct sockaddr_un, sun_path);
	/* The NUL is part of a path's address, not of an abstract name's,
	 * whose first byte is one instead. */
	if (length == 0 || length >= sizeof(address.sun_path))
		return net_complain(to, -ENAMETOOLONG,
		    "a socket's path has 1 to %zu bytes, this one %zu",
		    sizeof(address.sun_path) - 1, length);
	memcpy(address.sun_path, path, length);
	if (path[0] == '@')
		address.sun_path[0] = '\0';
	memcpy(&ret_address->storage, &address, sizeof(address));
	ret_address->size = (socklen_t)(start + length +
					(path[0] == '@' ? 0 : 1));
	return 0;
}

/* The port in network order. */
static int
resolve_port(const struct complaint *to, int socket_type, in_port_t *ret_port)
{
	const char *name = to->spec->port;
	struct servent entry, *found = NULL;
	char buffer[2048], *end;
	unsigned long number;

	if (isdigit((unsigned char)name[0])) {
		number = strtoul(name, &end, 10);
		if (*end != '\0' || number > UINT16_MAX)
			return net_complain(to, -EINVAL,
			    "a port is 0 to 65535 or a service's name, not "
			    "'%s'",
			    name);
		*ret_port = htons((in_port_t)number);
		return 0;
	}
	getservbyname_r(name, socket_type == SOCK_DGRAM ? "udp" : "tcp", &entry,
	    buffer, sizeof(buffer), &found);
	if (found == NULL)
		return net_complain(to, -EINVAL, "unknown port '%s'", name);
	*ret_port = (in_port_t)found->s_port;
	return 0;
}

static void
set_port(struct address *address, in_port_t port)
{
	void *any = &address->storage;

	if (address->storage.ss_family == AF_INET)
		((struct sockaddr_in *)any)->sin_port = port;
	else
		((struct sockaddr_in6 *)any)->sin6_port = port;
}

static int
resolve_code(int answer)
{
	switch (answer) {
	case EAI_MEMORY:
		return -ENOMEM;
	case EAI_SYSTEM:
		return errno != 0 ? -errno : -EIO;
	case EAI_AGAIN:
		return -EAGAIN;
	default:
		return -EINVAL;
	}
}

static int
resolve_host(const struct complaint *to, int family, struct address *ret)
{
	struct addrinfo hints = {
	    .ai_family = family, .ai_socktype = ret->socket_type};
	struct addrinfo *found = NULL;
	int answer = getaddrinfo(to->spec->host, NULL, &hints, &found);

	if (answer != 0)
		return net_complain(to, resolve_code(answer),
		    "cannot resolve host '%s': %s", to->spec->host,
		    gai_strerror(answer));
	memcpy(&ret->storage, found->ai_addr, found->ai_addrlen);
	ret->size = found->ai_addrlen;
	freeaddrinfo(found);
	return 0;
}

static void
resolve_any(int family, struct address *ret)
{
	/* All zeroes is the wildcard in both families. */
	ret->storage.ss_family = (sa_family_t)(family == AF_INET ? AF_INET
								 : AF_INET6);
	ret->size = family == AF_INET ? sizeof(struct sockaddr_in)
				      : sizeof(struct sockaddr_in6);
}

int
address_resolve(const struct endpoint_spec *spec, struct errors *errors,
    struct address *ret_address)
{
	const struct kind *kind = &kinds[spec->kind];
	const struct complaint to = {errors, spec};
	struct address address = {.socket_type = kind->socket_type};
	in_port_t port;
	int result;

	if (kind->family == AF_UNIX) {
		result = resolve_unix(&to, &address);
		if (result == 0)
			*ret_address = address;
		return result;
	}
	result = resolve_port(&to, kind->socket_type, &port);
	if (result != 0)
		return result;
	if (strcmp(spec->host, "*") == 0)
		resolve_any(kind->family, &address);
	else
		result = resolve_host(&to, kind->family, &address);
	if (result != 0)
		return result;
	set_port(&address, port);
	*ret_address = address;
	return 0;
}
