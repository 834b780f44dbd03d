/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * proxy_parse: the header that a proxy sends in front of a client's bytes
 * (haproxy.org, "The PROXY protocol", versions 1 and 2).
 *
 * Version 1 is a line of at most 107 bytes; version 2 is sixteen bytes, the
 * last two of which say how much follows.  UNKNOWN, LOCAL and families that
 * are not of the internet name nobody: the connection's own addresses count.
 * TLVs are counted and skipped.
 *
 * Nothing behind the header is looked at.
 */
#include "session/proxy.h"

#include <berth/proxy.h>
#include <errno.h>
#include <stdlib.h>

#define LINE_MAX_BYTES 107u

/* --- version 1 -------------------------------------------------------------*/

/* The next word behind *at, which moves behind it and its blank. */
static bool
take_word(const char **at, char *room, size_t size)
{
	size_t length = strcspn(*at, " ");

	if (length == 0 || length >= size)
		return false;
	memcpy(room, *at, length);
	room[length] = '\0';
	*at += length;
	if (**at == ' ')
		(*at)++;
	return true;
}

static bool
take_port(const char **at, in_port_t *ret_port)
{
	char word[6];
	unsigned long port;

	if (!take_word(at, word, sizeof(word)) ||
	    word[strspn(word, "0123456789")] != '\0' ||
	    (word[0] == '0' && word[1] != '\0'))
		return false;
	port = strtoul(word, NULL, 10);
	*ret_port = htons((in_port_t)port);
	return port <= UINT16_MAX;
}

static bool
take_ip(const char **at, int family, struct sockaddr_storage *address)
{
	char word[INET6_ADDRSTRLEN];
	void *any = address;
	struct sockaddr_in *v4 = any;
	struct sockaddr_in6 *v6 = any;
	void *ip = family == AF_INET ? (void *)&v4->sin_addr
				     : (void *)&v6->sin6_addr;

	memset(address, 0, sizeof(*address));
	address->ss_family = (sa_family_t)family;
	return take_word(at, word, sizeof(word)) &&
	       inet_pton(family, word, ip) == 1;
}

static in_port_t *
port_of(struct sockaddr_storage *address)
{
	void *any = address;

	if (address->ss_family == AF_INET)
		return &((struct sockaddr_in *)any)->sin_port;
	return &((struct sockaddr_in6 *)any)->sin6_port;
}

static int
parse_addresses(const char *at, int family, struct proxy_header *header)
{
	if (!take_ip(&at, family, &header->from) ||
	    !take_ip(&at, family, &header->to) ||
	    !take_port(&at, port_of(&header->from)) ||
	    !take_port(&at, port_of(&header->to)) || *at != '\0' ||
	    at[-1] == ' ')
		return -EBADMSG;
	header->told = true;
	header->address_size = family == AF_INET ? sizeof(struct sockaddr_in)
						 : sizeof(struct sockaddr_in6);
	return 0;
}

static int
parse_line(char *line, struct proxy_header *header)
{
	if (strncmp(line, "PROXY TCP4 ", 11) == 0)
		return parse_addresses(line + 11, AF_INET, header);
	if (strncmp(line, "PROXY TCP6 ", 11) == 0)
		return parse_addresses(line + 11, AF_INET6, header);
	if (strcmp(line, "PROXY UNKNOWN") == 0 ||
	    strncmp(line, "PROXY UNKNOWN ", 14) == 0)
		return 0;
	return -EBADMSG;
}

static int
parse_v1(const char *data, size_t size, struct proxy_header *header)
{
	size_t most = size < LINE_MAX_BYTES ? size : LINE_MAX_BYTES;
	const char *end = memchr(data, '\n', most);
	char line[LINE_MAX_BYTES + 1];
	size_t length;

	if (end == NULL)
		return size < LINE_MAX_BYTES ? -EAGAIN : -EBADMSG;
	length = (size_t)(end - data);
	if (length == 0 || data[length - 1] != '\r' ||
	    memchr(data, '\0', length) != NULL)
		return -EBADMSG;
	memcpy(line, data, length - 1);
	line[length - 1] = '\0';
	header->size = length + 1;
	return parse_line(line, header);
}

/* --- version 2 -------------------------------------------------------------*/

static void
keep_address(struct sockaddr_storage *address, int family, const void *ip,
    size_t ip_size, const void *port)
{
	void *any = address;
	struct sockaddr_in *v4 = any;
	struct sockaddr_in6 *v6 = any;

	memset(address, 0, sizeof(*address));
	address->ss_family = (sa_family_t)family;
	memcpy(
	    family == AF_INET ? (void *)&v4->sin_addr : (void *)&v6->sin6_addr,
	    ip, ip_size);
	memcpy(port_of(address), port, sizeof(in_port_t));
}

static int
parse_body(const unsigned char *data, size_t size, struct proxy_header *header)
{
	int family = data[13] >> 4 == 1 ? AF_INET : AF_INET6;
	size_t ip_size = family == AF_INET ? 4 : 16;
	const unsigned char *body = data + 16;

	/* Streams only; UDP would be another kind of connection. */
	if ((data[13] >> 4 != 1 && data[13] >> 4 != 2) || (data[13] & 15) != 1)
		return data[13] >> 4 > 3 || (data[13] & 15) > 2 ? -EBADMSG : 0;
	if (size < 2 * ip_size + 4)
		return -EBADMSG;
	keep_address(&header->from, family, body, ip_size, body + 2 * ip_size);
	keep_address(&header->to, family, body + ip_size, ip_size,
	    body + 2 * ip_size + 2);
	header->told = true;
	header->address_size = family == AF_INET ? sizeof(struct sockaddr_in)
						 : sizeof(struct sockaddr_in6);
	return 0;
}

static int
parse_v2(const unsigned char *data, size_t size, struct proxy_header *header)
{
	size_t body;

	if (size < 16)
		return -EAGAIN;
	body = (size_t)data[14] << 8 | data[15];
	if (data[12] >> 4 != 2 || (data[12] & 15) > 1 ||
	    16 + body > PROXY_HEADER_MAX)
		return -EBADMSG;
	if (size < 16 + body)
		return -EAGAIN;
	header->size = 16 + body;
	if ((data[12] & 15) == 0) /* LOCAL */
		return 0;
	return parse_body(data, body, header);
}

int
proxy_parse(const void *data, size_t size, unsigned versions,
    struct proxy_header *ret_header)
{
	static const char line[] = "PROXY ";
	size_t v1_size = size < 6 ? size : 6;
	size_t v2_size = size < BERTH_PROXY_SIGNATURE_SIZE
			     ? size
			     : BERTH_PROXY_SIGNATURE_SIZE;
	struct proxy_header header = {.told = false};
	int result = -EBADMSG;

	if ((versions & PROXY_V1) != 0 && memcmp(data, line, v1_size) == 0)
		result = v1_size < 6 ? -EAGAIN : parse_v1(data, size, &header);
	else if ((versions & PROXY_V2) != 0 &&
		 memcmp(data, BERTH_PROXY_SIGNATURE, v2_size) == 0)
		result = parse_v2(data, size, &header);
	if (result == 0)
		*ret_header = header;
	return result;
}
