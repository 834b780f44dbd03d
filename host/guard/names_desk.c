/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * names_desk: threads that ask the resolver.
 *
 * A thread is started when there is a question and nobody idle, up to a few,
 * so that a name server that does not answer holds up some questions and not
 * all.  The desk belongs to everybody who has a reference, the loop's side and
 * each thread: a question that hangs does not keep the host from ending.  Its
 * thread is left alone then; it finds the desk closed and goes.  The code of
 * the host is never unloaded below it.
 */
#include "guard/names_priv.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

struct names_desk {
	pthread_mutex_t lock;
	pthread_cond_t work;
	pthread_cond_t left; /* a thread has gone */
	struct names_resolver resolver;
	struct names_jobs questions;
	struct names_jobs answers;
	unsigned queued; /* questions */
	unsigned threads;
	unsigned idle;
	unsigned references;
	int event_fd;
	bool closed;
};

static void
drop_jobs(struct names_jobs *jobs)
{
	struct names_job *job;

	while ((job = STAILQ_FIRST(jobs)) != NULL) {
		STAILQ_REMOVE_HEAD(jobs, link);
		free(job);
	}
}

/* Called with the lock, which it gives up. */
static void
leave_desk(struct names_desk *desk)
{
	bool last = --desk->references == 0;

	pthread_mutex_unlock(&desk->lock);
	if (!last)
		return;
	drop_jobs(&desk->questions);
	drop_jobs(&desk->answers);
	pthread_cond_destroy(&desk->work);
	pthread_cond_destroy(&desk->left);
	pthread_mutex_destroy(&desk->lock);
	free(desk);
}

/* --- a thread --------------------------------------------------------------
 */

static bool
has_address(const struct names_job *job)
{
	for (unsigned i = 0; i < job->count; i++) {
		const struct access_prefix *one = &job->prefixes[i];

		if (one->high == job->address.high &&
		    one->low == job->address.low &&
		    one->bits == job->address.bits &&
		    one->v6 == job->address.v6)
			return true;
	}
	return false;
}

/* Anybody may call his address what he likes; a name counts when it has the
 * address as well. */
static int
find_name(const struct names_resolver *resolver, struct names_job *job)
{
	int result = resolver->name(
	    resolver->context, &job->address, job->name);

	if (result == 0)
		result = resolver->addresses(
		    resolver->context, job->name, job->prefixes, &job->count);
	if (result == 0 && !has_address(job))
		return -ENOENT;
	return result;
}

static void
answer(const struct names_resolver *resolver, struct names_job *job)
{
	job->result = job->kind == NAMES_NAME_OF
			  ? find_name(resolver, job)
			  : resolver->addresses(resolver->context, job->name,
				job->prefixes, &job->count);
}

/* With the lock.  NULL: the desk is closed. */
static struct names_job *
take_question(struct names_desk *desk)
{
	struct names_job *job;

	while (!desk->closed && STAILQ_EMPTY(&desk->questions)) {
		desk->idle++;
		pthread_cond_wait(&desk->work, &desk->lock);
		desk->idle--;
	}
	if (desk->closed)
		return NULL;
	job = STAILQ_FIRST(&desk->questions);
	STAILQ_REMOVE_HEAD(&desk->questions, link);
	desk->queued--;
	return job;
}

static void *
work(void *arg)
{
	struct names_desk *desk = arg;
	const uint64_t one = 1;
	struct names_job *job;

	pthread_mutex_lock(&desk->lock);
	while ((job = take_question(desk)) != NULL) {
		pthread_mutex_unlock(&desk->lock);
		answer(&desk->resolver, job);
		pthread_mutex_lock(&desk->lock);
		STAILQ_INSERT_TAIL(&desk->answers, job, link);
		/* Full is as good as written. */
		if (!desk->closed &&
		    write(desk->event_fd, &one, sizeof(one)) < 0)
			continue;
	}
	desk->threads--;
	pthread_cond_signal(&desk->left);
	leave_desk(desk);
	return NULL;
}

/* With the lock.  Signals are the loop's. */
static int
start_thread(struct names_desk *desk)
{
	pthread_attr_t attributes;
	sigset_t all, before;
	pthread_t id;
	int result = pthread_attr_init(&attributes);

	if (result != 0)
		return -result;
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	result = pthread_create(&id, &attributes, work, desk);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attributes);
	if (result != 0)
		return -result;
	desk->threads++;
	desk->references++;
	return 0;
}

/* --- the loop's side -------------------------------------------------------
 */

int
names_desk_new(const struct names_resolver *resolver, int event_fd,
    struct names_desk **ret_desk)
{
	struct names_desk *desk = calloc(1, sizeof(*desk));

	if (desk == NULL)
		return -ENOMEM;
	pthread_mutex_init(&desk->lock, NULL);
	pthread_cond_init(&desk->work, NULL);
	pthread_cond_init(&desk->left, NULL);
	STAILQ_INIT(&desk->questions);
	STAILQ_INIT(&desk->answers);
	desk->resolver = *resolver;
	desk->event_fd = event_fd;
	desk->references = 1;
	*ret_desk = desk;
	return 0;
}

struct names_desk *
names_desk_free(struct names_desk *desk)
{
	if (desk == NULL)
		return NULL;
	pthread_mutex_lock(&desk->lock);
	desk->closed = true;
	pthread_cond_broadcast(&desk->work);
	while (desk->idle > 0)
		pthread_cond_wait(&desk->left, &desk->lock);
	leave_desk(desk);
	return NULL;
}

int
names_desk_ask(struct names_desk *desk, struct names_job *job)
{
	int result = 0;

	pthread_mutex_lock(&desk->lock);
	if (desk->idle <= desk->queued && desk->threads < NAMES_THREADS_MAX)
		result = start_thread(desk);
	/* Others will come to it. */
	if (desk->threads > 0)
		result = 0;
	if (result == 0) {
		STAILQ_INSERT_TAIL(&desk->questions, job, link);
		desk->queued++;
		pthread_cond_signal(&desk->work);
	}
	pthread_mutex_unlock(&desk->lock);
	return result;
}

struct names_job *
names_desk_take(struct names_desk *desk)
{
	struct names_job *job;

	pthread_mutex_lock(&desk->lock);
	job = STAILQ_FIRST(&desk->answers);
	if (job != NULL)
		STAILQ_REMOVE_HEAD(&desk->answers, link);
	pthread_mutex_unlock(&desk->lock);
	return job;
}
