/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * names_system: the resolver of the system: /etc/networks for networks, and
 * getaddrinfo(3) and getnameinfo(3) for hosts, which look where
 * nsswitch.conf(5) sends them.
 *
 * Results: 0, -ENOENT, or another negative errno when nobody knows now.
 */
#include "guard/names_priv.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

static int
code_of(int answer)
{
	switch (answer) {
	case EAI_NONAME:
#ifdef EAI_NODATA
	case EAI_NODATA:
#endif
		return -ENOENT;
	case EAI_MEMORY:
		return -ENOMEM;
	default:
		return -EAGAIN;
	}
}

/* Numbers of a network are written without those on the right that are zero,
 * or with them. */
static struct access_prefix
network_prefix(uint32_t network)
{
	unsigned bits = 32;

	while (network != 0 && network >> 24 == 0)
		network <<= 8;
	while (bits > 0 && (network >> (32 - bits) & 0xff) == 0)
		bits -= 8;
	return access_prefix_v4(network, bits);
}

static bool
find_network(const char *name, struct access_prefix *ret_prefix)
{
	struct netent entry, *found = NULL;
	char buffer[2048];
	int error;

	if (getnetbyname_r(
		name, &entry, buffer, sizeof(buffer), &found, &error) != 0 ||
	    found == NULL || found->n_net == 0)
		return false;
	*ret_prefix = network_prefix(found->n_net);
	return true;
}

static bool
take_address(const struct sockaddr *address, struct access_prefix *ret_prefix)
{
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;

	if (address->sa_family == AF_INET) {
		memcpy(&v4, address, sizeof(v4));
		*ret_prefix = access_prefix_v4(ntohl(v4.sin_addr.s_addr), 32);
		return true;
	}
	if (address->sa_family != AF_INET6)
		return false;
	memcpy(&v6, address, sizeof(v6));
	*ret_prefix = access_prefix_v6(v6.sin6_addr.s6_addr, 128);
	return true;
}

static int
find_addresses(void *context, const char *name, struct access_prefix *prefixes,
    unsigned *ret_count)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
	struct addrinfo *list = NULL;
	unsigned count = 0;
	int answer;

	(void)context;
	if (strchr(name, '.') == NULL && find_network(name, prefixes)) {
		*ret_count = 1;
		return 0;
	}
	answer = getaddrinfo(name, NULL, &hints, &list);
	if (answer != 0)
		return code_of(answer);
	for (struct addrinfo *at = list; at != NULL; at = at->ai_next)
		if (count < NAMES_PREFIXES_MAX &&
		    take_address(at->ai_addr, &prefixes[count]))
			count++;
	freeaddrinfo(list);
	*ret_count = count;
	return count > 0 ? 0 : -ENOENT;
}

static void
put_word(uint8_t *bytes, uint64_t word)
{
	for (unsigned i = 0; i < 8; i++)
		bytes[i] = (uint8_t)(word >> (56 - 8 * i));
}

static int
find_name(void *context, const struct access_prefix *address,
    char name[NAMES_TEXT_MAX])
{
	struct sockaddr_in v4 = {.sin_family = AF_INET};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
	const void *peer = &v4;
	socklen_t size = sizeof(v4);
	int answer;

	(void)context;
	v4.sin_addr.s_addr = htonl((uint32_t)(address->high >> 32));
	put_word(v6.sin6_addr.s6_addr, address->high);
	put_word(v6.sin6_addr.s6_addr + 8, address->low);
	if (address->v6) {
		peer = &v6;
		size = sizeof(v6);
	}
	answer = getnameinfo(
	    peer, size, name, NAMES_TEXT_MAX, NULL, 0, NI_NAMEREQD);
	return answer == 0 ? 0 : code_of(answer);
}

const struct names_resolver names_system_resolver = {
    .addresses = find_addresses,
    .name = find_name,
};
