/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * <berth/host.h>: the host's services to a service, as one versioned table
 * reached through the handle.  Plugins use the inline wrappers below; a test
 * of a plugin may hand it a table of its own.
 *
 * Results are 0 or more, or a negative errno.
 */
#ifndef BERTH_HOST_H
#define BERTH_HOST_H

#include <berth/reactor.h>
#include <berth/service.h>
#include <stdarg.h>

enum berth_level {
	BERTH_ERROR = 3, /* the numbers of syslog(3) */
	BERTH_WARNING = 4,
	BERTH_NOTICE = 5,
	BERTH_INFO = 6,
	BERTH_DEBUG = 7
};

struct berth_filter_calls;
struct berth_connect_options;
struct berth_connector;
struct berth_log_record;
struct berth_log_sink;
struct berth_sender;
struct berth_message_calls;
struct berth_stream;
struct berth_stream_calls;
struct berth_stream_watch;
typedef void(berth_stream_watch_fn)(void *arg, struct berth_stream *stream);

/* A command on its way; see berth_command(). */
struct berth_command;
typedef void(berth_reply_fn)(void *arg, int status, struct berth_bytes text);

#define BERTH_COMMAND_JSON 0x1u	   /* reply as one JSON value */
#define BERTH_COMMAND_CONTROL 0x2u /* may change things, not only look */

struct berth_host {
	uint32_t magic;
	uint16_t abi_major;
	uint16_t abi_minor;
	uint32_t size;

	/* the service */
	void (*log)(struct berth_service *, int, const char *, va_list);
	int (*fail)(struct berth_service *, int, const char *, va_list);
	int (*listen)(struct berth_service *, const char *);
	int (*endpoints)(struct berth_service *);
	int (*post)(struct berth_service *, berth_post_fn *, void *);
	int (*command)(struct berth_service *, const char *, unsigned,
	    berth_reply_fn *, void *, struct berth_command **);
	void (*command_cancel)(struct berth_service *, struct berth_command *);
	void (*shutdown)(struct berth_service *);
	uint64_t (*now)(struct berth_service *);
	int (*text)(struct berth_text *, const char *, va_list);
	int (*text_add)(struct berth_text *, struct berth_bytes);

	/* sessions */
	int (*write)(struct berth_session *, struct berth_bytes);
	int (*vprintf)(struct berth_session *, const char *, va_list);
	size_t (*writable)(struct berth_session *);
	void (*close)(struct berth_session *);
	void (*abort)(struct berth_session *);
	void (*pause)(struct berth_session *, int);
	int (*session_timeout)(struct berth_session *, uint32_t);
	int (*peer)(struct berth_session *, char *, size_t);
	int (*local)(struct berth_session *, char *, size_t);
	int (*peer_user)(struct berth_session *, uint32_t *, uint32_t *);
	uint64_t (*session_id)(struct berth_session *);

	/* the reactor */
	int (*add)(
	    struct berth_service *, struct berth_handler *, int, unsigned);
	int (*remove)(struct berth_service *, int, unsigned);
	int (*mask)(struct berth_service *, int, unsigned, unsigned);
	int (*hold)(struct berth_service *, struct berth_handler *, int);
	int (*schedule)(struct berth_service *, struct berth_handler *, void *,
	    uint64_t, uint64_t, berth_timer_id *);
	int (*cancel)(struct berth_service *, berth_timer_id, void **);
	int (*cancel_all)(struct berth_service *, struct berth_handler *);
	int (*notify)(struct berth_service *, struct berth_handler *, unsigned);
	int (*purge)(struct berth_service *, struct berth_handler *, unsigned);

	/* threads */
	int (*thread_start)(
	    struct berth_service *, const char *, berth_thread_fn *, void *);
	int (*thread_stop_fd)(struct berth_thread *);
	struct berth_service *(*thread_service)(struct berth_thread *);

	/* 1.1: messages and queues, <berth/message.h> */
	const struct berth_message_calls *messages;
	/* and streams, <berth/stream.h> */
	const struct berth_stream_calls *streams;
	int (*stream_find)(
	    struct berth_service *, const char *, struct berth_stream **);
	void (*stream_release)(struct berth_service *, struct berth_stream *);
	/* since 1.1: sequential sessions, see <berth/serve.h> */
	int (*peek)(struct berth_session *, size_t, struct berth_bytes *);
	void (*take)(struct berth_session *, size_t);
	int (*sleep)(struct berth_session *, uint32_t);
	int (*deadline)(struct berth_session *, uint32_t);

	/* 1.1: connections handed over */
	int (*hand_over)(struct berth_session *, const char *);
	void (*heirs)(struct berth_service *,
	    void (*)(void *arg, const char *name), void *);
	/* and the end of our side only */
	int (*half_close)(struct berth_session *);

	/* 1.2: modules around connections, <berth/filter.h> */
	const struct berth_filter_calls *filters;

	/* 1.2: connections that a service makes, <berth/connect.h> */
	int (*connect)(struct berth_service *,
	    const struct berth_connect_options *, struct berth_connector **);
	int (*connect_again)(struct berth_service *, struct berth_connector *);
	void (*connect_end)(struct berth_service *, struct berth_connector *);
	int (*connect_wait)(
	    struct berth_service *, const struct berth_connect_options *);

	/* 1.3: sinks of the log, <berth/log.h> */
	int (*log_sink_add)(struct berth_service *,
	    int (*)(void *arg, const struct berth_log_record *), void *,
	    struct berth_log_sink **);
	void (*log_sink_remove)(
	    struct berth_service *, struct berth_log_sink *);

	/* 1.3: answers to datagrams, later, <berth/sender.h> */
	int (*sender_keep)(struct berth_session *, struct berth_sender **);
	int (*sender_write)(struct berth_sender *, struct berth_bytes);
	void (*sender_forget)(struct berth_sender *);

	/* 1.3: the stream of a name, whichever it is now, <berth/stream.h> */
	int (*stream_watch)(struct berth_service *, const char *,
	    berth_stream_watch_fn *, void *, struct berth_stream_watch **);
	void (*stream_watch_end)(
	    struct berth_service *, struct berth_stream_watch *);

	/* 1.3: bytes that nobody looks at */
	int (*splice)(struct berth_session *, int pipe, size_t);
};

#endif
