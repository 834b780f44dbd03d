/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * <berth/proxy_read.h>: the header that a proxy sends in front of a client's
 * bytes, read (haproxy.org, "The PROXY protocol", versions 1 and 2).
 *
 * Version 1 is a line of at most 107 bytes; version 2 is sixteen bytes, the
 * last two of which say how much follows.  UNKNOWN, LOCAL and families that
 * are not of the internet name nobody: the connection's own addresses count.
 * TLVs are counted and skipped.  Nothing behind the header is looked at.
 *
 * Not part of <berth/berth.h>: nothing of the host is called.  Since 1.2.
 */
#ifndef BERTH_PROXY_READ_H
#define BERTH_PROXY_READ_H

#include <berth/proxy.h>
#include <errno.h>
#include <stdlib.h>

#define BERTH_PROXY_V1 0x1u
#define BERTH_PROXY_V2 0x2u
/* A header with more than this, TLVs included, is not accepted. */
#define BERTH_PROXY_HEADER_MAX 4096u
#define BERTH_PROXY_LINE_MAX 107u

struct berth_proxy_header {
	size_t size; /* in bytes */
	int told;    /* there are addresses; else the connection's own count */
	struct sockaddr_storage from, to;
	socklen_t address_size;
};

/* Where an address and its port go. */
struct berth_proxy_side {
	void *ip;
	in_port_t *port;
};

static inline struct berth_proxy_side
berth_proxy_side(struct sockaddr_storage *address, int family)
{
	void *any = address;
	struct sockaddr_in *v4 = (struct sockaddr_in *)any;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)any;
	struct berth_proxy_side side;

	address->ss_family = (sa_family_t)family;
	side.ip = family == AF_INET ? (void *)&v4->sin_addr
				    : (void *)&v6->sin6_addr;
	side.port = family == AF_INET ? &v4->sin_port : &v6->sin6_port;
	return side;
}

/* The header's two, which are all zero before: from, to. */
static inline void
berth_proxy_sides(struct berth_proxy_header *header, int family,
    struct berth_proxy_side sides[2])
{
	sides[0] = berth_proxy_side(&header->from, family);
	sides[1] = berth_proxy_side(&header->to, family);
	header->told = 1;
	header->address_size = family == AF_INET ? sizeof(struct sockaddr_in)
						 : sizeof(struct sockaddr_in6);
}

/* --- version 1 -------------------------------------------------------------*/

/* The next word behind *at, which moves behind it and its blank. */
static inline int
berth_proxy_word(const char **at, char *room, size_t size)
{
	size_t length = strcspn(*at, " ");

	if (length == 0 || length >= size)
		return 0;
	memcpy(room, *at, length);
	room[length] = '\0';
	*at += length;
	if (**at == ' ')
		(*at)++;
	return 1;
}

static inline int
berth_proxy_port(const char **at, in_port_t *ret_port)
{
	char word[6];
	unsigned long port;

	if (!berth_proxy_word(at, word, sizeof(word)) ||
	    word[strspn(word, "0123456789")] != '\0' ||
	    (word[0] == '0' && word[1] != '\0'))
		return 0;
	port = strtoul(word, NULL, 10);
	*ret_port = htons((in_port_t)port);
	return port <= 65535;
}

static inline int
berth_proxy_addresses(
    const char *at, int family, struct berth_proxy_header *header)
{
	struct berth_proxy_side sides[2];
	char word[INET6_ADDRSTRLEN];
	int i;

	berth_proxy_sides(header, family, sides);
	for (i = 0; i < 2; i++)
		if (!berth_proxy_word(&at, word, sizeof(word)) ||
		    inet_pton(family, word, sides[i].ip) != 1)
			return -EBADMSG;
	if (!berth_proxy_port(&at, sides[0].port) ||
	    !berth_proxy_port(&at, sides[1].port) || *at != '\0' ||
	    at[-1] == ' ')
		return -EBADMSG;
	return 0;
}

static inline int
berth_proxy_read_v1(
    const char *data, size_t size, struct berth_proxy_header *header)
{
	size_t most = size < BERTH_PROXY_LINE_MAX ? size : BERTH_PROXY_LINE_MAX;
	const char *end = (const char *)memchr(data, '\n', most);
	char line[BERTH_PROXY_LINE_MAX + 1];
	size_t length;

	if (end == NULL)
		return size < BERTH_PROXY_LINE_MAX ? -EAGAIN : -EBADMSG;
	length = (size_t)(end - data);
	if (length == 0 || data[length - 1] != '\r' ||
	    memchr(data, '\0', length) != NULL)
		return -EBADMSG;
	memcpy(line, data, length - 1);
	line[length - 1] = '\0';
	header->size = length + 1;
	if (strncmp(line, "PROXY TCP4 ", 11) == 0)
		return berth_proxy_addresses(line + 11, AF_INET, header);
	if (strncmp(line, "PROXY TCP6 ", 11) == 0)
		return berth_proxy_addresses(line + 11, AF_INET6, header);
	return strcmp(line, "PROXY UNKNOWN") == 0 ||
		       strncmp(line, "PROXY UNKNOWN ", 14) == 0
		   ? 0
		   : -EBADMSG;
}

/* --- version 2 -------------------------------------------------------------*/

static inline int
berth_proxy_body(
    const unsigned char *data, size_t size, struct berth_proxy_header *header)
{
	int family = data[13] >> 4 == 1 ? AF_INET : AF_INET6;
	size_t ip_size = family == AF_INET ? 4 : 16;
	const unsigned char *body = data + 16;
	struct berth_proxy_side sides[2];

	/* Streams only; UDP would be another kind of connection. */
	if ((data[13] >> 4 != 1 && data[13] >> 4 != 2) || (data[13] & 15) != 1)
		return data[13] >> 4 > 3 || (data[13] & 15) > 2 ? -EBADMSG : 0;
	if (size < 2 * ip_size + 4)
		return -EBADMSG;
	berth_proxy_sides(header, family, sides);
	memcpy(sides[0].ip, body, ip_size);
	memcpy(sides[1].ip, body + ip_size, ip_size);
	memcpy(sides[0].port, body + 2 * ip_size, 2);
	memcpy(sides[1].port, body + 2 * ip_size + 2, 2);
	return 0;
}

static inline int
berth_proxy_read_v2(
    const unsigned char *data, size_t size, struct berth_proxy_header *header)
{
	size_t body;

	if (size < 16)
		return -EAGAIN;
	body = (size_t)data[14] << 8 | data[15];
	if (data[12] >> 4 != 2 || (data[12] & 15) > 1 ||
	    16 + body > BERTH_PROXY_HEADER_MAX)
		return -EBADMSG;
	if (size < 16 + body)
		return -EAGAIN;
	header->size = 16 + body;
	if ((data[12] & 15) == 0) /* LOCAL */
		return 0;
	return berth_proxy_body(data, body, header);
}

/* 0; -EAGAIN: it is not complete; -EBADMSG: there is no such header.  versions:
 * those that are accepted. */
static inline int
berth_proxy_read(const void *data, size_t size, unsigned versions,
    struct berth_proxy_header *ret_header)
{
	size_t v1 = size < 6 ? size : 6;
	size_t v2 = size < BERTH_PROXY_SIGNATURE_SIZE
			? size
			: BERTH_PROXY_SIGNATURE_SIZE;
	struct berth_proxy_header header;
	int result = -EBADMSG;

	memset(&header, 0, sizeof(header));
	if ((versions & BERTH_PROXY_V1) != 0 && memcmp(data, "PROXY ", v1) == 0)
		result = v1 < 6 ? -EAGAIN
				: berth_proxy_read_v1(
				      (const char *)data, size, &header);
	else if ((versions & BERTH_PROXY_V2) != 0 &&
		 memcmp(data, BERTH_PROXY_SIGNATURE, v2) == 0)
		result = berth_proxy_read_v2(
		    (const unsigned char *)data, size, &header);
	if (result == 0)
		*ret_header = header;
	return result;
}

#endif
