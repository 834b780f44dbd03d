/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * net: addresses, listening endpoints, buffered connections, datagrams.
 *
 * Listening sockets belong to the host.  A listener is found by its address
 * and lives while somebody holds a reference; services come and go on it
 * without its being closed.  At any moment at most one consumer is attached;
 * while none is, or it is paused, clients wait in the backlog.
 */
#ifndef NET_NET_H
#define NET_NET_H

#include <sys/socket.h>

#include "config/config_settings.h"
#include "reactor/reactor.h"

/* --- addresses -------------------------------------------------------------*/

struct address {
	struct sockaddr_storage storage;
	socklen_t size;
	int socket_type; /* SOCK_STREAM, … */
};

/* Numbers and names of hosts and services (the first address of a name;
 * may block on the resolver: at reload time only).  Tells errors at the
 * spec's place. */
int address_resolve(const struct endpoint_spec *spec, struct errors *errors,
    struct address *ret_address);
/* "127.0.0.1:7", "[::1]:7", "unix:/run/x", "@name", "unix"; the length. */
int address_print(
    const struct sockaddr *address, socklen_t size, char *buffer, size_t room);

/* --- listeners -------------------------------------------------------------*/

struct listeners;
struct listener;
struct listener_consumer;

struct listener_consumer_type {
	/* A connection; the descriptor (CLOEXEC, NONBLOCK) is the consumer's
	 * now.  Negative: the consumer could not take it and has closed it.
	 * >0: no more of them in this turn.
	 * NULL: connections are not accepted, readable() is told of them. */
	int (*accepted)(struct listener_consumer *, struct listener *, int fd);
	/* A datagram socket, or one not accepted from, is readable.  >0: call
	 * again in this turn. */
	int (*readable)(struct listener_consumer *, struct listener *, int fd);
	/* May another connection be accepted?  When it says no, call
	 * listener_resume() once it would say yes. */
	bool (*ready)(struct listener_consumer *);
};

struct listener_consumer {
	const struct listener_consumer_type *type;
	const char *name; /* of the service, for errors and `show` */
};

int listeners_new(
    struct reactor *reactor, struct log *log, struct listeners **ret_listeners);
struct listeners *listeners_free(struct listeners *listeners);

/* For a worker, whose sockets are its host's: endpoints are those that were
 * adopted, and no other. */
void listeners_borrow(struct listeners *listeners);
/* While held, nothing is taken from any of them. */
void listeners_hold(struct listeners *listeners, bool hold);
/* When so many connections were taken, all are held and spent is called. */
void listeners_set_quota(struct listeners *listeners, uint64_t connections,
    void (*spent)(void *context), void *context);

/* A socket that was handed to the process (LISTEN_FDS): kept, and used by the
 * first endpoint of the same address and type.  Takes fd. */
int listeners_adopt(struct listeners *listeners, int fd);

/*
 * The listener of an endpoint: an existing one of the same address, or a new
 * one, bound and listening.  With port 0 the listener belongs to `service`
 * and the endpoint's number, so that a new generation gets the same port.
 * A new reference.  Errors are told at the spec's place, with address and
 * port, and who holds it if that is one of ours.
 */
int listeners_acquire(struct listeners *listeners,
    const struct endpoint_spec *spec, const struct settings *settings,
    const char *service, unsigned number, struct errors *errors,
    struct listener **ret_listener);
struct listener *listener_ref(struct listener *listener);
/* The last reference closes the socket and unlinks its path if it is still
 * the one that was bound. */
struct listener *listener_unref(struct listener *listener);

/* Cannot fail: the socket is registered with the reactor from its birth, only
 * its interest changes.  Displaces an attached consumer. */
void listener_attach(
    struct listener *listener, struct listener_consumer *consumer);
/* Only if that consumer is the attached one. */
void listener_detach(
    struct listener *listener, struct listener_consumer *consumer);
struct listener_consumer *listener_consumer(const struct listener *listener);
void listener_pause(struct listener *listener);
void listener_resume(struct listener *listener);
/* The socket was in other hands, which may have made reads on it wait. */
void listener_restore(struct listener *listener);
void listener_set_backlog(struct listener *listener, unsigned backlog);
/* Backlog and the options of sockets, which connections inherit when accepted;
 * the mode and the owner of a path.  Those that may be refused were tried when
 * the listener was acquired. */
void listener_tune(struct listener *listener, const struct settings *settings);

int listener_fd(const struct listener *listener);
bool listener_is_datagram(const struct listener *listener);
int listener_socket_type(const struct listener *listener); /* SOCK_STREAM, … */
bool listener_is_tcp(const struct listener *listener);
/* The bound address, with the port that the kernel chose: "tcp:127.0.0.1:7".
 * Lives as long as the listener. */
const char *listener_text(const struct listener *listener);
/* Does it come from a port of one of the host's own datagram endpoints, here
 * or on another machine that runs the same, or from one of its Unix datagram
 * sockets?  (anti-loop) */
bool listeners_own_datagram(const struct listeners *listeners,
    const struct sockaddr *address, socklen_t size);
/* All, for `show`; in the order of their birth. */
void listeners_each(struct listeners *listeners,
    void (*fn)(void *context, struct listener *listener), void *context);

/* --- what the sessions of a host share -------------------------------------*/

#define LISTENERS_BUFFER_BYTES 65536u

/* Room for what is read, for the time of one hook.  Whoever uses it says so,
 * and does without it while another does (in a nested turn of the loop). */
struct listeners_shared {
	char *buffer;
	bool lent;
};

struct listeners_shared *listeners_shared(struct listeners *listeners);
/* Numbers that are unique in the host's life, from 1. */
uint64_t listeners_next_id(struct listeners *listeners);

#endif
