/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * chain: which modules stand around the connections of a service.
 *
 * A plan is made once and shared by all connections that come while it is the
 * present one; each holds a reference, and with it the modules are in use.
 */
#ifndef SESSION_CHAIN_H
#define SESSION_CHAIN_H

#include <berth/filter.h>

#include "base/base.h"

#define CHAIN_MODULES_MAX 16u

struct chain_module {
	const struct berth_filter_type *type;
	struct berth_service *module;
};

/* Made with malloc(3) by whoever hands it to a server, who frees it when
 * chain_plan_is_used() says no. */
struct chain_plan {
	unsigned users; /* connections; in any thread */
	unsigned count;
	struct chain_module modules[]; /* from the client on */
};

static inline void
chain_plan_ref(struct chain_plan *plan)
{
	__atomic_fetch_add(&plan->users, 1, __ATOMIC_RELAXED);
}

/* Takes NULL. */
static inline void
chain_plan_unref(struct chain_plan *plan)
{
	if (plan != NULL)
		__atomic_fetch_sub(&plan->users, 1, __ATOMIC_RELEASE);
}

static inline bool
chain_plan_is_used(const struct chain_plan *plan)
{
	return __atomic_load_n(&plan->users, __ATOMIC_ACQUIRE) > 0;
}

/* What the host's table points to. */
extern const struct berth_filter_calls chain_calls;

#endif
