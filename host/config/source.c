/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * source: a file, opened once, judged by its descriptor and read whole.
 *
 * A configuration says what code runs, so a file that somebody else could
 * have written is refused: one that everybody may write, or whose owner is
 * neither root nor us.  Only regular files are included; what the command
 * line names may be a pipe or a device as well (/dev/stdin, /dev/null), and
 * those have no owner to judge.  Nothing is kept open.
 */
#include "config/config_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TOTAL_LIMIT_BYTES (4u * (size_t)SOURCE_LIMIT_BYTES)
#define FILE_COUNT_LIMIT 100000u

/* Where to tell about a file: at the include, or at the file as a whole. */
struct telling {
	struct reader *reader;
	const char *path;
	const struct place *from;
};

static int
tell(const struct telling *telling, const char *what)
{
	struct source whole = {.name = telling->path};
	struct place place = {.source = &whole};

	if (telling->from != NULL)
		return reader_tell(telling->reader, telling->from,
		    "cannot read '%s': %s", telling->path, what);
	return reader_tell(telling->reader, &place, "cannot read it: %s", what);
}

static int
check_kind(const struct telling *telling, const struct stat *status)
{
	bool stream = S_ISFIFO(status->st_mode) || S_ISCHR(status->st_mode) ||
		      S_ISSOCK(status->st_mode);

	if (S_ISREG(status->st_mode))
		return 0;
	if (S_ISDIR(status->st_mode))
		return tell(telling,
		    telling->from == NULL
			? "it is a directory"
			: "it is a directory; 'includedir' reads all files "
			  "of one");
	if (stream && telling->from == NULL)
		return 0;
	return tell(telling, "it is not a regular file");
}

const char *
source_distrust(const struct stat *status)
{
	if ((status->st_mode & S_IWOTH) != 0)
		return "everybody may write to it (chmod o-w)";
	if (status->st_uid != 0 && status->st_uid != geteuid())
		return "its owner is neither root nor the user of this process";
	return NULL;
}

static int
check_trust(const struct telling *telling, const struct stat *status)
{
	const char *reason = NULL;

	if (S_ISREG(status->st_mode))
		reason = source_distrust(status);
	return reason == NULL ? 0 : tell(telling, reason);
}

static int
check_share(const struct telling *telling)
{
	struct reader *reader = telling->reader;

	if (++reader->file_count > FILE_COUNT_LIMIT)
		return tell(telling, "more than 100000 files are included");
	if (reader->total_bytes > TOTAL_LIMIT_BYTES)
		return tell(telling, "all files together exceed 256 MiB");
	return 0;
}

/* A pipe of a shell is read to its end, however long that takes. */
static int
set_blocking(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || fcntl(fd, F_SETFL, flags & ~O_NONBLOCK) < 0)
		return -errno;
	return 0;
}

static int
read_file(
    const struct telling *telling, int fd, bool regular, struct text *text)
{
	int result = regular ? 0 : set_blocking(fd);

	if (result == 0)
		result = fd_read_all(fd, SOURCE_LIMIT_BYTES, text);
	if (result == -ENOMEM || result == 0)
		return result;
	if (result == -EFBIG)
		return tell(telling, "it is larger than 64 MiB");
	return tell(telling, strerror(-result));
}

static int
check_text(const struct telling *telling, const struct text *text)
{
	const char *data = text_string(text);

	if (text->size >= 2 && (memcmp(data, "\xff\xfe", 2) == 0 ||
				   memcmp(data, "\xfe\xff", 2) == 0))
		return tell(telling, "it is UTF-16; UTF-8 is expected");
	return 0;
}

static int
take_source(const struct telling *telling, const struct text *text,
    struct frame *ret_frame)
{
	struct reader *reader = telling->reader;

	ret_frame->source = reader_source(
	    reader, telling->path, text_string(text), text->size, true);
	if (ret_frame->source == NULL)
		return -ENOMEM;
	reader->total_bytes += text->size;
	return 0;
}

static int
open_checked(
    const struct telling *telling, int *ret_fd, struct stat *ret_status)
{
	AUTO_FD fd = open(
	    telling->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	int result;

	if (fd < 0 || fstat(fd, ret_status) < 0)
		return errno == ENOMEM ? -ENOMEM
				       : tell(telling, strerror(errno));
	result = check_kind(telling, ret_status);
	if (result == 0)
		result = check_trust(telling, ret_status);
	if (result == 0)
		*ret_fd = base_take_fd(&fd);
	return result;
}

int
source_open(struct reader *reader, const char *path, bool included,
    const struct place *from, struct frame *ret_frame)
{
	const struct telling telling = {reader, path, included ? from : NULL};
	AUTO_TEXT text = {0};
	AUTO_FD fd = -1;
	struct stat status;
	int result = check_share(&telling);

	if (result == 0)
		result = open_checked(&telling, &fd, &status);
	if (result == 0)
		result = read_file(
		    &telling, fd, S_ISREG(status.st_mode), &text);
	if (result == 0)
		result = check_text(&telling, &text);
	if (result == 0)
		result = take_source(&telling, &text, ret_frame);
	if (result != 0)
		return result;
	ret_frame->device = status.st_dev;
	ret_frame->inode = status.st_ino;
	return 0;
}

const char *
source_relative(
    struct reader *reader, const struct place *from, const char *path)
{
	const char *name = reader->files != NULL ? from->source->name : "";
	const char *slash = strrchr(name, '/');

	if (path[0] == '/' || slash == NULL)
		return path;
	return arena_printf(
	    reader->tree->arena, "%.*s/%s", (int)(slash - name), name, path);
}
