/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * landlock: the paths that a program can open, by the Landlock of the kernel
 * (landlock(7)).
 *
 * With any of the words, what no word names cannot be opened at all.  The set
 * of rules is a descriptor, made here once; the child restricts itself by it.
 * Paths are looked up when the template is made, below the program's root, and
 * mean what lay there then.  The program's own file can always be run, and
 * /dev/null used, which nearly every program opens.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "worker/sandbox.h"

/* Above all numbers that a child gives to what a program gets. */
#define RULESET_FD_LEAST 10

/* Which the headers may be too old to name. */
#define MAY_REFER (UINT64_C(1) << 13)
#define MAY_TRUNCATE (UINT64_C(1) << 14)
#define VERSION_OF_REFER 2
#define VERSION_OF_TRUNCATE 3

#define MAY_RUN ((uint64_t)LANDLOCK_ACCESS_FS_EXECUTE)
#define MAY_READ                                                               \
	((uint64_t)(LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR))
#define MAY_WRITE                                                              \
	((uint64_t)(LANDLOCK_ACCESS_FS_WRITE_FILE |                            \
		    LANDLOCK_ACCESS_FS_REMOVE_DIR |                            \
		    LANDLOCK_ACCESS_FS_REMOVE_FILE |                           \
		    LANDLOCK_ACCESS_FS_MAKE_CHAR |                             \
		    LANDLOCK_ACCESS_FS_MAKE_DIR |                              \
		    LANDLOCK_ACCESS_FS_MAKE_REG |                              \
		    LANDLOCK_ACCESS_FS_MAKE_SOCK |                             \
		    LANDLOCK_ACCESS_FS_MAKE_FIFO |                             \
		    LANDLOCK_ACCESS_FS_MAKE_BLOCK |                            \
		    LANDLOCK_ACCESS_FS_MAKE_SYM) |                             \
	    MAY_REFER | MAY_TRUNCATE)
/* Of what is no folder. */
#define OF_FILES                                                               \
	((uint64_t)(LANDLOCK_ACCESS_FS_EXECUTE |                               \
		    LANDLOCK_ACCESS_FS_WRITE_FILE |                            \
		    LANDLOCK_ACCESS_FS_READ_FILE) |                            \
	    MAY_TRUNCATE)

struct ruleset {
	struct sandbox_maker *maker;
	int fd;
	int root; /* of the program; -1: the host's */
	uint64_t handled;
};

static int
open_path(const struct ruleset *set, const char *path)
{
	struct open_how how = {
	    .flags = O_PATH | O_CLOEXEC,
	    .resolve = RESOLVE_IN_ROOT,
	};
	int fd;

	if (set->root < 0)
		fd = open(path, O_PATH | O_CLOEXEC);
	else
		fd = (int)syscall(
		    SYS_openat2, set->root, path, &how, sizeof(how));
	return fd < 0 ? -errno : fd;
}

static int
allow(const struct ruleset *set, const char *path, uint64_t rights)
{
	struct landlock_path_beneath_attr rule = {0};
	struct stat status;
	int fd = open_path(set, path);
	int result = 0;

	if (fd < 0)
		return fd;
	if (fstat(fd, &status) < 0)
		result = -errno;
	rule.parent_fd = fd;
	rule.allowed_access = rights & set->handled;
	if (result == 0 && !S_ISDIR(status.st_mode))
		rule.allowed_access &= OF_FILES;
	if (result == 0 && rule.allowed_access != 0 &&
	    syscall(SYS_landlock_add_rule, set->fd, LANDLOCK_RULE_PATH_BENEATH,
		&rule, 0) < 0)
		result = -errno;
	close(fd);
	return result;
}

static int
allow_all(struct ruleset *set, const char *attribute,
    const struct word_list *words, uint64_t rights)
{
	for (unsigned i = 0; i < words->count; i++) {
		bool may_miss = words->word[i][0] == '-';
		const char *path = words->word[i] + (may_miss ? 1 : 0);
		int result = allow(set, path, rights);

		if (result == 0 || (result == -ENOENT && may_miss))
			continue;
		if (result == -ENOMEM)
			return result;
		return sandbox_mistake(
		    set->maker, attribute, "'%s': %s", path, strerror(-result));
	}
	return 0;
}

static int
allow_if_there(const struct ruleset *set, const char *path, uint64_t rights)
{
	int result = allow(set, path, rights);

	return result == -ENOENT ? 0 : result;
}

static int
fill(struct ruleset *set)
{
	const struct settings *settings = set->maker->request->settings;
	const char *path = set->maker->request->path;
	uint64_t run = settings->exec_paths.is_set ? 0 : MAY_RUN;
	int result;

	result = allow_all(
	    set, "read_only_paths", &settings->read_only_paths, MAY_READ | run);
	if (result == 0)
		result = allow_all(set, "read_write_paths",
		    &settings->read_write_paths, MAY_READ | MAY_WRITE | run);
	if (result == 0)
		result = allow_all(set, "exec_paths", &settings->exec_paths,
		    MAY_READ | MAY_RUN);
	if (result < 0)
		return result;
	/* A worker is this program; a file that is missing is told of by those
	 * who look at it. */
	result = allow_if_there(
	    set, path[0] == '/' ? path : "/proc/self/exe", MAY_READ | MAY_RUN);
	if (result == 0)
		result = allow_if_there(set, "/dev/null", MAY_READ | MAY_WRITE);
	return result;
}

/* As much as this kernel knows; 0: none of it. */
static uint64_t
known_rights(int version)
{
	uint64_t rights = MAY_RUN | MAY_READ | MAY_WRITE;

	if (version < VERSION_OF_REFER)
		rights &= ~MAY_REFER;
	if (version < VERSION_OF_TRUNCATE)
		rights &= ~MAY_TRUNCATE;
	return rights;
}

static int
make_ruleset(struct ruleset *set)
{
	struct landlock_ruleset_attr attributes = {
	    .handled_access_fs = set->handled,
	};
	int fd, high;

	fd = (int)syscall(
	    SYS_landlock_create_ruleset, &attributes, sizeof(attributes), 0);
	if (fd < 0)
		return -errno;
	high = fcntl(fd, F_DUPFD_CLOEXEC, RULESET_FD_LEAST);
	if (high < 0)
		high = -errno;
	close(fd);
	return high;
}

static int
open_root(struct ruleset *set)
{
	const char *path = set->maker->request->settings->chroot;

	if (path == NULL)
		return 0;
	set->root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (set->root < 0)
		return sandbox_mistake(
		    set->maker, "chroot", "'%s': %s", path, strerror(errno));
	return 0;
}

static const char *
first_attribute(const struct settings *settings)
{
	if (settings->read_only_paths.is_set)
		return "read_only_paths";
	return settings->read_write_paths.is_set ? "read_write_paths"
						 : "exec_paths";
}

bool
paths_wanted(const struct settings *settings)
{
	return settings->read_only_paths.is_set ||
	       settings->read_write_paths.is_set || settings->exec_paths.is_set;
}

int
paths_new(struct sandbox_maker *maker, struct spawn_sandbox *sandbox)
{
	const struct settings *settings = maker->request->settings;
	struct ruleset set = {.maker = maker, .root = -1};
	long version;
	int result;

	if (!paths_wanted(settings))
		return 0;
	version = syscall(SYS_landlock_create_ruleset, NULL, 0,
	    LANDLOCK_CREATE_RULESET_VERSION);
	if (version < 1)
		return sandbox_lack(maker, -ENOTSUP, first_attribute(settings),
		    "the kernel has no Landlock: %s", strerror(errno));
	if (version < VERSION_OF_TRUNCATE) {
		result = sandbox_lack(maker, -ENOTSUP,
		    first_attribute(settings),
		    "this kernel's Landlock keeps no file from being "
		    "truncated");
		if (result < 0)
			return result;
	}
	set.handled = known_rights((int)version);
	set.fd = make_ruleset(&set);
	if (set.fd < 0)
		return set.fd;
	result = open_root(&set);
	if (result == 0)
		result = fill(&set);
	if (set.root >= 0)
		close(set.root);
	if (result < 0)
		close(set.fd);
	else
		sandbox->ruleset_fd = set.fd;
	return result;
}

/* --- in the child ------------------------------------------------------------
 */

IN_CHILD int
confine_paths(const struct spawn_sandbox *sandbox)
{
	if (sandbox->ruleset_fd == 0)
		return 0;
	return (int)syscall(SYS_landlock_restrict_self, sandbox->ruleset_fd, 0);
}
