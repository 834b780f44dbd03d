/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * <berth/connect.h>: connections that a service makes, after C++NPv2 7.4.
 * berth_connect(3) is the manual.
 *
 * A connector is one place that a service wants a connection to: it connects
 * with a limit of time, and again after a delay that doubles, without ever
 * holding up the loop.  Names are looked up by threads of the host's.  It
 * belongs to the service: what is left of it ends with that.
 *
 * Since 1.2.
 */
#ifndef BERTH_CONNECT_H
#define BERTH_CONNECT_H

#include <berth/host.h>

struct berth_connector;

/* Limits of time: not a moment, and none; between them nanoseconds from now. */
#define BERTH_CONNECT_AT_ONCE UINT64_C(0)
#define BERTH_CONNECT_FOREVER UINT64_MAX

struct berth_connect_options {
	/* Endpoints as in svc.conf: "tcp:example.org:7", "unix:/run/x". */
	const char *to;
	const char *from; /* an address of this host; NULL: any */

	/* For each of the addresses that a name has. */
	uint64_t timeout_ns;

	/* After a failure it waits for so long, then twice as long, up to the
	 * most; 0: one attempt is all. */
	uint64_t retry_ns;
	uint64_t retry_most_ns; /* 0: retry_ns */
	unsigned attempts;	/* in a row that may fail; 0: no limit */

	/*
	 * There is a connection: the descriptor, CLOEXEC and NONBLOCK, is the
	 * service's now.  Negative: the host closes it, and it was a failure,
	 * with that errno.
	 */
	int (*connected)(void *arg, int fd);

	/* An attempt failed, with a negative errno; the next is in so many
	 * nanoseconds, or 0: there is none.  May be NULL. */
	void (*failed)(void *arg, int error, uint64_t again_ns);
	void *arg;
};

/*
 * Begins to connect.  One of the hooks is called later, on the loop, never
 * inside this call.  Strings of the options are copied.  0; -EINVAL: no such
 * endpoint, or hook; -ENOMEM.
 */
static inline int
berth_connect(struct berth_service *s,
    const struct berth_connect_options *options,
    struct berth_connector **ret_connector)
{
	return s->host->connect(s, options, ret_connector);
}

/*
 * The connection that was made is lost: connects again, after retry_ns, or at
 * once without that.  Nothing when it is at it already; what failed for the
 * last time begins anew.  0 or -ENOMEM.
 */
static inline int
berth_connect_again(struct berth_service *s, struct berth_connector *connector)
{
	return s->host->connect_again(s, connector);
}

/* Ends it, whatever it is doing, and calls nobody; a connection that was
 * handed out is the service's and stays.  Takes NULL; may be called in its
 * hooks. */
static inline void
berth_connect_end(struct berth_service *s, struct berth_connector *connector)
{
	s->host->connect_end(s, connector);
}

/*
 * Connects once, here, and waits for it: for threads of the service's.  to,
 * from and timeout_ns count.  The descriptor, CLOEXEC and NONBLOCK, or
 * -EWOULDBLOCK: not at once, as asked for; -ETIME: not within the time;
 * -ECANCELED: the service ends; -EPERM: this is the loop, which can't wait;
 * or what the connection met with.
 */
static inline int
berth_connect_wait(
    struct berth_service *s, const struct berth_connect_options *options)
{
	return s->host->connect_wait(s, options);
}

#endif
