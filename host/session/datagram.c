/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * datagram: a datagram is a session that lasts for one call.
 *
 * Rules that keep the host out of loops and from being used against others
 * (CVE-1999-0103, CVE-2024-2169) hold for every service, before its code sees
 * anything: not served is what comes from port 0, from a port below 1024
 * (unless reserved_sources), from a port that the host serves itself, from a
 * multicast or broadcast address, was sent to one, or is one too many of its
 * address.  An answer that is longer than what it answers is dropped (unless
 * amplification).  Such datagrams, and those too long for the buffer, are
 * counted, and told at most once a minute.
 *
 * What came to a wildcard address is answered from the address that it was
 * sent to.  A sender without a name can't be answered: what the service writes
 * is dropped, as is what the kernel refuses.
 */
#include "session/datagram.h"

#include <berth/host.h>
#include <errno.h>
#include <inttypes.h>
#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DATAGRAM_BUDGET 32u
#define RESERVED_PORTS 1024u
#define TELL_EVERY_NS MONO_MS(60000)

struct datagram {
	struct session session;
	struct datagram_bucket buckets[DATAGRAM_BUCKETS];
	struct datagram_way way;
	alignas(max_align_t) char state[];
};

union control {
	struct cmsghdr align;
	char space[CMSG_SPACE(sizeof(struct in_pktinfo)) +
		   CMSG_SPACE(sizeof(struct in6_pktinfo))];
};

static struct datagram *
datagram_of(struct session *session)
{
	return BASE_CONTAINER(session, struct datagram, session);
}

static const struct sockaddr *
way_peer(const struct datagram_way *way)
{
	const void *any = &way->peer;

	return any;
}

static const struct sockaddr *
peer_of(const struct datagram *datagram)
{
	return way_peer(&datagram->way);
}

const struct datagram_way *
datagram_way(struct session *session)
{
	return &datagram_of(session)->way;
}

size_t
datagram_allowance(size_t size)
{
	return size > DATAGRAM_ANSWER_BYTES ? size : DATAGRAM_ANSWER_BYTES;
}

int
datagram_new(struct server *server, struct datagram **ret_datagram)
{
	size_t state_size = server->options.type->state_size;
	struct datagram *datagram = calloc(1, sizeof(*datagram) + state_size);

	if (datagram == NULL)
		return -ENOMEM;
	datagram->session.public.service = server->options.service;
	datagram->session.public.state = datagram->state;
	datagram->session.lane = &server->home;
	datagram->session.flags = SESSION_DATAGRAM;
	datagram->session.phase = PHASE_DOOMED;
	*ret_datagram = datagram;
	return 0;
}

/* --- whom to serve ---------------------------------------------------------*/

static bool
is_group_v4(struct in_addr address)
{
	in_addr_t host = ntohl(address.s_addr);

	return IN_MULTICAST(host) || host == INADDR_BROADCAST ||
	       host == INADDR_ANY;
}

static bool
is_group(const struct sockaddr *address)
{
	const void *any = address;
	const struct sockaddr_in *v4 = any;
	const struct sockaddr_in6 *v6 = any;
	struct in_addr mapped;

	if (address->sa_family == AF_INET)
		return is_group_v4(v4->sin_addr);
	if (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr)) {
		memcpy(&mapped, &v6->sin6_addr.s6_addr[12], sizeof(mapped));
		return is_group_v4(mapped);
	}
	return IN6_IS_ADDR_MULTICAST(&v6->sin6_addr) ||
	       IN6_IS_ADDR_UNSPECIFIED(&v6->sin6_addr);
}

static unsigned
port_of(const struct sockaddr *address)
{
	const void *any = address;

	if (address->sa_family == AF_INET)
		return ntohs(((const struct sockaddr_in *)any)->sin_port);
	return ntohs(((const struct sockaddr_in6 *)any)->sin6_port);
}

const char *
datagram_refusal(
    const struct server *server, const struct sockaddr *peer, socklen_t size)
{
	unsigned port;

	if (size == 0)
		return NULL;
	if (listeners_own_datagram(server->options.listeners, peer, size))
		return "it comes from a port that this host serves";
	if (peer->sa_family != AF_INET && peer->sa_family != AF_INET6)
		return NULL;
	port = port_of(peer);
	if (port == 0)
		return "it comes from port 0";
	if (port < RESERVED_PORTS && !server_settings(server)->reserved_sources)
		return "it comes from a reserved port";
	if (is_group(peer))
		return "it comes from a group address";
	return NULL;
}

/* Broadcast and multicast: the address in the datagram is not the local one
 * that the kernel would answer from. */
static bool
was_sent_to_group(const struct datagram *datagram)
{
	if (datagram->way.v4_known)
		return datagram->way.v4.ipi_addr.s_addr !=
		       datagram->way.v4.ipi_spec_dst.s_addr;
	return datagram->way.v6_known &&
	       IN6_IS_ADDR_MULTICAST(&datagram->way.v6.ipi6_addr);
}

static void
refuse(struct server *server, const struct sockaddr *address, socklen_t size,
    const char *why)
{
	uint64_t now = reactor_now(server->home.reactor).ns;
	char peer[SESSION_ADDRESS_MAX];

	server->counters.datagrams_refused++;
	server->refused_untold++;
	if (server->refused_told_ns != 0 &&
	    now - server->refused_told_ns < TELL_EVERY_NS)
		return;
	address_print(address, size, peer, sizeof(peer));
	log_printf(server->options.log, BERTH_NOTICE,
	    server->options.service->name,
	    "refused a datagram from %s: %s; %" PRIu64
	    " since this was last said",
	    peer, why, server->refused_untold);
	server->refused_told_ns = now;
	server->refused_untold = 0;
}

/* --- receiving -------------------------------------------------------------*/

static void
read_control(struct datagram *datagram, struct msghdr *message)
{
	struct cmsghdr *c;

	datagram->way.v4_known = false;
	datagram->way.v6_known = false;
	for (c = CMSG_FIRSTHDR(message); c != NULL;
	     c = CMSG_NXTHDR(message, c)) {
		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
			memcpy(&datagram->way.v4, CMSG_DATA(c),
			    sizeof(datagram->way.v4));
			datagram->way.v4_known = true;
		} else if (c->cmsg_level == IPPROTO_IPV6 &&
			   c->cmsg_type == IPV6_PKTINFO) {
			memcpy(&datagram->way.v6, CMSG_DATA(c),
			    sizeof(datagram->way.v6));
			datagram->way.v6_known = true;
		}
	}
}

/* The size, or a negative errno; -EMSGSIZE: it was longer than the room. */
static ssize_t
receive(struct datagram *datagram, int fd, void *room, size_t size)
{
	union control control;
	struct iovec vector = {room, size};
	struct msghdr message = {
	    .msg_name = &datagram->way.peer,
	    .msg_namelen = sizeof(datagram->way.peer),
	    .msg_iov = &vector,
	    .msg_iovlen = 1,
	    .msg_control = &control,
	    .msg_controllen = sizeof(control),
	};
	ssize_t got = recvmsg(fd, &message, 0);

	if (got < 0)
		return -errno;
	datagram->way.peer_size = message.msg_namelen;
	if (datagram->way.peer_size <= sizeof(sa_family_t))
		datagram->way.peer_size = 0;
	read_control(datagram, &message);
	return (message.msg_flags & MSG_TRUNC) != 0 ? -EMSGSIZE : got;
}

static void
call_hook(struct datagram *datagram, int fd, const void *data, size_t size)
{
	struct session *session = &datagram->session;
	struct server *server = session->lane->server;
	const struct berth_session_type *type = server->options.type;
	int result;

	memset(datagram->state, 0, type->state_size);
	session->id = listeners_next_id(server->options.listeners);
	session->fd = fd;
	session->phase = PHASE_OPEN;
	session->depth = 1;
	datagram->way.allowance = datagram_allowance(size);
	server->counters.datagrams++;
	server->home.bytes_in += size;
	reactor_charge(server->options.owner);
	result = type->datagram(&session->public, berth_bytes(data, size));
	session->phase = PHASE_DOOMED;
	if (result < 0)
		log_printf(server->options.log, BERTH_INFO,
		    server->options.service->name,
		    "a datagram was not served: %s", strerror(-result));
}

/* >0: go on, 0: nothing more. */
static int
serve_one(struct server *server, int fd, void *room)
{
	struct datagram *datagram = server->datagram;
	const char *why;
	ssize_t got = receive(datagram, fd, room, LISTENERS_BUFFER_BYTES);

	if (got == -EAGAIN || got == -ENOMEM || got == -ENOBUFS)
		return 0;
	if (got == -EMSGSIZE) {
		refuse(server, peer_of(datagram), datagram->way.peer_size,
		    "it is too long");
		return 1;
	}
	/* What an earlier answer met with (ICMP); nothing to do with us. */
	if (got < 0)
		return 1;
	why = datagram_refusal(
	    server, peer_of(datagram), datagram->way.peer_size);
	if (why == NULL && was_sent_to_group(datagram))
		why = "it was sent to a group";
	if (why == NULL && datagram->way.peer_size > 0 &&
	    datagram_is_too_many(datagram->buckets,
		server_settings(server)->source_datagrams,
		reactor_now(server->home.reactor), peer_of(datagram)))
		why = "there are too many of this address";
	if (why != NULL)
		refuse(server, peer_of(datagram), datagram->way.peer_size, why);
	else if (!admission_refuses_datagram(
		     server, peer_of(datagram), datagram->way.peer_size))
		call_hook(datagram, fd, room, (size_t)got);
	return 1;
}

bool
server_refuses_datagram(
    struct server *server, const struct sockaddr *peer, socklen_t size)
{
	const char *why = datagram_refusal(server, peer, size);

	if (why != NULL)
		refuse(server, peer, size, why);
	return why != NULL || admission_refuses_datagram(server, peer, size);
}

int
datagram_readable(
    struct listener_consumer *consumer, struct listener *listener, int fd)
{
	struct server *server = server_of(consumer);
	struct listeners_shared *shared = server->home.shared;
	unsigned budget = DATAGRAM_BUDGET;
	int more = 1;

	if (shared->lent)
		return 0;
	shared->lent = true;
	while (
	    more > 0 && budget-- > 0 && listener_consumer(listener) == consumer)
		more = serve_one(server, fd, shared->buffer);
	shared->lent = false;
	return more;
}

/* --- answering -------------------------------------------------------------*/

static void
add_control(struct msghdr *message, const struct datagram_way *way)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(message);
	struct in_pktinfo v4 = {.ipi_spec_dst = way->v4.ipi_spec_dst};
	struct in6_pktinfo v6 = {.ipi6_addr = way->v6.ipi6_addr};

	if (way->v4_known) {
		c->cmsg_level = IPPROTO_IP;
		c->cmsg_type = IP_PKTINFO;
		c->cmsg_len = CMSG_LEN(sizeof(v4));
		memcpy(CMSG_DATA(c), &v4, sizeof(v4));
		message->msg_controllen = CMSG_SPACE(sizeof(v4));
		return;
	}
	/* A link's own address means nothing without the link. */
	if (IN6_IS_ADDR_LINKLOCAL(&v6.ipi6_addr))
		v6.ipi6_ifindex = way->v6.ipi6_ifindex;
	c->cmsg_level = IPPROTO_IPV6;
	c->cmsg_type = IPV6_PKTINFO;
	c->cmsg_len = CMSG_LEN(sizeof(v6));
	memcpy(CMSG_DATA(c), &v6, sizeof(v6));
	message->msg_controllen = CMSG_SPACE(sizeof(v6));
}

/* Whoever forges a sender shall gain nothing by it. */
static bool
is_amplified(struct server *server, struct datagram_way *way, size_t size)
{
	if (server_settings(server)->amplification ||
	    way_peer(way)->sa_family == AF_UNIX)
		return false;
	if (size <= way->allowance) {
		way->allowance -= size;
		return false;
	}
	refuse(server, way_peer(way), way->peer_size,
	    "the answer is longer than it");
	return true;
}

int
datagram_answer(struct server *server, struct datagram_way *way, int fd,
    struct berth_bytes bytes)
{
	union control control = {.align = {.cmsg_len = 0}};
	void *data = (void *)(uintptr_t)bytes.data;
	struct iovec vector = {data, bytes.size};
	struct msghdr message = {
	    .msg_name = &way->peer,
	    .msg_namelen = way->peer_size,
	    .msg_iov = &vector,
	    .msg_iovlen = 1,
	    .msg_control = &control,
	    .msg_controllen = sizeof(control),
	};

	if (bytes.size > DATAGRAM_MAX)
		return -EMSGSIZE;
	if (way->peer_size == 0 || is_amplified(server, way, bytes.size))
		return (int)bytes.size;
	if (way->v4_known || way->v6_known) {
		add_control(&message, way);
	} else {
		message.msg_control = NULL;
		message.msg_controllen = 0;
	}
	if (sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0)
		server->home.bytes_out += bytes.size;
	return (int)bytes.size;
}

int
datagram_write(struct session *session, struct berth_bytes bytes)
{
	return datagram_answer(session->lane->server,
	    &datagram_of(session)->way, session->fd, bytes);
}

int
datagram_peer(struct session *session, char *buffer, size_t size)
{
	struct datagram *datagram = datagram_of(session);

	return address_print(
	    peer_of(datagram), datagram->way.peer_size, buffer, size);
}

static void
set_destination(const struct datagram *datagram, struct sockaddr_storage *local)
{
	void *any = local;
	struct sockaddr_in6 *v6 = any;
	struct sockaddr_in v4 = {
	    .sin_family = AF_INET, .sin_port = htons((in_port_t)port_of(any))};

	if (datagram->way.v4_known) {
		v4.sin_addr = datagram->way.v4.ipi_spec_dst;
		memcpy(local, &v4, sizeof(v4));
	} else if (datagram->way.v6_known) {
		v6->sin6_addr = datagram->way.v6.ipi6_addr;
	}
}

int
datagram_local(struct session *session, char *buffer, size_t size)
{
	struct sockaddr_storage local;
	socklen_t length = sizeof(local);
	void *any = &local;

	if (getsockname(session->fd, any, &length) != 0)
		return -errno;
	set_destination(datagram_of(session), &local);
	return address_print(any, length, buffer, size);
}
