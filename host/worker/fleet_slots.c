/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fleet_slots: who is to be there.
 *
 * A slot that is wanted and empty is filled, at once or, after a death, when
 * its delay is over; the delay doubles with every death and begins anew once a
 * member has lived for longer than the longest delay.  More deaths than
 * start_limit allows, and the fleet has failed.
 *
 * Between the least and the most number load decides, at each tick: when no
 * member can take another session, or clients have been waiting for several
 * ticks, one more is wanted; a member that nobody has needed for worker_idle
 * leaves.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "worker/fleet_priv.h"

/* Ticks in a row with clients in the backlog that call for another. */
#define CROWDED 3u
/* Members that wait for a client of their own, if nobody said how many. */
#define WAITING_MOST 4u

/* --- slots -----------------------------------------------------------------
 */

static int slot_due(
    struct berth_handler *handler, uint64_t now_ns, void *token);

static const struct berth_handler_type slot_type = {
    .timeout = slot_due,
};

static struct reactor_owner *
owner_of(const struct fleet *fleet)
{
	return fleet->options.server.owner;
}

int
slots_make_room(struct fleet *fleet, unsigned count)
{
	struct slot *slots;

	if (count <= fleet->slot_count)
		return 0;
	/* Timers point at their handlers: none may be armed over a move. */
	slots_stop_timers(fleet);
	slots = reallocarray(fleet->slots, count, sizeof(*slots));
	if (slots == NULL)
		return -ENOMEM;
	for (unsigned i = fleet->slot_count; i < count; i++)
		slots[i] = (struct slot){
		    .fleet = fleet, .handler = {.type = &slot_type}};
	fleet->slots = slots;
	fleet->slot_count = count;
	return 0;
}

void
slots_stop_timers(struct fleet *fleet)
{
	for (unsigned i = 0; i < fleet->slot_count; i++) {
		if (fleet->slots[i].retry != 0)
			reactor_cancel(
			    owner_of(fleet), fleet->slots[i].retry, NULL);
		fleet->slots[i].retry = 0;
	}
}

static void
fill_later(struct slot *slot)
{
	const struct settings *settings = slot->fleet->settings;

	if (slot->delay_ms == 0)
		slot->delay_ms = settings->restart_delay_ms;
	if (slot->delay_ms > settings->restart_delay_max_ms)
		slot->delay_ms = settings->restart_delay_max_ms;
	if (reactor_schedule(owner_of(slot->fleet), &slot->handler, NULL,
		MONO_MS(slot->delay_ms), 0, &slot->retry) < 0)
		slot->retry = 0;
	/* The next one in a row; 0 stays 0. */
	slot->delay_ms *= 2;
}

static void
fill(struct fleet *fleet, unsigned index)
{
	struct slot *slot = &fleet->slots[index];

	if (slot->member != NULL || slot->retry != 0)
		return;
	if (member_start(fleet, index) < 0)
		fill_later(slot);
}

static int
slot_due(struct berth_handler *handler, uint64_t now_ns, void *token)
{
	struct slot *slot = BASE_CONTAINER(handler, struct slot, handler);
	struct fleet *fleet = slot->fleet;

	(void)now_ns;
	(void)token;
	slot->retry = 0;
	if (fleet->failed || slot >= fleet->slots + fleet->slot_wanted)
		return 0;
	fleet->restarts++;
	fill(fleet, (unsigned)(slot - fleet->slots));
	return 0;
}

void
slots_fill(struct fleet *fleet)
{
	if (fleet->failed || fleet->waiting)
		return;
	for (unsigned i = 0; i < fleet->slot_wanted; i++)
		fill(fleet, i);
}

void
slots_vacate(struct fleet *fleet, struct member *member)
{
	uint64_t drain_ms = fleet->settings->drain_ms;

	if (fleet->slots[member->slot].member == member)
		fleet->slots[member->slot].member = NULL;
	/* The new one first: it is up the sooner. */
	slots_fill(fleet);
	member_leave(member, (uint32_t)drain_ms);
}

struct worker_span
slots_span(const struct fleet *fleet)
{
	struct worker_span span = fleet->settings->workers;

	if (fleet->per_client && span.most == 0)
		span = (struct worker_span){1, WAITING_MOST};
	return span;
}

void
slots_fit(struct fleet *fleet)
{
	struct worker_span span = slots_span(fleet);

	if (fleet->slot_wanted < span.least)
		fleet->slot_wanted = span.least;
	if (fleet->slot_wanted > span.most)
		fleet->slot_wanted = span.most;
	if (fleet->slot_wanted > fleet->slot_count)
		fleet->slot_wanted = fleet->slot_count;
	for (unsigned i = fleet->slot_wanted; i < fleet->slot_count; i++)
		if (fleet->slots[i].member != NULL)
			slots_vacate(fleet, fleet->slots[i].member);
}

/* --- deaths ----------------------------------------------------------------
 */

/* Were there more of late than start_limit allows? */
static bool
too_many(struct fleet *fleet, uint64_t now)
{
	const struct rate *limit = &fleet->settings->start_limit;

	if (now - fleet->deaths_since_ns > MONO_MS(limit->per_ms)) {
		fleet->deaths_since_ns = now;
		fleet->deaths = 0;
	}
	fleet->deaths++;
	return limit->count > 0 && fleet->deaths > limit->count;
}

static void
tell_death(struct member *member, const char *how, const char *words)
{
	struct fleet *fleet = member->fleet;
	uint64_t ms = (reactor_now(fleet->reactor).ns - member->born_ns) /
		      MONO_MS(1);

	log_printf(fleet->log, BERTH_ERROR, fleet->name,
	    "worker %u, process %d, ended after %llu ms: %s%s%s", member->slot,
	    member->pid, (unsigned long long)ms, how,
	    member->hung ? " (it hung: watchdog)" : "", words);
}

static void
give_up(struct fleet *fleet, const char *how, const char *words)
{
	AUTO_TEXT why;

	text_init(&why);
	text_printf(&why,
	    "%u workers ended within start_limit, the last by %s%s",
	    fleet->deaths, how, words);
	fleet_fail(fleet, text_string(&why));
}

void
slots_died(struct fleet *fleet, struct member *member, const char *how)
{
	struct slot *slot = &fleet->slots[member->slot];
	uint64_t now = reactor_now(fleet->reactor).ns;
	uint64_t longest = MONO_MS(fleet->settings->restart_delay_max_ms);
	bool current = slot->member == member;
	AUTO_TEXT words;

	text_init(&words);
	lines_print(&member->lines, &words);
	if (fleet->waiting && member->state == MEMBER_STARTING) {
		if (!member->told)
			fleet_tell(member, -ECHILD,
			    "a worker of '%s' ended before it was ready: %s%s",
			    fleet->name, how, text_string(&words));
		fleet_answered(fleet, -ECHILD);
		return;
	}
	tell_death(member, how, text_string(&words));
	if (member->asked != 0)
		fleet_answered(fleet, -ECHILD);
	if (!current || fleet->failed)
		return;
	slot->member = NULL;
	if (now - member->born_ns > longest)
		slot->delay_ms = 0;
	if (too_many(fleet, now))
		give_up(fleet, how, text_string(&words));
	else if (member->slot < fleet->slot_wanted)
		fill_later(slot);
}

/* --- the tick --------------------------------------------------------------
 */

static void
end_hung(struct member *member)
{
	log_printf(member->fleet->log, BERTH_ERROR, member->fleet->name,
	    "worker %u, process %d, has not answered for %llu ms: it hangs, "
	    "and is ended",
	    member->slot, member->pid, (unsigned long long)member->silent_ms);
	member->hung = true;
	member->expected = false;
	member_kill(member, SIGABRT);
	member_await_end(member);
}

/* Silence is counted in ticks: a host that was stopped itself, or late, does
 * not take its workers for dead. */
static void
look_after(struct member *member)
{
	struct fleet *fleet = member->fleet;
	const struct settings *settings = fleet->settings;

	member->silent_ms += fleet->tick_ms;
	member_listen(member);
	if (member->state == MEMBER_KILLED)
		return;
	if (member->state == MEMBER_STARTING) {
		if (member->silent_ms <= settings->start_timeout_ms)
			return;
		fleet_tell(member, -ETIMEDOUT,
		    "a worker of '%s' was not ready within its start_timeout",
		    fleet->name);
		member_kill(member, SIGKILL);
		return;
	}
	if (settings->watchdog_ms > 0 &&
	    member->silent_ms > settings->watchdog_ms) {
		end_hung(member);
		return;
	}
	/* Who does not read has pings enough to answer. */
	(void)member_say(member, CHANNEL_PING,
	    fleet->log != NULL ? (uint32_t)fleet->log->level : 0);
}

bool
slots_clients_wait(const struct fleet *fleet)
{
	for (unsigned i = 0; i < server_listener_count(fleet->server); i++) {
		struct pollfd fd = {
		    .fd = listener_fd(server_listener(fleet->server, i)),
		    .events = POLLIN};

		if (poll(&fd, 1, 0) > 0)
			return true;
	}
	return false;
}

static bool
all_full(const struct fleet *fleet)
{
	for (unsigned i = 0; i < fleet->slot_wanted; i++) {
		const struct member *member = fleet->slots[i].member;

		if (member == NULL || member->state != MEMBER_SERVING ||
		    (member->beat.flags & CHANNEL_BEAT_FULL) == 0)
			return false;
	}
	return true;
}

/* The one that nobody needs; its slot becomes the last. */
static void
shrink(struct fleet *fleet, uint64_t now)
{
	struct slot *last = &fleet->slots[fleet->slot_wanted - 1];
	uint64_t idle = MONO_MS(fleet->settings->worker_idle_ms);

	for (unsigned i = fleet->slot_wanted; i-- > 0;) {
		struct slot *slot = &fleet->slots[i];
		struct member *member = slot->member;

		if (member == NULL || member->state != MEMBER_SERVING ||
		    member->beat.sessions_active > 0 ||
		    now - member->busy_ns < idle)
			continue;
		slot->member = last->member;
		if (slot->member != NULL)
			slot->member->slot = i;
		last->member = member;
		member->slot = fleet->slot_wanted - 1;
		fleet->slot_wanted--;
		slots_fit(fleet);
		return;
	}
}

static void
weigh_load(struct fleet *fleet, uint64_t now)
{
	struct worker_span span = slots_span(fleet);
	bool full;

	if (span.least == span.most || !fleet->accepting || fleet->failed)
		return;
	fleet->crowded = slots_clients_wait(fleet) ? fleet->crowded + 1 : 0;
	/* There, the clients themselves say it. */
	full = !fleet->per_client &&
	       (all_full(fleet) || fleet->crowded >= CROWDED);
	if (full && fleet->slot_wanted < span.most &&
	    fleet->slot_wanted < fleet->slot_count) {
		fleet->slot_wanted++;
		fleet->crowded = 0;
		slots_fill(fleet);
	} else if (!full && fleet->crowded == 0 &&
		   fleet->slot_wanted > span.least) {
		shrink(fleet, now);
	}
}

void
slots_tick(struct fleet *fleet)
{
	uint64_t now = reactor_now(fleet->reactor).ns;
	struct member *member, *next;

	for (member = LIST_FIRST(&fleet->members); member != NULL;
	     member = next) {
		next = LIST_NEXT(member, link);
		look_after(member);
	}
	weigh_load(fleet, now);
}
