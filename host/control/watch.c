/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * watch = yes: a reload when a file of the configuration has changed.
 *
 * Editors write a new file and rename it, so folders are watched, not files;
 * only events that name one of our files count.  A change is acted on when
 * nothing has happened for a moment, so that a half-written file, or several
 * files written one after the other, are one reload.
 */

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "control/control_priv.h"

#define QUIET_NS MONO_MS(200)
#define EVENTS                                                                 \
	(IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE | IN_DELETE)

struct watched {
	LIST_ENTRY(watched) link;
	int id;	    /* of the folder's watch */
	char *name; /* within the folder; NULL: every file counts */
};

static struct watch *
watch_of(struct berth_handler *handler)
{
	return BASE_CONTAINER(handler, struct watch, handler);
}

static bool
concerns_us(const struct watch *watch, const struct inotify_event *event)
{
	const struct watched *file;

	if (event->mask & IN_Q_OVERFLOW)
		return true;
	LIST_FOREACH (file, &watch->files, link)
		if (file->id == event->wd &&
		    (file->name == NULL ||
			(event->len > 0 &&
			    strcmp(file->name, event->name) == 0)))
			return true;
	return false;
}

static bool
read_events(struct watch *watch, int fd)
{
	_Alignas(struct inotify_event) char
	    buffer[16 * (sizeof(struct inotify_event) + NAME_MAX + 1)];
	bool ours = false;
	ssize_t size;

	while ((size = read(fd, buffer, sizeof(buffer))) > 0) {
		const char *at = buffer;

		while (at < buffer + size) {
			const struct inotify_event *event = (const void *)at;

			ours = ours || concerns_us(watch, event);
			at += sizeof(*event) + event->len;
		}
	}
	return ours;
}

static int
changed(struct berth_handler *handler, int fd)
{
	struct watch *watch = watch_of(handler);
	struct host *host = watch->host;

	if (!read_events(watch, fd))
		return 0;
	reactor_cancel_all(&host->owner, handler);
	if (reactor_schedule(&host->owner, handler, NULL, QUIET_NS, 0, NULL) <
	    0)
		host_reload(host);
	return 0;
}

static int
quiet(struct berth_handler *handler, uint64_t now_ns, void *token)
{
	(void)now_ns;
	(void)token;
	host_reload(watch_of(handler)->host);
	return 0;
}

static const struct berth_handler_type watch_type = {
    .input = changed,
    .timeout = quiet,
};

static void
drop_files(struct watch *watch)
{
	struct watched *file;

	while ((file = LIST_FIRST(&watch->files)) != NULL) {
		LIST_REMOVE(file, link);
		free(file->name);
		free(file);
	}
}

void
watch_stop(struct host *host)
{
	struct watch *watch = &host->watch;

	if (watch->host == NULL)
		return;
	drop_files(watch);
	reactor_cancel_all(&host->owner, &watch->handler);
	reactor_remove(
	    &host->owner, watch->fd, BERTH_IO_EVENTS | BERTH_DONT_CALL);
	fd_close(&watch->fd);
	watch->host = NULL;
}

/* A path's folder and name; of a folder (includedir), everything in it. */
static int
add_path(struct watch *watch, const char *path, bool folder)
{
	struct watched *file = calloc(1, sizeof(*file));
	AUTO_FREE char *copy = strdup(path);
	char *slash;

	if (file == NULL || copy == NULL) {
		free(file);
		return -ENOMEM;
	}
	slash = strrchr(copy, '/');
	if (!folder) {
		file->name = strdup(slash == NULL ? copy : slash + 1);
		if (file->name == NULL) {
			free(file);
			return -ENOMEM;
		}
		if (slash != NULL)
			slash[slash == copy] = '\0';
	}
	file->id = inotify_add_watch(
	    watch->fd, folder || slash != NULL ? copy : ".", EVENTS);
	LIST_INSERT_HEAD(&watch->files, file, link);
	return file->id < 0 ? -errno : 0;
}

static int
start(struct host *host)
{
	struct watch *watch = &host->watch;
	int result;

	LIST_INIT(&watch->files);
	watch->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (watch->fd < 0)
		return -errno;
	watch->handler.type = &watch_type;
	result = reactor_add(
	    &host->owner, &watch->handler, watch->fd, BERTH_READ);
	if (result < 0) {
		fd_close(&watch->fd);
		return result;
	}
	watch->host = host;
	return 0;
}

void
watch_files(struct host *host, const struct tree *tree)
{
	const struct tree_path *path;
	int result = 0;

	watch_stop(host);
	if (!tree->host.watch)
		return;
	result = start(host);
	for (path = tree->paths; path != NULL && result == 0; path = path->next)
		result = add_path(&host->watch, path->path, path->is_folder);
	if (result < 0)
		log_printf(host->log, BERTH_WARNING, NULL,
		    "the configuration is not watched: %s", strerror(-result));
}
