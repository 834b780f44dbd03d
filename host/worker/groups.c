/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * groups: which service has which control group.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "worker/groups.h"

#define ROW(word_, field_, kind_, controller_, v2_, v1_)                       \
	{                                                                      \
		.word = (word_), .kind = (kind_),                              \
		.offset = offsetof(struct settings, field_),                   \
		.controller = (controller_), .file_v2 = (v2_),                 \
		.file_v1 = (v1_)                                               \
	}

static const struct group_row rows[GROUP_LIMITS] = {
    [GROUP_MEMORY] = ROW("memory_max", memory_max, LIMIT_MEMORY, "memory",
	"memory.max", "memory.limit_in_bytes"),
    [GROUP_TASKS] = ROW(
	"tasks_max", tasks_max, LIMIT_TASKS, "pids", "pids.max", "pids.max"),
    [GROUP_CPU] = ROW("cpu_quota", cpu_quota, LIMIT_CPU, "cpu", "cpu.max",
	"cpu.cfs_quota_us"),
};

const struct group_row *
group_row(enum group_limit limit)
{
	return &rows[limit];
}

/* --- the host's ---------------------------------------------------------- */

int
groups_new(const struct groups_sources *sources, struct groups **ret_groups)
{
	struct groups *groups = calloc(1, sizeof(*groups));

	if (groups == NULL)
		return -ENOMEM;
	groups->sources = *sources;
	LIST_INIT(&groups->groups);
	*ret_groups = groups;
	return 0;
}

struct groups *
groups_free(struct groups *groups)
{
	if (groups != NULL)
		BASE_ASSERT(LIST_EMPTY(&groups->groups));
	free(groups);
	return NULL;
}

/* --- references ------------------------------------------------------------
 */

struct group *
group_ref(struct group *group)
{
	if (group != NULL)
		group->refs++;
	return group;
}

struct group *
group_unref(struct group *group)
{
	if (group == NULL || --group->refs > 0)
		return NULL;
	LIST_REMOVE(group, link);
	group_remove(group);
	free(group->service);
	free(group);
	return NULL;
}

struct group *
template_group(const struct spawn_template *template)
{
	return template != NULL && template->sandbox != NULL
		   ? template->sandbox->group
		   : NULL;
}

bool
group_has_killed(struct group *group, int code, int status)
{
	if (group == NULL || group->memory < 0 || status != SIGKILL ||
	    (code != CLD_KILLED && code != CLD_DUMPED) ||
	    group_kills(group) <= group->kills_told)
		return false;
	group->kills_told++;
	return true;
}

/* --- joining -----------------------------------------------------------------
 */

static const char *
word_of(const struct settings *settings, enum group_limit limit)
{
	const char *word;

	memcpy(
	    &word, (const char *)settings + rows[limit].offset, sizeof(word));
	return word;
}

/* Is there any? */
static bool
read_limits(const struct settings *settings, struct group_limits *limits)
{
	bool any = false;

	for (unsigned i = 0; i < GROUP_LIMITS; i++) {
		const char *word = word_of(settings, i);

		/* The readers have refused what is none. */
		if (word == NULL ||
		    limit_read(rows[i].kind, word, &limits->value[i]) < 0)
			limits->value[i] = LIMIT_NONE;
		any = any || limits->value[i] != LIMIT_NONE;
	}
	return any;
}

bool
groups_wanted(const struct settings *settings)
{
	struct group_limits limits;

	return read_limits(settings, &limits);
}

static struct group *
find(const struct groups *groups, const char *service,
    const struct group_limits *limits)
{
	struct group *group;

	LIST_FOREACH (group, &groups->groups, link)
		if (strcmp(group->service, service) == 0 &&
		    memcmp(&group->limits, limits, sizeof(*limits)) == 0)
			return group;
	return NULL;
}

static struct group *
group_new(const char *service, const struct group_limits *limits)
{
	struct group *group = calloc(1, sizeof(*group));

	if (group == NULL)
		return NULL;
	group->service = strdup(service);
	if (group->service == NULL) {
		free(group);
		return NULL;
	}
	group->limits = *limits;
	group->memory = -1;
	group->refs = 1;
	return group;
}

static int
lack(struct sandbox_maker *maker, const struct group_row *row, int error)
{
	if (error == -ENOMEM)
		return error;
	if (error == -ENOENT)
		return sandbox_lack(maker, -ENOTSUP, row->word,
		    "no control groups with '%s' are mounted here",
		    row->controller);
	if (error == -EBUSY)
		return sandbox_lack(maker, error, row->word,
		    "other processes are in the host's own control group");
	return sandbox_lack(maker, error, row->word,
	    "the host can make no control group with '%s': %s", row->controller,
	    strerror(-error));
}

/* One limit, of the group or, in a check, of none. */
static int
apply(struct sandbox_maker *maker, struct group *group, enum group_limit limit)
{
	const struct group_row *row = &rows[limit];
	struct group_place place;
	int result;

	if (maker->request->groups == NULL)
		return lack(maker, row, -ENOENT);
	result = group_place_find(
	    &maker->request->groups->sources, row->controller, &place);
	if (result < 0)
		return lack(maker, row, result);
	if (group == NULL)
		result = group_place_check(&place, row->controller);
	else
		result = group_limit_set(group, &place, limit);
	free(place.folder);
	return result < 0 ? lack(maker, row, result) : 0;
}

static int
apply_all(struct sandbox_maker *maker, struct group *group,
    const struct group_limits *limits)
{
	int result = 0;

	for (unsigned i = 0; i < GROUP_LIMITS && result == 0; i++)
		if (limits->value[i] != LIMIT_NONE)
			result = apply(maker, group, i);
	return result;
}

int
groups_join(struct sandbox_maker *maker, struct spawn_sandbox *sandbox)
{
	const struct spawn_request *request = maker->request;
	struct group_limits limits;
	struct group *group;
	int result;

	if (!read_limits(request->settings, &limits))
		return 0;
	if (request->check || request->groups == NULL)
		return apply_all(maker, NULL, &limits);
	sandbox->group = group_ref(
	    find(request->groups, request->name, &limits));
	if (sandbox->group != NULL)
		return 0;
	group = group_new(request->name, &limits);
	if (group == NULL)
		return -ENOMEM;
	LIST_INSERT_HEAD(&request->groups->groups, group, link);
	result = apply_all(maker, group, &limits);
	if (result < 0 || group->part_count == 0)
		group_unref(group);
	else
		sandbox->group = group;
	return result;
}

/* --- in the child ------------------------------------------------------------
 */

IN_CHILD int
confine_group(const struct spawn_sandbox *sandbox)
{
	const struct group *group = sandbox->group;

	for (unsigned i = 0; group != NULL && i < group->part_count; i++)
		if (syscall(SYS_write, group->parts[i].procs_fd, "0\n", 2) < 0)
			return -1;
	return 0;
}
