/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * acl: who may be served, by only_from and no_access; svc.conf(5), ACCESS
 * LISTS.
 *
 * A list is made whole and never changed: a reload makes another one.  What is
 * longer counts; of the same length, no_access.  Who matches nothing is
 * refused where there is an only_from, and served where there is none.
 *
 * Addresses are answered at once, without a call and without memory.  Names
 * are never asked for here: where one could decide, the answer is ACL_UNKNOWN.
 */
#ifndef GUARD_ACL_H
#define GUARD_ACL_H

#include <sys/socket.h>

#include "config/config_settings.h"
#include "guard/names.h"

struct acl;

/*
 * From only_from and no_access; files that they name are read again.  Mistakes
 * are told at place.  *ret_acl is NULL when everybody is served, and all below
 * take that.  0, ACL_E_MISTAKE (told) or -ENOMEM.
 */
#define ACL_E_MISTAKE 1
int acl_new(const struct settings *settings, const struct place *place,
    struct errors *errors, struct acl **ret_acl);
struct acl *acl_free(struct acl *acl);

struct acl_peer {
	const struct sockaddr *address;
	socklen_t size;
};

enum acl_answer { ACL_ALLOWED, ACL_DENIED, ACL_UNKNOWN };

/*
 * A v4-mapped address is the IPv4 address that it is.  A Unix client has no
 * address: a list says nothing of it, except that an empty only_from means
 * nobody.  [any thread]
 */
enum acl_answer acl_check(
    const struct acl *acl, const struct sockaddr *peer, socklen_t size);

/*
 * The same with names: what is known is used, what is not is asked.  While that
 * takes its time, the answer is ACL_UNKNOWN, and waiter, unless it is NULL,
 * has fn called once, when it is worth to ask again; names_unwait() takes it
 * back.  A question that is out of patience counts against the client.
 * names: NULL is nobody to ask.
 */
enum acl_answer acl_ask(const struct acl *acl, struct names *names,
    const struct acl_peer *peer, struct names_waiter *waiter,
    void (*fn)(struct names_waiter *waiter));

struct acl_size {
	uint64_t prefixes; /* without what was said twice */
	uint64_t names;
	uint64_t bytes;
};
struct acl_size acl_size(const struct acl *acl);

#endif
