/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * spawn_child: what a child of spawn() does until it runs its program.
 *
 * It shares the memory of the host and must leave it as it was, makes system
 * calls only, and never through those functions of libc that tell other
 * threads.  First the steps that need the host's rights, then those of the
 * program's user; the step that fails is left in the job.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <linux/prctl.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "worker/filter.h"
#include "worker/spawn_child.h"

/* Where the program lies that is run by its descriptor, until it is. */
#define PROGRAM_FD 4
/* A user in more groups is given them without looking. */
#define SAME_GROUPS 32

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
make_group(const struct spawn_job *job)
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
fail(struct spawn_job *job, enum spawn_step step)
{
	job->step = step;
	job->error = errno != 0 ? errno : EPERM;
	return -1;
}

IN_CHILD static int
change_user(struct spawn_job *job)
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
become_user(struct spawn_job *job)
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
as_host(struct spawn_job *job)
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
as_user(struct spawn_job *job)
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
execute(struct spawn_job *job)
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

IN_CHILD int
spawn_child(void *arg)
{
	struct spawn_job *job = arg;
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
