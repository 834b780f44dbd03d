/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * spawn: the one way to start another program.
 *
 * The child shares the memory of the host until execve(2), as after vfork(2),
 * so that the start costs the same however large the host has grown; the
 * calling thread waits.  It runs on a stack of its own within the caller's
 * frame, with all signals blocked, and makes system calls only: the functions
 * of libc that change a user tell every other thread by signal, and those
 * threads are the host's.
 *
 * The step that fails and its errno are written where the host reads them.
 * What the program finds: descriptors 0, 1, 2 (and 3 when a socket is handed
 * over) and no other; default signals, none blocked; a process group of its
 * own, by which it is ended with all that it started; its user, groups, limits,
 * folder and environment as its template says.
 *
 * Where the host has a terminal the program gets a session of its own as well,
 * which has none.  Elsewhere that would change nothing but the cost: the kernel
 * makes a group for its scheduler along with each session (sched(7), the
 * autogroup feature).
 *
 * The kernel makes memory undumpable whose process changes its user; here this
 * also protects the host from being traced by that user in between, and stays
 * until the host asks for core files again (prctl(2), PR_SET_DUMPABLE).
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdalign.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "worker/spawn_child.h"

const char *
spawn_step_text(enum spawn_step step)
{
	static const char *const texts[] = {
	    [SPAWN_CLONE] = "no process can be made",
	    [SPAWN_DESCRIPTORS] = "its standard streams cannot be made",
	    [SPAWN_CLOSE] = "other descriptors cannot be closed",
	    [SPAWN_JOIN] = "it cannot be put into its control group",
	    [SPAWN_SESSION] = "it cannot have a process group of its own",
	    [SPAWN_LIMITS] = "its limits cannot be set",
	    [SPAWN_NICE] = "its nice value cannot be set",
	    [SPAWN_CHROOT] = "its root cannot be changed",
	    [SPAWN_BOUND] = "its capabilities cannot be bounded",
	    [SPAWN_GROUPS] = "its supplementary groups cannot be set",
	    [SPAWN_GROUP] = "its group cannot be set",
	    [SPAWN_USER] = "its user cannot be set",
	    [SPAWN_REGAINED] = "it could become root again",
	    [SPAWN_CAPABILITIES] = "its capabilities cannot be dropped",
	    [SPAWN_AMBIENT] = "it cannot be given its capabilities",
	    [SPAWN_CWD] = "it cannot go to its folder",
	    [SPAWN_NO_NEW_PRIVS] = "new privileges cannot be forbidden",
	    [SPAWN_PATHS] = "its paths cannot be restricted",
	    [SPAWN_CALLS] = "its system calls cannot be filtered",
	    [SPAWN_EXEC] = "it cannot be run",
	};

	return texts[step];
}

static uint64_t
look_at_signals(void)
{
	unsigned long action[KERNEL_SIGACTION_WORDS];
	uint64_t changed = 0;

	for (int signum = 1; signum <= KERNEL_SIGNALS; signum++)
		if (syscall(SYS_rt_sigaction, signum, NULL, action,
			KERNEL_SIGSET_BYTES) == 0 &&
		    action[0] != 0)
			changed |= UINT64_C(1) << (signum - 1);
	return changed;
}

/* Whoever cannot tell says that there is one. */
static bool
look_for_terminal(void)
{
	int fd = open("/dev/tty", O_RDONLY | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return errno != ENXIO;
	close(fd);
	return true;
}

static struct spawn_host
look_at_host(struct spawn_host *known)
{
	struct spawn_host now = {.until_ns = 0};

	if (known != NULL)
		now = *known;
	if (mono_now().ns < now.until_ns)
		return now;
	now.signals = look_at_signals();
	now.terminal = look_for_terminal();
	now.until_ns = mono_now().ns + MONO_MS(SPAWN_HOST_MS);
	if (known != NULL)
		*known = now;
	return now;
}

static void
reap(pid_t pid)
{
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		continue;
}

static pid_t
run(struct spawn_job *job)
{
	alignas(max_align_t) char stack[SPAWN_STACK_BYTES];
	uint64_t all = UINT64_MAX, before = 0;
	pid_t pid;

	/* libc's own signals too, which its wrappers leave out. */
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, &before,
	    KERNEL_SIGSET_BYTES);
	pid = clone(spawn_child, stack + SPAWN_STACK_BYTES,
	    CLONE_VM | CLONE_VFORK | CLONE_FILES | SIGCHLD, job);
	if (pid < 0)
		job->error = errno;
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, &before, NULL,
	    KERNEL_SIGSET_BYTES);
	return pid;
}

/* A connection alone can go through the door. */
static bool
take_door(const struct spawn_host *host, struct spawn *spawn)
{
	int fd = spawn->fds[0];

	if (host->door_fd <= 0 || host->program_fd <= 0 ||
	    spawn->listen_fd >= 0 || spawn->fds[1] != fd ||
	    spawn->fds[2] != fd || fd < host->door_fd ||
	    dup3(fd, host->door_fd, O_CLOEXEC) < 0)
		return false;
	for (int i = 0; i < 3; i++)
		spawn->fds[i] = host->door_fd;
	return true;
}

pid_t
spawn(const struct spawn *spawn, enum spawn_step *ret_step)
{
	struct spawn through = *spawn;
	struct spawn_job job = {
	    .spawn = &through,
	    .host = look_at_host(spawn->host),
	    .step = SPAWN_CLONE,
	};
	bool door = take_door(&job.host, &through);
	pid_t pid = run(&job);

	/* Shut by whatever it is: the connection is not kept. */
	if (door)
		dup3(job.host.program_fd, job.host.door_fd, O_CLOEXEC);
	if (job.error == 0)
		return pid;
	if (pid > 0)
		reap(pid);
	*ret_step = job.step;
	return -job.error;
}
