/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A template: what all starts of one program have in common.
 */
#include <errno.h>
#include <linux/capability.h>
#include <string.h>

#include "worker/sandbox.h"

struct limit_field {
	int resource;
	size_t offset;
};

#define FIELD(resource_, field_)                                               \
	{                                                                      \
		(resource_), offsetof(struct settings, field_)                 \
	}

static const struct limit_field limit_fields[] = {
    FIELD(RLIMIT_AS, rlimit_as),
    FIELD(RLIMIT_CORE, rlimit_core),
    FIELD(RLIMIT_CPU, rlimit_cpu),
    FIELD(RLIMIT_DATA, rlimit_data),
    FIELD(RLIMIT_NOFILE, rlimit_files),
    FIELD(RLIMIT_NPROC, rlimit_nproc),
    FIELD(RLIMIT_RSS, rlimit_rss),
    FIELD(RLIMIT_STACK, rlimit_stack),
};

static int
make_limits(struct arena *arena, const struct settings *settings,
    struct spawn_template *template)
{
	const char *start = (const char *)settings;

	template->limits = arena_alloc(
	    arena, sizeof(struct spawn_limit) * BASE_COUNT(limit_fields));
	if (template->limits == NULL)
		return -ENOMEM;
	for (unsigned i = 0; i < BASE_COUNT(limit_fields); i++) {
		struct spawn_limit *limit;
		uint64_t value;

		memcpy(&value, start + limit_fields[i].offset, sizeof(value));
		if (value == RLIMIT_INHERIT)
			continue;
		limit = &template->limits[template->limit_count++];
		limit->resource = limit_fields[i].resource;
		limit->limit.rlim_cur = value == RLIMIT_UNLIMITED
					    ? RLIM_INFINITY
					    : (rlim_t)value;
		limit->limit.rlim_max = limit->limit.rlim_cur;
	}
	return 0;
}

static int
make_words(struct arena *arena, const struct spawn_request *request,
    struct spawn_template *template)
{
	const char *slash = strrchr(request->path, '/');
	const char *name = request->settings->argv0;

	if (name == NULL)
		name = slash != NULL ? slash + 1 : request->path;
	template->argv = arena_alloc(
	    arena, ((size_t)request->argc + 2) * sizeof(char *));
	template->path = arena_string(arena, request->path);
	if (template->argv == NULL || template->path == NULL)
		return -ENOMEM;
	template->argv[0] = arena_string(arena, name);
	for (int i = 1; i < request->argc; i++)
		template->argv[i] = arena_string(arena, request->argv[i]);
	for (int i = 0; i < request->argc || i == 0; i++)
		if (template->argv[i] == NULL)
			return -ENOMEM;
	return 0;
}

static int
make_folders(struct arena *arena, const struct settings *settings,
    struct spawn_template *template)
{
	template->cwd = arena_string(
	    arena, settings->cwd != NULL ? settings->cwd : "/");
	if (settings->chroot != NULL)
		template->chroot = arena_string(arena, settings->chroot);
	return template->cwd == NULL ||
		       (settings->chroot != NULL && template->chroot == NULL)
		   ? -ENOMEM
		   : 0;
}

static void
take_account(struct spawn_template *template, const struct account *account,
    const struct settings *settings)
{
	template->switch_user = account->switches;
	template->uid = account->uid;
	template->gid = account->gid;
	template->groups = account->groups;
	template->group_count = account->group_count;
	/* Root has all that a external.could gain. */
	if (settings->no_new_privs && account->uid != 0)
		template->no_new_privs = true;
}

static int
check_rights(const struct spawn_request *request, const struct place *place,
    struct errors *errors)
{
	const struct settings *settings = request->settings;
	const char *what = NULL, *right = NULL;

	if (settings->chroot != NULL && !right_have(CAP_SYS_CHROOT)) {
		what = "change the root of a program";
		right = "CAP_SYS_CHROOT";
	} else if (settings->nice < 0 && !right_have(CAP_SYS_NICE)) {
		what = "raise the priority of a program";
		right = "CAP_SYS_NICE";
	}
	if (what == NULL)
		return 0;
	errors_add(errors, SEVERITY_ERROR, -EPERM, place,
	    "'%s': only a host that has %s can %s", request->name, right, what);
	return -EPERM;
}

int
template_new(struct arena *arena, const struct spawn_request *request,
    const struct place *place, struct errors *errors,
    struct spawn_template **ret_template)
{
	const struct settings *settings = request->settings;
	struct sandbox_maker maker = {
	    .arena = arena,
	    .request = request,
	    .place = place,
	    .errors = errors,
	};
	struct spawn_template *template = arena_alloc(arena, sizeof(*template));
	struct account account;
	int result;

	if (template == NULL)
		return -ENOMEM;
	result = account_find(arena, request, place, errors, &account);
	if (result == 0)
		result = check_rights(request, place, errors);
	if (result == 0)
		result = environment_new(arena, settings, &account, template);
	if (result == 0)
		result = make_limits(arena, settings, template);
	if (result == 0)
		result = make_words(arena, request, template);
	if (result == 0)
		result = make_folders(arena, settings, template);
	if (result == 0)
		result = sandbox_new(&maker, template);
	if (result < 0)
		return result;
	take_account(template, &account, settings);
	template->umask = settings->umask;
	template->nice = settings->nice;
	template->wait = settings->wait;
	template->max_session_ms = settings->max_session_ms;
	*ret_template = template;
	return 0;
}
