/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * net_priv: what the files of this room share.
 */
#ifndef NET_NET_PRIV_H
#define NET_NET_PRIV_H

#define HASH_NONFATAL_OOM 1
#include <net/if.h>
#include <uthash.h>

#include "net/net.h"

/* "unix-seqpacket:" and a path of 107 bytes, each byte escaped at worst. */
#define NET_TEXT_MAX 512u

/* --- options.c: words that are options of a socket -------------------------*/

#define SOCKET_OPTIONS 13u

/* What was set, and what had been there before. */
struct socket_options {
	uint32_t changed; /* a bit each */
	int initial[SOCKET_OPTIONS];
	int current[SOCKET_OPTIONS]; /* 0: the kernel's own */
	char device[IFNAMSIZ];	     /* "": all */
};

/* --- binding.c: what an endpoint asks of the kernel ------------------------*/

struct binding {
	struct address address;
	bool any;  /* all addresses */
	bool dual; /* one v6 socket for v4 too; v4 alone where v6 is missing */
	unsigned mode; /* of a path */
	struct socket_options options;
};

/* What errors are told, and where; errors may be NULL. */
struct complaint {
	struct errors *errors;
	const struct endpoint_spec *spec;
};

BASE_PRINTF(3, 4)
int net_complain(const struct complaint *to, int code, const char *format, ...);

int binding_resolve(const struct endpoint_spec *spec, bool v6only,
    struct errors *errors, struct binding *ret_binding);
/* What an open socket is bound to. */
int binding_of_socket(int fd, struct binding *ret_binding);
/* "tcp:127.0.0.1:7", "tcp6:*:7", "unix-dgram:@x"; equal texts are the same
 * socket.  The length. */
int binding_print(const struct binding *binding, char *buffer, size_t room);
/* Would the kernel refuse the one while it has the other? */
bool binding_overlaps(const struct binding *a, const struct binding *b);
bool binding_is_datagram(const struct binding *binding);
/* Of an inet address, host order; 0 for others. */
unsigned address_port(const struct sockaddr *address);
/* The path of a Unix address that is in the file system, or NULL. */
const char *address_unix_path(const struct sockaddr *address, socklen_t size);

/* All that the settings say; told and -EEXIST when the kernel refuses one. */
int options_set(int fd, struct binding *binding,
    const struct settings *settings, const struct complaint *complaint);
/* The same for a socket in use; what the kernel refuses stays as it was. */
void options_tune(
    int fd, struct binding *binding, const struct settings *settings);
/* Would it refuse one?  Results as of options_set(). */
int options_try(const struct binding *binding, const struct settings *settings,
    const struct complaint *complaint);

/* --- owner.c: of paths -----------------------------------------------------*/

struct socket_owner {
	char *user; /* as in the settings, and behind it the group; NULL: both
		       are "" */
	uid_t uid;
	gid_t gid;
};

/* Looks the names up, and whether the host may give files to them. */
int owner_find(const struct settings *settings,
    const struct complaint *complaint, struct socket_owner *ret_owner);
void owner_fini(struct socket_owner *owner);
/* Was it found for these settings? */
bool owner_is(
    const struct socket_owner *owner, const struct settings *settings);
int owner_give(const struct socket_owner *owner, const char *path);

/* --- socket.c: sockets at the kernel ---------------------------------------*/

/* A path that we made, and how it is known again. */
struct socket_path {
	char *name; /* absolute; NULL: none */
	dev_t device;
	ino_t inode;
	struct socket_owner owner; /* that it has */
	struct socket_owner next;  /* that it may be given */
};

/* A bound and listening socket; the binding's port becomes the real one.  The
 * descriptor, or a negative errno.  -EEXIST was told; the rest was not. */
int socket_open(struct binding *binding, const struct settings *settings,
    const struct complaint *complaint, struct socket_path *ret_path);
/* What both ours and adopted ones need before they are used. */
int socket_prepare(int fd, const struct binding *binding);
void socket_tune(
    int fd, struct binding *binding, const struct settings *settings);

/* Looks up who is to own the path, for socket_path_own(). */
int socket_path_find_owner(struct socket_path *path,
    const struct settings *settings, const struct complaint *complaint);
/* Gives the path to whom these settings say, if it is still the one that was
 * bound, and he was looked up. */
int socket_path_own(struct socket_path *path, const struct settings *settings);
/* Gives the path this mode, if it is still the one that was bound. */
void socket_path_mode(const struct socket_path *path, unsigned mode);
/* Unlinks the path if it is still the one that was bound. */
void socket_path_fini(struct socket_path *path);

/* --- listener.c ------------------------------------------------------------*/

struct listener {
	struct berth_handler handler;
	struct listeners *listeners;
	TAILQ_ENTRY(listener) link;
	UT_hash_handle hh; /* by key */
	char *key;	   /* text, or service and number for port 0 */
	char *text;
	char *service; /* who asked for it first */
	struct listener_consumer *consumer;
	struct binding binding;
	struct socket_path path;
	int fd;
	unsigned references;
	bool registered; /* with the reactor */
	bool paused;
	bool starved; /* no descriptor or memory for a connection; waits */
	berth_timer_id retry;
	uint64_t retry_ns; /* the next wait */
};

extern const struct berth_handler_type listener_handler_type;

/* Takes the descriptor, also when it fails. */
int listener_new(struct listeners *listeners, const struct binding *binding,
    int fd, struct listener **ret_listener);
struct listener *listener_free(struct listener *listener);
/* Lets the reactor watch exactly while connections may be taken. */
void listener_settle(struct listener *listener);

/* --- listeners.c -----------------------------------------------------------*/

TAILQ_HEAD(listener_list, listener);

/* A socket that was handed in and that nobody has asked for yet. */
struct adopted {
	LIST_ENTRY(adopted) link;
	struct binding binding;
	int fd;
};

struct listeners {
	struct reactor *reactor;
	struct log *log;
	struct reactor_owner owner;
	struct listener *by_key;
	struct listener_list all;
	LIST_HEAD(, adopted) adopted;
	unsigned char *datagram_ports; /* a bit each; NULL: none yet */
	unsigned starved;	       /* listeners that wait */
	_Atomic uint64_t ids;
	uint64_t quota; /* connections that may be taken; 0: no limit */
	void (*spent)(void *context);
	void *spent_context;
	bool borrowed; /* no socket is opened here */
	bool held;
	struct listeners_shared shared;
};

/* A connection was taken. */
void listeners_count(struct listeners *listeners);
void listeners_forget(struct listeners *listeners, struct listener *listener);

#endif
