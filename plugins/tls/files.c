/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * files: whole files, and how to see that one is another by now.
 *
 * A file that was replaced has another inode, one that was written to another
 * time or size; the time of change tells of a file that took the place of
 * another with its time kept.
 */
#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <string.h>
#include <unistd.h>

#include "context.h"

/* The bundle of all certification authorities that there are has 200 KiB. */
#define FILE_MOST (8 << 20)

static void
stamp(struct tls_file *file, const struct stat *now)
{
	file->device = now->st_dev;
	file->inode = now->st_ino;
	file->bytes = now->st_size;
	file->modified = now->st_mtim;
	file->changed = now->st_ctim;
}

static bool
same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

bool
tls_file_changed(const struct tls_file *file)
{
	struct stat now;

	if (stat(file->path, &now) != 0)
		return true;
	return now.st_dev != file->device || now.st_ino != file->inode ||
	       now.st_size != file->bytes ||
	       !same_time(&now.st_mtim, &file->modified) ||
	       !same_time(&now.st_ctim, &file->changed);
}

static int
read_all(int fd, size_t size, struct berth_bytes *ret_bytes)
{
	char *data = OPENSSL_malloc(size + 1);
	size_t at = 0;
	ssize_t count = 1;

	if (data == NULL)
		return -ENOMEM;
	while (at < size && count > 0) {
		count = read(fd, data + at, size - at);
		at += count > 0 ? (size_t)count : 0;
	}
	if (count < 0) {
		int error = -errno;

		OPENSSL_clear_free(data, size + 1);
		return error;
	}
	*ret_bytes = berth_bytes(data, at);
	return 0;
}

static int
read_open(int fd, struct stat *ret_stat, struct berth_bytes *ret_bytes)
{
	if (fstat(fd, ret_stat) != 0)
		return -errno;
	if (!S_ISREG(ret_stat->st_mode))
		return S_ISDIR(ret_stat->st_mode) ? -EISDIR : -ENODEV;
	if (ret_stat->st_size > FILE_MOST)
		return -EFBIG;
	return read_all(fd, (size_t)ret_stat->st_size, ret_bytes);
}

int
tls_file_read(const char *path, bool secret, struct tls_file *ret_file,
    struct berth_bytes *ret_bytes, struct tls_report *report)
{
	/* What is no file must not keep anybody waiting. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct berth_bytes bytes;
	struct stat now;
	int result;

	if (fd < 0)
		return tls_wrong(
		    report, errno, "%s: %s", path, strerror(errno));
	result = read_open(fd, &now, &bytes);
	close(fd);
	if (result != 0)
		return tls_wrong(
		    report, -result, "%s: %s", path, strerror(-result));
	if (secret && (now.st_mode & S_IRWXO) != 0)
		tls_warn(report,
		    "%s: this key may be read by everybody; "
		    "chmod o= %s",
		    path, path);
	ret_file->path = path;
	stamp(ret_file, &now);
	*ret_bytes = bytes;
	return 0;
}
