/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fake_host: a host's table for tests of services without a host.  It keeps
 * what the service does, for the test to look at, and does what the test says.
 *
 *	struct fake_host host;
 *	struct fake_service service;
 *	struct fake_session session;
 *
 *	fake_host_init(&host);
 *	fake_service_start(&service, &host, make_echo(), "Echo", "-x 1");
 *	fake_session_open(&session, &service);
 *	fake_session_input(&session, "hello", 5);
 *	assert(strcmp(session.output.data, "hello") == 0);
 *	fake_session_fini(&session);
 *	fake_service_stop(&service);
 *	fake_host_fini(&host);
 *
 * All hooks run in the thread of the test, inside the calls below.  Running
 * out of memory or misuse ends the test with abort(3).
 */
#ifndef TESTS_FAKE_HOST_H
#define TESTS_FAKE_HOST_H

#include <berth/berth.h>
#include <pthread.h>
#include <stdbool.h>
#include <sys/queue.h>

/* Grows; data is always a string, "" at first. */
struct fake_buffer {
	char *data;
	size_t size; /* bytes without the NUL */
};

/* What a service asked with berth_command(). */
struct fake_command {
	char *line;
	unsigned flags;
	bool cancelled;
	bool answered;
	berth_reply_fn *reply;
	void *arg;
};

#define FAKE_MAX 64

struct fake_registration; /* a descriptor, timer, post or notification */
TAILQ_HEAD(fake_registrations, fake_registration);

struct fake_host {
	struct berth_host table; /* first: what the service is handed */

	/* for the test to set */
	uint64_t now_ns;     /* what berth_now() says; starts at 1 s */
	int listen_result;   /* of berth_listen() */
	int listen_count;    /* endpoints of the `listen` attribute */
	int command_result;  /* of berth_command() */
	bool peers_are_unix; /* berth_peer_user() gives these */
	uint32_t peer_uid;
	uint32_t peer_gid;

	/* for the test to look at */
	struct fake_buffer log; /* "warning Tiny: text\n" for each line */
	int fail_code;		/* of the last berth_fail(), positive */
	struct fake_buffer fail_text;
	char *endpoints[FAKE_MAX]; /* given to berth_listen(), in order */
	unsigned endpoint_count;
	struct fake_command *commands[FAKE_MAX]; /* in order, for ever */
	unsigned command_count;
	bool shut_down; /* berth_shutdown() was called */

	/* the fake's own */
	struct fake_registrations registrations;
	struct berth_thread *threads[FAKE_MAX];
	unsigned thread_count;
	uint64_t last_id;
	int wake_fd;
	pthread_mutex_t lock; /* log, registrations */
};

void fake_host_init(struct fake_host *host);
void fake_host_fini(struct fake_host *host);

/*
 * One turn of the loop: due timers, notifications, posts, then descriptors
 * that are ready, after waiting at most wait_ms for one of them or for a post
 * of another thread.  Returns how many hooks were called.
 */
unsigned fake_host_turn(struct fake_host *host, int wait_ms);
/* Puts the clock forward and does one turn without waiting. */
unsigned fake_host_advance(struct fake_host *host, uint64_t delta_ns);

/* Calls the reply function of a command that waits for one. */
void fake_host_answer(
    struct fake_host *host, unsigned command, int status, const char *text);

/* --- services ----------------------------------------------------------- */

struct fake_service {
	struct berth_service public; /* first */
	struct fake_host *host;
	const struct berth_service_type *type;
	char *words;
	char *argv[FAKE_MAX];
	int argc;
	bool running;
	/* What it still held after fini, which a host would have revoked. */
	unsigned left_descriptors;
	unsigned left_timers;
	unsigned left_posts; /* and notifications */
	struct fake_buffer info;
};

/* Calls init with the words of arguments (blanks between, '' and "" quote).
 * Returns its result; on failure there is nothing to stop. */
int fake_service_start(struct fake_service *service, struct fake_host *host,
    const struct berth_service_type *type, const char *name,
    const char *arguments);
/* Calls fini, stops its threads, drops and counts what it left behind. */
void fake_service_stop(struct fake_service *service);
/* What the info hook writes; valid until the next call. */
const char *fake_service_info(struct fake_service *service);

/* --- sessions ------------------------------------------------------------- */

struct fake_session {
	struct berth_session public; /* first */
	const struct berth_session_type *type;

	/* for the test to set, before or after open */
	size_t output_limit; /* bytes that wait before a write is cut short */
	char peer[128];	     /* "127.0.0.1:40000" */
	char local[128];     /* "127.0.0.1:7" */

	/* for the test to look at */
	struct fake_buffer output; /* all that was written */
	struct fake_buffer input;  /* what the service has not taken */
	unsigned writes;	   /* how many succeeded: count of datagrams */
	bool closing;		   /* berth_close() was called */
	bool half_closed;	   /* berth_half_close() was called */
	bool aborted;		   /* berth_abort(), or a negative result */
	bool paused;
	uint32_t timeout_ms; /* berth_session_timeout(), 0: none */
	size_t chunk;	 /* of input that come at a time, in serve; 0: all */
	int wait_result; /* of a wait in serve when no more input comes, or
			    for output; 0: the client's end, or it reads */
	bool ended;	 /* closed hook was called */
	int reason;	 /* given to it */

	/* the fake's own */
	uint64_t id;
	bool is_open;
	bool serves; /* is within serve */
	size_t come; /* of input */
	size_t taken;
	bool wants_output;
	size_t sent; /* of output */
};

/* Calls the open hook and returns its result; end with fake_session_fini(). */
int fake_session_open(
    struct fake_session *session, struct fake_service *service);
/* Ends it, if it has not ended, with BERTH_CLOSED_ORDERLY, and frees it. */
void fake_session_fini(struct fake_session *session);

/*
 * Bytes come from the client.  They are joined to what was not taken before
 * and offered, unless the session is paused or closing.  The hook's result, or
 * 0 when it was not called.
 */
int fake_session_input(
    struct fake_session *session, const void *data, size_t size);
int fake_session_send(struct fake_session *session, const char *text);
/*
 * For a sequential type: the client sends this and ends its side; serve is
 * called, and has returned.  Its result.  Sleeping puts the host's clock
 * forward; set wait_result to have a wait fail.
 */
int fake_session_serve(
    struct fake_session *session, const void *data, size_t size);
/* The client has read all: output_ready if a write was cut short, then input
 * again if something is left of it. */
int fake_session_drain(struct fake_session *session);
/* The client has ended its side. */
int fake_session_eof(struct fake_session *session);
/* The time of berth_session_timeout() is over. */
int fake_session_expire(struct fake_session *session);
/* The connection is gone: calls the closed hook, once. */
void fake_session_end(struct fake_session *session, int reason);
/* Forgets the output; for the next look. */
void fake_session_clear(struct fake_session *session);

/* One datagram; session->output is the answer, and writes 0 if there is none.
 * Initialises the session: peer NULL means 127.0.0.1:40000. */
int fake_session_datagram(struct fake_session *session,
    struct fake_service *service, const char *peer, const void *data,
    size_t size);

#endif
