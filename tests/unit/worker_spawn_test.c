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

#include "unit/unit.h"
#include "worker/worker.h"

struct desk {
	struct arena *arena;
	struct errors *errors;
	struct settings settings;
	char probe[512];
	char said[16384];
};

static int
setup(void **state)
{
	struct desk *desk = calloc(1, sizeof(*desk));
	const char *build = getenv("top_builddir");

	assert_non_null(desk);
	desk->arena = arena_new();
	desk->errors = errors_new(0);
	settings_init(&desk->settings);
	snprintf(desk->probe, sizeof(desk->probe), "%s/tests/programs/probe",
	    build != NULL ? build : ".");
	*state = desk;
	return 0;
}

static int
teardown(void **state)
{
	struct desk *desk = *state;

	errors_free(desk->errors);
	arena_free(desk->arena);
	free(desk);
	return 0;
}

static struct spawn_template *
make(struct desk *desk, const char *path)
{
	static char service[] = "service", facts[] = "facts";
	static char two[] = "two words";
	static char *words[] = {service, facts, two, NULL};
	const struct spawn_request request = {
	    .name = "service",
	    .path = path,
	    .argc = 3,
	    .argv = words,
	    .settings = &desk->settings,
	};
	struct spawn_template *template = NULL;

	assert_int_equal(
	    template_new(desk->arena, &request, NULL, desk->errors, &template),
	    0);
	template->envp[template->env_count] = NULL;
	return template;
}

static void
read_all(struct desk *desk, int fd)
{
	size_t size = 0;
	ssize_t got;

	while ((got = read(
		    fd, desk->said + size, sizeof(desk->said) - 1 - size)) > 0)
		size += (size_t)got;
	desk->said[size] = '\0';
}

/* Runs it to its end; what it said is in the desk. */
static void
run_after(struct desk *desk, const struct spawn_template *template,
    struct spawn_host *host)
{
	struct spawn start = {
	    .template = template, .listen_fd = -1, .host = host};
	enum spawn_step step;
	int fds[2], null, status;
	pid_t pid;

	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	assert_true(null >= 3);
	start.fds[0] = null;
	start.fds[1] = fds[1];
	start.fds[2] = fds[1];
	pid = spawn(&start, &step);
	assert_true(pid > 0);
	close(fds[1]);
	close(null);
	read_all(desk, fds[0]);
	close(fds[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void
run(struct desk *desk, const struct spawn_template *template)
{
	run_after(desk, template, NULL);
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
	run(desk, make(desk, desk->probe));
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
	run(desk, make(desk, desk->probe));
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
		static char name[] = "service";
		static char *words[] = {name, NULL};
		const struct spawn_request request = {
		    "service", desk->probe, 1, words, &desk->settings};
		struct spawn_template *template;

		desk->settings.user = "0";
		assert_int_equal(template_new(desk->arena, &request, NULL,
				     desk->errors, &template),
		    -EPERM);
		assert_int_equal(errors_count(desk->errors), 1);
		return;
	}
	assert_int_equal(setgroups(4, groups), 0);
	desk->settings.user = "65533";
	desk->settings.group = "65532";
	run(desk, make(desk, desk->probe));
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
	run(desk, make(desk, desk->probe));
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
	struct spawn_template *template = make(desk, desk->probe);
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	struct spawn start = {
	    .template = template, .fds = {null, null, null}, .listen_fd = -1};
	enum spawn_step step = SPAWN_CLONE;

	failure->spoil(&start, template);
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
	const struct spawn_template *template = make(desk, desk->probe);
	struct spawn_host host = {.terminal = true, .until_ns = UINT64_MAX};

	run_after(desk, template, &host);
	assert_said(desk, "leader=1");
	assert_said(desk, "session=1");
	host.terminal = false;
	run_after(desk, template, &host);
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
	struct spawn start = {.template = make(desk, desk->probe),
	    .listen_fd = -1,
	    .host = &host};
	struct stat program, door;
	enum spawn_step step;
	int fds[2], status;
	pid_t pid;

	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	assert_true(host.door_fd < fds[1]);
	for (int i = 0; i < 3; i++)
		start.fds[i] = fds[1];
	pid = spawn(&start, &step);
	assert_true(pid > 0);
	close(fds[1]);
	read_all(desk, fds[0]);
	close(fds[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
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
	const struct spawn_template *template = make(desk, desk->probe);
	struct sigaction ignore = {.sa_handler = SIG_IGN}, before;
	struct spawn_host host = {0};

	sigaction(SIGUSR2, &ignore, &before);
	run_after(desk, template, &host);
	assert_said(desk, "signals=");
	assert_true(host.signals & UINT64_C(1) << (SIGUSR2 - 1));
	run_after(desk, template, &host);
	assert_said(desk, "signals=");
	sigaction(SIGUSR2, &before, NULL);
	host.until_ns = 0;
	sigaction(SIGUSR1, &ignore, &before);
	run_after(desk, template, &host);
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
	run(desk, make(desk, desk->probe));
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
		test_what_it_finds, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_its_settings, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_its_user, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		test_the_hosts_own_groups, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		test_signals_are_defaults_again, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_terminal, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_door, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		test_each_step_fails, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		test_the_mask_is_as_before, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
