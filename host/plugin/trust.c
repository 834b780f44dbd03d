/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * trust: opens a file only if nobody but root and ourselves could have put it
 * there.
 *
 * The path is walked from the root, one component at a time, each opened from
 * the folder before it, so that what was judged is what is opened.  Symbolic
 * links are followed by hand: the folders that a link leads through are judged
 * like all others.  A folder that everybody may write is accepted when it has
 * the sticky bit, as /tmp has: an entry that is ours or root's can't be
 * replaced by others there.
 */
#include "plugin/plugin_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LINKS_MAX 40 /* as the kernel's */
#define WALK_DONE 1

struct walk {
	int folder;	   /* O_PATH */
	struct text where; /* its resolved path, "" for the root */
	char *rest;	   /* what is left to resolve */
	char name[NAME_MAX + 1];
	bool last; /* name is the last component */
	unsigned links;
	bool trust_owner;
	struct text *why;
	int fd; /* the file */
};

/* "PATH is writable by its group (mode 0664)", or nothing when it is fine. */
static int
judge_mode(const struct walk *walk, const char *name, const struct stat *st)
{
	bool sticky = S_ISDIR(st->st_mode) && (st->st_mode & S_ISVTX);
	const char *slash = *name ? "/" : "";

	if (walk->trust_owner)
		return 0;
	if (!walk->where.size && !*name)
		slash = "/";
	if (st->st_uid != 0 && st->st_uid != geteuid()) {
		(void)text_printf(walk->why,
		    "%s%s%s belongs to user %u, neither to root nor to user %u",
		    text_string(&walk->where), slash, name, st->st_uid,
		    geteuid());
		return -EACCES;
	}
	if (S_ISLNK(st->st_mode) || sticky || !(st->st_mode & 022))
		return 0;
	(void)text_printf(walk->why, "%s%s%s is writable by %s (mode %04o)",
	    text_string(&walk->where), slash, name,
	    st->st_mode & 002 ? "everybody" : "its group", st->st_mode & 07777);
	return -EACCES;
}

/* Starts again at the root, for an absolute path or link. */
static int
enter_root(struct walk *walk)
{
	struct stat st;

	fd_close(&walk->folder);
	text_reset(&walk->where);
	walk->folder = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (walk->folder < 0 || fstat(walk->folder, &st) < 0)
		return -errno;
	return judge_mode(walk, "", &st);
}

/* Cuts the next component off into walk->name; "" when none is left. */
static int
next_name(struct walk *walk)
{
	char *from = walk->rest, *end;
	size_t size;

	from += strspn(from, "/");
	size = strcspn(from, "/");
	if (size > NAME_MAX)
		return -ENAMETOOLONG;
	memcpy(walk->name, from, size);
	walk->name[size] = '\0';
	end = from + size;
	walk->last = *end == '\0';
	memmove(walk->rest, end, strlen(end) + 1);
	return 0;
}

static int
follow_link(struct walk *walk, const struct stat *st)
{
	char target[PATH_MAX];
	ssize_t size;
	char *rest;
	int r;

	r = judge_mode(walk, walk->name, st);
	if (r < 0)
		return r;
	if (++walk->links > LINKS_MAX)
		return -ELOOP;
	size = readlinkat(walk->folder, walk->name, target, sizeof(target) - 1);
	if (size < 0)
		return -errno;
	target[size] = '\0';
	if (asprintf(&rest, "%s%s", target, walk->rest) < 0)
		return -ENOMEM;
	free(walk->rest);
	walk->rest = rest;
	return target[0] == '/' ? enter_root(walk) : 0;
}

/* The resolved path after going into walk->name. */
static int
append_name(struct walk *walk)
{
	char *slash;

	if (strcmp(walk->name, "..") != 0)
		return text_printf(&walk->where, "/%s", walk->name);
	slash = walk->where.size ? strrchr(walk->where.data, '/') : NULL;
	if (slash) {
		*slash = '\0';
		walk->where.size = (size_t)(slash - walk->where.data);
	}
	return 0;
}

static int
enter_folder(struct walk *walk)
{
	AUTO_FD fd = -1;
	struct stat st;
	int r;

	fd = openat(walk->folder, walk->name,
	    O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	r = append_name(walk);
	if (r < 0)
		return r;
	r = judge_mode(walk, "", &st);
	if (r < 0)
		return r;
	fd_close(&walk->folder);
	walk->folder = base_take_fd(&fd);
	return walk->last ? -EISDIR : 0;
}

static int
open_file(struct walk *walk)
{
	AUTO_FD fd = -1;
	struct stat st;
	int r;

	/* Not to wait for the other end, should it be a FIFO by now. */
	fd = openat(walk->folder, walk->name,
	    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode)) {
		(void)text_printf(walk->why, "%s/%s is not a regular file",
		    text_string(&walk->where), walk->name);
		return -EACCES;
	}
	r = judge_mode(walk, walk->name, &st);
	if (r < 0)
		return r;
	walk->fd = base_take_fd(&fd);
	return WALK_DONE;
}

/* 0: one component further; WALK_DONE: walk->fd is the file. */
static int
step(struct walk *walk)
{
	struct stat st;
	int r;

	r = next_name(walk);
	if (r < 0)
		return r;
	if (walk->name[0] == '\0' || strcmp(walk->name, ".") == 0)
		return walk->last ? -EISDIR : 0;
	if (fstatat(walk->folder, walk->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (S_ISLNK(st.st_mode))
		return follow_link(walk, &st);
	if (S_ISDIR(st.st_mode))
		return enter_folder(walk);
	return walk->last ? open_file(walk) : -ENOTDIR;
}

int
trust_open(const char *path, bool trust_owner, struct text *why, int *ret_fd)
{
	struct walk walk = {
	    .folder = -1, .fd = -1, .trust_owner = trust_owner, .why = why};
	int r;

	BASE_ASSERT(path[0] == '/');
	walk.rest = strdup(path);
	if (!walk.rest)
		return -ENOMEM;
	text_init(&walk.where);
	r = enter_root(&walk);
	while (r == 0)
		r = step(&walk);
	fd_close(&walk.folder);
	text_fini(&walk.where);
	free(walk.rest);
	if (r < 0)
		return r;
	*ret_fd = walk.fd;
	return 0;
}
