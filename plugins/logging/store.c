/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * store: the files that records are appended to.
 *
 * At most FILES_MOST are open; the one that was not used for longest is closed
 * for another.  Entries are appended with one writev(2), and one that was cut
 * short is taken back, so that a file always holds whole entries.  A file that
 * somebody renamed or removed is found out within a second, and a new one
 * made.  A file that has reached its size becomes NAME.1, that one NAME.2.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server.h"

#define FILES_MOST 64u
#define CHECK_NS UINT64_C(1000000000)
#define NAME_BYTES (ENTRY_HOST_BYTES + 32)

static struct file *
drop_file(struct server *server, struct file *file)
{
	TAILQ_REMOVE(&server->files, file, link);
	server->file_count--;
	close(file->fd);
	free(file);
	return NULL;
}

/* 0 or a negative errno. */
static int
open_file(struct server *server, const char *name, struct file **ret_file)
{
	struct file *file = calloc(1, sizeof(*file) + strlen(name) + 1);
	struct stat status;
	int error;

	if (file == NULL)
		return -ENOMEM;
	strcpy(file->name, name);
	file->fd = openat(server->folder_fd, name,
	    O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
	    0666);
	if (file->fd < 0 || fstat(file->fd, &status) != 0) {
		error = -errno;
		if (file->fd >= 0)
			close(file->fd);
		free(file);
		return error;
	}
	file->size = (uint64_t)status.st_size;
	file->checked_ns = berth_now(server->service);
	error = (uint64_t)status.st_mtim.tv_sec * 1000000000 +
			    (uint64_t)status.st_mtim.tv_nsec <
			server->start_ns
		    ? repair(server, name, file->fd, &file->size)
		    : 0;
	if (error != 0)
		berth_log(server->service, BERTH_WARNING, "%s: %s", name,
		    strerror(-error));
	TAILQ_INSERT_HEAD(&server->files, file, link);
	server->file_count++;
	*ret_file = file;
	return 0;
}

/* Whether the open file is still the one of that name; its size. */
static int
is_current(struct server *server, struct file *file)
{
	uint64_t now_ns = berth_now(server->service);
	struct stat named, open;

	if (now_ns - file->checked_ns < CHECK_NS)
		return 1;
	if (fstatat(server->folder_fd, file->name, &named, 0) != 0 ||
	    fstat(file->fd, &open) != 0 || named.st_ino != open.st_ino ||
	    named.st_dev != open.st_dev)
		return 0;
	file->checked_ns = now_ns;
	file->size = (uint64_t)open.st_size;
	return 1;
}

static int
find_file(struct server *server, const char *name, struct file **ret_file)
{
	struct file *file;

	TAILQ_FOREACH (file, &server->files, link)
		if (strcmp(file->name, name) == 0)
			break;
	if (file != NULL && is_current(server, file)) {
		TAILQ_REMOVE(&server->files, file, link);
		TAILQ_INSERT_HEAD(&server->files, file, link);
		*ret_file = file;
		return 0;
	}
	if (file != NULL)
		drop_file(server, file);
	else if (server->file_count == FILES_MOST)
		drop_file(server, TAILQ_LAST(&server->files, file_list));
	return open_file(server, name, ret_file);
}

/* NAME.1 becomes NAME.2 and so on; NAME becomes NAME.1. */
static int
rotate(struct server *server, struct file **file)
{
	char from[NAME_BYTES + 32], to[NAME_BYTES + 32], name[NAME_BYTES];
	int fd = server->folder_fd;

	snprintf(name, sizeof(name), "%s", (*file)->name);
	*file = drop_file(server, *file);
	for (uint32_t i = server->keep; i > 0; i--) {
		snprintf(to, sizeof(to), "%s.%u", name, i);
		if (i > 1)
			snprintf(from, sizeof(from), "%s.%u", name, i - 1);
		else
			snprintf(from, sizeof(from), "%s", name);
		if (renameat(fd, from, fd, to) != 0 && errno != ENOENT)
			return -errno;
	}
	if (server->keep == 0 && unlinkat(fd, name, 0) != 0 && errno != ENOENT)
		return -errno;
	return open_file(server, name, file);
}

static void
name_file(const struct server *server, const char *host, char *name)
{
	if (server->sink == SINK_ONE)
		snprintf(name, NAME_BYTES, "%s", server->path);
	else
		snprintf(name, NAME_BYTES, "%s.log", host);
}

int
store_append(struct server *server, const char *host, unsigned parts)
{
	char name[NAME_BYTES];
	struct file *file = NULL;
	size_t size = 0;
	ssize_t written;
	int result;

	for (unsigned i = 0; i < parts; i++)
		size += server->parts[i].iov_len;
	name_file(server, host, name);
	result = find_file(server, name, &file);
	if (result == 0 && server->rotate_size > 0 && file->size > 0 &&
	    file->size + size > server->rotate_size)
		result = rotate(server, &file);
	if (result != 0)
		return result;
	written = writev(file->fd, server->parts, (int)parts);
	if (written == (ssize_t)size) {
		file->size += size;
		return 0;
	}
	result = written < 0 ? -errno : -ENOSPC;
	if (written > 0 && ftruncate(file->fd, (off_t)file->size) != 0)
		result = -errno;
	return result;
}

int
store_open(struct server *server)
{
	struct berth_service *service = server->service;
	struct file *file;
	int result;

	server->folder_fd = open(
	    server->folder, O_DIRECTORY | O_RDONLY | O_CLOEXEC);
	if (server->folder_fd < 0)
		return berth_fail(service, errno, "folder %s: %s",
		    server->folder, strerror(errno));
	if (server->sink == SINK_HOSTS) {
		if (faccessat(server->folder_fd, ".", W_OK, AT_EACCESS) != 0)
			return berth_fail(service, errno, "folder %s: %s",
			    server->folder, strerror(errno));
		return 0;
	}
	if (strlen(server->path) >= ENTRY_HOST_BYTES)
		return berth_fail(service, ENAMETOOLONG, "-o one %s: %s",
		    server->path, strerror(ENAMETOOLONG));
	result = open_file(server, server->path, &file);
	if (result != 0)
		return berth_fail(service, -result, "%s: %s", server->path,
		    strerror(-result));
	return 0;
}

void
store_close(struct server *server)
{
	while (!TAILQ_EMPTY(&server->files))
		drop_file(server, TAILQ_FIRST(&server->files));
	if (server->folder_fd >= 0)
		close(server->folder_fd);
	server->folder_fd = -1;
}
