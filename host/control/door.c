/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The control socket: the manager's code as an instance that is in no record,
 * so that no directive can suspend or remove it.  A Unix socket of mode 0600;
 * the kernel says who comes, and the host's own user and root may do all.
 *
 * A new path is bound in the preparation of a reload like every endpoint.
 */

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "control/control_priv.h"

#define DOOR_NAME "control"

static char *door_words[] = {(char[]){DOOR_NAME}, (char[]){"-c"}, NULL};

/* /run is empty after a boot: the socket's own folder is made when it is not
 * there.  What goes wrong is told by the bind that follows. */
static void
make_folder(struct arena *arena, const char *path)
{
	char *folder = arena_string(arena, path);
	char *slash = folder != NULL ? strrchr(folder, '/') : NULL;

	if (slash == NULL || slash == folder)
		return;
	*slash = '\0';
	mkdir(folder, 0755);
}

static int
make_door(struct host *host, const char *path, struct arena *arena,
    struct errors *errors, struct instance **ret_door)
{
	const struct place no_place = {.source = NULL};
	struct endpoint_spec spec;
	struct settings settings;
	struct directive directive = {
	    .kind = DIRECTIVE_STATIC,
	    .name = DOOR_NAME,
	    .argc = 2,
	    .argv = door_words,
	    .settings = &settings,
	};
	const char *reason;
	char *word = arena_printf(arena, "unix:%s", path);
	int result;

	if (word == NULL)
		return -ENOMEM;
	settings_init(&settings);
	result = endpoint_parse(arena, word, &spec, &reason);
	if (result == -EINVAL)
		errors_add(errors, SEVERITY_ERROR, result, NULL,
		    "control = %s: %s", path, reason);
	if (result < 0)
		return result;
	settings.listen = &spec;
	settings.listen_count = 1;
	settings.socket_mode = 0600;
	make_folder(arena, path);
	result = instance_new(host->repository, &directive, NULL,
	    host->options.control(), ret_door);
	if (result < 0)
		return result;
	result = instance_bind(*ret_door, &settings, errors);
	if (result == 0)
		result = instance_init(*ret_door, NULL, &no_place, errors);
	if (result < 0)
		instance_retire(*ret_door, 0);
	return result;
}

static bool
same_path(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

int
door_prepare(struct host *host, const struct host_settings *settings,
    struct errors *errors, struct door *ret_door)
{
	struct door door = {.changes = false};
	struct arena *arena;
	int result = 0;

	if (host->options.control != NULL &&
	    !same_path(settings->control, host->settings.control)) {
		door.changes = true;
		arena = arena_new();
		if (arena == NULL)
			return -ENOMEM;
		if (settings->control != NULL)
			result = make_door(host, settings->control, arena,
			    errors, &door.instance);
		arena_free(arena);
	}
	if (result == 0)
		*ret_door = door;
	return result;
}

void
door_abandon(struct door *door)
{
	if (door->instance != NULL)
		instance_retire(door->instance, 0);
	door->instance = NULL;
}

void
door_commit(struct host *host, struct door *door)
{
	if (!door->changes)
		return;
	door_close(host, MONO_MS(1000));
	host->door = door->instance;
	if (host->door != NULL)
		server_accept(instance_server(host->door), true);
}

void
door_close(struct host *host, uint64_t drain_ns)
{
	if (host->door != NULL)
		instance_retire(host->door, drain_ns);
	host->door = NULL;
}
