/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * filter: the system calls that a program can make, by a filter of the kernel
 * (seccomp(2)).
 *
 * The filter is written by libseccomp when the template is made; the child
 * makes one call.  The first word of the list says what it is: the calls that
 * there are, or, with `~`, those that there are not; words after it add or take
 * away.  What every program needs to run and end (@default) is in a list of
 * those that there are, and execve(2), by which it is started, in any.
 *
 * A refused call ends the process by SIGSYS, or fails with the errno that the
 * settings name.  In a worker the signal goes through its handlers, so that it
 * can tell which call it was.  Calls of another architecture's interface end
 * the process.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "config.h"
#include "worker/filter.h"

/* --- in the child ------------------------------------------------------------
 */

IN_CHILD int
confine_calls(const struct spawn_sandbox *sandbox)
{
	if (sandbox->filter == NULL)
		return 0;
	return (int)syscall(SYS_prctl, PR_SET_SECCOMP, SECCOMP_MODE_FILTER,
	    sandbox->filter, 0, 0);
}

#ifdef HAVE_SECCOMP
#include <seccomp.h>

#define FILTER_WORD "system_call_filter"
/* libseccomp's for "as a tree, not a list". */
#define OPTIMIZE_TREE 2
/* Of the words of a group within a group. */
#define DEPTH_MOST 3

/* Of a call that a later word has given back to the default. */
#define ACTION_NONE 0u

/* What becomes of one call; those that are not in the list have the default. */
struct call {
	int number;
	uint32_t action; /* ACTION_NONE, or SCMP_ACT_... */
};

struct builder {
	struct sandbox_maker *maker;
	struct call *calls;
	unsigned count, room;
	bool refuses;	  /* the list is of those that there are not */
	uint32_t refusal; /* what becomes of a call that there is not */
};

/* --- the list ----------------------------------------------------------------
 */

static int
put(struct builder *builder, int number, uint32_t action)
{
	struct call *call = builder->calls;
	unsigned room;

	for (unsigned i = 0; i < builder->count; i++, call++)
		if (call->number == number) {
			call->action = action;
			return 0;
		}
	if (builder->count == builder->room) {
		room = builder->room > 0 ? 2 * builder->room : 512;
		call = arena_alloc(builder->maker->arena, room * sizeof(*call));
		if (call == NULL)
			return -ENOMEM;
		if (builder->count > 0)
			memcpy(call, builder->calls,
			    builder->count * sizeof(*call));
		builder->calls = call;
		builder->room = room;
	}
	builder->calls[builder->count++] = (struct call){
	    .number = number, .action = action};
	return 0;
}

/* Its number: negative for one of other machines; __NR_SCMP_ERROR: it is none
 * at all. */
static int
number_of(const char *name, size_t size)
{
	char copy[64];

	if (size >= sizeof(copy))
		return __NR_SCMP_ERROR;
	memcpy(copy, name, size);
	copy[size] = '\0';
	return seccomp_syscall_resolve_name(copy);
}

static int
put_group(
    struct builder *builder, const struct filter_group *group, uint32_t action)
{
	const char *stack[DEPTH_MOST] = {group->calls};
	unsigned depth = 1;

	while (depth > 0) {
		const char *word = stack[depth - 1];
		size_t size = strcspn(word, " ");
		int number, result;

		stack[depth - 1] = word + size + (word[size] == ' ' ? 1 : 0);
		if (size == 0) {
			depth--;
			continue;
		}
		if (word[0] == '@') {
			BASE_ASSERT(depth < DEPTH_MOST);
			stack[depth++] = filter_group_find(word, size)->calls;
			continue;
		}
		number = number_of(word, size);
		result = number < 0 ? 0 : put(builder, number, action);
		if (result < 0)
			return result;
	}
	return 0;
}

/* As systemd: what is no call here is told of, and left out. */
static void
tell_unknown(struct builder *builder, const char *name, size_t size, bool none)
{
	struct sandbox_maker *maker = builder->maker;

	if (maker->request->check)
		errors_add(maker->errors, SEVERITY_WARNING, 0,
		    sandbox_place(maker, FILTER_WORD),
		    "'%s': " FILTER_WORD ": '%.*s' is %s, and left out",
		    maker->request->name, (int)size, name,
		    none ? "no system call" : "no system call of this machine");
}

/* What a word does to its calls: `x` and `~x`, and `~x:EPERM`. */
static uint32_t
action_of(const struct builder *builder, bool negated, const char *error)
{
	if (!negated)
		return builder->refuses ? ACTION_NONE : SCMP_ACT_ALLOW;
	if (error == NULL)
		return builder->refuses ? builder->refusal : ACTION_NONE;
	if (strcmp(error, "kill") == 0)
		return SCMP_ACT_KILL_PROCESS;
	return SCMP_ACT_ERRNO((uint16_t)errno_number(error));
}

static int
add_word(struct builder *builder, const char *word)
{
	bool negated = word[0] == '~';
	const char *name = word + (negated ? 1 : 0);
	const char *colon = strchr(name, ':');
	size_t size = strcspn(name, ":");
	uint32_t action = action_of(
	    builder, negated, colon != NULL ? colon + 1 : NULL);
	int number;

	if (name[0] == '@') {
		const struct filter_group *group = filter_group_find(
		    name, size);

		if (group == NULL)
			return sandbox_mistake(builder->maker, FILTER_WORD,
			    "no group of system calls '%.*s'", (int)size, name);
		return put_group(builder, group, action);
	}
	number = number_of(name, size);
	if (number < 0) {
		tell_unknown(builder, name, size, number == __NR_SCMP_ERROR);
		return 0;
	}
	if (negated && number == SYS_execve)
		return sandbox_mistake(builder->maker, FILTER_WORD,
		    "'execve' cannot be refused: the program is started by it");
	return put(builder, number, action);
}

static int
make_list(struct builder *builder)
{
	const struct word_list *words =
	    &builder->maker->request->settings->system_call_filter;
	uint32_t started;
	int result = 0;

	builder->refuses = words->count > 0 && words->word[0][0] == '~';
	started = action_of(builder, false, NULL);
	if (!builder->refuses)
		result = put_group(builder,
		    filter_group_find("@default", strlen("@default")), started);
	for (unsigned i = 0; i < words->count && result == 0; i++)
		result = add_word(builder, words->word[i]);
	if (result == 0)
		result = put(builder, SYS_execve, started);
	/* That of a worker. */
	if (result == 0)
		result = put(builder, SYS_execveat, started);
	return result;
}

/* --- the filter --------------------------------------------------------------
 */

static int
add_rules(
    const struct builder *builder, scmp_filter_ctx filter, uint32_t otherwise)
{
	int result = seccomp_attr_set(
	    filter, SCMP_FLTATR_CTL_OPTIMIZE, OPTIMIZE_TREE);

	for (unsigned i = 0; i < builder->count && result == 0; i++) {
		const struct call *call = &builder->calls[i];

		if (call->action != ACTION_NONE && call->action != otherwise)
			result = seccomp_rule_add(
			    filter, call->action, call->number, 0);
	}
	return result;
}

/* From the file that libseccomp wrote to the arena. */
static int
keep(int fd, struct arena *arena, struct sock_fprog **ret_filter)
{
	off_t size = lseek(fd, 0, SEEK_END);
	struct sock_fprog *filter = arena_alloc(arena, sizeof(*filter));
	void *code;

	if (size <= 0)
		return size < 0 ? -errno : -EIO;
	code = arena_alloc(arena, (size_t)size);
	if (filter == NULL || code == NULL)
		return -ENOMEM;
	if (pread(fd, code, (size_t)size, 0) != size)
		return -EIO;
	filter->filter = code;
	filter->len = (unsigned short)((size_t)size /
				       sizeof(struct sock_filter));
	*ret_filter = filter;
	return 0;
}

static int export(const struct builder *builder, scmp_filter_ctx filter,
    struct sock_fprog **ret_filter)
{
	AUTO_FD fd = memfd_create("berth:filter", MFD_CLOEXEC);
	int result;

	if (fd < 0)
		return -errno;
	result = seccomp_export_bpf(filter, fd);
	if (result < 0)
		return result;
	return keep(fd, builder->maker->arena, ret_filter);
}

static int
write_filter(const struct builder *builder, struct sock_fprog **ret_filter)
{
	uint32_t otherwise = builder->refuses ? SCMP_ACT_ALLOW
					      : builder->refusal;
	scmp_filter_ctx filter = seccomp_init(otherwise);
	int result;

	if (filter == NULL)
		return -ENOMEM;
	result = add_rules(builder, filter, otherwise);
	if (result == 0)
		result = export(builder, filter, ret_filter);
	seccomp_release(filter);
	return result;
}

static uint32_t
refusal_of(const struct spawn_request *request)
{
	const char *error = request->settings->system_call_error_number;

	if (error != NULL && strcmp(error, "kill") != 0)
		return SCMP_ACT_ERRNO((uint16_t)errno_number(error));
	return request->worker ? SCMP_ACT_TRAP : SCMP_ACT_KILL_PROCESS;
}

int
filter_new(struct sandbox_maker *maker, struct spawn_sandbox *sandbox)
{
	const struct spawn_request *request = maker->request;
	struct builder builder = {
	    .maker = maker,
	    .refusal = refusal_of(request),
	};
	int result;

	if (!request->settings->system_call_filter.is_set)
		return 0;
	if (prctl(PR_GET_SECCOMP, 0, 0, 0, 0) < 0)
		return sandbox_lack(maker, -ENOTSUP, FILTER_WORD,
		    "the kernel has no filters: %s", strerror(errno));
	result = make_list(&builder);
	/* A check needs none, and 10,000 of them take a while. */
	if (result < 0 || request->check)
		return result;
	return write_filter(&builder, &sandbox->filter);
}

void
filter_call_name(int number, char *name, size_t room)
{
	char *known = seccomp_syscall_resolve_num_arch(
	    SCMP_ARCH_NATIVE, number);

	snprintf(name, room, "%s", known != NULL ? known : "");
	free(known);
}

#else

int
filter_new(struct sandbox_maker *maker, struct spawn_sandbox *sandbox)
{
	(void)sandbox;
	if (!maker->request->settings->system_call_filter.is_set)
		return 0;
	return sandbox_lack(maker, -ENOTSUP, "system_call_filter",
	    "this berthd was built without libseccomp");
}

void
filter_call_name(int number, char *name, size_t room)
{
	(void)number;
	snprintf(name, room, "%s", "");
}

#endif
