/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * wrapper: starts those who ask hosts.allow and hosts.deny.
 *
 * The library for that, libwrap, waits for name servers, runs commands, reaps
 * any child, and may change the user, the environment and the umask of whoever
 * calls it.  So it is called by a program of its own, berth-libwrap(8), one
 * process for each client.  That one is told of the client as programs are.
 *
 * Where neither file has a rule no process is needed; that is looked up with
 * each client, since changes of these files apply at once.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "worker/worker_priv.h"

#define FIXED_VARIABLES 1u

struct wrapper {
	struct server_wrapper public;
	struct wrapper_paths paths;
	struct spawn_template template;
	char path_variable[sizeof("PATH=/usr/sbin:/usr/bin:/sbin:/bin")];
	char *envp[FIXED_VARIABLES + SPAWN_VARIABLES + 1];
};

/* --- is there a rule? ------------------------------------------------------
 */

enum line { LINE_START, LINE_COMMENT, LINE_RULE };

static enum line
read_lines(enum line line, const char *text, size_t size)
{
	for (size_t i = 0; i < size && line != LINE_RULE; i++) {
		if (text[i] == '\n')
			line = LINE_START;
		else if (line == LINE_START && text[i] == '#')
			line = LINE_COMMENT;
		else if (line == LINE_START && strchr(" \t\r", text[i]) == NULL)
			line = LINE_RULE;
	}
	return line;
}

/* What cannot be read is left to the one who asks. */
static bool
table_has_rules(const char *path)
{
	char text[4096];
	enum line line = LINE_START;
	AUTO_FD fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ssize_t got;

	if (fd < 0)
		return errno != ENOENT;
	while (line != LINE_RULE) {
		got = read(fd, text, sizeof(text));
		if (got <= 0)
			return got < 0;
		line = read_lines(line, text, (size_t)got);
	}
	return true;
}

static bool
has_rules(void *context)
{
	const struct wrapper *wrapper = context;

	return table_has_rules(wrapper->paths.allow) ||
	       table_has_rules(wrapper->paths.deny);
}

/* --- who asks --------------------------------------------------------------
 */

/* For words of an argv that nobody changes. */
static char *
word(const char *text)
{
	union {
		const char *from;
		char *to;
	} word = {text};

	return word.to;
}

/* Descriptor 3 is the client; he does not become blocking, as 0 would. */
static pid_t
ask(void *context, const char *daemon, struct visitor *visitor)
{
	struct wrapper *wrapper = context;
	char *argv[] = {word("berth-libwrap"), word("-a"),
	    word(wrapper->paths.allow), word("-d"), word(wrapper->paths.deny),
	    word("--"), word(daemon), NULL};
	AUTO_FD null = open("/dev/null", O_RDWR | O_CLOEXEC);
	struct description description;
	struct spawn start = {.template = &wrapper->template,
	    .fds = {null, null, null},
	    .listen_fd = visitor->fd};
	enum spawn_step step;

	if (null < 0)
		return -errno;
	wrapper->template.argv = argv;
	wrapper->template.path = wrapper->paths.program;
	describe_connection(&description, &wrapper->template, visitor);
	return spawn(&start, &step);
}

/* --- life ------------------------------------------------------------------
 */

int
wrapper_new(const struct wrapper_paths *paths, struct wrapper **ret_wrapper)
{
	struct wrapper *wrapper = calloc(1, sizeof(*wrapper));

	if (wrapper == NULL)
		return -ENOMEM;
	wrapper->public = (struct server_wrapper){
	    .has_rules = has_rules, .ask = ask, .context = wrapper};
	memcpy(wrapper->path_variable, "PATH=/usr/sbin:/usr/bin:/sbin:/bin",
	    sizeof(wrapper->path_variable));
	wrapper->envp[0] = wrapper->path_variable;
	wrapper->template.envp = wrapper->envp;
	wrapper->template.env_count = FIXED_VARIABLES;
	wrapper->template.cwd = "/";
	wrapper->template.umask = 022;
	wrapper_set_paths(wrapper, paths);
	*ret_wrapper = wrapper;
	return 0;
}

void
wrapper_set_paths(struct wrapper *wrapper, const struct wrapper_paths *paths)
{
	wrapper->paths = *paths;
}

const struct server_wrapper *
wrapper_ops(const struct wrapper *wrapper)
{
	return &wrapper->public;
}

struct wrapper *
wrapper_free(struct wrapper *wrapper)
{
	free(wrapper);
	return NULL;
}
