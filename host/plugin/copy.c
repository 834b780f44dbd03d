/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * copy: a private, sealed copy of a file in memory.
 *
 * Whatever happens to the installed file afterwards, overwriting, truncation,
 * removal, the copy stays as it was judged: it is what is read and, later,
 * mapped as code.
 */
#include "plugin/plugin_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <unistd.h>

#ifndef MFD_NOEXEC_SEAL /* Linux 6.3; older headers lack it */
#define MFD_NOEXEC_SEAL 0x0008U
#endif

#define SIZE_MAX_BYTES (1 << 30)
#define NAME_MAX_BYTES 249 /* memfd_create(2) */

static void
take_time(const struct timespec *time, int64_t *ret_ns)
{
	*ret_ns = (int64_t)time->tv_sec * 1000000000 + time->tv_nsec;
}

void
copy_identity(const struct stat *st, struct plugin_identity *identity)
{
	memset(identity, 0, sizeof(*identity));
	identity->device = st->st_dev;
	identity->inode = st->st_ino;
	identity->size = st->st_size;
	take_time(&st->st_mtim, &identity->mtime_ns);
	take_time(&st->st_ctim, &identity->ctime_ns);
}

/* Named after the file, for /proc/PID/maps. */
static int
make_memfd(const char *file, int *ret_memfd)
{
	const char *slash = strrchr(file, '/');
	char name[NAME_MAX_BYTES + 1];
	int fd;

	(void)snprintf(
	    name, sizeof(name), "berth:%s", slash ? slash + 1 : file);
	/* Code is mapped, never executed as a program: where the kernel knows
	 * the seal it may insist on being told (vm.memfd_noexec). */
	fd = memfd_create(
	    name, MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);
	if (fd < 0 && errno == EINVAL)
		fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0)
		return -errno;
	*ret_memfd = fd;
	return 0;
}

/* The whole of it; offset is kept by us, for fd may be read again. */
static int
copy_bytes(int fd, int memfd, off_t size)
{
	off_t offset = 0;
	ssize_t n;

	while (offset < size) {
		n = sendfile(memfd, fd, &offset, (size_t)(size - offset));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return -EBUSY; /* shorter now */
	}
	return 0;
}

static bool
same_times(const struct stat *a, const struct stat *b)
{
	struct plugin_identity before, after;

	copy_identity(a, &before);
	copy_identity(b, &after);
	return memcmp(&before, &after, sizeof(before)) == 0;
}

int
copy_file(int fd, const char *file, const struct report *report, int *ret_memfd)
{
	AUTO_FD memfd = -1;
	struct stat before, after;
	int r;

	if (fstat(fd, &before) < 0)
		return complain(
		    report, -errno, "%s: %s", file, strerror(errno));
	if (before.st_size > SIZE_MAX_BYTES)
		return complain(report, -EFBIG, "%s: larger than %d MiB", file,
		    SIZE_MAX_BYTES >> 20);
	r = make_memfd(file, &memfd);
	if (r == 0)
		r = copy_bytes(fd, memfd, before.st_size);
	if (r == 0 && fstat(fd, &after) < 0)
		r = -errno;
	if (r == 0 && !same_times(&before, &after))
		r = -EBUSY;
	if (r == 0 &&
	    fcntl(memfd, F_ADD_SEALS,
		F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0)
		r = -errno;
	if (r == -EBUSY)
		return complain(
		    report, r, "%s: changed while it was read", file);
	if (r < 0)
		return complain(
		    report, r, "%s: cannot copy it: %s", file, strerror(-r));
	*ret_memfd = base_take_fd(&memfd);
	return 0;
}
