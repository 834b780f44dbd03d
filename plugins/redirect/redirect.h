/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * redirect: what the files of this plugin share.  All of it belongs to the
 * thread of the reactor, but for targets_thread().
 */
#ifndef REDIRECT_REDIRECT_H
#define REDIRECT_REDIRECT_H

#include <berth/berth.h>
#include <pthread.h>
#include <sys/socket.h>

#define BUFFER_BYTES 65536u

/* One place to connect to, as the configuration names it. */
struct target {
	const char *text; /* in argv */
	const char *host; /* NULL: a Unix path */
	const char *port;
	const char *path;
	int family;	     /* AF_UNSPEC: either */
	uint64_t down_ns;    /* tried last until then */
	char host_room[256]; /* where host and port lie */
};

struct address {
	struct sockaddr_storage storage;
	socklen_t size;
	struct target *target;
};

/* What the targets' names stand for; shared by those who walk it. */
struct addresses {
	unsigned references;
	unsigned count;
	struct address address[];
};

struct redirect {
	struct berth_service *service;
	struct target *targets;
	unsigned target_count;
	struct addresses *addresses; /* NULL: no name was resolved yet */
	pthread_mutex_t lock;	     /* of fresh */
	struct addresses *fresh;     /* by the thread; to be adopted */
	int has_names;
	int socket_type;
	uint32_t connect_ms;
	uint32_t refresh_ms;
	uint32_t expiry_ms;  /* of a peer of datagrams */
	int proxy;	     /* 0, or the version of the PROXY protocol */
	const char *listen;  /* one more endpoint of datagrams, or NULL */
	struct flows *flows; /* NULL: it relays connections */
	uint64_t failed;     /* clients that no target took */
	char *buffer;	     /* of BUFFER_BYTES; nobody keeps anything in it */
};

/* --- options.c --- */
int options_read(struct redirect *redirect, int argc, char **argv);

/* --- targets.c: names to addresses --- */

int target_parse(struct target *target, const char *word, const char *port);
/* Resolves all; with names, that may take as long as it likes.  NULL: no
 * memory, or no address at all. */
struct addresses *targets_resolve(struct redirect *redirect, int numeric);
/* Resolves names for as long as the service lives. */
berth_thread_fn targets_thread;
struct addresses *addresses_ref(struct addresses *addresses);
struct addresses *addresses_unref(struct addresses *addresses);

/* As berth_connect() takes it.  0 or a negative errno. */
#define ENDPOINT_BYTES 320
int address_endpoint(const struct address *address, char to[ENDPOINT_BYTES]);

/* The order in which addresses are tried: those whose target was well first.
 */
struct attempt {
	struct addresses *addresses; /* NULL: not begun */
	unsigned next;
	int pass;
};
/* The next address, or NULL. */
const struct address *attempt_next(struct attempt *attempt, uint64_t now_ns);
void attempt_end(struct attempt *attempt);
void target_failed(struct redirect *redirect, struct target *target, int error);

/* --- relay.c: connections --- */

/* The state of a session: one client and its target. */
struct relay {
	struct berth_handler handler; /* of fd */
	struct berth_session *session;
	struct attempt attempt;
	struct target *target;
	struct berth_connector *connector; /* NULL: it is not at it */
	int fd;				   /* -1: there is no connection */
	uint32_t waited_ms; /* for the first resolution of a name */
	unsigned connected : 1;
	unsigned client_ended : 1;
	unsigned target_ended : 1;
	unsigned paused : 1; /* until the target has taken what there is */
	unsigned copies : 1; /* nothing goes through a pipe */
	char *pending;	     /* what the client sent last, before its end */
	size_t pending_size, pending_at;
	size_t copied; /* bytes of the target's, while there is no pipe */
	int pipe[2];   /* the target's bytes go through; -1: there is none */
	size_t piped;  /* bytes in it */
};

int relay_open(struct berth_session *session);
int relay_input(struct berth_session *session, struct berth_bytes in);
int relay_output_ready(struct berth_session *session);
int relay_timeout(struct berth_session *session);
int relay_eof(struct berth_session *session, struct berth_bytes rest);
void relay_closed(struct berth_session *session, int reason);

/* --- pipe.c: the bytes of a target that has many --- */

/* Is there a pipe, or is it time for one?  Then they are moved by it. */
int pipe_wanted(struct relay *relay);
/* From the target to the client: 1: there may be more; 0: not now, or the
 * client is slow, and output_ready will be called; PIPE_END: the target has
 * ended; or a negative errno. */
#define PIPE_END 2
int pipe_move(struct relay *relay);
/* What is in the pipe to the client.  How much is left, or a negative errno. */
long pipe_drain(struct relay *relay);
void pipe_end(struct relay *relay);

/* --- flows.c: datagrams --- */
int flows_open(struct redirect *redirect);
void flows_close(struct redirect *redirect);
int flows_datagram(struct berth_session *session, struct berth_bytes in);

/* --- proxy.c --- */
#define PROXY_BYTES 128
/* The header that tells a target who the client is; its size. */
size_t proxy_header(
    struct berth_session *session, int version, char buffer[PROXY_BYTES]);

#endif
