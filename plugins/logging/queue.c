/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * queue: the records of a relay, in memory and behind that in a file.
 *
 * While anything in the file is not used up, what comes goes there too, so
 * that the order is kept.  The file holds whole records from its start, no
 * header; one that was cut short by a crash is cut off when it is opened.  It
 * is emptied when all of it has arrived, or its room is needed: so after a
 * crash of the relay records may come twice.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client.h"

#define ROOM_FIRST 65536u

/* --- memory --- */

static void
move_down(struct queue *queue)
{
	memmove(
	    queue->data, queue->data + queue->head, queue->tail - queue->head);
	queue->sent -= queue->head;
	queue->tail -= queue->head;
	queue->head = 0;
}

/* Room for so much behind tail.  0, -ENOSPC or -ENOMEM. */
static int
make_room(struct queue *queue, size_t size)
{
	size_t held = queue->tail - queue->head, room = queue->room;
	char *data;

	if (queue->room - queue->tail >= size)
		return 0;
	if (held + size > queue->most)
		return -ENOSPC;
	/* Half of it is free: it pays to move. */
	if (queue->room >= 2 * (held + size) ||
	    (queue->room == queue->most && queue->room >= held + size)) {
		move_down(queue);
		return 0;
	}
	while (room < 2 * (held + size))
		room = room == 0 ? ROOM_FIRST : 2 * room;
	if (room > queue->most)
		room = queue->most;
	data = realloc(queue->data, room);
	if (data == NULL)
		return -ENOMEM;
	queue->data = data;
	queue->room = room;
	move_down(queue);
	return 0;
}

/* Bytes of the record at head, or 0 if it is not all sent. */
static size_t
first_sent(const struct queue *queue)
{
	size_t size = 0, sent = queue->sent - queue->head;

	if (record_measure(queue->data + queue->head, sent, SIZE_MAX, &size) !=
	    0)
		return 0;
	return size <= sent ? size : 0;
}

/* Nothing is left that would have to be sent again. */
static void
all_arrived(struct queue *queue)
{
	if (queue->head < queue->tail)
		return;
	queue->head = queue->sent = queue->tail = 0;
	if (queue->spool_size > 0 && queue->spool_at == queue->spool_size &&
	    ftruncate(queue->fd, 0) == 0)
		queue->spool_size = queue->spool_at = 0;
}

void
queue_arrived(struct queue *queue, uint64_t count)
{
	size_t size;

	for (; count > 0 && (size = first_sent(queue)) > 0; count--)
		queue->head += size;
	all_arrived(queue);
}

void
queue_trim(struct queue *queue, size_t window)
{
	size_t size;

	while (queue->sent - queue->head > window &&
	       (size = first_sent(queue)) > 0)
		queue->head += size;
	all_arrived(queue);
}

/* --- the spool --- */

static int
append(int fd, const void *data, size_t size, uint64_t at)
{
	const char *from = data;
	size_t done = 0;

	while (done < size) {
		ssize_t written = pwrite(
		    fd, from + done, size - done, (off_t)(at + done));

		if (written < 0 && errno != EINTR)
			return -errno;
		done += written > 0 ? (size_t)written : 0;
	}
	return 0;
}

static int
spool(struct queue *queue, const void *data, size_t size)
{
	int result;

	if (queue->fd < 0)
		return -ENOSPC;
	if (queue->spool_size > 0 && queue->spool_at == queue->spool_size) {
		if (ftruncate(queue->fd, 0) != 0)
			return -errno;
		queue->spool_size = queue->spool_at = 0;
	}
	if (queue->spool_size + size > queue->spool_most)
		return -ENOSPC;
	result = append(queue->fd, data, size, queue->spool_size);
	if (result == 0)
		queue->spool_size += size;
	return result;
}

int
queue_put(struct queue *queue, const void *data, size_t size)
{
	int result = 0;

	if (queue->spool_at == queue->spool_size) {
		result = make_room(queue, size);
		if (result == 0) {
			memcpy(queue->data + queue->tail, data, size);
			queue->tail += size;
			return 0;
		}
	}
	return spool(queue, data, size);
}

int
queue_refill(struct queue *queue)
{
	while (queue->spool_at < queue->spool_size) {
		uint64_t left = queue->spool_size - queue->spool_at;
		size_t piece = left < RECORD_MOST ? (size_t)left : RECORD_MOST;
		size_t at = 0, size = 0;
		ssize_t got;
		char *data;

		if (make_room(queue, piece) != 0)
			return 0;
		data = queue->data + queue->tail;
		got = pread(queue->fd, data, piece, (off_t)queue->spool_at);
		if (got <= 0)
			return got < 0 ? -errno : -EIO;
		while (record_measure(data + at, (size_t)got - at, RECORD_MOST,
			   &size) == 0 &&
		       size <= (size_t)got - at)
			at += size;
		if (at == 0)
			return -EPROTO;
		queue->tail += at;
		queue->spool_at += at;
	}
	return 0;
}

/* How much of the file is whole records. */
static int
measure(struct queue *queue, uint64_t file_size)
{
	char header[RECORD_HEADER_BYTES];
	size_t size;

	for (;;) {
		ssize_t got = pread(queue->fd, header, sizeof(header),
		    (off_t)queue->spool_size);

		if (got < 0)
			return -errno;
		if (record_measure(header, (size_t)got, RECORD_MOST, &size) !=
			0 ||
		    queue->spool_size + size > file_size)
			break;
		queue->spool_size += size;
	}
	return ftruncate(queue->fd, (off_t)queue->spool_size) == 0 ? 0 : -errno;
}

int
queue_open(struct queue *queue)
{
	struct stat status;

	if (queue->path == NULL)
		return 0;
	queue->fd = open(queue->path,
	    O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW, 0600);
	if (queue->fd < 0)
		return -errno;
	if (flock(queue->fd, LOCK_EX | LOCK_NB) != 0 ||
	    fstat(queue->fd, &status) != 0)
		return errno == EWOULDBLOCK ? -EBUSY : -errno;
	return measure(queue, (uint64_t)status.st_size);
}

/* --- the end --- */

/* What is in memory comes before what is left of the spool. */
static int
save(struct queue *queue, int fd)
{
	size_t held = queue->tail - queue->head;
	uint64_t at = held;
	char buffer[8192];
	int result = append(fd, queue->data + queue->head, held, 0);

	while (result == 0 && queue->spool_at < queue->spool_size) {
		ssize_t got = pread(
		    queue->fd, buffer, sizeof(buffer), (off_t)queue->spool_at);

		if (got <= 0)
			return got < 0 ? -errno : -EIO;
		result = append(fd, buffer, (size_t)got, at);
		queue->spool_at += (uint64_t)got;
		at += (uint64_t)got;
	}
	return result;
}

static int
replace_spool(struct queue *queue)
{
	char path[PATH_MAX];
	int fd, result;

	if (snprintf(path, sizeof(path), "%s.new", queue->path) >=
	    (int)sizeof(path))
		return -ENAMETOOLONG;
	fd = open(
	    path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	result = save(queue, fd);
	if (result == 0 && rename(path, queue->path) != 0)
		result = -errno;
	close(fd);
	return result;
}

int64_t
queue_close(struct queue *queue)
{
	size_t held = queue->tail - queue->head;
	int64_t result = 0;

	if (queue->fd >= 0) {
		if (held > 0)
			result = replace_spool(queue);
		close(queue->fd);
	} else {
		result = (int64_t)(queue->tail - queue->sent);
	}
	free(queue->data);
	queue->data = NULL;
	queue->fd = -1;
	return result;
}
