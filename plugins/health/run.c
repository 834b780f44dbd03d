/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * run: the thread that runs the program, once for each kick.
 *
 * The program gets a clean environment, the folder /, nothing to read, and a
 * process group of its own.  What it writes to standard output and error is
 * kept, up to OUTPUT_MOST bytes; the rest is read and thrown away.  It is over
 * when the program has ended; whoever of its group is left then, or when the
 * time is over, or the service ends, is killed.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "health.h"

struct run {
	struct health *health;
	struct verdict *verdict;
	pid_t pid;
	int output_fd; /* the end that we read; -1: at its end */
	int process_fd;
	int stop_fd;
	int timed_out;
};

static uint64_t
now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void
say(struct verdict *verdict, const char *text)
{
	size_t room = OUTPUT_MOST - verdict->size;
	int size = snprintf(
	    verdict->output + verdict->size, room, "%s\n", text);

	if (size > 0 && (size_t)size < room)
		verdict->size += (size_t)size;
}

static int
set_actions(posix_spawn_file_actions_t *actions, int output_fd)
{
	int result = posix_spawn_file_actions_addopen(
	    actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);

	if (result == 0)
		result = posix_spawn_file_actions_adddup2(
		    actions, output_fd, STDOUT_FILENO);
	if (result == 0)
		result = posix_spawn_file_actions_adddup2(
		    actions, output_fd, STDERR_FILENO);
	if (result == 0)
		result = posix_spawn_file_actions_addchdir_np(actions, "/");
	return result;
}

/* 0 or a positive errno. */
static int
spawn(struct run *run, int output_fd)
{
	char path[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:"
		      "/sbin:/bin";
	char locale[] = "LC_ALL=C";
	char *const environment[] = {path, locale, NULL};
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none, all;
	int result;

	sigemptyset(&none);
	sigfillset(&all);
	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setsigdefault(&attributes, &all);
	posix_spawnattr_setpgroup(&attributes, 0);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK |
						  POSIX_SPAWN_SETSIGDEF |
						  POSIX_SPAWN_SETPGROUP);
	result = set_actions(&actions, output_fd);
	if (result == 0)
		result = posix_spawn(&run->pid, run->health->program[0],
		    &actions, &attributes, run->health->program, environment);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	return result;
}

/* Reads what there is; closes it at its end. */
static void
take_output(struct run *run)
{
	struct verdict *verdict = run->verdict;
	char rest[4096];
	ssize_t size;

	do {
		size_t room = OUTPUT_MOST - verdict->size;

		size = room > 0 ? read(run->output_fd,
				      verdict->output + verdict->size, room)
				: read(run->output_fd, rest, sizeof(rest));
		if (size > 0 && room > 0)
			verdict->size += (size_t)size;
	} while (size > 0);
	if (size < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	close(run->output_fd);
	run->output_fd = -1;
}

/* Until the program has ended, its time is over, or it shall stop. */
static void
watch(struct run *run)
{
	uint64_t end_ms = now_ms() + run->health->timeout_ms, now;
	struct pollfd polls[3] = {
	    {.fd = run->process_fd, .events = POLLIN},
	    {.fd = run->stop_fd, .events = POLLIN},
	    {.fd = run->output_fd, .events = POLLIN},
	};

	while ((now = now_ms()) < end_ms) {
		polls[2].fd = run->output_fd;
		if (poll(polls, 3, (int)(end_ms - now)) <= 0)
			continue;
		if (polls[2].revents != 0 && run->output_fd >= 0)
			take_output(run);
		if (polls[0].revents != 0 || polls[1].revents != 0)
			return;
	}
	run->timed_out = 1;
}

static void
judge(struct run *run, int status)
{
	char text[96];

	run->verdict->good = !run->timed_out && WIFEXITED(status) &&
			     WEXITSTATUS(status) == 0;
	if (run->timed_out) {
		snprintf(text, sizeof(text), "killed: not done within %u ms",
		    run->health->timeout_ms);
		say(run->verdict, text);
	} else if (WIFSIGNALED(status)) {
		snprintf(
		    text, sizeof(text), "ended by signal %d", WTERMSIG(status));
		say(run->verdict, text);
	}
}

static void
see_through(struct run *run)
{
	int status = 0;

	run->process_fd = (int)syscall(SYS_pidfd_open, run->pid, 0);
	if (run->process_fd >= 0)
		watch(run);
	/* As long as it is not waited for, nobody else gets its number. */
	kill(-run->pid, SIGKILL);
	while (waitpid(run->pid, &status, 0) < 0 && errno == EINTR)
		continue;
	if (run->output_fd >= 0)
		take_output(run);
	if (run->process_fd >= 0)
		close(run->process_fd);
	judge(run, status);
}

static void
run_once(struct health *health, int stop_fd, struct verdict *verdict)
{
	struct run run = {
	    .health = health, .verdict = verdict, .stop_fd = stop_fd};
	char text[96];
	int ends[2], error;

	verdict->good = 0;
	verdict->size = 0;
	if (pipe2(ends, O_CLOEXEC) != 0) {
		say(verdict, "no pipe");
		return;
	}
	/* Ours alone: the program's end is as programs expect it. */
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	run.output_fd = ends[0];
	error = spawn(&run, ends[1]);
	close(ends[1]);
	if (error == 0) {
		see_through(&run);
	} else {
		snprintf(text, sizeof(text), "it cannot be run: %s",
		    strerror(error));
		say(verdict, text);
	}
	if (run.output_fd >= 0)
		close(run.output_fd);
}

/* On the loop: the verdict is there. */
static void
adopt(void *arg)
{
	struct health *health = arg;
	struct asker *asker;

	pthread_mutex_lock(&health->lock);
	health->verdict = health->fresh;
	pthread_mutex_unlock(&health->lock);
	health->verdict_ns = berth_now(health->service);
	health->known = 1;
	health->runs = 0;
	health->count++;
	while ((asker = LIST_FIRST(&health->askers)) != NULL) {
		LIST_REMOVE(asker, link);
		asker->waits = 0;
		if (answer(asker) != 0)
			berth_abort(asker->session);
	}
}

void
run_thread(struct berth_thread *thread, void *arg)
{
	struct health *health = arg;
	int stop_fd = berth_thread_stop_fd(health->service, thread);
	struct pollfd polls[2] = {{.fd = stop_fd, .events = POLLIN},
	    {.fd = health->kick_fd, .events = POLLIN}};
	struct verdict verdict;
	uint64_t kicks;

	for (;;) {
		if (poll(polls, 2, -1) < 0)
			continue;
		if (polls[0].revents != 0)
			return;
		if (read(health->kick_fd, &kicks, sizeof(kicks)) < 0)
			continue;
		run_once(health, stop_fd, &verdict);
		pthread_mutex_lock(&health->lock);
		health->fresh = verdict;
		pthread_mutex_unlock(&health->lock);
		berth_post(health->service, adopt, health);
	}
}
