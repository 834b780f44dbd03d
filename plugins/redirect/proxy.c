/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * proxy: the header of the PROXY protocol, versions 1 and 2
 * (haproxy.org, proxy-protocol.txt), from a session's addresses.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "redirect.h"

struct end {
	int family; /* AF_UNSPEC: no address that the protocol knows */
	char text[64];
	unsigned char bytes[16];
	unsigned port;
};

/* "127.0.0.1:4711", "[::1]:4711" */
static struct end
parse(char *text)
{
	struct end end = {.family = AF_UNSPEC};
	char *colon = strrchr(text, ':'), *host = text;
	size_t size;

	if (colon == NULL)
		return end;
	*colon = '\0';
	size = strlen(host);
	if (size > 1 && host[0] == '[' && host[size - 1] == ']') {
		host[size - 1] = '\0';
		host++;
	}
	if (inet_pton(AF_INET, host, end.bytes) == 1)
		end.family = AF_INET;
	else if (inet_pton(AF_INET6, host, end.bytes) == 1)
		end.family = AF_INET6;
	snprintf(end.text, sizeof(end.text), "%s", host);
	end.port = (unsigned)strtoul(colon + 1, NULL, 10);
	return end;
}

static size_t
version_1(const struct end *from, const struct end *to, char *buffer)
{
	if (from->family == AF_UNSPEC || from->family != to->family)
		return (size_t)snprintf(
		    buffer, PROXY_BYTES, "PROXY UNKNOWN\r\n");
	return (size_t)snprintf(buffer, PROXY_BYTES,
	    "PROXY TCP%c %s %s %u %u\r\n", from->family == AF_INET ? '4' : '6',
	    from->text, to->text, from->port, to->port);
}

static void
put_port(char *at, unsigned port)
{
	at[0] = (char)(port >> 8 & 0xff);
	at[1] = (char)(port & 0xff);
}

static size_t
version_2(const struct end *from, const struct end *to, char *buffer)
{
	static const char signature[12] = "\r\n\r\n\0\r\nQUIT\n";
	size_t size = from->family == AF_INET ? 4 : 16;

	memcpy(buffer, signature, sizeof(signature));
	buffer[12] = 0x21; /* version 2, PROXY */
	buffer[13] = from->family == AF_INET ? 0x11 : 0x21;
	if (from->family == AF_UNSPEC || from->family != to->family) {
		buffer[13] = 0;
		put_port(buffer + 14, 0);
		return 16;
	}
	put_port(buffer + 14, (unsigned)(2 * size + 4));
	memcpy(buffer + 16, from->bytes, size);
	memcpy(buffer + 16 + size, to->bytes, size);
	put_port(buffer + 16 + 2 * size, from->port);
	put_port(buffer + 18 + 2 * size, to->port);
	return 20 + 2 * size;
}

size_t
proxy_header(
    struct berth_session *session, int version, char buffer[PROXY_BYTES])
{
	char peer[128] = "", local[128] = "";
	struct end from, to;

	berth_peer(session, peer, sizeof(peer));
	berth_local(session, local, sizeof(local));
	from = parse(peer);
	to = parse(local);
	return version == 1 ? version_1(&from, &to, buffer)
			    : version_2(&from, &to, buffer);
}
