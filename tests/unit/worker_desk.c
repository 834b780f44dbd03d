/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * worker_desk: see its header.
 */
#include "unit/worker_desk.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

int
desk_setup(void **state)
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

int
desk_teardown(void **state)
{
	struct desk *desk = *state;

	errors_free(desk->errors);
	arena_free(desk->arena);
	free(desk);
	return 0;
}

void
desk_give(struct desk *desk, struct word_list *list, const char *text)
{
	char *copy = arena_string(desk->arena, text), *rest = copy;
	const char **words = arena_alloc(
	    desk->arena, DESK_WORDS_MAX * sizeof(*words));

	*list = (struct word_list){.word = words, .is_set = true};
	for (char *word; (word = strtok_r(rest, " ", &rest)) != NULL;) {
		assert_true(list->count < DESK_WORDS_MAX);
		words[list->count++] = word;
	}
}

int
desk_make_of(struct desk *desk, const char *path, const char *const *words)
{
	static char name[] = "service";
	char *argv[DESK_WORDS_MAX] = {name};
	struct spawn_request request = {
	    .name = "service",
	    .path = path,
	    .argc = 1,
	    .argv = argv,
	    .settings = &desk->settings,
	    .groups = desk->groups,
	    .worker = desk->worker,
	    .check = desk->check,
	};
	int result;

	for (; *words != NULL; words++) {
		assert_true(request.argc < DESK_WORDS_MAX);
		argv[request.argc++] = arena_string(desk->arena, *words);
	}
	result = template_new(
	    desk->arena, &request, NULL, desk->errors, &desk->template);
	if (result == 0)
		desk->template->envp[desk->template->env_count] = NULL;
	return result;
}

int
desk_make(struct desk *desk, const char *const *words)
{
	return desk_make_of(desk, desk->probe, words);
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

int
desk_run_after(struct desk *desk, struct spawn_host *host)
{
	struct spawn start = {
	    .template = desk->template,
	    .listen_fd = -1,
	    .host = host,
	};
	enum spawn_step step = SPAWN_CLONE;
	int fds[2], null, status;
	pid_t pid;

	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	assert_true(null >= 3);
	start.fds[0] = desk->one_stream ? fds[1] : null;
	start.fds[1] = fds[1];
	start.fds[2] = fds[1];
	pid = spawn(&start, &step);
	if (pid < 0)
		fail_msg("%s: %s", spawn_step_text(step), strerror(-pid));
	close(fds[1]);
	close(null);
	read_all(desk, fds[0]);
	close(fds[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

int
desk_run(struct desk *desk)
{
	return desk_run_after(desk, NULL);
}
