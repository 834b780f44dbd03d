/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * proxy: the stage of an arrival that learns from a proxy who the client is.
 *
 * It comes before all that judges a client by its address.  Whoever is not in
 * proxy_from is refused, as is a header that is none: nobody gets an address
 * by asking for it.  A header is looked at where it lies, and then taken from
 * the socket to its last byte and no further, so that the service, which may
 * be a program, finds what the client sent and nothing else.
 *
 * A part of a header is no reason to be called again and again: the socket
 * is readable when there is more than was seen (SO_RCVLOWAT).
 */
#include <arpa/inet.h>
#include <berth/proxy_read.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "session/session_priv.h"

#define PATIENCE_MS 3000u

/* --- whom to believe -------------------------------------------------------*/

/* The address as one of IPv6, IPv4 mapped; false: it is another kind. */
static bool
as_v6(const struct sockaddr *address, struct in6_addr *ret_ip)
{
	const void *any = address;

	if (address->sa_family == AF_INET6) {
		*ret_ip = ((const struct sockaddr_in6 *)any)->sin6_addr;
		return true;
	}
	if (address->sa_family != AF_INET)
		return false;
	memset(ret_ip, 0, sizeof(*ret_ip));
	ret_ip->s6_addr[10] = ret_ip->s6_addr[11] = 0xff;
	memcpy(&ret_ip->s6_addr[12],
	    &((const struct sockaddr_in *)any)->sin_addr, 4);
	return true;
}

static bool
same_bits(const struct in6_addr *a, const struct in6_addr *b, unsigned bits)
{
	unsigned bytes = bits / 8, rest = bits % 8;

	if (memcmp(a, b, bytes) != 0)
		return false;
	return rest == 0 ||
	       (a->s6_addr[bytes] ^ b->s6_addr[bytes]) >> (8 - rest) == 0;
}

/* "192.0.2.0/24", "2001:db8::1"; the reader has checked its form. */
static bool
network_has(const char *word, const struct in6_addr *ip)
{
	char text[INET6_ADDRSTRLEN];
	const char *slash = strchr(word, '/');
	size_t length = slash != NULL ? (size_t)(slash - word) : strlen(word);
	unsigned bits = slash != NULL ? (unsigned)atoi(slash + 1) : 128;
	struct in6_addr network = {.s6_addr = {[10] = 0xff, [11] = 0xff}};

	if (length >= sizeof(text))
		return false;
	memcpy(text, word, length);
	text[length] = '\0';
	if (inet_pton(AF_INET, text, &network.s6_addr[12]) == 1)
		bits += slash != NULL ? 96 : 0;
	else if (inet_pton(AF_INET6, text, &network) != 1)
		return false;
	return bits <= 128 && same_bits(&network, ip, bits);
}

static bool
is_trusted(const struct settings *settings, const struct sockaddr *peer)
{
	const struct word_list *list = &settings->proxy_from;
	struct in6_addr ip;
	bool inet = as_v6(peer, &ip);

	for (unsigned i = 0; i < list->count; i++)
		if (inet ? network_has(list->word[i], &ip)
			 : strcmp(list->word[i], "unix") == 0)
			return true;
	return false;
}

/* --- the header
 * ------------------------------------------------------------*/

static enum arrival_answer
refuse(struct visitor *visitor, enum guard_reason reason)
{
	visitor->reason = reason;
	return ARRIVAL_REFUSED;
}

static void
set_low_water(const struct visitor *visitor, size_t bytes)
{
	int value = (int)bytes;

	setsockopt(visitor->fd, SOL_SOCKET, SO_RCVLOWAT, &value, sizeof(value));
}

/* Exactly these bytes, which were seen a moment ago. */
static bool
consume(const struct visitor *visitor, size_t size)
{
	char bytes[BERTH_PROXY_HEADER_MAX];

	return recv(visitor->fd, bytes, size, MSG_DONTWAIT) == (ssize_t)size;
}

/* The proxy will send no more. */
static bool
has_ended(const struct visitor *visitor)
{
	struct pollfd poll_fd = {.fd = visitor->fd, .events = POLLRDHUP};

	return poll(&poll_fd, 1, 0) > 0;
}

static enum arrival_answer
take(struct visitor *visitor, const struct berth_proxy_header *header)
{
	const void *from = &header->from;

	if (!consume(visitor, header->size))
		return refuse(visitor, GUARD_BROKEN);
	set_low_water(visitor, 1);
	if (!header->told)
		return ARRIVAL_GOES_ON;
	visitor_set_peer(visitor, from, header->address_size);
	memcpy(&visitor->local, &header->to, header->address_size);
	return ARRIVAL_GOES_ON;
}

static bool
applies(const struct server *server)
{
	return server_settings(server)->proxy_protocol != PROXY_NO;
}

static enum arrival_answer
judge(struct visitor *visitor)
{
	static const unsigned versions[] = {[PROXY_ONE] = BERTH_PROXY_V1,
	    [PROXY_TWO] = BERTH_PROXY_V2,
	    [PROXY_ANY] = BERTH_PROXY_V1 | BERTH_PROXY_V2};
	const struct settings *settings = server_settings(visitor->server);
	struct berth_proxy_header header;
	char bytes[BERTH_PROXY_HEADER_MAX];
	const struct sockaddr *peer;
	socklen_t size;
	ssize_t got;
	int result;

	/* Behind tcpmux the connection began long ago. */
	if (visitor->way != VISITOR_DIRECT)
		return ARRIVAL_GOES_ON;
	peer = visitor_peer(visitor, &size);
	if (peer == NULL)
		return refuse(visitor, GUARD_BROKEN);
	if (!is_trusted(settings, peer))
		return refuse(visitor, GUARD_PROXY);
	got = recv(visitor->fd, bytes, sizeof(bytes), MSG_PEEK | MSG_DONTWAIT);
	if (got < 0 && errno == EAGAIN)
		return ARRIVAL_WAITS;
	if (got <= 0)
		return refuse(visitor, GUARD_BROKEN);
	result = berth_proxy_read(
	    bytes, (size_t)got, versions[settings->proxy_protocol], &header);
	if (result == 0)
		return take(visitor, &header);
	if (result != -EAGAIN)
		return refuse(visitor, GUARD_PROXY);
	if (visitor->seen == (size_t)got && has_ended(visitor))
		return refuse(visitor, GUARD_BROKEN);
	visitor->seen = (size_t)got;
	set_low_water(visitor, (size_t)got + 1);
	return ARRIVAL_WAITS;
}

const struct arrival_stage proxy_stage = {
    .applies = applies,
    .judge = judge,
    .patience_ms = PATIENCE_MS,
};
