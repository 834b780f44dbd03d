/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * endpoint: one word that says where a service listens, checked as far as
 * can be without asking the network: `tcp:127.0.0.1:7`, `unix:/run/echo`.
 *
 * The canonical text is what two endpoints are compared by: addresses in
 * their shortest form, numbers without leading zeros, names in lower case.
 */
#include "config/config_priv.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#define HOST_ROOM 256u /* RFC 1035: 255 bytes */
#define PORT_ROOM 64u
/* sun_path with the NUL of a path, or the one before an abstract name. */
#define PATH_MAX_BYTES (sizeof(((struct sockaddr_un *)0)->sun_path) - 1)

enum family { FAMILY_ANY, FAMILY_4, FAMILY_6, FAMILY_UNIX };

static const struct kind {
	const char *word;
	enum endpoint_kind kind;
	enum family family;
	bool datagram;
} kinds[] = {
    {"tcp", ENDPOINT_TCP, FAMILY_ANY, false},
    {"tcp4", ENDPOINT_TCP4, FAMILY_4, false},
    {"tcp6", ENDPOINT_TCP6, FAMILY_6, false},
    {"udp", ENDPOINT_UDP, FAMILY_ANY, true},
    {"udp4", ENDPOINT_UDP4, FAMILY_4, true},
    {"udp6", ENDPOINT_UDP6, FAMILY_6, true},
    {"unix", ENDPOINT_UNIX, FAMILY_UNIX, false},
    {"unix-dgram", ENDPOINT_UNIX_DGRAM, FAMILY_UNIX, true},
    {"unix-seqpacket", ENDPOINT_UNIX_SEQPACKET, FAMILY_UNIX, false},
};

/* The parts of an inet endpoint, as they are found. */
struct parts {
	char host[HOST_ROOM];
	char port[PORT_ROOM];
	bool literal6;
};

bool
endpoint_is_datagram(enum endpoint_kind kind)
{
	return kinds[kind].datagram;
}

void
endpoint_suggest(struct suggestion *suggestion)
{
	for (size_t i = 0; i < BASE_COUNT(kinds); i++)
		suggestion_offer(suggestion, kinds[i].word);
}

static const struct kind *
find_kind(const char *word, size_t size)
{
	for (size_t i = 0; i < BASE_COUNT(kinds); i++)
		if (strlen(kinds[i].word) == size &&
		    memcmp(kinds[i].word, word, size) == 0)
			return &kinds[i];
	return NULL;
}

/* NULL, or what is wrong. */
static const char *
take(const char *from, size_t size, char *into, size_t room)
{
	if (size >= room)
		return "it is too long";
	memcpy(into, from, size);
	into[size] = '\0';
	return NULL;
}

static const char *
split(const char *rest, struct parts *parts)
{
	const char *colon = strrchr(rest, ':'), *end, *reason;

	if (colon == NULL)
		return "a host and a port are expected, as in 'tcp:*:7'";
	if (rest[0] == '[') {
		end = strchr(rest, ']');
		if (end == NULL || end[1] != ':')
			return "']' and ':PORT' are expected behind the "
			       "address";
		parts->literal6 = true;
		colon = end + 1;
		reason = take(rest + 1, (size_t)(end - rest - 1), parts->host,
		    sizeof(parts->host));
	} else {
		reason = take(rest, (size_t)(colon - rest), parts->host,
		    sizeof(parts->host));
	}
	if (reason != NULL)
		return reason;
	if (!parts->literal6 && strchr(parts->host, ':') != NULL)
		return "an IPv6 address stands in brackets: 'tcp:[::1]:7'";
	return take(
	    colon + 1, strlen(colon + 1), parts->port, sizeof(parts->port));
}

static const char *
check_host6(struct parts *parts)
{
	char *scope = strchr(parts->host, '%');
	char name[HOST_ROOM] = "";
	struct in6_addr address;
	size_t length;

	if (scope != NULL) {
		snprintf(name, sizeof(name), "%s", scope);
		*scope = '\0';
		if (name[1] == '\0')
			return "an interface is expected behind '%'";
	}
	if (inet_pton(AF_INET6, parts->host, &address) != 1)
		return "its host is no IPv6 address";
	inet_ntop(AF_INET6, &address, parts->host, sizeof(parts->host));
	length = strlen(parts->host);
	if (length + strlen(name) >= sizeof(parts->host))
		return "it is too long";
	memcpy(parts->host + length, name, strlen(name) + 1);
	return NULL;
}

static const char *
check_host(enum family family, struct parts *parts)
{
	char *host = parts->host;
	struct in_addr address;

	if (host[0] == '\0')
		return "no host; '*' is all addresses";
	if (parts->literal6)
		return family == FAMILY_4 ? "an IPv6 address for IPv4 only"
					  : check_host6(parts);
	if (strcmp(host, "*") == 0)
		return NULL;
	if (strspn(host, "0123456789.") == strlen(host)) {
		if (inet_pton(AF_INET, host, &address) != 1)
			return "its host is no IPv4 address";
		return family == FAMILY_6 ? "an IPv4 address for IPv6 only"
					  : NULL;
	}
	for (; *host != '\0'; host++) {
		if (!isalnum((unsigned char)*host) &&
		    strchr("-._", *host) == NULL)
			return "its host is no address and no name";
		*host = (char)tolower((unsigned char)*host);
	}
	return NULL;
}

/* As in services(5): letters, digits and some marks, a letter at least. */
static const char *
check_port_name(const char *port)
{
	bool letter = false;

	for (; *port != '\0'; port++) {
		letter = letter || isalpha((unsigned char)*port);
		if (!isalnum((unsigned char)*port) &&
		    strchr("-_.+*/", *port) == NULL)
			return "its port is neither a number nor a name";
	}
	return letter ? NULL : "its port is neither a number nor a name";
}

static const char *
check_port(struct parts *parts)
{
	char *port = parts->port;
	size_t digits = strspn(port, "0123456789");
	size_t zeros = strspn(port, "0");

	if (port[0] == '\0')
		return "no port; 0 lets the kernel choose one";
	if (port[digits] != '\0')
		return check_port_name(port);
	if (zeros == digits)
		zeros--;
	memmove(port, port + zeros, digits - zeros + 1);
	if (digits - zeros > 5 || strtoul(port, NULL, 10) > 65535)
		return "its port is above 65535";
	return NULL;
}

static int
no_memory(const char **ret_reason)
{
	*ret_reason = "no memory is left";
	return -ENOMEM;
}

static const char *
join(struct arena *arena, const struct kind *kind, const struct parts *parts)
{
	char text[sizeof("tcp4:[]:") + HOST_ROOM + PORT_ROOM];
	char *end = stpcpy(text, kind->word);

	end = stpcpy(end, parts->literal6 ? ":[" : ":");
	end = stpcpy(end, parts->host);
	end = stpcpy(end, parts->literal6 ? "]:" : ":");
	end = stpcpy(end, parts->port);
	return arena_copy(arena, text, (size_t)(end - text));
}

static int
parse_inet(struct arena *arena, const struct kind *kind, const char *rest,
    struct endpoint_spec *ret_spec, const char **ret_reason)
{
	struct endpoint_spec spec = {.kind = kind->kind};
	struct parts parts = {.literal6 = false};
	const char *reason = split(rest, &parts);

	if (reason == NULL)
		reason = check_host(kind->family, &parts);
	if (reason == NULL)
		reason = check_port(&parts);
	if (reason != NULL) {
		*ret_reason = reason;
		return -EINVAL;
	}
	spec.host = arena_string(arena, parts.host);
	spec.port = arena_string(arena, parts.port);
	spec.text = join(arena, kind, &parts);
	if (spec.host == NULL || spec.port == NULL || spec.text == NULL)
		return no_memory(ret_reason);
	*ret_spec = spec;
	return 0;
}

static int
parse_unix(struct arena *arena, const struct kind *kind, const char *rest,
    struct endpoint_spec *ret_spec, const char **ret_reason)
{
	struct endpoint_spec spec = {.kind = kind->kind};

	if (rest[0] != '/' && rest[0] != '@')
		*ret_reason = "a path begins with '/', an abstract name with "
			      "'@'";
	else if (rest[1] == '\0')
		*ret_reason = "no path";
	else if (strlen(rest) > PATH_MAX_BYTES)
		*ret_reason = "the path has more than 107 bytes";
	else
		spec.path = arena_string(arena, rest);
	if (*ret_reason != NULL)
		return -EINVAL;
	spec.text = arena_printf(arena, "%s:%s", kind->word, rest);
	if (spec.path == NULL || spec.text == NULL)
		return no_memory(ret_reason);
	*ret_spec = spec;
	return 0;
}

int
endpoint_parse(struct arena *arena, const char *word,
    struct endpoint_spec *ret_spec, const char **ret_reason)
{
	const char *colon = strchr(word, ':');
	const struct kind *kind = NULL;

	*ret_reason = NULL;
	if (word[0] == '@')
		return parse_unix(
		    arena, &kinds[ENDPOINT_UNIX], word, ret_spec, ret_reason);
	if (colon != NULL)
		kind = find_kind(word, (size_t)(colon - word));
	if (kind == NULL) {
		*ret_reason = "'tcp:HOST:PORT', 'udp:HOST:PORT' or 'unix:PATH' "
			      "is expected";
		return -EINVAL;
	}
	if (kind->family == FAMILY_UNIX)
		return parse_unix(arena, kind, colon + 1, ret_spec, ret_reason);
	return parse_inet(arena, kind, colon + 1, ret_spec, ret_reason);
}
