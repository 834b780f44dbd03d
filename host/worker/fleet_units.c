/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fleet_units: how a server leads a fleet.
 *
 * To the server the units are the members themselves, so that draining waits
 * for the last process; what is counted for people are their sessions.  The
 * endpoints are attached to the server, so that they are in its name, but
 * paused at the first sign of a client: taking clients is the members'.
 */
#include <signal.h>

#include "worker/fleet_priv.h"

void
fleet_abandon_all(struct fleet *fleet, int signum)
{
	fleet_rest(fleet);
	while (!LIST_EMPTY(&fleet->members))
		member_abandon(LIST_FIRST(&fleet->members), signum);
}

static void
end_all(void *units, enum server_ending how)
{
	struct fleet *fleet = units;

	switch (how) {
	case SERVER_END_DRAINING:
		fleet_leave_all(fleet, UINT32_MAX, true);
		break;
	case SERVER_END_ASKED:
		fleet_leave_all(fleet, 0, true);
		break;
	case SERVER_END_FORCED:
	case SERVER_END_LEFT:
		fleet_abandon_all(fleet, SIGKILL);
		break;
	}
}

/* Whether its code can is for a worker to say. */
static bool
serves(void *units, bool datagram)
{
	(void)units;
	(void)datagram;
	return true;
}

static bool
ready(void *units)
{
	(void)units;
	return true;
}

/* Somebody is there; the members see it, too. */
static int
readable(void *units, struct listener *listener, int fd)
{
	(void)units;
	(void)fd;
	listener_pause(listener);
	return 0;
}

static void
accepting(void *units, bool accept)
{
	struct fleet *fleet = units;
	struct member *member;

	fleet->accepting = accept;
	LIST_FOREACH (member, &fleet->members, link)
		if (member->state == MEMBER_SERVING &&
		    member_say(member, CHANNEL_ACCEPT, accept) < 0)
			member_kill(member, SIGKILL);
}

static void
each(void *units, server_session_fn *fn, void *context)
{
	struct fleet *fleet = units;
	uint64_t now = reactor_now(fleet->reactor).ns;
	struct member *member;

	LIST_FOREACH (member, &fleet->members, link) {
		const struct session_info info = {
		    .id = member->slot,
		    .peer = "worker",
		    .age_ms = (now - member->born_ns) / MONO_MS(1),
		    .state = "worker",
		    .pid = member->pid,
		};

		fn(context, &info);
	}
}

static void
counters(void *units, struct server_counters *counters)
{
	struct fleet *fleet = units;
	struct member *member;

	*counters = fleet->gone;
	LIST_FOREACH (member, &fleet->members, link) {
		counters->sessions_active += member->beat.sessions_active;
		counters->sessions_total += member->beat.sessions_total;
		counters->sessions_failed += member->beat.sessions_failed;
		counters->datagrams += member->beat.datagrams;
		counters->datagrams_refused += member->beat.datagrams_refused;
		counters->bytes_in += member->beat.bytes_in;
		counters->bytes_out += member->beat.bytes_out;
	}
}

const struct server_strategy fleet_strategy = {
    .serves = serves,
    .ready = ready,
    .readable = readable,
    .end_all = end_all,
    .each = each,
    .accepting = accepting,
    .counters = counters,
    .asked_ms = PROGRAM_TERM_MS,
};
