/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * health: what the files of this plugin share.
 */
#ifndef HEALTH_HEALTH_H
#define HEALTH_HEALTH_H

#include <berth/berth.h>
#include <pthread.h>
#include <sys/queue.h>

#define OUTPUT_MOST 4096u

/* What a run of the program came to. */
struct verdict {
	int good; /* it exited with 0 */
	size_t size;
	char output[OUTPUT_MOST];
};

enum form { FORM_UNKNOWN, FORM_PLAIN, FORM_HTTP, FORM_HTTP_HEAD };

struct asker {
	LIST_ENTRY(asker) link;
	struct berth_session *session;
	enum form form;
	size_t heard; /* bytes of the first word */
	char word[5];
	unsigned waits : 1; /* it is in the list */
	unsigned answered : 1;
};

struct health {
	struct berth_service *service;
	char *const *program; /* argv of the program */
	enum form form;	      /* FORM_UNKNOWN: by what the client says */
	uint32_t timeout_ms, cache_ms, stale_ms;
	LIST_HEAD(, asker) askers; /* who wait for the run */
	int runs;		   /* one is on its way */
	int known;		   /* there is a verdict */
	struct verdict verdict;	   /* the last one; of the loop's thread */
	uint64_t verdict_ns;
	uint64_t count; /* of runs */
	int kick_fd;	/* an eventfd: the thread shall run it */
	pthread_mutex_t lock;
	struct verdict fresh; /* the thread's, under the lock */
};

/* --- options.c --- */
int options_read(struct health *health, int argc, char **argv);

/* --- run.c: the thread --- */
berth_thread_fn run_thread;

/* --- answer.c --- */
int answer(struct asker *asker);

#endif
