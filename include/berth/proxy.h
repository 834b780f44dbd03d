/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * <berth/proxy.h>: the header of the PROXY protocol, versions 1 and 2, for
 * plugins that open a connection for a client and say who that is.
 *
 * Not part of <berth/berth.h>: nothing of the host is called.
 */
#ifndef BERTH_PROXY_H
#define BERTH_PROXY_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

/* Room for either version. */
#define BERTH_PROXY_MAX 108u

#define BERTH_PROXY_SIGNATURE "\r\n\r\n\0\r\nQUIT\n"
#define BERTH_PROXY_SIGNATURE_SIZE 12u

/* Are both addresses IPv4, or IPv6?  Others are UNKNOWN. */
static inline int
berth_proxy_family(const struct sockaddr *from, const struct sockaddr *to)
{
	if (from == NULL || to == NULL || from->sa_family != to->sa_family ||
	    (from->sa_family != AF_INET && from->sa_family != AF_INET6))
		return AF_UNSPEC;
	return from->sa_family;
}

/* Address and port in network order; the size of the address. */
static inline size_t
berth_proxy_parts(
    const struct sockaddr *address, const void **ret_ip, uint16_t *ret_port)
{
	const void *any = address;
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)any;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)any;

	if (address->sa_family == AF_INET) {
		*ret_ip = &v4->sin_addr;
		*ret_port = v4->sin_port;
		return 4;
	}
	*ret_ip = &v6->sin6_addr;
	*ret_port = v6->sin6_port;
	return 16;
}

/* "PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\n": from is the client, to is
 * where it connected.  buffer has BERTH_PROXY_MAX bytes; the size. */
static inline size_t
berth_proxy_v1(
    const struct sockaddr *from, const struct sockaddr *to, char *buffer)
{
	int family = berth_proxy_family(from, to);
	char text[2][INET6_ADDRSTRLEN];
	const void *ip[2];
	uint16_t port[2];
	int size;

	if (family == AF_UNSPEC)
		return (size_t)snprintf(
		    buffer, BERTH_PROXY_MAX, "PROXY UNKNOWN\r\n");
	berth_proxy_parts(from, &ip[0], &port[0]);
	berth_proxy_parts(to, &ip[1], &port[1]);
	inet_ntop(family, ip[0], text[0], sizeof(text[0]));
	inet_ntop(family, ip[1], text[1], sizeof(text[1]));
	size = snprintf(buffer, BERTH_PROXY_MAX, "PROXY TCP%c %s %s %u %u\r\n",
	    family == AF_INET ? '4' : '6', text[0], text[1],
	    (unsigned)ntohs(port[0]), (unsigned)ntohs(port[1]));
	return (size_t)size;
}

/* The binary form of the same. */
static inline size_t
berth_proxy_v2(
    const struct sockaddr *from, const struct sockaddr *to, char *buffer)
{
	int family = berth_proxy_family(from, to);
	const void *ip[2];
	uint16_t port[2];
	size_t size = 0;
	char *at = buffer + 16;

	memcpy(buffer, BERTH_PROXY_SIGNATURE, BERTH_PROXY_SIGNATURE_SIZE);
	buffer[12] = 0x21; /* version 2, PROXY */
	buffer[13] = 0;	   /* unspecified */
	if (family != AF_UNSPEC) {
		buffer[13] = family == AF_INET ? 0x11 : 0x21; /* TCP */
		size = berth_proxy_parts(from, &ip[0], &port[0]);
		berth_proxy_parts(to, &ip[1], &port[1]);
		memcpy(at, ip[0], size);
		memcpy(at + size, ip[1], size);
		memcpy(at + 2 * size, port, sizeof(port));
		size = 2 * size + sizeof(port);
	}
	buffer[14] = 0;
	buffer[15] = (char)size;
	return 16 + size;
}

#endif
