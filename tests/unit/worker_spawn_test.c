/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * spawn: what a program finds, and each step made to fail.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit/worker_desk.h"

static void
make(struct desk *desk, const char *path)
{
	static const char *const words[] = {"facts", "two words", NULL};

	assert_int_equal(desk_make_of(desk, path, words), 0);
}

static void
run(struct desk *desk)
{
	make(desk, desk->probe);
	assert_int_equal(desk_run(desk), 0);
}

static bool
said(const struct desk *desk, const char *line)
{
	const char *found = desk->said;
	size_t size = strlen(line);

	while ((found = strstr(found, line)) != NULL) {
		if ((found == desk->said || found[-1] == '\n') &&
		    found[size] == '\n')
			return true;
		found += size;
	}
	return false;
}

#define assert_said(desk_, line_)                                              \
	do {                                                                   \
		if (!said(desk_, line_))                                       \
			fail_msg("no '%s' in:\n%s", line_, (desk_)->said);     \
	} while (0)

static void
test_what_it_finds(void **state)
{
	struct desk *desk = *state;
	struct sigaction ignore = {.sa_handler = SIG_IGN}, before;
	int leak = open("/dev/null", O_RDWR); /* not CLOEXEC, as a plugin may */
	mode_t mask = umask(0777);
	sigset_t block, blocked;

	sigfillset(&block);
	sigprocmask(SIG_BLOCK, &block, &blocked);
	sigaction(SIGPIPE, &ignore, &before);
	setenv("BERTH_TEST_SECRET", "it", 1);
	setenv("BERTH_TEST_PASSED", "this", 1);
	desk->settings.passenv.word = (const char *[]){"BERTH_TEST_PASSED"};
	desk->settings.passenv.count = 1;
	desk->settings.env.word = (const char *[]){"OWN=a b", "LANG=xx"};
	desk->settings.env.count = 2;
	run(desk);
	sigaction(SIGPIPE, &before, NULL);
	sigprocmask(SIG_SETMASK, &blocked, NULL);
	umask(mask);
	close(leak);
	assert_said(desk, "fds=0 1 2 ");
	assert_said(desk, "signals=");
	assert_said(desk, "umask=0022");
	assert_said(desk, "cwd=/");
	assert_said(desk, "leader=1");
	assert_said(desk, "arg0=probe");
	assert_said(desk, "arg1=facts");
	assert_said(desk, "arg2=two words");
	assert_said(desk, "env BERTH_TEST_PASSED=this");
	assert_said(desk, "env OWN=a b");
	assert_said(desk, "env LANG=xx");
	assert_null(strstr(desk->said, "SECRET"));
	assert_null(strstr(desk->said, "top_builddir"));
	assert_said(desk, "end");
}

static void
test_its_settings(void **state)
{
	struct desk *desk = *state;
	char nice[32];

	desk->settings.umask = 0077;
	desk->settings.cwd = "/usr";
	desk->settings.argv0 = "other";
	snprintf(nice, sizeof(nice), "nice=%d",
	    getpriority(PRIO_PROCESS, 0) > 16
		? 19
		: getpriority(PRIO_PROCESS, 0) + 3);
	desk->settings.nice = 3;
	desk->settings.rlimit_files = 77;
	desk->settings.rlimit_core = 4096;
	run(desk);
	assert_said(desk, "umask=0077");
	assert_said(desk, "cwd=/usr");
	assert_said(desk, "arg0=other");
	assert_said(desk, nice);
	assert_said(desk, "files=77 77");
	assert_said(desk, "core=4096");
}

/* Only root can; others are told so before anything starts. */
static void
test_its_user(void **state)
{
	struct desk *desk = *state;
	const gid_t groups[] = {0, 1, 2, 3};
	gid_t before[64];
	int count = getgroups(64, before);

	if (geteuid() != 0) {
		static const char *const words[] = {NULL};

		desk->settings.user = "0";
		assert_int_equal(desk_make(desk, words), -EPERM);
		assert_int_equal(errors_count(desk->errors), 1);
		return;
	}
	assert_int_equal(setgroups(4, groups), 0);
	desk->settings.user = "65533";
	desk->settings.group = "65532";
	run(desk);
	assert_int_equal(setgroups((size_t)count, before), 0);
	assert_said(desk, "uid=65533 65533");
	assert_said(desk, "gid=65532 65532");
	assert_said(desk, "groups=65532 ");
	assert_said(desk, "regains=0");
	assert_said(desk, "no_new_privs=1");
}

static void
test_the_hosts_own_groups(void **state)
{
	struct desk *desk = *state;
	const gid_t groups[] = {0, 1, 2, 3};
	gid_t before[64];
	int count = getgroups(64, before);
	char line[64];

	if (geteuid() != 0)
		return; /* it has no right to lose them */
	assert_int_equal(setgroups(4, groups), 0);
	run(desk);
	assert_int_equal(setgroups((size_t)count, before), 0);
	snprintf(line, sizeof(line), "groups=%d ", (int)getegid());
	assert_said(desk, line);
}

struct failure {
	const char *name;
	enum spawn_step step;
	int error;
	void (*spoil)(struct spawn *start, struct spawn_template *template);
};

static struct spawn_limit too_much = {
    RLIMIT_NOFILE,
    {RLIM_INFINITY, RLIM_INFINITY},
};

static void
spoil_fd(struct spawn *start, struct spawn_template *template)
{
	(void)template;
	start->fds[1] = 1000000;
}

static void
spoil_limit(struct spawn *start, struct spawn_template *template)
{
	(void)start;
	template->limits = &too_much;
	template->limit_count = 1;
}

static void
spoil_chroot(struct spawn *start, struct spawn_template *template)
{
	(void)start;
	template->chroot = "/nonexistent";
}

static void
spoil_groups(struct spawn *start, struct spawn_template *template)
{
	(void)start;
	template->switch_user = true;
	template->group_count = 1u << 20;
}

static void
spoil_gid(struct spawn *start, struct spawn_template *template)
{
	static gid_t group = 1;

	(void)start;
	template->switch_user = true;
	template->groups = &group;
	template->group_count = 1;
	template->gid = (gid_t)-1;
	template->uid = (uid_t)-1;
}

static void
spoil_cwd(struct spawn *start, struct spawn_template *template)
{
	(void)start;
	template->cwd = "/nonexistent";
}

static void
spoil_path(struct spawn *start, struct spawn_template *template)
{
	(void)start;
	template->path = "/nonexistent/program";
}

static void
spoil_mode(struct spawn *start, struct spawn_template *template)
{
	(void)start;
	template->path = "/etc/passwd";
}

/* -1 leaves a user as it is: that it is not the one wanted is seen. */
static const struct failure failures[] = {
    {"descriptor", SPAWN_DESCRIPTORS, EBADF, spoil_fd},
    {"limit", SPAWN_LIMITS, EPERM, spoil_limit},
    {"chroot", SPAWN_CHROOT, ENOENT, spoil_chroot},
    {"groups", SPAWN_GROUPS, EINVAL, spoil_groups},
    {"not the user wanted", SPAWN_REGAINED, EPERM, spoil_gid},
    {"folder", SPAWN_CWD, ENOENT, spoil_cwd},
    {"no such file", SPAWN_EXEC, ENOENT, spoil_path},
    {"no right to run", SPAWN_EXEC, EACCES, spoil_mode},
};

static void
try_failure(struct desk *desk, const struct failure *failure)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	struct spawn start = {.fds = {null, null, null}, .listen_fd = -1};
	enum spawn_step step = SPAWN_CLONE;

	make(desk, desk->probe);
	start.template = desk->template;
	failure->spoil(&start, desk->template);
	if (spawn(&start, &step) != -failure->error || step != failure->step)
		fail_msg("%s: step %d (%s)", failure->name, (int)step,
		    spawn_step_text(step));
	close(null);
	/* The child was reaped. */
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

/* A host that has a terminal keeps it to itself. */
static void
test_terminal(void **state)
{
	struct desk *desk = *state;
	struct spawn_host host = {.terminal = true, .until_ns = UINT64_MAX};

	make(desk, desk->probe);
	assert_int_equal(desk_run_after(desk, &host), 0);
	assert_said(desk, "leader=1");
	assert_said(desk, "session=1");
	host.terminal = false;
	assert_int_equal(desk_run_after(desk, &host), 0);
	assert_said(desk, "leader=1");
	assert_said(desk, "session=0");
}

/* The door is shut again, and what went through is no longer held. */
static void
test_door(void **state)
{
	struct desk *desk = *state;
	struct spawn_host host = {
	    .program_fd = open(desk->probe, O_PATH | O_CLOEXEC),
	    .door_fd = open("/dev/null", O_RDONLY | O_CLOEXEC),
	};
	struct stat program, door;

	make(desk, desk->probe);
	desk->one_stream = true;
	assert_int_equal(desk_run_after(desk, &host), 0);
	assert_said(desk, "fds=0 1 2 ");
	assert_said(desk, "end");
	assert_int_equal(fstat(host.program_fd, &program), 0);
	assert_int_equal(fstat(host.door_fd, &door), 0);
	assert_int_equal(program.st_ino, door.st_ino);
	assert_int_equal(fcntl(host.door_fd, F_GETFD), FD_CLOEXEC);
	close(host.program_fd);
	close(host.door_fd);
}

/* What is remembered of the host's signals is not remembered for ever. */
static void
test_signals_are_defaults_again(void **state)
{
	struct desk *desk = *state;
	struct sigaction ignore = {.sa_handler = SIG_IGN}, before;
	struct spawn_host host = {0};

	make(desk, desk->probe);
	sigaction(SIGUSR2, &ignore, &before);
	assert_int_equal(desk_run_after(desk, &host), 0);
	assert_said(desk, "signals=");
	assert_true(host.signals & UINT64_C(1) << (SIGUSR2 - 1));
	assert_int_equal(desk_run_after(desk, &host), 0);
	assert_said(desk, "signals=");
	sigaction(SIGUSR2, &before, NULL);
	host.until_ns = 0;
	sigaction(SIGUSR1, &ignore, &before);
	assert_int_equal(desk_run_after(desk, &host), 0);
	sigaction(SIGUSR1, &before, NULL);
	assert_said(desk, "signals=");
	assert_false(host.signals & UINT64_C(1) << (SIGUSR2 - 1));
}

static void
test_each_step_fails(void **state)
{
	bool root = geteuid() == 0;

	for (size_t i = 0; i < BASE_COUNT(failures); i++)
		/* Another user is refused before the step is tried. */
		if (root || failures[i].error != EINVAL)
			if (root || (failures[i].step != SPAWN_CHROOT &&
					failures[i].step != SPAWN_REGAINED))
				try_failure(*state, &failures[i]);
}

static void
test_the_mask_is_as_before(void **state)
{
	struct desk *desk = *state;
	sigset_t set, after;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	sigprocmask(SIG_SETMASK, &set, NULL);
	run(desk);
	sigprocmask(SIG_SETMASK, NULL, &after);
	assert_int_equal(sigismember(&after, SIGUSR2), 1);
	assert_int_equal(sigismember(&after, SIGTERM), 0);
	assert_int_equal(sigismember(&after, SIGCHLD), 0);
	sigemptyset(&set);
	sigprocmask(SIG_SETMASK, &set, NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		test_what_it_finds, desk_setup, desk_teardown),
	    cmocka_unit_test_setup_teardown(
		test_its_settings, desk_setup, desk_teardown),
	    cmocka_unit_test_setup_teardown(
		test_its_user, desk_setup, desk_teardown),
	    cmocka_unit_test_setup_teardown(
		test_terminal, desk_setup, desk_teardown),
	    cmocka_unit_test_setup_teardown(
		test_door, desk_setup, desk_teardown),
	    cmocka_unit_test_setup_teardown(
		test_the_hosts_own_groups, desk_setup, desk_teardown),
	    cmocka_unit_test_setup_teardown(
		test_signals_are_defaults_again, desk_setup, desk_teardown),
	    cmocka_unit_test_setup_teardown(
		test_each_step_fails, desk_setup, desk_teardown),
	    cmocka_unit_test_setup_teardown(
		test_the_mask_is_as_before, desk_setup, desk_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
