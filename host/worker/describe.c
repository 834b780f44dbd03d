/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the environment of one start says of its client, in the words of those
 * who did this before: UCSPI (PROTO, TCPREMOTEIP, …), xinetd (REMOTE_HOST,
 * which is an address there too) and systemd (REMOTE_ADDR, REMOTE_PORT;
 * LISTEN_FDS, sd_listen_fds(3)).  Nothing is allocated: the strings live in
 * the caller's frame until the program runs.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

#include "worker/worker_priv.h"

/* Of an unsigned number. */
#define DIGITS SPAWN_PID_DIGITS

static void
begin(struct description *description, const struct spawn_template *template)
{
	description->template = template;
	description->count = 0;
	description->used = 0;
	description->pid_text = NULL;
	description->peer_known = false;
	snprintf(description->peer, sizeof(description->peer), "unknown");
	template->envp[template->env_count] = NULL;
}

/* "NAME=" and its value: where the value is, or NULL when there is no room. */
static char *
add_text(struct description *description, const char *name, const char *value,
    size_t size)
{
	const struct spawn_template *template = description->template;
	char *variable = description->text + description->used;
	size_t room = sizeof(description->text) - description->used;
	size_t before = strlen(name);

	if (before + size >= room || description->count == SPAWN_VARIABLES)
		return NULL;
	memcpy(variable, name, before);
	memcpy(variable + before, value, size);
	variable[before + size] = '\0';
	description->used += before + size + 1;
	description->count++;
	template->envp[template->env_count + description->count - 1] = variable;
	template->envp[template->env_count + description->count] = NULL;
	return variable + before;
}

static char *
add(struct description *description, const char *name, const char *value)
{
	return add_text(description, name, value, strlen(value));
}

static void
add_number(struct description *description, const char *name, unsigned number)
{
	char text[DIGITS + 1];

	snprintf(text, sizeof(text), "%u", number);
	add(description, name, text);
}

struct side {
	char ip[INET6_ADDRSTRLEN];
	char port[DIGITS + 1];
};

/* A client of IPv4 on a socket for both is one of IPv4. */
static void
read_side(const struct sockaddr_storage *address, struct side *ret_side)
{
	const void *any = address;
	const struct sockaddr_in *v4 = any;
	const struct sockaddr_in6 *v6 = any;
	in_port_t port = v6->sin6_port;

	ret_side->ip[0] = '\0';
	if (address->ss_family == AF_INET) {
		port = v4->sin_port;
		inet_ntop(
		    AF_INET, &v4->sin_addr, ret_side->ip, sizeof(ret_side->ip));
	} else if (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr))
		inet_ntop(AF_INET, v6->sin6_addr.s6_addr + 12, ret_side->ip,
		    sizeof(ret_side->ip));
	else
		inet_ntop(AF_INET6, &v6->sin6_addr, ret_side->ip,
		    sizeof(ret_side->ip));
	snprintf(ret_side->port, sizeof(ret_side->port), "%u", ntohs(port));
}

static void
describe_inet(struct description *description,
    const struct sockaddr_storage *peer, const struct sockaddr_storage *local)
{
	struct side remote, here;

	read_side(peer, &remote);
	read_side(local, &here);
	add(description, "PROTO=", "TCP");
	add(description, "TCPLOCALIP=", here.ip);
	add(description, "TCPLOCALPORT=", here.port);
	add(description, "TCPREMOTEIP=", remote.ip);
	add(description, "TCPREMOTEPORT=", remote.port);
	add(description, "REMOTE_HOST=", remote.ip);
	add(description, "REMOTE_ADDR=", remote.ip);
	add(description, "REMOTE_PORT=", remote.port);
}

static void
describe_unix(struct description *description, int fd,
    const struct sockaddr_storage *peer, socklen_t size)
{
	const void *any = peer;
	const struct sockaddr_un *path = any;
	struct ucred user;
	socklen_t user_size = sizeof(user);

	add(description, "PROTO=", "IPC");
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &user, &user_size) == 0) {
		add_number(description, "IPCREMOTEEUID=", user.uid);
		add_number(description, "IPCREMOTEEGID=", user.gid);
		if (size <= sizeof(sa_family_t))
			snprintf(description->peer, sizeof(description->peer),
			    "unix: user %u, pid %d", user.uid, user.pid);
	}
	if (size > sizeof(sa_family_t) && path->sun_path[0] != '\0')
		add_text(description, "IPCREMOTEPATH=", path->sun_path,
		    strnlen(path->sun_path, sizeof(path->sun_path)));
}

void
describe_connection(struct description *description,
    const struct spawn_template *template, struct visitor *visitor)
{
	struct sockaddr_storage local = {.ss_family = AF_UNSPEC};
	socklen_t size, local_size = sizeof(local);
	const struct sockaddr *peer = visitor_peer(visitor, &size);
	void *local_start = &local;

	begin(description, template);
	/* A client that is gone already has no address. */
	if (peer == NULL)
		return;
	address_print(peer, size, description->peer, sizeof(description->peer));
	description->peer_known = true;
	if (peer->sa_family == AF_UNIX) {
		describe_unix(description, visitor->fd, &visitor->peer, size);
		return;
	}
	if (visitor->local.ss_family != AF_UNSPEC)
		local = visitor->local;
	else if (getsockname(visitor->fd, local_start, &local_size) != 0)
		return;
	describe_inet(description, &visitor->peer, &local);
}

void
describe_socket(struct description *description,
    const struct spawn_template *template, const char *name)
{
	begin(description, template);
	add(description, "LISTEN_FDS=", "1");
	add(description, "LISTEN_FDNAMES=", name);
	/* As long as any; it ends where the child's own ends. */
	description->pid_text = add(description, "LISTEN_PID=", "0000000000");
}
