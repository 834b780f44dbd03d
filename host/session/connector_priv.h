/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Inside connectors: where they connect to.
 */
#ifndef SESSION_CONNECTOR_PRIV_H
#define SESSION_CONNECTOR_PRIV_H

#include "net/net.h"
#include "session/connector.h"

/* Both ends, as the options name them. */
struct connector_place {
	struct arena *arena;
	struct endpoint_spec to;
	struct address address; /* of the port, or all of it: see is_name */
	struct address from;	/* size 0: any */
	bool is_name;		/* the host is to be looked up */
};

/* 0, -EINVAL or -ENOMEM. */
int connector_place_init(
    struct connector_place *place, const struct berth_connect_options *options);
void connector_place_fini(struct connector_place *place);

/* With the host of this prefix; false: it is of another family than asked. */
bool connector_place_with(const struct connector_place *place,
    const struct access_prefix *prefix, struct address *ret_address);

/* A socket that is bound and begins to connect.  0: it is connected;
 * -EINPROGRESS: *ret_fd is on its way; or another negative errno. */
int connector_begin(const struct connector_place *place,
    const struct address *address, int *ret_fd);
/* What came of it, when it is writable. */
int connector_outcome(int fd);

#endif
