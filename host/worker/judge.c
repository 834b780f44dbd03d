/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Judges a program's file before anything is started: it is there, a file, and
 * its user may run it.  Only the start itself knows for sure: folders on the
 * way, access lists and mounts are not looked at.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "worker/worker_priv.h"

static bool
is_in_group(const struct spawn_template *template, gid_t gid)
{
	if (template->gid == gid)
		return true;
	for (unsigned i = 0; i < template->group_count; i++)
		if (template->groups[i] == gid)
			return true;
	return false;
}

static bool
may_run(const struct spawn_template *template, const char *path,
    const struct stat *file)
{
	if (!template->switch_user)
		return faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) == 0;
	if (template->uid == 0)
		return (file->st_mode & (S_IXUSR | S_IXGRP | S_IXOTH)) != 0;
	if (template->uid == file->st_uid)
		return (file->st_mode & S_IXUSR) != 0;
	if (is_in_group(template, file->st_gid))
		return (file->st_mode & S_IXGRP) != 0;
	return (file->st_mode & S_IXOTH) != 0;
}

static int
judge(const struct spawn_template *template, const char *path,
    const struct place *place, struct errors *errors)
{
	struct stat file;
	int result;

	if (stat(path, &file) < 0) {
		result = -errno;
		errors_add(errors, SEVERITY_ERROR, result, place,
		    "no program '%s': %s", path, strerror(-result));
		return result;
	}
	if (!S_ISREG(file.st_mode)) {
		errors_add(errors, SEVERITY_ERROR, -EACCES, place,
		    "'%s' is no program: it is not a file", path);
		return -EACCES;
	}
	if (may_run(template, path, &file))
		return 0;
	errors_add(errors, SEVERITY_ERROR, -EACCES, place,
	    "user %u may not run '%s'", (unsigned)template->uid, path);
	return -EACCES;
}

int
judge_file(const struct spawn_template *template, const struct place *place,
    struct errors *errors)
{
	AUTO_TEXT path;

	text_init(&path);
	if (template->chroot != NULL)
		text_printf(&path, "%s", template->chroot);
	text_printf(&path, "%s", template->path);
	if (path.failed)
		return -ENOMEM;
	return judge(template, text_string(&path), place, errors);
}

int
external_check(struct arena *arena, struct groups *groups,
    const struct directive *directive, struct errors *errors)
{
	const struct spawn_request request = {
	    .name = directive->name,
	    .path = directive->path,
	    .argc = directive->argc,
	    .argv = directive->argv,
	    .settings = directive->settings,
	    .groups = groups,
	    .check = true,
	};
	struct spawn_template *template;
	int result;

	if (directive->path[0] != '/') {
		errors_add(errors, SEVERITY_ERROR, -EINVAL,
		    &directive->location_place,
		    "the path of a program starts with '/'");
		return -EINVAL;
	}
	result = template_new(
	    arena, &request, &directive->name_place, errors, &template);
	if (result < 0)
		return result;
	template_warn(
	    template, &directive->name_place, directive->name, errors);
	result = judge_file(template, &directive->location_place, errors);
	template_release(template);
	return result;
}
