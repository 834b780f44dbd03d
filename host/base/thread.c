/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * thread: threads that may run code of services.
 *
 * The signals of the process are not for them.  The faults of their own code
 * are: blocked, they would end the process without a word.  They are told on a
 * stack of their own, since it may be the thread's that ran out; it is a
 * mapping that nobody touches otherwise, with what the thread begins with at
 * its low end.
 */
#include <errno.h>
#include <signal.h>
#include <stdalign.h>
#include <sys/mman.h>

#include "base/base.h"

#define MAPPING_BYTES 65536u

struct start {
	alignas(64) void *(*run)(void *arg);
	void *arg;
};

static void *
begin(void *mapping)
{
	struct start *start = mapping;
	stack_t stack = {
	    .ss_sp = start + 1, .ss_size = MAPPING_BYTES - sizeof(*start)};
	stack_t before;
	bool is_set = sigaltstack(&stack, &before) == 0;
	void *result = start->run(start->arg);

	/* Its libraries' own, if they had one. */
	if (is_set)
		sigaltstack(&before, NULL);
	munmap(mapping, MAPPING_BYTES);
	return result;
}

static void
all_but_faults(sigset_t *set)
{
	static const int faults[] = {
	    SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS};

	sigfillset(set);
	for (size_t i = 0; i < BASE_COUNT(faults); i++)
		sigdelset(set, faults[i]);
	sigdelset(set, THREAD_TRACE_SIGNAL);
}

int
thread_start(void *(*run)(void *arg), void *arg, pthread_t *ret_thread)
{
	sigset_t blocked, before;
	int error;
	struct start *start = mmap(NULL, MAPPING_BYTES, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (start == MAP_FAILED)
		return -ENOMEM;
	start->run = run;
	start->arg = arg;
	all_but_faults(&blocked);
	pthread_sigmask(SIG_SETMASK, &blocked, &before);
	error = pthread_create(ret_thread, NULL, begin, start);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (error != 0)
		munmap(start, MAPPING_BYTES);
	return -error;
}
