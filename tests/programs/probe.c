/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A program for the tests: tells what it finds, as lines "name=value" on its
 * standard output, or does what its first word says.
 *
 *   facts	    all that it finds
 *   status	    what the kernel tells of it, /proc/self/status
 *   open PATH ...  whether it can, as "PATH READ WRITE", an errno each
 *   run PATH	    the same of running it, "ran" or the errno
 *   call NAME ...  makes the system call, as "NAME ERRNO"
 *   exit STATUS    ends at once and reads nothing
 *   wait	    until its input ends, or SIGTERM
 *   stubborn	    tells "deaf" and ends by SIGKILL only
 *   datagram	    answers one datagram with "pid LISTEN_PID LISTEN_FDS"
 *   serve N	    takes N connections from descriptor 3, answers the same
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static void
tell_descriptors(void)
{
	/* Not by /proc, which a changed root does not have. */
	fputs("fds=", stdout);
	for (int fd = 0; fd < 1024; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			printf("%d ", fd);
	printf("\nblocking=%d\n", (fcntl(0, F_GETFL) & O_NONBLOCK) == 0);
}

static void
tell_signals(void)
{
	sigset_t mask;

	fputs("signals=", stdout);
	sigprocmask(SIG_BLOCK, NULL, &mask);
	for (int signum = 1; signum < NSIG; signum++) {
		struct sigaction action;

		if (sigaction(signum, NULL, &action) == 0 &&
		    action.sa_handler != SIG_DFL)
			printf("%d ", signum);
		if (sigismember(&mask, signum) == 1)
			printf("-%d ", signum);
	}
	fputs("\n", stdout);
}

static void
tell_user(void)
{
	gid_t groups[256];
	int count = getgroups(256, groups);

	printf("uid=%d %d\ngid=%d %d\ngroups=", (int)getuid(), (int)geteuid(),
	    (int)getgid(), (int)getegid());
	for (int i = 0; i < count; i++)
		printf("%d ", (int)groups[i]);
	printf("\nregains=%d\n", geteuid() != 0 && setuid(0) == 0);
}

static void
tell_rest(int argc, char **argv)
{
	struct rlimit files, core;
	mode_t mask = umask(0);
	char cwd[4096];

	getrlimit(RLIMIT_NOFILE, &files);
	getrlimit(RLIMIT_CORE, &core);
	printf("umask=%04o\ncwd=%s\n", (unsigned)mask,
	    getcwd(cwd, sizeof(cwd)) != NULL ? cwd : "?");
	printf("files=%llu %llu\ncore=%llu\nnice=%d\n",
	    (unsigned long long)files.rlim_cur,
	    (unsigned long long)files.rlim_max,
	    (unsigned long long)core.rlim_cur, getpriority(PRIO_PROCESS, 0));
	printf("leader=%d\nsession=%d\nno_new_privs=%d\n",
	    getpgrp() == getpid(), getsid(0) == getpid(),
	    prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
	for (int i = 0; i < argc; i++)
		printf("arg%d=%s\n", i, argv[i]);
	for (char **variable = environ; *variable != NULL; variable++)
		printf("env %s\n", *variable);
	fputs("end\n", stdout);
}

static int
try_open(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC);

	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

static int
tell_paths(char **paths)
{
	for (; *paths != NULL; paths++)
		printf("%s %d %d\n", *paths, try_open(*paths, O_RDONLY),
		    try_open(*paths, O_WRONLY));
	return 0;
}

static long
make_call(const char *name)
{
	if (strcmp(name, "socket") == 0)
		return syscall(SYS_socket, AF_UNIX, SOCK_STREAM, 0);
	if (strcmp(name, "mkdirat") == 0)
		return syscall(SYS_mkdirat, AT_FDCWD, "/", 0700);
	if (strcmp(name, "personality") == 0)
		return syscall(SYS_personality, 0xffffffff);
	if (strcmp(name, "getppid") == 0)
		return syscall(SYS_getppid);
	errno = EDOM;
	return -1;
}

static int
tell_calls(char **names)
{
	for (; *names != NULL; names++) {
		printf("%s %d\n", *names, make_call(*names) < 0 ? errno : 0);
		fflush(stdout);
	}
	return 0;
}

static int
run_path(const char *path)
{
	execl(path, path, "exit", "0", (char *)NULL);
	printf("%d\n", errno);
	return 0;
}

static int
tell_status(void)
{
	FILE *file = fopen("/proc/self/status", "re");
	char line[256];

	if (file == NULL)
		return 1;
	while (fgets(line, sizeof(line), file) != NULL)
		fputs(line, stdout);
	fclose(file);
	return 0;
}

static size_t
describe(char *line, size_t room)
{
	const char *pid = getenv("LISTEN_PID"), *fds = getenv("LISTEN_FDS");
	const char *names = getenv("LISTEN_FDNAMES");

	return (size_t)snprintf(line, room, "%d %s %s %s\n", (int)getpid(),
	    pid != NULL ? pid : "-", fds != NULL ? fds : "-",
	    names != NULL ? names : "-");
}

static int
answer_datagram(void)
{
	struct sockaddr_storage peer;
	socklen_t size = sizeof(peer);
	void *address = &peer;
	char line[256];

	if (recvfrom(0, line, sizeof(line), 0, address, &size) < 0)
		return 1;
	return sendto(0, line, describe(line, sizeof(line)), 0, address, size) <
	       0;
}

static int
serve(int count)
{
	char line[256];

	while (count-- > 0) {
		int fd = accept(3, NULL, NULL);

		if (fd < 0 || write(fd, line, describe(line, sizeof(line))) < 0)
			return 1;
		close(fd);
	}
	return 0;
}

static int
wait_for_end(void)
{
	char byte;

	if (write(1, "waits\n", 6) < 0)
		return 1;
	return read(0, &byte, 1) != 0;
}

int
main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "facts";

	if (strcmp(what, "exit") == 0)
		return argc > 2 ? atoi(argv[2]) : 0;
	if (strcmp(what, "open") == 0)
		return tell_paths(argv + 2);
	if (strcmp(what, "run") == 0 && argc > 2)
		return run_path(argv[2]);
	if (strcmp(what, "call") == 0 && argc > 2)
		return tell_calls(argv + 2);
	if (strcmp(what, "status") == 0)
		return tell_status();
	if (strcmp(what, "wait") == 0)
		return wait_for_end();
	if (strcmp(what, "datagram") == 0)
		return answer_datagram();
	if (strcmp(what, "serve") == 0)
		return serve(argc > 2 ? atoi(argv[2]) : 1);
	if (strcmp(what, "stubborn") == 0) {
		signal(SIGTERM, SIG_IGN);
		if (write(1, "deaf\n", 5) < 0)
			return 1;
		for (;;)
			pause();
	}
	tell_descriptors();
	tell_signals();
	tell_user();
	tell_rest(argc, argv);
	return 0;
}
