/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fleet_member: the start and the end of one worker.
 *
 * It is known from its start until it was reaped.  A worker that is to end is
 * told so, then sent SIGKILL; one that hangs is sent SIGABRT first, so that it
 * leaves a trace of where.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "worker/process_end.h"

static struct reactor_owner *
owner_of(const struct member *member)
{
	return member->fleet->options.server.owner;
}

/* --- the end ---------------------------------------------------------------
 */

static void
forget_fd(struct member *member, int *fd)
{
	if (*fd >= 0)
		reactor_remove(
		    owner_of(member), *fd, BERTH_IO_EVENTS | BERTH_DONT_CALL);
	fd_close(fd);
}

static struct member *
member_free(struct member *member)
{
	forget_fd(member, &member->channel);
	forget_fd(member, &member->lines_fd);
	reactor_cancel_all(owner_of(member), &member->child_handler);
	member->group = group_unref(member->group);
	free(member);
	return NULL;
}

static void
count_gone(struct member *member)
{
	struct server_counters *gone = &member->fleet->gone;
	const struct channel_beat *beat = &member->beat;

	gone->sessions_total += beat->sessions_total;
	gone->sessions_failed += beat->sessions_failed;
	gone->datagrams += beat->datagrams;
	gone->datagrams_refused += beat->datagrams_refused;
	gone->bytes_in += beat->bytes_in;
	gone->bytes_out += beat->bytes_out;
	if (!member->expected)
		gone->sessions_failed += beat->sessions_active;
}

/* Its memory is gone after this; the server learns that a unit has ended. */
static void
forget(struct member *member)
{
	struct fleet *fleet = member->fleet;
	struct slot *slot = &fleet->slots[member->slot];
	bool unit;

	count_gone(member);
	if (slot->member == member)
		slot->member = NULL;
	LIST_REMOVE(member, link);
	if (member->client != NULL)
		clients_forget(member);
	unit = member->unit;
	member_free(member);
	if (unit)
		server_unit_ends(fleet->server, false);
}

void
member_kill(struct member *member, int signum)
{
	if (!member->ended &&
	    (member->state != MEMBER_KILLED || signum == SIGKILL))
		kill(-member->pid, signum);
	member->state = MEMBER_KILLED;
}

void
member_abandon(struct member *member, int signum)
{
	kill(-member->pid, signum);
	reactor_unchild(owner_of(member), member->pid);
	member->expected = true;
	forget(member);
}

static void
kill_after(struct member *member, uint64_t ms)
{
	reactor_cancel_all(owner_of(member), &member->child_handler);
	if (reactor_schedule(owner_of(member), &member->child_handler, NULL,
		MONO_MS(ms), 0, NULL) < 0)
		member_kill(member, SIGKILL);
}

void
member_await_end(struct member *member)
{
	kill_after(member, member->fleet->settings->stop_timeout_ms);
}

void
member_leave(struct member *member, uint32_t drain_ms)
{
	member->expected = true;
	if (member->state == MEMBER_KILLED)
		return;
	/* Before it serves it has nobody to finish with. */
	if (member->state == MEMBER_STARTING ||
	    member_say(member, CHANNEL_DRAIN, drain_ms) < 0) {
		member_kill(member, SIGKILL);
		return;
	}
	member->state = MEMBER_LEAVING;
	if (drain_ms != UINT32_MAX)
		kill_after(member,
		    drain_ms + member->fleet->settings->stop_timeout_ms);
}

static int
time_over(struct berth_handler *handler, uint64_t now_ns, void *token)
{
	struct member *member = BASE_CONTAINER(
	    handler, struct member, child_handler);

	(void)now_ns;
	(void)token;
	log_printf(member->fleet->log, BERTH_WARNING, member->fleet->name,
	    "worker %u, process %d, was asked to end, did not, and is killed",
	    member->slot, member->pid);
	member_kill(member, SIGKILL);
	return 0;
}

static int
child_ended(struct berth_handler *handler, int pid, int code, int status)
{
	struct member *member = BASE_CONTAINER(
	    handler, struct member, child_handler);
	struct fleet *fleet = member->fleet;
	const struct process_end end = {
	    .code = code,
	    .status = status,
	    .sandbox = fleet->template->sandbox,
	    .starved = group_has_killed(member->group, code, status),
	    .lines = &member->lines,
	};
	char how[PROCESS_END_BYTES];

	(void)pid;
	member->ended = true;
	/* Its last words. */
	if (member->lines_fd >= 0)
		lines_read(member);
	process_end_print(&end, how, sizeof(how));
	fleet->starved += end.starved;
	member_listen(member);
	if (member->client != NULL && code == CLD_EXITED && status == 0)
		member->expected = true;
	if (member->expected)
		log_printf(fleet->log, BERTH_DEBUG, fleet->name,
		    "worker %u, process %d, has ended: %s", member->slot,
		    member->pid, how);
	else if (member->client != NULL)
		clients_tell_death(member, how);
	else
		slots_died(fleet, member, how);
	forget(member);
	slots_fill(fleet);
	if (fleet->per_client)
		clients_settle(fleet);
	return 0;
}

static const struct berth_handler_type child_type = {
    .child = child_ended,
    .timeout = time_over,
};

/* --- the start -------------------------------------------------------------
 */

struct ends {
	int null_fd;
	int lines_fd;
	int channel_fd;
};

static void
close_ends(struct ends *ends)
{
	fd_close(&ends->null_fd);
	fd_close(&ends->lines_fd);
	fd_close(&ends->channel_fd);
}

/* The worker's ends, ours are the member's. */
static int
make_ends(struct member *member, struct ends *ends)
{
	int pair[2];
	int result = channel_pair(pair);

	if (result < 0)
		return result;
	member->channel = pair[0];
	ends->channel_fd = pair[1];
	if (pipe2(pair, O_CLOEXEC) < 0)
		return -errno;
	member->lines_fd = pair[0];
	ends->lines_fd = pair[1];
	ends->null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (ends->null_fd < 0)
		return -errno;
	return fd_nonblock(member->lines_fd);
}

static int
watch_ends(struct member *member)
{
	int result = reactor_add(owner_of(member), &member->channel_handler,
	    member->channel, BERTH_READ);

	if (result == 0)
		result = reactor_add(owner_of(member), &member->lines_handler,
		    member->lines_fd, BERTH_READ);
	return result;
}

static int
run(struct member *member, const struct ends *ends)
{
	struct fleet *fleet = member->fleet;
	const struct spawn_template *template = fleet->template;
	const struct spawn start = {
	    .template = template,
	    .fds = {ends->null_fd, ends->lines_fd, ends->lines_fd},
	    .listen_fd = ends->channel_fd,
	    .program_fd = fleet->options.host->program_fd,
	};
	enum spawn_step step = SPAWN_CLONE;
	int result;

	template->envp[template->env_count] = NULL;
	member->pid = spawn(&start, &step);
	if (member->pid < 0) {
		fleet_tell(member, member->pid,
		    "cannot start a worker of '%s': %s: %s", fleet->name,
		    spawn_step_text(step), strerror(-member->pid));
		return member->pid;
	}
	member->group = group_ref(template_group(template));
	result = reactor_child(
	    owner_of(member), &member->child_handler, member->pid);
	if (result < 0) {
		kill(-member->pid, SIGKILL);
		while (waitpid(member->pid, NULL, 0) < 0 && errno == EINTR)
			continue;
	}
	return result;
}

static struct member *
member_new(struct fleet *fleet, unsigned slot)
{
	struct member *member = calloc(1, sizeof(*member));

	if (member == NULL)
		return NULL;
	member->channel_handler.type = &member_channel_type;
	member->lines_handler.type = &member_lines_type;
	member->child_handler.type = &child_type;
	member->fleet = fleet;
	member->slot = slot;
	member->channel = member->lines_fd = -1;
	member->born_ns = reactor_now(fleet->reactor).ns;
	member->busy_ns = member->born_ns;
	return member;
}

static void
join(struct member *member)
{
	struct fleet *fleet = member->fleet;

	LIST_INSERT_HEAD(&fleet->members, member, link);
	fleet->slots[member->slot].member = member;
	member->unit = !fleet->per_client;
	if (member->unit)
		server_unit_begins(fleet->server);
	log_printf(fleet->log, BERTH_DEBUG, fleet->name,
	    "worker %u is process %d", member->slot, member->pid);
	/* Without a word it ends; its end is noticed. */
	if (member_greet(member) < 0)
		member_kill(member, SIGKILL);
}

int
member_start(struct fleet *fleet, unsigned slot)
{
	struct member *member = member_new(fleet, slot);
	struct ends ends = {-1, -1, -1};
	int result;

	if (member == NULL)
		return -ENOMEM;
	result = make_ends(member, &ends);
	if (result == 0)
		result = watch_ends(member);
	if (result == 0)
		result = run(member, &ends);
	close_ends(&ends);
	if (result < 0) {
		if (!member->told)
			fleet_tell(member, result,
			    "cannot start a worker of '%s': %s", fleet->name,
			    strerror(-result));
		member_free(member);
		return result;
	}
	join(member);
	return 0;
}
