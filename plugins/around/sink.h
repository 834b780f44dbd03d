/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sink: a file that a thread of its own writes, so that nobody waits for it.
 *
 * What is put there waits in memory, up to a bound; what finds no room, or
 * can't be written, is lost, counted, and told in the log and, once there is
 * room again, in the file.  A file that was renamed or removed is opened anew
 * within a second.  Made in a module's init; the thread ends when the module
 * does and nobody uses the sink any more.
 */
#ifndef PLUGINS_AROUND_SINK_H
#define PLUGINS_AROUND_SINK_H

#include <berth/berth.h>
#include <pthread.h>
#include <stdbool.h>

struct sink_buffer {
	char *data;
	size_t size;
	size_t room;
};

struct sink {
	struct berth_service *module;
	const char *path;
	bool tells; /* losses in the file, too */
	size_t most;
	int fd;
	int wake_fd;
	/* The thread's own. */
	uint64_t looked_ns;
	uint64_t told; /* bytes, that are lost */
	uint64_t told_ns;
	int broken;	      /* the errno that was told; 0: none */
	pthread_mutex_t lock; /* of the rest */
	struct sink_buffer waiting;
	uint64_t lost;	/* bytes, since it was told last */
	uint64_t total; /* ever */
	unsigned users;
};

/* path is not copied.  0, or negative and told. */
int sink_init(struct sink *sink, struct berth_service *module, const char *path,
    size_t most);
/* Takes what init left of it, too; after the thread. */
void sink_fini(struct sink *sink);
/* [any thread] Who puts something there is a user. */
void sink_join(struct sink *sink);
void sink_leave(struct sink *sink);
/* [any thread] All of it or nothing; bytes is what it stands for. */
void sink_put(struct sink *sink, struct berth_bytes text, size_t bytes);
uint64_t sink_lost(struct sink *sink);

#endif
