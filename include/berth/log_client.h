/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * <berth/log_client.h>: sends log records to a logging server or its relay, for
 * programs that have nothing else to do with a host.  berth_log_client(3) is
 * the manual; link with `pkg-config --libs berth-log`.
 *
 * Not part of <berth/berth.h>.  One client is one thread's at a time.
 */
#ifndef BERTH_LOG_CLIENT_H
#define BERTH_LOG_CLIENT_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define BERTH_LOG_EXPORT __attribute__((visibility("default")))

/* Priorities, with ACE's numbers. */
#define BERTH_LOG_SHUTDOWN 01u
#define BERTH_LOG_TRACE 02u
#define BERTH_LOG_DEBUG 04u
#define BERTH_LOG_INFO 010u
#define BERTH_LOG_NOTICE 020u
#define BERTH_LOG_WARNING 040u
#define BERTH_LOG_STARTUP 0100u
#define BERTH_LOG_ERROR 0200u
#define BERTH_LOG_CRITICAL 0400u
#define BERTH_LOG_ALERT 01000u
#define BERTH_LOG_EMERGENCY 02000u

/* The most significant byte first. */
#define BERTH_LOG_BIG_ENDIAN 0x1u
/* Seconds with 8 bytes, as servers of ACE expect them since version 6. */
#define BERTH_LOG_WIDE 0x2u

struct berth_log_client;

struct berth_log_options {
	const char *path; /* a Unix socket; NULL: host and port */
	const char *host; /* NULL: localhost */
	const char *port; /* NULL: ace_logger, or 9700 */
	int32_t pid;	  /* of the records; 0: this process */
	unsigned flags;	  /* BERTH_LOG_BIG_ENDIAN, BERTH_LOG_WIDE */
	/* How long the server may be silent at the end; 0: 10 seconds. */
	uint32_t timeout_ms;
};

/*
 * Connects.  options may be NULL.  0; -ENOMEM; -ENXIO: no such host;
 * -ENAMETOOLONG; or what the connection met with.
 */
BERTH_LOG_EXPORT int berth_log_client_open(
    const struct berth_log_options *options,
    struct berth_log_client **ret_client);

/*
 * A record with the time of now, of any bytes; a text that is too long for one
 * becomes several.  Records are kept until there are 64K of them; then they are
 * sent, which may wait for the server.  0 or a negative errno, and then the
 * client is good for its end only.
 */
BERTH_LOG_EXPORT int berth_log_client_send(struct berth_log_client *client,
    uint32_t priority, const char *text, size_t size);

/* Sends what is kept.  Results as above. */
BERTH_LOG_EXPORT int berth_log_client_flush(struct berth_log_client *client);

/*
 * Sends what is kept, ends the connection and waits until the server has read
 * all.  Frees the client in any case; takes NULL.  0, the error of a call
 * before, or -ETIMEDOUT: the server is silent.
 */
BERTH_LOG_EXPORT int berth_log_client_close(struct berth_log_client *client);

#ifdef __cplusplus
}
#endif

#endif
