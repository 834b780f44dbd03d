/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fleet_show: what is told of workers, from their last heartbeats.  Only their
 * memory is asked of the kernel, which does not wait for them.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "worker/fleet_priv.h"

static const char *
state_name(const struct member *member)
{
	static const char *const names[] = {
	    [MEMBER_STARTING] = "starting",
	    [MEMBER_SERVING] = "serving",
	    [MEMBER_LEAVING] = "ending",
	    [MEMBER_KILLED] = "killed",
	};

	if (member->hung)
		return "hung";
	if (member->fleet->per_client && member->client == NULL &&
	    member->state == MEMBER_SERVING)
		return "waiting";
	return names[member->state];
}

/* The second number of its statm, in pages; 0: it cannot be told. */
static uint64_t
resident_bytes(pid_t pid)
{
	char path[32], data[128], *end;
	ssize_t size;
	AUTO_FD fd = -1;

	snprintf(path, sizeof(path), "/proc/%d/statm", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	size = fd < 0 ? -1 : read(fd, data, sizeof(data) - 1);
	if (size <= 0)
		return 0;
	data[size] = '\0';
	strtoull(data, &end, 10);
	return strtoull(end, NULL, 10) * (uint64_t)sysconf(_SC_PAGESIZE);
}

void
fleet_each(struct fleet *fleet, fleet_info_fn *fn, void *context)
{
	uint64_t now = reactor_now(fleet->reactor).ns;
	struct member *member;

	LIST_FOREACH (member, &fleet->members, link) {
		const struct fleet_info info = {
		    .slot = member->slot,
		    .pid = member->pid,
		    .state = state_name(member),
		    .age_ms = (now - member->born_ns) / MONO_MS(1),
		    .sessions_active = member->beat.sessions_active,
		    .sessions_total = member->beat.sessions_total,
		    .memory_bytes = resident_bytes(member->pid),
		};

		fn(context, &info);
	}
}

uint64_t
fleet_restarts(const struct fleet *fleet)
{
	return fleet->restarts;
}

uint64_t
fleet_starved(const struct fleet *fleet)
{
	return fleet->starved;
}

const char *
fleet_failure(const struct fleet *fleet)
{
	return text_string(&fleet->failure);
}
