/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * socket: listening sockets at the kernel.
 *
 * A path in the file system that is in the way is removed only if it is a
 * socket and nobody answers on it; one that was bound here is removed at the
 * end only if it is still the same inode.  Between the look and the removal
 * another process may put its own there; nothing in the kernel closes that
 * gap, and both sides have to be administrators of the same folder.
 *
 * Results: 0, a descriptor, or a negative errno.
 */
#include "net/net_priv.h"

#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static struct sockaddr *
sockaddr_of(struct binding *binding)
{
	void *any = &binding->address.storage;

	return any;
}

static int
set_option(int fd, int level, int name, int value)
{
	return setsockopt(fd, level, name, &value, sizeof(value)) != 0 ? -errno
								       : 0;
}

/* --- paths -----------------------------------------------------------------*/

/* Does anybody answer?  0: nobody does, a positive number: somebody. */
static int
probe_path(const struct binding *binding)
{
	const void *any = &binding->address.storage;
	AUTO_FD fd = socket(AF_UNIX,
	    binding->address.socket_type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -errno;
	if (connect(fd, any, binding->address.size) == 0)
		return 1;
	/* Only the refusal is proof: a full backlog says EAGAIN, a living
	 * socket of another type EPROTOTYPE. */
	return errno == ECONNREFUSED ? 0 : 1;
}

static int
remove_stale(const struct binding *binding, const struct complaint *complaint)
{
	const void *any = &binding->address.storage;
	const char *path = address_unix_path(any, binding->address.size);
	struct stat status;
	int result;

	if (path == NULL)
		return -EADDRINUSE;
	if (lstat(path, &status) != 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISSOCK(status.st_mode)) {
		net_complain(complaint, -EADDRINUSE,
		    "cannot listen on %s: the file exists and is not a socket",
		    complaint->spec->text);
		return -EEXIST;
	}
	result = probe_path(binding);
	if (result != 0)
		return result < 0 ? result : -EADDRINUSE;
	return unlink(path) != 0 && errno != ENOENT ? -errno : 0;
}

static char *
absolute_path(const char *path)
{
	AUTO_FREE char *folder = NULL;
	char *whole;

	if (path[0] == '/')
		return strdup(path);
	/* The host may change its folder before the socket is closed. */
	folder = getcwd(NULL, 0);
	if (folder == NULL || asprintf(&whole, "%s/%s", folder, path) < 0)
		return NULL;
	return whole;
}

static int
remember_path(struct socket_path *path, const char *name)
{
	struct stat status;

	if (lstat(name, &status) != 0)
		return -errno;
	path->device = status.st_dev;
	path->inode = status.st_ino;
	path->name = absolute_path(name);
	return path->name == NULL ? -ENOMEM : 0;
}

static bool
is_ours(const struct socket_path *path)
{
	struct stat status;

	return path->name != NULL && lstat(path->name, &status) == 0 &&
	       status.st_dev == path->device && status.st_ino == path->inode;
}

void
socket_path_mode(const struct socket_path *path, unsigned mode)
{
	if (is_ours(path))
		(void)chmod(path->name, mode);
}

int
socket_path_find_owner(struct socket_path *path,
    const struct settings *settings, const struct complaint *complaint)
{
	struct socket_owner owner;
	int result;

	if (path->name == NULL || owner_is(&path->owner, settings))
		return 0;
	result = owner_find(settings, complaint, &owner);
	if (result != 0)
		return result;
	owner_fini(&path->next);
	path->next = owner;
	return 0;
}

int
socket_path_own(struct socket_path *path, const struct settings *settings)
{
	int result = 0;

	if (owner_is(&path->owner, settings) || path->next.user == NULL ||
	    !owner_is(&path->next, settings))
		return 0;
	if (is_ours(path))
		result = owner_give(&path->next, path->name);
	owner_fini(&path->owner);
	path->owner = path->next;
	path->next.user = NULL;
	return result;
}

void
socket_path_fini(struct socket_path *path)
{
	if (is_ours(path))
		unlink(path->name);
	owner_fini(&path->owner);
	owner_fini(&path->next);
	free(path->name);
	path->name = NULL;
}

/* --- sockets ---------------------------------------------------------------*/

/*
 * A datagram that came to all addresses is answered from the one that it was
 * sent to; that one has to be asked for.  A v6 socket asks in both families.
 */
static int
want_destination(int fd, const struct binding *binding)
{
	int result = 0;

	if (!binding->any || !binding_is_datagram(binding))
		return 0;
	if (binding->address.storage.ss_family == AF_INET6)
		result = set_option(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
	if (result == 0 &&
	    (binding->dual || binding->address.storage.ss_family == AF_INET))
		result = set_option(fd, IPPROTO_IP, IP_PKTINFO, 1);
	return result;
}

int
socket_prepare(int fd, const struct binding *binding)
{
	return want_destination(fd, binding);
}

void
socket_tune(int fd, struct binding *binding, const struct settings *settings)
{
	unsigned backlog = settings->backlog;

	options_tune(fd, binding, settings);
	if (binding_is_datagram(binding))
		return;
	/* Accepted connections inherit these: no call for each of them.  A
	 * kernel that refuses them leaves a slower service, not a broken one.
	 */
	if (binding->address.storage.ss_family != AF_UNIX) {
		set_option(fd, SOL_SOCKET, SO_KEEPALIVE, settings->keepalive);
		set_option(fd, IPPROTO_TCP, TCP_NODELAY, settings->nodelay);
	}
	listen(fd, backlog > INT_MAX ? INT_MAX : (int)backlog);
}

/* A socket that is being made. */
struct opening {
	struct binding *binding;
	const struct settings *settings;
	const struct complaint *complaint;
};

static int
before_bind(int fd, const struct opening *opening)
{
	struct binding *binding = opening->binding;
	int family = binding->address.storage.ss_family, result = 0;

	/* Not for datagrams: there it would let two services share a port. */
	if (family != AF_UNIX && !binding_is_datagram(binding))
		result = set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	/* A path is made with the mode of its socket. */
	if (family == AF_UNIX && fchmod(fd, binding->mode) != 0)
		result = -errno;
	if (result == 0 && family == AF_INET6)
		result = set_option(
		    fd, IPPROTO_IPV6, IPV6_V6ONLY, binding->dual ? 0 : 1);
	if (result == 0)
		result = options_set(
		    fd, binding, opening->settings, opening->complaint);
	return result;
}

static int
bind_once(const struct opening *opening, int *ret_fd)
{
	struct binding *binding = opening->binding;
	AUTO_FD fd = socket(binding->address.storage.ss_family,
	    binding->address.socket_type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int result;

	if (fd < 0)
		return -errno;
	memset(&binding->options, 0, sizeof(binding->options));
	result = before_bind(fd, opening);
	if (result != 0)
		return result;
	if (bind(fd, sockaddr_of(binding), binding->address.size) != 0)
		return -errno;
	*ret_fd = base_take_fd(&fd);
	return 0;
}

static void
fall_back_to_v4(struct binding *binding)
{
	unsigned port = address_port(sockaddr_of(binding));
	struct sockaddr_in v4 = {
	    .sin_family = AF_INET, .sin_port = htons((in_port_t)port)};

	memset(&binding->address.storage, 0, sizeof(binding->address.storage));
	memcpy(&binding->address.storage, &v4, sizeof(v4));
	binding->address.size = sizeof(v4);
}

static int
bind_somehow(const struct opening *opening, int *ret_fd)
{
	struct binding *binding = opening->binding;
	int result = bind_once(opening, ret_fd);

	if (binding->dual &&
	    (result == -EAFNOSUPPORT || result == -EADDRNOTAVAIL)) {
		fall_back_to_v4(binding);
		result = bind_once(opening, ret_fd);
	}
	if (result == -EADDRINUSE &&
	    binding->address.storage.ss_family == AF_UNIX) {
		result = remove_stale(binding, opening->complaint);
		if (result == 0)
			result = bind_once(opening, ret_fd);
	}
	return result;
}

static int
start_listening(int fd, const struct settings *settings)
{
	unsigned backlog = settings->backlog;

	if (listen(fd, backlog > INT_MAX ? INT_MAX : (int)backlog) != 0)
		return -errno;
	return 0;
}

/* The path is ours from here on: it is remembered, or removed again.  It had
 * no more than its mode, less the umask, and gets the rest once its owner is
 * who shall have it. */
static int
claim_path(const struct opening *opening, struct socket_path *path)
{
	struct binding *binding = opening->binding;
	const char *name = address_unix_path(
	    sockaddr_of(binding), binding->address.size);
	int result;

	if (name == NULL)
		return 0;
	result = remember_path(path, name);
	if (result == 0)
		result = socket_path_find_owner(
		    path, opening->settings, opening->complaint);
	if (result == 0)
		result = socket_path_own(path, opening->settings);
	if (result == 0 && chmod(name, binding->mode) != 0)
		result = -errno;
	if (result != 0 && path->name == NULL)
		unlink(name);
	return result;
}

static int
after_bind(int fd, const struct opening *opening, struct socket_path *path)
{
	struct binding *binding = opening->binding;
	const struct settings *settings = opening->settings;
	socklen_t size = sizeof(binding->address.storage);
	int result = claim_path(opening, path);

	if (result == 0)
		result = socket_prepare(fd, binding);
	if (result == 0 && !binding_is_datagram(binding))
		result = start_listening(fd, settings);
	if (result != 0)
		return result;
	if (getsockname(fd, sockaddr_of(binding), &size) != 0)
		return -errno;
	binding->address.size = size;
	socket_tune(fd, binding, settings);
	return 0;
}

int
socket_open(struct binding *binding, const struct settings *settings,
    const struct complaint *complaint, struct socket_path *ret_path)
{
	const struct opening opening = {binding, settings, complaint};
	struct socket_path path = {.name = NULL};
	AUTO_FD fd = -1;
	int result;

	binding->mode = settings->socket_mode;
	result = bind_somehow(&opening, &fd);
	if (result != 0)
		return result;
	result = after_bind(fd, &opening, &path);
	if (result != 0) {
		socket_path_fini(&path);
		return result;
	}
	*ret_path = path;
	return base_take_fd(&fd);
}
