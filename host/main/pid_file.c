/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pid_file: says which process is the host, and keeps a second one out.
 *
 * The lock (flock) is what counts, not the number in the file: a file that a
 * killed host left behind is not locked and is taken over.  Who ends removes
 * the file while it still holds the lock, so a newcomer that was waiting with
 * the same file open finds that its file has no name any more, and starts
 * again.
 *
 * Only regular files are taken, and no symbolic links: the file is written
 * and removed, often by root, in folders that others may write to.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "main/main.h"

/* The path still names the file that is open. */
static bool
still_named(int fd, const char *path)
{
	struct stat open_file, named_file;

	return fstat(fd, &open_file) == 0 && lstat(path, &named_file) == 0 &&
	       open_file.st_dev == named_file.st_dev &&
	       open_file.st_ino == named_file.st_ino;
}

static pid_t
read_pid(int fd)
{
	char text[32];
	ssize_t size = pread(fd, text, sizeof(text) - 1, 0);
	long pid;

	if (size <= 0)
		return 0;
	text[size] = '\0';
	pid = strtol(text, NULL, 10);
	return pid > 0 ? (pid_t)pid : 0;
}

static int
write_pid(int fd)
{
	char text[32];
	int size = snprintf(text, sizeof(text), "%ld\n", (long)getpid());
	ssize_t written;

	/* The mode of the creation went through the caller's umask. */
	if (fchmod(fd, 0644) != 0 || ftruncate(fd, 0) != 0)
		return -errno;
	written = pwrite(fd, text, (size_t)size, 0);
	if (written < 0)
		return -errno;
	return written == size ? 0 : -EIO;
}

/* 0, PID_FILE_E_HELD, -EAGAIN: the file went away meanwhile. */
static int
lock_file(const char *path, int *ret_fd, pid_t *ret_holder)
{
	AUTO_FD fd = open(path,
	    O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY,
	    0644);
	struct stat status;

	if (fd < 0 || fstat(fd, &status) != 0)
		return -errno;
	if (!S_ISREG(status.st_mode))
		return -EINVAL;
	if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		if (errno != EWOULDBLOCK)
			return -errno;
		*ret_holder = read_pid(fd);
		return PID_FILE_E_HELD;
	}
	if (!still_named(fd, path))
		return -EAGAIN;
	*ret_fd = base_take_fd(&fd);
	return 0;
}

int
pid_file_open(struct pid_file *pid_file, const char *path, pid_t *ret_holder)
{
	AUTO_FREE char *copy = strdup(path);
	AUTO_FD fd = -1;
	int result;

	if (copy == NULL)
		return -ENOMEM;
	do {
		result = lock_file(path, &fd, ret_holder);
	} while (result == -EAGAIN);
	if (result != 0)
		return result;
	result = write_pid(fd);
	if (result != 0) {
		unlink(path);
		return result;
	}
	pid_file->fd = base_take_fd(&fd);
	pid_file->path = copy;
	copy = NULL;
	return 0;
}

void
pid_file_close(struct pid_file *pid_file)
{
	if (pid_file->fd < 0)
		return;
	if (still_named(pid_file->fd, pid_file->path))
		unlink(pid_file->path);
	fd_close(&pid_file->fd);
	free(pid_file->path);
	pid_file->path = NULL;
}
