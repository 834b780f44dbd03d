/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * strategy_file: lines into a file that does not grow for ever.
 *
 * A line is one writev(2), and is taken back when it was cut short, so that
 * the file holds whole lines; the one that fails is told to the caller, and a
 * file that could not be opened is tried again with each line.  A rotation that
 * fails leaves the file as it is: lines go on to be written.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "strategy.h"

int
log_file_open(struct log_file *file, uint64_t now_ns)
{
	struct stat status;
	int error;

	log_file_close(file);
	file->fd = open(file->path,
	    O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK,
	    0640);
	if (file->fd < 0)
		return -errno;
	if (fstat(file->fd, &status) != 0) {
		error = -errno;
		log_file_close(file);
		return error;
	}
	file->size = (uint64_t)status.st_size;
	file->opened_ns = now_ns;
	return 0;
}

void
log_file_close(struct log_file *file)
{
	if (file->fd >= 0)
		close(file->fd);
	file->fd = -1;
}

static int
move(const struct log_file *file, uint64_t from, uint64_t to)
{
	char names[2][PATH_MAX];
	int size;

	size = from == 0 ? snprintf(names[0], PATH_MAX, "%s", file->path)
			 : snprintf(names[0], PATH_MAX, "%s.%llu", file->path,
			       (unsigned long long)from);
	if (size >= PATH_MAX ||
	    snprintf(names[1], PATH_MAX, "%s.%llu", file->path,
		(unsigned long long)to) >= PATH_MAX)
		return -ENAMETOOLONG;
	return rename(names[0], names[1]) == 0 || errno == ENOENT ? 0 : -errno;
}

/* Ordered: NAME.1 becomes NAME.2 and so on.  Otherwise the numbers go round. */
static int
rotate(struct log_file *file, uint64_t now_ns)
{
	uint64_t to = 1;
	int result = 0;

	if (file->ordered)
		for (uint64_t i = file->keep - 1; i > 0 && result == 0; i--)
			result = move(file, i, i + 1);
	else
		to = file->count % file->keep + 1;
	if (result == 0)
		result = move(file, 0, to);
	if (result == 0)
		result = log_file_open(file, now_ns);
	if (result == 0) {
		file->count = to;
		file->rotations++;
	}
	file->error = result;
	return result;
}

static int
append(struct log_file *file, struct iovec *parts, int count, uint64_t size)
{
	ssize_t written;

	do
		written = writev(file->fd, parts, count);
	while (written < 0 && errno == EINTR);
	if (written < 0)
		return -errno;
	if ((uint64_t)written < size) {
		if (ftruncate(file->fd, (off_t)file->size) != 0)
			return -errno;
		return -ENOSPC;
	}
	file->size += size;
	return 0;
}

int
log_file_write(
    struct log_file *file, struct iovec *parts, int count, uint64_t now_ns)
{
	uint64_t size = 0;
	int result = 0;

	for (int i = 0; i < count; i++)
		size += parts[i].iov_len;
	if (file->fd < 0)
		result = log_file_open(file, now_ns);
	if (result == 0 && file->wipe && ftruncate(file->fd, 0) == 0)
		file->size = 0;
	if (result != 0)
		return result;
	file->wipe = 0;
	/* One that failed is tried again when the file is looked at. */
	if (file->most > 0 && file->size > 0 && file->error == 0 &&
	    file->size + size > file->most)
		rotate(file, now_ns);
	return file->fd < 0 ? file->error : append(file, parts, count, size);
}

int
log_file_look(struct log_file *file, uint64_t age_ns, uint64_t now_ns)
{
	struct stat named, open;

	if (file->fd < 0 || stat(file->path, &named) != 0 ||
	    fstat(file->fd, &open) != 0 || named.st_ino != open.st_ino ||
	    named.st_dev != open.st_dev)
		return log_file_open(file, now_ns);
	/* Others may have written to it. */
	file->size = (uint64_t)open.st_size;
	if ((file->most > 0 && file->size > file->most) ||
	    (age_ns > 0 && now_ns - file->opened_ns >= age_ns &&
		file->size > 0))
		return rotate(file, now_ns);
	file->error = 0;
	return 0;
}
