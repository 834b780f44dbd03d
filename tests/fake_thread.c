/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Threads of the fake host: real ones, each with an eventfd that tells it to
 * stop.  Stopping waits for ever: a test of a thread that does not stop is
 * ended by its time limit.
 */
#include "fake_host_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct berth_thread {
	struct berth_service *service;
	berth_thread_fn *run;
	void *arg;
	pthread_t thread;
	int stop_fd;
};

static void *
thread_main(void *arg)
{
	struct berth_thread *thread = arg;

	thread->run(thread, thread->arg);
	return NULL;
}

static int
thread_start(struct berth_service *service, const char *name,
    berth_thread_fn *run, void *arg)
{
	struct fake_host *host = fake_host_of(service);
	struct berth_thread *thread = fake_alloc(sizeof(*thread));
	int r;

	(void)name;
	FAKE_CHECK(host->thread_count < FAKE_MAX);
	thread->service = service;
	thread->run = run;
	thread->arg = arg;
	thread->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	FAKE_CHECK(thread->stop_fd >= 0);
	r = pthread_create(&thread->thread, NULL, thread_main, thread);
	if (r != 0) {
		close(thread->stop_fd);
		free(thread);
		return -r;
	}
	host->threads[host->thread_count++] = thread;
	return 0;
}

static int
thread_stop_fd(struct berth_thread *thread)
{
	return thread->stop_fd;
}

static struct berth_service *
thread_service(struct berth_thread *thread)
{
	return thread->service;
}

void
fake_thread_table(struct berth_host *table)
{
	table->thread_start = thread_start;
	table->thread_stop_fd = thread_stop_fd;
	table->thread_service = thread_service;
}

void
fake_thread_stop(struct fake_host *host, struct berth_service *service)
{
	struct berth_thread *thread;
	uint64_t one = 1;
	unsigned i, kept = 0;

	for (i = 0; i < host->thread_count; i++) {
		thread = host->threads[i];
		if (service && thread->service != service) {
			host->threads[kept++] = thread;
			continue;
		}
		FAKE_CHECK(
		    write(thread->stop_fd, &one, sizeof(one)) == sizeof(one));
		FAKE_CHECK(pthread_join(thread->thread, NULL) == 0);
		close(thread->stop_fd);
		free(thread);
	}
	host->thread_count = kept;
}
