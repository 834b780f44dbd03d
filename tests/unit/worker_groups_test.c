/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * groups: where they are found, what is written to them, who shares them and
 * what is left; on folders that stand for the kernel's file systems.  Where the
 * kernel would make files in a new group, and remove them with it, the calls
 * behind are wrapped (mkdirat, unlinkat).
 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit/worker_desk.h"
#include "worker/groups.h"

#define PATH_BYTES 600

struct yard {
	struct desk *desk;
	char folder[256];
	char membership[300], mounts[300];
	struct groups_sources sources;
	struct groups *groups;
};

static void
write_text(const char *path, const char *text)
{
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

/* Of a file in the yard; what was written over more is cut off there. */
static void
assert_file(const struct yard *yard, const char *name, const char *want)
{
	char path[PATH_BYTES], text[256];
	FILE *file;
	size_t size;

	snprintf(path, sizeof(path), "%s/%s", yard->folder, name);
	file = fopen(path, "re");
	if (file == NULL)
		fail_msg("no file %s", path);
	size = fread(text, 1, sizeof(text) - 1, file);
	fclose(file);
	text[size] = '\0';
	if (strcmp(text, want) != 0)
		fail_msg("%s: '%s', not '%s'", name, text, want);
}

static bool
is_there(const struct yard *yard, const char *name)
{
	char path[PATH_BYTES];

	snprintf(path, sizeof(path), "%s/%s", yard->folder, name);
	return access(path, F_OK) == 0;
}

/* --- the kernel's part -----------------------------------------------------
 */

static const char *const files[] = {"cgroup.procs", "memory.max", "pids.max",
    "cpu.max", "memory.events", "memory.limit_in_bytes", "cpu.cfs_quota_us",
    "memory.oom_control", NULL};

int __real_mkdirat(int folder, const char *name, mode_t mode);
int __wrap_mkdirat(int folder, const char *name, mode_t mode);
int __real_unlinkat(int folder, const char *name, int flags);
int __wrap_unlinkat(int folder, const char *name, int flags);

int
__wrap_mkdirat(int folder, const char *name, mode_t mode)
{
	int result = __real_mkdirat(folder, name, mode);
	char path[PATH_BYTES];

	for (size_t i = 0; result == 0 && files[i] != NULL; i++) {
		int fd;

		snprintf(path, sizeof(path), "%s/%s", name, files[i]);
		fd = openat(folder, path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
		assert_true(fd >= 0);
		close(fd);
	}
	return result;
}

int
__wrap_unlinkat(int folder, const char *name, int flags)
{
	char path[PATH_BYTES];

	for (size_t i = 0; flags == AT_REMOVEDIR && files[i] != NULL; i++) {
		snprintf(path, sizeof(path), "%s/%s", name, files[i]);
		__real_unlinkat(folder, path, 0);
	}
	return __real_unlinkat(folder, name, flags);
}

/* --- a yard ------------------------------------------------------------------
 */

static int
setup(void **state)
{
	struct yard *yard = calloc(1, sizeof(*yard));
	const char *build = getenv("top_builddir");
	void *desk;

	assert_non_null(yard);
	desk_setup(&desk);
	yard->desk = desk;
	snprintf(yard->folder, sizeof(yard->folder), "%.200s/groups-XXXXXX",
	    build != NULL ? build : "/tmp");
	assert_non_null(mkdtemp(yard->folder));
	snprintf(yard->membership, sizeof(yard->membership), "%s/membership",
	    yard->folder);
	snprintf(yard->mounts, sizeof(yard->mounts), "%s/mounts", yard->folder);
	yard->sources = (struct groups_sources){yard->membership, yard->mounts};
	assert_int_equal(groups_new(&yard->sources, &yard->groups), 0);
	yard->desk->groups = yard->groups;
	*state = yard;
	return 0;
}

static int
remove_one(
    const char *path, const struct stat *status, int kind, struct FTW *place)
{
	(void)status;
	(void)kind;
	(void)place;
	return remove(path);
}

static int
teardown(void **state)
{
	struct yard *yard = *state;
	void *desk = yard->desk;

	groups_free(yard->groups);
	nftw(yard->folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	desk_teardown(&desk);
	free(yard);
	return 0;
}

/* It stands for the host's own group of the second version. */
static void
make_v2(const struct yard *yard, const char *controllers, const char *enabled)
{
	char text[PATH_BYTES];

	snprintf(text, sizeof(text), "1 1 0:1 / %s rw - cgroup2 none rw\n",
	    yard->folder);
	write_text(yard->mounts, text);
	write_text(yard->membership, "0::/\n");
	snprintf(text, sizeof(text), "%s/cgroup.controllers", yard->folder);
	write_text(text, controllers);
	snprintf(text, sizeof(text), "%s/cgroup.subtree_control", yard->folder);
	write_text(text, enabled);
}

/* Of the first, with a hierarchy for each. */
static void
make_v1(const struct yard *yard)
{
	static const char *const names[] = {"memory", "pids", "cpu"};
	char text[3 * PATH_BYTES] = "", path[PATH_BYTES];

	for (size_t i = 0; i < BASE_COUNT(names); i++) {
		size_t size = strlen(text);

		snprintf(path, sizeof(path), "%s/%s", yard->folder, names[i]);
		assert_int_equal(mkdir(path, 0755), 0);
		snprintf(text + size, sizeof(text) - size,
		    "%zu 1 0:1 / %s rw - cgroup none rw,%s\n", i, path,
		    names[i]);
	}
	write_text(yard->mounts, text);
	write_text(yard->membership, "3:memory:/\n2:pids:/\n1:cpu:/\n");
}

static int
make(struct yard *yard, const char *memory, const char *tasks, const char *cpu)
{
	static const char *const words[] = {"status", NULL};

	yard->desk->settings.memory_max = memory;
	yard->desk->settings.tasks_max = tasks;
	yard->desk->settings.cpu_quota = cpu;
	return desk_make(yard->desk, words);
}

/* --- where they are --------------------------------------------------------
 */

struct found {
	const char *name;
	const char *membership, *mounts;
	const char *memory; /* its folder; NULL: none */
	bool v2;
};

#define V1_MOUNTS                                                              \
	"30 1 0:5 / / rw - ext4 /dev/a rw\n"                                   \
	"33 31 0:30 / /cg/cpu rw,relatime - cgroup cgroup rw,cpu,cpuacct\n"    \
	"35 31 0:32 / /cg/memory rw - cgroup cgroup rw,memory\n"
#define V2_MOUNT "41 31 0:38 / /cg rw,relatime shared:4 - cgroup2 cgroup2 rw\n"
#define PART_MOUNT "35 31 0:32 /docker/1 /m rw - cgroup cgroup rw,memory\n"

static const struct found found[] = {
    {"first version", "4:memory:/a/b\n1:cpu,cpuacct:/\n", V1_MOUNTS,
	"/cg/memory/a/b", false},
    {"its root", "4:memory:/\n", V1_MOUNTS, "/cg/memory", false},
    {"second version", "0::/a/b\n", V2_MOUNT, "/cg/a/b", true},
    {"its root", "0::/\n", V2_MOUNT, "/cg", true},
    {"where a host has moved", "0::/a/" GROUP_OWN_NAME "\n", V2_MOUNT, "/cg/a",
	true},
    {"both", "4:memory:/a\n0::/b\n", V1_MOUNTS V2_MOUNT, "/cg/memory/a", false},
    {"both, the other order", "0::/b\n4:memory:/a\n", V1_MOUNTS V2_MOUNT,
	"/cg/memory/a", false},
    {"both, another controller", "1:cpu,cpuacct:/a\n0::/b\n",
	V1_MOUNTS V2_MOUNT, "/cg/b", true},
    {"a part", "4:memory:/docker/1/a\n", PART_MOUNT, "/m/a", false},
    {"a part that does not know it", "4:memory:/a\n", PART_MOUNT, "/m/a",
	false},
    {"not mounted", "4:memory:/a\n", V2_MOUNT, NULL, false},
    {"of none", "4:pids:/a\n", V1_MOUNTS, NULL, false},
    {"no like name", "4:memory2:/a\n3:xmemory:/b\n", V1_MOUNTS, NULL, false},
    {"nothing", "", "", NULL, false},
    {"nonsense", "x\n\n::\n0\n", "x\n - \n - cgroup\n1 2 - cgroup2 a b\n", NULL,
	false},
};

static void
test_where_they_are(void **state)
{
	struct yard *yard = *state;

	for (size_t i = 0; i < BASE_COUNT(found); i++) {
		struct group_place place = {.folder = NULL};
		int result;

		write_text(yard->membership, found[i].membership);
		write_text(yard->mounts, found[i].mounts);
		result = group_place_find(&yard->sources, "memory", &place);
		if (found[i].memory == NULL && result == -ENOENT)
			continue;
		if (found[i].memory == NULL || result != 0 ||
		    strcmp(place.folder, found[i].memory) != 0 ||
		    place.v2 != found[i].v2)
			fail_msg("%s: %d %s", found[i].name, result,
			    place.folder != NULL ? place.folder : "-");
		free(place.folder);
	}
}

/* --- what is written ---------------------------------------------------------
 */

static void
test_second_version(void **state)
{
	struct yard *yard = *state;

	make_v2(yard, "cpuset cpu io memory pids\n", "memory pids\n");
	assert_int_equal(make(yard, "64M", "7", "25.5%"), 0);
	assert_file(yard, "berth.service.0/memory.max", "67108864");
	assert_file(yard, "berth.service.0/pids.max", "7");
	assert_file(yard, "berth.service.0/cpu.max", "25500 100000");
	/* Only what was not there is asked for. */
	assert_file(yard, "cgroup.subtree_control", "+cpury pids\n");
	assert_int_equal(desk_run(yard->desk), 0);
	assert_file(yard, "berth.service.0/cgroup.procs", "0\n");
	template_release(yard->desk->template);
	assert_false(is_there(yard, "berth.service.0"));
}

static void
test_first_version(void **state)
{
	struct yard *yard = *state;

	make_v1(yard);
	assert_int_equal(make(yard, "1G", NULL, "200%"), 0);
	assert_file(
	    yard, "memory/berth.service.0/memory.limit_in_bytes", "1073741824");
	assert_file(yard, "cpu/berth.service.0/cpu.cfs_quota_us", "200000");
	assert_false(is_there(yard, "pids/berth.service.0"));
	assert_int_equal(desk_run(yard->desk), 0);
	assert_file(yard, "memory/berth.service.0/cgroup.procs", "0\n");
	assert_file(yard, "cpu/berth.service.0/cgroup.procs", "0\n");
	template_release(yard->desk->template);
	assert_false(is_there(yard, "memory/berth.service.0"));
	assert_false(is_there(yard, "cpu/berth.service.0"));
}

/* --- who has it --------------------------------------------------------------
 */

static void
test_the_same_limits_share(void **state)
{
	struct yard *yard = *state;
	struct spawn_template *one, *two;
	struct group *group;

	make_v2(yard, "memory pids cpu\n", "memory pids cpu\n");
	assert_int_equal(make(yard, "64M", NULL, NULL), 0);
	one = yard->desk->template;
	assert_int_equal(make(yard, "65536K", NULL, "infinity"), 0);
	two = yard->desk->template;
	assert_ptr_equal(template_group(one), template_group(two));
	/* Another limit is another group, and a process keeps its own. */
	assert_int_equal(make(yard, "32M", NULL, NULL), 0);
	assert_ptr_not_equal(
	    template_group(one), template_group(yard->desk->template));
	assert_true(is_there(yard, "berth.service.1"));
	group = group_ref(template_group(yard->desk->template));
	template_release(yard->desk->template);
	assert_true(is_there(yard, "berth.service.1"));
	group_unref(group);
	assert_false(is_there(yard, "berth.service.1"));
	template_release(one);
	assert_true(is_there(yard, "berth.service.0"));
	template_release(two);
	assert_false(is_there(yard, "berth.service.0"));
}

static void
test_no_limit_has_none(void **state)
{
	struct yard *yard = *state;

	assert_int_equal(make(yard, "infinity", NULL, NULL), 0);
	assert_null(yard->desk->template->sandbox);
	make_v2(yard, "memory\n", "memory\n");
	yard->desk->check = true;
	assert_int_equal(make(yard, "64M", NULL, NULL), 0);
	assert_null(template_group(yard->desk->template));
	assert_false(is_there(yard, "berth.service.0"));
}

/* Of hosts that were killed; of one that lives it is left alone. */
static void
test_leftovers(void **state)
{
	struct yard *yard = *state;
	char path[PATH_BYTES];
	int fd;

	make_v2(yard, "memory\n", "memory\n");
	for (unsigned i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "%s/berth.%s.0", yard->folder,
		    i == 0   ? "old"
		    : i == 1 ? "live"
			     : "service");
		assert_int_equal(mkdirat(AT_FDCWD, path, 0755), 0);
		if (i == 1)
			fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	assert_int_equal(flock(fd, LOCK_EX | LOCK_NB), 0);
	assert_int_equal(make(yard, "64M", NULL, NULL), 0);
	assert_false(is_there(yard, "berth.old.0"));
	assert_true(is_there(yard, "berth.live.0"));
	assert_true(is_there(yard, "berth.service.0"));
	assert_false(is_there(yard, "berth.service.1"));
	template_release(yard->desk->template);
	assert_false(is_there(yard, "berth.service.0"));
	assert_true(is_there(yard, "berth.live.0"));
	close(fd);
}

/* --- who was killed ----------------------------------------------------------
 */

static void
test_kills(void **state)
{
	struct yard *yard = *state;
	struct group *group;
	char path[PATH_BYTES];

	make_v2(yard, "memory\n", "memory\n");
	assert_int_equal(make(yard, "64M", NULL, NULL), 0);
	group = template_group(yard->desk->template);
	snprintf(path, sizeof(path), "%s/berth.service.0/memory.events",
	    yard->folder);
	write_text(path, "low 0\nmax 9\noom 2\noom_kill 0\n");
	assert_false(group_has_killed(group, CLD_KILLED, SIGKILL));
	write_text(path, "low 0\noom 2\noom_kill 2\noom_group_kill 0\n");
	assert_false(group_has_killed(group, CLD_KILLED, SIGTERM));
	assert_false(group_has_killed(group, CLD_EXITED, SIGKILL));
	assert_true(group_has_killed(group, CLD_KILLED, SIGKILL));
	assert_true(group_has_killed(group, CLD_KILLED, SIGKILL));
	assert_false(group_has_killed(group, CLD_KILLED, SIGKILL));
	assert_false(group_has_killed(NULL, CLD_KILLED, SIGKILL));
	template_release(yard->desk->template);
}

/* --- what cannot be had ------------------------------------------------------
 */

static void
expect_lack(struct yard *yard, int error, const char *text)
{
	struct errors *errors = errors_new(0);
	struct errors *before = yard->desk->errors;

	assert_non_null(errors);
	yard->desk->errors = errors;
	for (int check = 0; check < 2; check++) {
		yard->desk->check = check != 0;
		yard->desk->settings.sandbox_strict = true;
		assert_int_equal(make(yard, "64M", "7", NULL), error);
		assert_int_equal(errors_count(errors), check + 1);
		assert_non_null(strstr(errors_get(errors, 0)->text, text));
		yard->desk->settings.sandbox_strict = false;
		assert_int_equal(make(yard, "64M", "7", NULL), 0);
		assert_non_null(
		    strstr(yard->desk->template->not_applied, text));
		template_release(yard->desk->template);
	}
	yard->desk->errors = before;
	errors_free(errors);
}

static void
test_what_cannot_be_had(void **state)
{
	struct yard *yard = *state;

	write_text(yard->mounts, "");
	write_text(yard->membership, "0::/\n");
	expect_lack(yard, -ENOTSUP, "no control groups with 'memory'");
	/* One of the two is. */
	make_v2(yard, "memory\n", "memory\n");
	expect_lack(yard, -ENOTSUP, "no control groups with 'pids'");
	assert_false(is_there(yard, "berth.service.0"));
	yard->desk->groups = NULL;
	expect_lack(yard, -ENOTSUP, "no control groups with 'memory'");
}

#define TEST(function_)                                                        \
	cmocka_unit_test_setup_teardown(function_, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_where_they_are),
	    TEST(test_second_version),
	    TEST(test_first_version),
	    TEST(test_the_same_limits_share),
	    TEST(test_no_limit_has_none),
	    TEST(test_leftovers),
	    TEST(test_kills),
	    TEST(test_what_cannot_be_had),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
