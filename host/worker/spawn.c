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
#include <limits.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <linux/prctl.h>
#include <sched.h>
#include <signal.h>
#include <stdalign.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "worker/filter.h"

/* Of the deepest of the functions below, unoptimised, with much to spare. */
#define STACK_BYTES 16384u
/* Where the program lies that is run by its descriptor, until it is. */
#define PROGRAM_FD 4
/* A user in more groups is given them without looking. */
#define SAME_GROUPS 32
/* Of the kernel: as large as its set of signals. */
#define KERNEL_SIGNALS 64
#define KERNEL_SIGSET_BYTES ((size_t)KERNEL_SIGNALS / 8)
/* Of its struct sigaction, with room; the handler comes first. */
#define KERNEL_SIGACTION_WORDS 8

/* 32-bit systems have older calls with 16-bit users under the short names. */
#ifdef SYS_setresuid32
#define CALL_SETGROUPS SYS_setgroups32
#define CALL_SETRESGID SYS_setresgid32
#define CALL_SETRESUID SYS_setresuid32
#define CALL_GETGROUPS SYS_getgroups32
#define CALL_GETRESGID SYS_getresgid32
#define CALL_GETRESUID SYS_getresuid32
#else
#define CALL_SETGROUPS SYS_setgroups
#define CALL_SETRESGID SYS_setresgid
#define CALL_SETRESUID SYS_setresuid
#define CALL_GETGROUPS SYS_getgroups
#define CALL_GETRESGID SYS_getresgid
#define CALL_GETRESUID SYS_getresuid
#endif

struct job {
	const struct spawn *spawn;
	struct spawn_host host;
	enum spawn_step step;
	int error; /* 0: it runs */
};

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

/* --- in the child ------------------------------------------------------------
 */

/* A handler would run in the host's memory, and an ignored signal stays so. */
IN_CHILD static void
reset_signals(uint64_t signals)
{
	unsigned long action[KERNEL_SIGACTION_WORDS];

	for (unsigned i = 0; i < BASE_COUNT(action); i++)
		action[i] = 0; /* SIG_DFL, no flags, no mask */
	for (int signum = 1; signals != 0; signum++, signals >>= 1)
		if ((signals & 1) != 0)
			syscall(SYS_rt_sigaction, signum, action, NULL,
			    KERNEL_SIGSET_BYTES);
}

IN_CHILD static int
move_fd(int from, int to)
{
	if (from == to)
		return (int)syscall(SYS_fcntl, from, F_SETFD, 0);
	return (int)syscall(SYS_dup3, from, to, 0);
}

/* Programs expect that a read waits. */
IN_CHILD static int
make_streams(const struct spawn *spawn)
{
	int program = spawn->program_fd;

	/* Out of the way of the numbers below. */
	if (program > 0)
		program = (int)syscall(
		    SYS_fcntl, program, F_DUPFD_CLOEXEC, PROGRAM_FD + 1);
	if (program < 0)
		return -1;
	for (int i = 0; i < 3; i++)
		if (move_fd(spawn->fds[i], i) < 0)
			return -1;
	if (spawn->listen_fd >= 0 && move_fd(spawn->listen_fd, 3) < 0)
		return -1;
	if (program > 0 &&
	    syscall(SYS_dup3, program, PROGRAM_FD, O_CLOEXEC) < 0)
		return -1;
	return (int)syscall(SYS_fcntl, 0, F_SETFL, 0);
}

/* Those above the last that is needed are not copied at all, however many the
 * host has. */
IN_CHILD static int
leave_table(const struct spawn *spawn)
{
	const struct spawn_sandbox *sandbox = spawn->template->sandbox;
	int needed[] = {spawn->fds[0], spawn->fds[1], spawn->fds[2],
	    spawn->listen_fd, spawn->program_fd,
	    sandbox != NULL ? sandbox->ruleset_fd : -1};
	int last = -1;

	for (unsigned i = 0; i < BASE_COUNT(needed); i++)
		if (needed[i] > last)
			last = needed[i];
	if (syscall(SYS_close_range, last + 1, UINT_MAX, CLOSE_RANGE_UNSHARE) ==
	    0)
		return 0;
	return (int)syscall(SYS_unshare, CLONE_FILES);
}

IN_CHILD static int
close_span(unsigned first, unsigned last)
{
	struct rlimit limit;

	if (syscall(SYS_close_range, first, last, 0) == 0)
		return 0;
	if (errno != ENOSYS ||
	    syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, NULL, &limit) < 0)
		return -1;
	for (rlim_t fd = first; fd < limit.rlim_cur && fd <= last; fd++)
		syscall(SYS_close, fd);
	return 0;
}

/* But the rules of its sandbox, which close when the program runs. */
IN_CHILD static int
close_others(const struct spawn *spawn)
{
	const struct spawn_sandbox *sandbox = spawn->template->sandbox;
	unsigned first = spawn->listen_fd >= 0 ? 4 : 3;
	unsigned kept;

	if (spawn->program_fd > 0)
		first = PROGRAM_FD + 1;
	if (sandbox == NULL || sandbox->ruleset_fd == 0)
		return close_span(first, UINT_MAX);
	kept = (unsigned)sandbox->ruleset_fd;
	if (close_span(first, kept - 1) < 0)
		return -1;
	return close_span(kept + 1, UINT_MAX);
}

IN_CHILD static int
set_limits(const struct spawn_template *template)
{
	for (unsigned i = 0; i < template->limit_count; i++)
		if (syscall(SYS_prlimit64, 0, template->limits[i].resource,
			&template->limits[i].limit, NULL) < 0)
			return -1;
	return 0;
}

IN_CHILD static int
set_nice(const struct spawn_template *template)
{
	/* The call, unlike its wrapper, gives 20 minus the value. */
	long now = 20 - syscall(SYS_getpriority, PRIO_PROCESS, 0);

	return (int)syscall(
	    SYS_setpriority, PRIO_PROCESS, 0, now + template->nice);
}

/* A new session has a new process group. */
IN_CHILD static int
make_group(const struct job *job)
{
	return (int)(job->host.terminal ? syscall(SYS_setsid)
					: syscall(SYS_setpgid, 0, 0));
}

/*
 * Mostly a host of root whose programs are root's: looking is cheaper than
 * changing, for which the kernel makes credentials anew, call by call.
 */
IN_CHILD static bool
is_user(const struct spawn_template *template)
{
	uid_t users[3];
	gid_t groups[SAME_GROUPS];
	long count;

	if (template->sandbox != NULL || template->group_count > SAME_GROUPS ||
	    syscall(CALL_GETRESUID, &users[0], &users[1], &users[2]) < 0 ||
	    syscall(CALL_GETRESGID, &groups[0], &groups[1], &groups[2]) < 0)
		return false;
	for (unsigned i = 0; i < 3; i++)
		if (users[i] != template->uid || groups[i] != template->gid)
			return false;
	count = syscall(CALL_GETGROUPS, SAME_GROUPS, groups);
	if (count < 0)
		return false;
	/* The group that it has anyway counts for nothing. */
	if (count == 0)
		groups[count++] = template->gid;
	if ((unsigned long)count != template->group_count)
		return false;
	for (long i = 0; i < count; i++)
		if (groups[i] != template->groups[i])
			return false;
	return true;
}

/* Root is a user that nobody else must be able to become. */
IN_CHILD static bool
could_regain(const struct spawn_template *template)
{
	uid_t real, effective, saved;

	if (syscall(CALL_GETRESUID, &real, &effective, &saved) < 0 ||
	    real != template->uid || effective != template->uid ||
	    saved != template->uid)
		return true;
	return template->uid != 0 && syscall(CALL_SETRESUID, -1, 0, -1) == 0;
}

IN_CHILD static int
fail(struct job *job, enum spawn_step step)
{
	job->step = step;
	job->error = errno != 0 ? errno : EPERM;
	return -1;
}

IN_CHILD static int
change_user(struct job *job)
{
	const struct spawn_template *template = job->spawn->template;

	if (syscall(CALL_SETGROUPS, template->group_count, template->groups) <
	    0)
		return fail(job, SPAWN_GROUPS);
	if (syscall(CALL_SETRESGID, template->gid, template->gid,
		template->gid) < 0)
		return fail(job, SPAWN_GROUP);
	if (template->sandbox != NULL && confine_keep(template->sandbox) < 0)
		return fail(job, SPAWN_AMBIENT);
	if (syscall(CALL_SETRESUID, template->uid, template->uid,
		template->uid) < 0)
		return fail(job, SPAWN_USER);
	return 0;
}

IN_CHILD static int
become_user(struct job *job)
{
	const struct spawn_template *template = job->spawn->template;

	if (!template->switch_user)
		return 0;
	if (!is_user(template) && change_user(job) < 0)
		return -1;
	errno = 0;
	return could_regain(template) ? fail(job, SPAWN_REGAINED) : 0;
}

/* What the host kept for itself, to bind low ports.  EINVAL: a kernel that has
 * no such set. */
IN_CHILD static int
drop_ambient(void)
{
	if (syscall(SYS_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0,
		0) == 0 ||
	    errno == EINVAL)
		return 0;
	return -1;
}

/*
 * What is handed on: to programs whose files ask for it, and, of that, to any.
 * Mostly it is nothing.
 */
IN_CHILD static int
drop_inheritable(void)
{
	struct __user_cap_header_struct header = {
	    .version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3];
	unsigned all = 0;

	if (syscall(SYS_capget, &header, sets) < 0)
		return -1;
	for (unsigned i = 0; i < BASE_COUNT(sets); i++) {
		all |= sets[i].inheritable;
		sets[i].inheritable = 0;
	}
	if (all == 0)
		return 0;
	if (drop_ambient() < 0)
		return -1;
	return syscall(SYS_capset, &header, sets) < 0 ? -1 : 0;
}

/* While it still has the host's rights. */
IN_CHILD static int
as_host(struct job *job)
{
	const struct spawn_template *template = job->spawn->template;

	reset_signals(job->host.signals);
	/* The first of what costs anything. */
	if (template->sandbox != NULL && confine_group(template->sandbox) < 0)
		return fail(job, SPAWN_JOIN);
	if (make_group(job) < 0)
		return fail(job, SPAWN_SESSION);
	if (leave_table(job->spawn) < 0 || make_streams(job->spawn) < 0)
		return fail(job, SPAWN_DESCRIPTORS);
	if (close_others(job->spawn) < 0)
		return fail(job, SPAWN_CLOSE);
	syscall(SYS_umask, template->umask);
	if (set_limits(template) < 0)
		return fail(job, SPAWN_LIMITS);
	if (template->nice != 0 && set_nice(template) < 0)
		return fail(job, SPAWN_NICE);
	if (template->chroot != NULL &&
	    (syscall(SYS_chroot, template->chroot) < 0 ||
		syscall(SYS_chdir, "/") < 0))
		return fail(job, SPAWN_CHROOT);
	if (template->sandbox != NULL && confine_bound(template->sandbox) < 0)
		return fail(job, SPAWN_BOUND);
	return become_user(job);
}

IN_CHILD static int
as_user(struct job *job)
{
	const struct spawn_template *template = job->spawn->template;

	if (template->sandbox == NULL) {
		if (drop_inheritable() < 0)
			return fail(job, SPAWN_CAPABILITIES);
	} else if (confine_hand_on(template->sandbox, template->uid == 0) < 0)
		return fail(job, SPAWN_AMBIENT);
	if (syscall(SYS_chdir, template->cwd) < 0)
		return fail(job, SPAWN_CWD);
	if (template->no_new_privs &&
	    syscall(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return fail(job, SPAWN_NO_NEW_PRIVS);
	if (template->sandbox != NULL && confine_paths(template->sandbox) < 0)
		return fail(job, SPAWN_PATHS);
	return 0;
}

IN_CHILD static void
write_pid(char *text)
{
	unsigned long pid = (unsigned long)syscall(SYS_getpid);
	char digits[SPAWN_PID_DIGITS];
	unsigned count = 0;

	for (; pid > 0 && count < SPAWN_PID_DIGITS; pid /= 10)
		digits[count++] = (char)('0' + pid % 10);
	while (count > 0)
		*text++ = digits[--count];
	*text = '\0';
}

/* Nothing is called behind the filter but this. */
IN_CHILD static void
execute(struct job *job)
{
	const struct spawn *spawn = job->spawn;
	const struct spawn_template *template = spawn->template;

	if (template->sandbox != NULL && confine_calls(template->sandbox) < 0) {
		fail(job, SPAWN_CALLS);
		return;
	}
	if (spawn->program_fd > 0)
		syscall(SYS_execveat, PROGRAM_FD, "", template->argv,
		    template->envp, AT_EMPTY_PATH);
	else
		syscall(
		    SYS_execve, template->path, template->argv, template->envp);
	fail(job, SPAWN_EXEC);
}

IN_CHILD static int
run_child(void *arg)
{
	struct job *job = arg;
	const struct spawn *spawn = job->spawn;
	uint64_t none = 0;

	if (as_host(job) == 0 && as_user(job) == 0) {
		if (spawn->pid_text != NULL)
			write_pid(spawn->pid_text);
		syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, NULL,
		    KERNEL_SIGSET_BYTES);
		execute(job);
	}
	syscall(SYS_exit_group, 127);
	return 127;
}

/* --- in the host
 * --------------------------------------------------------------
 */

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
run(struct job *job)
{
	alignas(max_align_t) char stack[STACK_BYTES];
	uint64_t all = UINT64_MAX, before = 0;
	pid_t pid;

	/* libc's own signals too, which its wrappers leave out. */
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, &before,
	    KERNEL_SIGSET_BYTES);
	pid = clone(run_child, stack + STACK_BYTES,
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
	struct job job = {
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
