/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * proxy_protocol: a module that learns from a proxy who the client is; see
 * berth-around(8).
 *
 *	proxy_protocol:make_proxy_protocol()	-f ADDRESS[/BITS][,...]
 *						[-t TIME] [-v 1 | 2 | any]
 *
 * The header has to be the first that comes; nothing goes on before it is
 * there in full, and what is none, or comes too late, ends the connection.
 * Only proxies that -f names are believed, and all others are refused: nobody
 * gets an address by asking for it.
 */
#include <berth/berth.h>
#include <berth/proxy_read.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include "words.h"

#define PATIENCE_MS 3000u
#define TRUSTED_MOST 64u

struct network {
	struct in6_addr ip; /* IPv4 mapped */
	unsigned bits;
};

struct proxy_protocol {
	const char *from;
	const char *version;
	uint32_t patience_ms;
	unsigned versions;
	bool trusts_unix;
	unsigned count;
	struct network trusted[TRUSTED_MOST];
};

struct arrival {
	bool told;
};

/* --- whom to believe -------------------------------------------------------*/

static bool
read_ip(const char *word, struct in6_addr *ret_ip, bool *ret_v4)
{
	memset(ret_ip, 0, sizeof(*ret_ip));
	*ret_v4 = inet_pton(AF_INET, word, &ret_ip->s6_addr[12]) == 1;
	if (!*ret_v4)
		return inet_pton(AF_INET6, word, ret_ip) == 1;
	ret_ip->s6_addr[10] = ret_ip->s6_addr[11] = 0xff;
	return true;
}

static bool
read_bits(const char *word, bool v4, unsigned *ret_bits)
{
	unsigned most = v4 ? 32 : 128;
	char *end = NULL;
	unsigned long bits = most;

	if (word != NULL) {
		bits = strtoul(word, &end, 10);
		if (*word < '0' || *word > '9' || *end != '\0' || bits > most)
			return false;
	}
	*ret_bits = (unsigned)bits + (v4 ? 96 : 0);
	return true;
}

/* "192.0.2.0/24", "2001:db8::1", "unix". */
static bool
read_trusted(struct proxy_protocol *own, const char *word, size_t size)
{
	struct network *network = &own->trusted[own->count];
	char text[INET6_ADDRSTRLEN + 5];
	char *slash;
	bool v4;

	if (size >= sizeof(text) || own->count == TRUSTED_MOST)
		return false;
	memcpy(text, word, size);
	text[size] = '\0';
	if (strcmp(text, "unix") == 0) {
		own->trusts_unix = true;
		return true;
	}
	slash = strchr(text, '/');
	if (slash != NULL)
		*slash++ = '\0';
	if (!read_ip(text, &network->ip, &v4) ||
	    !read_bits(slash, v4, &network->bits))
		return false;
	own->count++;
	return true;
}

static bool
has(const struct network *network, const struct in6_addr *ip)
{
	unsigned bytes = network->bits / 8, rest = network->bits % 8;

	if (memcmp(&network->ip, ip, bytes) != 0)
		return false;
	return rest == 0 || (network->ip.s6_addr[bytes] ^ ip->s6_addr[bytes]) >>
				    (8 - rest) ==
				0;
}

/* "192.0.2.1:4711", "[2001:db8::1]:4711", or the name of a Unix socket's. */
static bool
peer_ip(const char *peer, struct in6_addr *ret_ip)
{
	const char *begin = peer[0] == '[' ? peer + 1 : peer;
	const char *end = peer[0] == '[' ? strchr(peer, ']')
					 : strrchr(peer, ':');
	char text[INET6_ADDRSTRLEN];
	bool v4;

	if (end == NULL || (size_t)(end - begin) >= sizeof(text))
		return false;
	memcpy(text, begin, (size_t)(end - begin));
	text[end - begin] = '\0';
	text[strcspn(text, "%")] = '\0'; /* the link of fe80::1%eth0 */
	return read_ip(text, ret_ip, &v4);
}

static bool
is_trusted(const struct proxy_protocol *own, const char *peer)
{
	struct in6_addr ip;
	unsigned i;

	if (!peer_ip(peer, &ip))
		return own->trusts_unix;
	for (i = 0; i < own->count; i++)
		if (has(&own->trusted[i], &ip))
			return true;
	return false;
}

/* --- the module ------------------------------------------------------------*/

static int
read_from(struct berth_service *module, struct proxy_protocol *own)
{
	const char *at = own->from;
	size_t size;

	if (at == NULL)
		return berth_fail(module, EINVAL,
		    "which proxies are believed?  -f ADDRESS[/BITS],...");
	for (; *at != '\0'; at += size + (at[size] == ',')) {
		size = strcspn(at, ",");
		if (!read_trusted(own, at, size))
			return berth_fail(module, EINVAL,
			    "-f: '%.*s' is no address of a proxy, "
			    "ADDRESS[/BITS] or unix",
			    (int)size, at);
	}
	return 0;
}

static int
proxy_init(struct berth_service *module, int argc, char **argv)
{
	static const struct word table[] = {
	    {'f', WORD_TEXT, offsetof(struct proxy_protocol, from), 0, 0},
	    {'t', WORD_TIME, offsetof(struct proxy_protocol, patience_ms), 1,
		0},
	    {'v', WORD_TEXT, offsetof(struct proxy_protocol, version), 0, 0},
	    {'\0', WORD_END, 0, 0, 0}};
	struct proxy_protocol *own = module->state;
	int result;

	own->patience_ms = PATIENCE_MS;
	own->version = "any";
	result = words_read(module, table, own, argc, argv);
	if (result != 0)
		return result;
	if (strcmp(own->version, "1") == 0)
		own->versions = BERTH_PROXY_V1;
	else if (strcmp(own->version, "2") == 0)
		own->versions = BERTH_PROXY_V2;
	else if (strcmp(own->version, "any") == 0)
		own->versions = BERTH_PROXY_V1 | BERTH_PROXY_V2;
	else
		return berth_fail(
		    module, EINVAL, "-v: 1, 2 or any, not '%s'", own->version);
	return read_from(module, own);
}

/* --- the filter ------------------------------------------------------------*/

static int
opened(struct berth_filter *f)
{
	const struct proxy_protocol *own = f->module->state;
	char peer[256] = "";

	if (berth_peer(f->session, peer, sizeof(peer)) < 0 ||
	    !is_trusted(own, peer))
		return berth_filter_fail(
		    f, EACCES, "%s is no proxy that is believed", peer);
	return (int)own->patience_ms;
}

static int
take(struct berth_filter *f, const struct berth_proxy_header *header)
{
	struct arrival *arrival = f->state;
	const void *from = &header->from, *to = &header->to;
	int result = 0;

	arrival->told = true;
	if (header->told)
		result = berth_filter_set_peer(f, (const struct sockaddr *)from,
		    (const struct sockaddr *)to);
	return result < 0 ? result : berth_filter_ready(f);
}

static int
up(struct berth_filter *f, struct berth_bytes in)
{
	const struct proxy_protocol *own = f->module->state;
	const struct arrival *arrival = f->state;
	struct berth_proxy_header header;
	int result;

	if (arrival->told) {
		result = berth_pass_up(f, in);
		return result < 0 ? result : (int)in.size;
	}
	result = berth_proxy_read(in.data, in.size, own->versions, &header);
	if (result == -EAGAIN)
		return 0;
	if (result < 0)
		return berth_filter_fail(f, EBADMSG,
		    "what comes first is no header of the PROXY protocol");
	result = take(f, &header);
	/* What follows is offered again. */
	return result < 0 ? result : (int)header.size;
}

static int
up_end(struct berth_filter *f, struct berth_bytes rest)
{
	const struct arrival *arrival = f->state;

	(void)rest;
	return arrival->told ? 0 : -ECONNRESET;
}

static const struct berth_filter_type filter = {
    .state_size = sizeof(struct arrival),
    .open = opened,
    .up = up,
    .up_end = up_end,
};

BERTH_FILTER(make_proxy_protocol, .summary = "who the client of a proxy is",
    .state_size = sizeof(struct proxy_protocol), .init = proxy_init,
    .filter = &filter);
