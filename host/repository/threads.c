/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Threads that the host starts for a service.
 *
 * A thread is never cancelled: when its service ends, one eventfd that all
 * threads of the instance share becomes readable, and they leave by
 * themselves.  Joining never blocks the loop; pthread_tryjoin_np(3) is asked
 * until the thread's function has really returned, so that no frame of the
 * plugin is left when its code is unloaded.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "repository/repository_priv.h"

static void *
thread_main(void *arg)
{
	struct berth_thread *thread = arg;

	thread->run(thread, thread->arg);
	return NULL;
}

static void
thread_free(struct berth_thread *thread)
{
	thread->magic = 0;
	free(thread->name);
	free(thread);
}

/* It was joined. */
static void
thread_remove(struct berth_thread *thread)
{
	LIST_REMOVE(thread, link);
	thread_free(thread);
}

int
threads_start(struct instance *instance, const char *name, berth_thread_fn *run,
    void *arg)
{
	struct berth_thread *thread;
	int result;

	if (!instance_is_here(instance))
		return -EPERM;
	if (instance->phase != PHASE_RUNS)
		return -ESHUTDOWN;
	threads_join(instance);
	if (instance->stop_fd < 0) {
		instance->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		if (instance->stop_fd < 0)
			return -errno;
	}
	thread = calloc(1, sizeof(*thread));
	if (thread == NULL)
		return -ENOMEM;
	thread->magic = THREAD_MAGIC;
	thread->instance = instance;
	thread->run = run;
	thread->arg = arg;
	thread->name = strdup(name == NULL ? "thread" : name);
	result = thread->name == NULL
		     ? -ENOMEM
		     : thread_start(thread_main, thread, &thread->id);
	if (result < 0) {
		thread_free(thread);
		return result;
	}
	LIST_INSERT_HEAD(&instance->threads, thread, link);
	return 0;
}

void
threads_signal(struct instance *instance)
{
	uint64_t one = 1;

	/* Can fail only when the counter is full, and then it is readable. */
	if (instance->stop_fd >= 0 &&
	    write(instance->stop_fd, &one, sizeof(one)) < 0)
		BASE_ASSERT(errno == EAGAIN);
}

bool
threads_join(struct instance *instance)
{
	struct berth_thread *thread = LIST_FIRST(&instance->threads);

	while (thread != NULL) {
		struct berth_thread *next = LIST_NEXT(thread, link);

		if (pthread_tryjoin_np(thread->id, NULL) == 0)
			thread_remove(thread);
		thread = next;
	}
	return LIST_EMPTY(&instance->threads);
}

/* Waits, on this thread: for the end of a process, and for services that can't
 * be up twice. */
bool
threads_join_within(struct instance *instance, int seconds)
{
	struct berth_thread *thread;
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += seconds;
	while ((thread = LIST_FIRST(&instance->threads)) != NULL) {
		if (pthread_timedjoin_np(thread->id, NULL, &until) != 0)
			return false;
		thread_remove(thread);
	}
	return true;
}
