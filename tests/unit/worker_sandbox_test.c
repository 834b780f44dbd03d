/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sandbox: what programs find of it, what is refused, and each step made to
 * fail.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "unit/worker_desk.h"
#include "worker/sandbox.h"

#define BIT(number_) (UINT64_C(1) << (number_))

static const char *const tell_status[] = {"status", NULL};

/* "CapBnd" of what the probe told of itself. */
static uint64_t
set_of(const struct desk *desk, const char *name)
{
	const char *line = strstr(desk->said, name);

	assert_non_null(line);
	return strtoull(line + strlen(name) + 1, NULL, 16);
}

static uint64_t
own_bounds(void)
{
	uint64_t set = 0;

	for (unsigned i = 0; i < 64; i++)
		if (prctl(PR_CAPBSET_READ, i, 0, 0, 0) == 1)
			set |= BIT(i);
	return set;
}

/* --- capabilities ------------------------------------------------------------
 */

struct bounds {
	const char *words;
	uint64_t named; /* those, or with `but` all but those */
	bool but;
};

static const struct bounds bounds[] = {
    {"", 0, false},
    {"chown", BIT(CAP_CHOWN), false},
    {"CAP_KILL Cap_Setuid", BIT(CAP_KILL) | BIT(CAP_SETUID), false},
    {"~sys_admin", BIT(CAP_SYS_ADMIN), true},
    {"~sys_admin ~CAP_BPF", BIT(CAP_SYS_ADMIN) | BIT(CAP_BPF), true},
    {"~sys_admin ~kill sys_admin", BIT(CAP_KILL), true},
    {"kill chown ~kill", BIT(CAP_CHOWN), false},
};

static void
test_bounding_set(void **state)
{
	struct desk *desk = *state;
	uint64_t own = own_bounds();

	for (size_t i = 0; i < BASE_COUNT(bounds); i++) {
		uint64_t want = bounds[i].but ? own & ~bounds[i].named
					      : own & bounds[i].named;

		desk_give(desk, &desk->settings.capability_bounding_set,
		    bounds[i].words);
		if (geteuid() != 0) {
			assert_int_equal(desk_make(desk, tell_status), -EPERM);
			continue;
		}
		assert_int_equal(desk_make(desk, tell_status), 0);
		assert_int_equal(desk_run(desk), 0);
		if (set_of(desk, "CapBnd:") != want ||
		    set_of(desk, "CapPrm:") != want)
			fail_msg("'%s': %s", bounds[i].words, desk->said);
	}
}

static void
test_ambient(void **state)
{
	static const char *const names[] = {
	    "CapInh:", "CapPrm:", "CapEff:", "CapAmb:"};
	struct desk *desk = *state;

	desk_give(desk, &desk->settings.ambient_capabilities,
	    "net_bind_service kill");
	desk_give(desk, &desk->settings.capability_bounding_set,
	    "net_bind_service kill chown");
	desk->settings.user = geteuid() == 0 ? "65533" : NULL;
	if (geteuid() != 0) {
		assert_int_equal(desk_make(desk, tell_status), -EPERM);
		return;
	}
	assert_int_equal(desk_make(desk, tell_status), 0);
	assert_null(desk->template->not_applied);
	assert_int_equal(desk_run(desk), 0);
	for (size_t i = 0; i < BASE_COUNT(names); i++)
		if (set_of(desk, names[i]) !=
		    (BIT(CAP_NET_BIND_SERVICE) | BIT(CAP_KILL)))
			fail_msg("%s", desk->said);
	/* Not what the host keeps, and not for root only. */
	desk->settings.user = NULL;
	assert_int_equal(desk_make(desk, tell_status), 0);
	assert_int_equal(desk_run(desk), 0);
	assert_int_equal(set_of(desk, "CapBnd:"), set_of(desk, "CapPrm:"));
}

static void
test_ambient_beyond_the_bounds(void **state)
{
	struct desk *desk = *state;

	if (geteuid() != 0)
		return; /* it can bound nothing */
	desk_give(desk, &desk->settings.ambient_capabilities, "kill");
	desk_give(desk, &desk->settings.capability_bounding_set, "~kill");
	assert_int_equal(desk_make(desk, tell_status), -EINVAL);
	assert_int_equal(errors_count(desk->errors), 1);
	/* All that are left is no mistake. */
	desk_give(desk, &desk->settings.ambient_capabilities, "~chown");
	assert_int_equal(desk_make(desk, tell_status), 0);
	assert_int_equal(
	    desk->template->sandbox->ambient & (BIT(CAP_KILL) | BIT(CAP_CHOWN)),
	    0);
}

/* The effective set of this process without the bits, or as it was. */
static void
lack(uint64_t bits, bool again)
{
	struct __user_cap_header_struct header = {
	    .version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3];

	assert_int_equal(syscall(SYS_capget, &header, sets), 0);
	for (unsigned i = 0; i < BASE_COUNT(sets); i++) {
		uint32_t word = (uint32_t)(bits >> (32 * i));

		sets[i].effective &= ~word;
		if (again)
			sets[i].effective |= word & sets[i].permitted;
	}
	assert_int_equal(syscall(SYS_capset, &header, sets), 0);
}

static void
test_what_the_host_lacks(void **state)
{
	struct desk *desk = *state;
	uint64_t bits = BIT(CAP_SETPCAP) | BIT(CAP_KILL);

	desk_give(desk, &desk->settings.ambient_capabilities, "kill chown");
	desk_give(desk, &desk->settings.capability_bounding_set, "kill chown");
	lack(bits, false);
	assert_int_equal(desk_make(desk, tell_status), -EPERM);
	desk->settings.sandbox_strict = false;
	assert_int_equal(desk_make(desk, tell_status), 0);
	lack(bits, true);
	assert_int_equal(errors_count(desk->errors), 1);
	assert_non_null(strstr(
	    desk->template->not_applied, "capability_bounding_set (only"));
	assert_non_null(strstr(desk->template->not_applied,
	    ", ambient_capabilities (the host has no 'kill'"));
	assert_int_equal(desk_run(desk), 0);
}

static void
test_none_costs_nothing(void **state)
{
	struct desk *desk = *state;

	assert_int_equal(desk_make(desk, tell_status), 0);
	assert_null(desk->template->sandbox);
}

/* --- paths -------------------------------------------------------------------
 */

/* What the probe needs of the system. */
#define SYSTEM "/usr -/lib -/lib64"

struct yard {
	char folder[PATH_MAX];
	char read[PATH_MAX + 16], write[PATH_MAX + 16], other[PATH_MAX + 16];
};

static void
make_file(const struct yard *yard, const char *name, char *path, size_t room)
{
	int fd;

	assert_true(
	    snprintf(path, room, "%s/%s", yard->folder, name) < (int)room);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	close(fd);
}

static void
make_yard(struct yard *yard)
{
	char here[PATH_MAX - 32];

	assert_non_null(getcwd(here, sizeof(here)));
	snprintf(yard->folder, sizeof(yard->folder), "%s/sandbox-XXXXXX", here);
	assert_non_null(mkdtemp(yard->folder));
	make_file(yard, "read", yard->read, sizeof(yard->read));
	make_file(yard, "write", yard->write, sizeof(yard->write));
	make_file(yard, "other", yard->other, sizeof(yard->other));
}

static void
remove_yard(const struct yard *yard)
{
	unlink(yard->read);
	unlink(yard->write);
	unlink(yard->other);
	rmdir(yard->folder);
}

static void
give_path(struct desk *desk, struct word_list *list, const char *path)
{
	char words[2 * PATH_MAX];

	snprintf(words, sizeof(words), SYSTEM " %s", path);
	desk_give(desk, list, words);
}

#define assert_opens(desk_, path_, answers_)                                   \
	do {                                                                   \
		char line_[PATH_MAX + 64];                                     \
		snprintf(line_, sizeof(line_), "%s %s\n", path_, answers_);    \
		if (strstr((desk_)->said, line_) == NULL)                      \
			fail_msg("no %s in %s", line_, (desk_)->said);         \
	} while (0)

static void
test_paths(void **state)
{
	struct desk *desk = *state;
	struct yard yard;
	const char *words[] = {"open", yard.read, yard.write, yard.other, NULL};

	make_yard(&yard);
	give_path(desk, &desk->settings.read_only_paths, yard.read);
	desk_give(desk, &desk->settings.read_write_paths, yard.write);
	assert_int_equal(desk_make(desk, words), 0);
	assert_true(desk->template->sandbox->ruleset_fd >= 10);
	assert_int_equal(desk_run(desk), 0);
	template_release(desk->template);
	assert_int_equal(desk->template->sandbox->ruleset_fd, 0);
	assert_opens(desk, yard.read, "0 13");
	assert_opens(desk, yard.write, "0 0");
	assert_opens(desk, yard.other, "13 13");
	/* A folder is all that is below it. */
	give_path(desk, &desk->settings.read_only_paths, yard.folder);
	assert_int_equal(desk_make(desk, words), 0);
	assert_int_equal(desk_run(desk), 0);
	template_release(desk->template);
	remove_yard(&yard);
	assert_opens(desk, yard.read, "0 13");
	assert_opens(desk, yard.write, "0 0");
	assert_opens(desk, yard.other, "0 13");
}

static void
test_paths_of_programs(void **state)
{
	static const char *const words[] = {"run", "/usr/bin/true", NULL};
	struct desk *desk = *state;

	desk_give(desk, &desk->settings.read_only_paths, SYSTEM);
	assert_int_equal(desk_make(desk, words), 0);
	assert_int_equal(desk_run(desk), 0);
	template_release(desk->template);
	assert_string_equal(desk->said, "");
	/* Only what is needed to start the probe can be run. */
	desk_give(desk, &desk->settings.exec_paths, "-/usr/lib -/lib -/lib64");
	assert_int_equal(desk_make(desk, words), 0);
	assert_int_equal(desk_run(desk), 0);
	template_release(desk->template);
	assert_string_equal(desk->said, "13\n");
}

static void
test_paths_that_are_not_there(void **state)
{
	struct desk *desk = *state;

	desk_give(
	    desk, &desk->settings.read_only_paths, SYSTEM " -/nonexistent");
	assert_int_equal(desk_make(desk, tell_status), 0);
	template_release(desk->template);
	desk_give(
	    desk, &desk->settings.read_only_paths, SYSTEM " /nonexistent");
	assert_int_equal(desk_make(desk, tell_status), -EINVAL);
	assert_int_equal(errors_count(desk->errors), 1);
}

/* --- each step fails ---------------------------------------------------------
 */

struct failure {
	const char *name;
	enum spawn_step step;
	int error;
	void (*spoil)(struct spawn_sandbox *sandbox);
};

static void
spoil_bounds(struct spawn_sandbox *sandbox)
{
	sandbox->dropped = BIT(63);
}

static void
spoil_ambient(struct spawn_sandbox *sandbox)
{
	sandbox->ambient = BIT(62);
}

static void
spoil_paths(struct spawn_sandbox *sandbox)
{
	sandbox->ruleset_fd = 1000000;
}

static const struct failure failures[] = {
    {"paths", SPAWN_PATHS, EBADF, spoil_paths},
    {"bounding set", SPAWN_BOUND, EINVAL, spoil_bounds},
    {"ambient set", SPAWN_AMBIENT, EINVAL, spoil_ambient},
};

static void
test_each_step_fails(void **state)
{
	struct desk *desk = *state;
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (geteuid() != 0)
		goto done; /* the steps before would fail */
	for (size_t i = 0; i < BASE_COUNT(failures); i++) {
		struct spawn_sandbox sandbox = {0};
		enum spawn_step step = SPAWN_CLONE;
		struct spawn start = {.fds = {null, null, null}};

		assert_int_equal(desk_make(desk, tell_status), 0);
		failures[i].spoil(&sandbox);
		desk->template->sandbox = &sandbox;
		desk->template->no_new_privs = true;
		start.template = desk->template;
		start.listen_fd = -1;
		if (spawn(&start, &step) != -failures[i].error ||
		    step != failures[i].step)
			fail_msg("%s: step %d (%s)", failures[i].name,
			    (int)step, spawn_step_text(step));
	}
done:
	close(null);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		test_bounding_set, desk_setup, desk_teardown),
	    cmocka_unit_test_setup_teardown(
		test_ambient, desk_setup, desk_teardown),
	    cmocka_unit_test_setup_teardown(
		test_ambient_beyond_the_bounds, desk_setup, desk_teardown),
	    cmocka_unit_test_setup_teardown(
		test_what_the_host_lacks, desk_setup, desk_teardown),
	    cmocka_unit_test_setup_teardown(
		test_none_costs_nothing, desk_setup, desk_teardown),
	    cmocka_unit_test_setup_teardown(
		test_paths, desk_setup, desk_teardown),
	    cmocka_unit_test_setup_teardown(
		test_paths_of_programs, desk_setup, desk_teardown),
	    cmocka_unit_test_setup_teardown(
		test_paths_that_are_not_there, desk_setup, desk_teardown),
	    cmocka_unit_test_setup_teardown(
		test_each_step_fails, desk_setup, desk_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
