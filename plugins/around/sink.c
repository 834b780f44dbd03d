/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sink: a bounded queue of text in front of a file, and the thread that writes
 * it.
 *
 * Two buffers take turns: one is filled under the lock, the other is written
 * by the thread without it.  So a caller waits for a copy in memory at most.
 * The wake-up is an eventfd, written when there was nothing before.
 */
#include "sink.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOOK_NS UINT64_C(1000000000)
#define PATIENCE_MS 200 /* with a reader of a pipe, in one call */

static int
open_file(const char *path)
{
	return open(path,
	    O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
	    0640);
}

/* --- what comes ------------------------------------------------------------*/

static void
wake(const struct sink *sink)
{
	uint64_t one = 1;
	ssize_t done;

	do {
		done = write(sink->wake_fd, &one, sizeof(one));
	} while (done < 0 && errno == EINTR);
}

/* False: there is no memory, or no room within the bound. */
static bool
make_room(struct sink *sink, size_t size)
{
	struct sink_buffer *buffer = &sink->waiting;
	size_t room = buffer->room;
	char *data;

	if (size > sink->most || buffer->size > sink->most - size)
		return false;
	if (buffer->size + size <= room)
		return true;
	while (room < buffer->size + size)
		room = room == 0 ? 4096 : 2 * room;
	data = realloc(buffer->data, room);
	if (data == NULL)
		return false;
	buffer->data = data;
	buffer->room = room;
	return true;
}

static void
add(struct sink *sink, const char *text, size_t size)
{
	memcpy(sink->waiting.data + sink->waiting.size, text, size);
	sink->waiting.size += size;
}

/* Before what comes after the gap. */
static void
tell_gap(struct sink *sink)
{
	char line[64];
	int size;

	if (sink->lost == 0 || !sink->tells)
		return;
	size = snprintf(line, sizeof(line), "- %llu bytes are lost\n",
	    (unsigned long long)sink->lost);
	if (make_room(sink, (size_t)size)) {
		add(sink, line, (size_t)size);
		sink->lost = 0;
	}
}

void
sink_put(struct sink *sink, struct berth_bytes text, size_t bytes)
{
	bool was_empty;

	if (text.size == 0)
		return;
	pthread_mutex_lock(&sink->lock);
	was_empty = sink->waiting.size == 0;
	/* The note of a gap shall not be what fills the room. */
	if (make_room(sink, text.size + 64)) {
		tell_gap(sink);
		add(sink, text.data, text.size);
	} else {
		sink->lost += bytes;
		sink->total += bytes;
	}
	pthread_mutex_unlock(&sink->lock);
	if (was_empty)
		wake(sink);
}

void
sink_join(struct sink *sink)
{
	pthread_mutex_lock(&sink->lock);
	sink->users++;
	pthread_mutex_unlock(&sink->lock);
}

void
sink_leave(struct sink *sink)
{
	bool last;

	pthread_mutex_lock(&sink->lock);
	last = --sink->users == 0;
	pthread_mutex_unlock(&sink->lock);
	if (last)
		wake(sink);
}

uint64_t
sink_lost(struct sink *sink)
{
	uint64_t total;

	pthread_mutex_lock(&sink->lock);
	total = sink->total;
	pthread_mutex_unlock(&sink->lock);
	return total;
}

/* --- the thread ------------------------------------------------------------*/

/* The same is told once, until it goes well again. */
static void
complain(struct sink *sink, int error)
{
	if (sink->broken != error)
		berth_log(sink->module, BERTH_ERROR,
		    "%s: %s; what can't be written is lost", sink->path,
		    strerror(error));
	sink->broken = error;
}

/* Somebody has renamed the file, or removed it. */
static void
look_at_file(struct sink *sink)
{
	uint64_t now_ns = berth_now(sink->module);
	struct stat there, ours;
	int fd;

	if (now_ns - sink->looked_ns < LOOK_NS)
		return;
	sink->looked_ns = now_ns;
	if (fstat(sink->fd, &ours) == 0 && stat(sink->path, &there) == 0 &&
	    ours.st_dev == there.st_dev && ours.st_ino == there.st_ino)
		return;
	fd = open_file(sink->path);
	if (fd < 0) {
		complain(sink, errno);
		return;
	}
	close(sink->fd);
	sink->fd = fd;
	sink->broken = 0;
}

/* 0, or an errno. */
static int
write_all(const struct sink *sink, const char *data, size_t size, size_t *at)
{
	struct pollfd file = {.fd = sink->fd, .events = POLLOUT};

	while (*at < size) {
		ssize_t done = write(sink->fd, data + *at, size - *at);

		if (done >= 0)
			*at += (size_t)done;
		else if (errno == EAGAIN && poll(&file, 1, PATIENCE_MS) == 0)
			return ETIMEDOUT;
		else if (errno != EINTR && errno != EAGAIN)
			return errno;
	}
	return 0;
}

static void
write_out(struct sink *sink, const struct sink_buffer *buffer)
{
	size_t at = 0;
	int error;

	look_at_file(sink);
	error = write_all(sink, buffer->data, buffer->size, &at);
	if (error == 0) {
		sink->broken = 0;
		return;
	}
	complain(sink, error);
	pthread_mutex_lock(&sink->lock);
	sink->lost += buffer->size - at;
	sink->total += buffer->size - at;
	pthread_mutex_unlock(&sink->lock);
}

/* What waits, in exchange for an empty one.  True: somebody uses the sink. */
static bool
take(struct sink *sink, struct sink_buffer *buffer, uint64_t *ret_total)
{
	struct sink_buffer waiting;
	bool used;

	buffer->size = 0;
	pthread_mutex_lock(&sink->lock);
	waiting = sink->waiting;
	sink->waiting = *buffer;
	*ret_total = sink->total;
	used = sink->users > 0;
	pthread_mutex_unlock(&sink->lock);
	*buffer = waiting;
	return used;
}

/* True: the module ends. */
static bool
wait_for_some(const struct sink *sink, int stop_fd, bool stopping)
{
	struct pollfd fds[2] = {{.fd = sink->wake_fd, .events = POLLIN},
	    {.fd = stopping ? -1 : stop_fd, .events = POLLIN}};
	uint64_t count;

	if (poll(fds, 2, -1) <= 0)
		return stopping;
	if ((fds[0].revents & POLLIN) != 0 &&
	    read(sink->wake_fd, &count, sizeof(count)) < 0)
		return stopping;
	return stopping || fds[1].revents != 0;
}

/* At most once a second, and at the end. */
static void
tell_loss(struct sink *sink, uint64_t total, bool stopping)
{
	uint64_t now_ns = berth_now(sink->module);

	if (total == sink->told ||
	    (!stopping && now_ns - sink->told_ns < LOOK_NS))
		return;
	berth_log(sink->module, BERTH_WARNING, "%s: %llu bytes are lost",
	    sink->path, (unsigned long long)(total - sink->told));
	sink->told = total;
	sink->told_ns = now_ns;
}

static void
run(struct berth_thread *thread, void *arg)
{
	struct sink *sink = arg;
	int stop_fd = berth_thread_stop_fd(sink->module, thread);
	struct sink_buffer buffer = {.data = NULL};
	uint64_t total = 0;
	bool stopping = false, used = true;

	while (used || !stopping || buffer.size > 0) {
		stopping = wait_for_some(sink, stop_fd, stopping);
		used = take(sink, &buffer, &total);
		if (buffer.size > 0)
			write_out(sink, &buffer);
		tell_loss(sink, total, stopping);
		/* What came while it stops has no wake-up of its own. */
		if (stopping && !used && buffer.size > 0)
			wake(sink);
	}
	free(buffer.data);
}

/* --- life ------------------------------------------------------------------*/

int
sink_init(struct sink *sink, struct berth_service *module, const char *path,
    size_t most)
{
	int result;

	sink->module = module;
	sink->path = path;
	sink->most = most;
	sink->looked_ns = berth_now(module);
	pthread_mutex_init(&sink->lock, NULL);
	sink->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	sink->fd = open_file(path);
	if (sink->fd < 0)
		result = berth_fail(
		    module, errno, "%s: %s", path, strerror(errno));
	else if (sink->wake_fd < 0)
		result = berth_fail(
		    module, errno, "eventfd: %s", strerror(errno));
	else
		result = berth_thread_start(module, "sink", run, sink);
	if (result < 0)
		sink_fini(sink);
	return result;
}

void
sink_fini(struct sink *sink)
{
	if (sink->fd >= 0)
		close(sink->fd);
	if (sink->wake_fd >= 0)
		close(sink->wake_fd);
	free(sink->waiting.data);
	pthread_mutex_destroy(&sink->lock);
}
