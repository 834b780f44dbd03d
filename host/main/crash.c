/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * crash: what is said when a service takes the process down with it, and where
 * one is that does not come back.
 *
 * Handlers of SIGSEGV and kin write one line with the service that was running
 * and then a backtrace to standard error, and let the signal do what it does
 * by itself: the core file is of the place where it happened.  They make only
 * calls that a handler may make, on a stack of their own, since the stack may
 * be what ran out.  Signals that somebody handles already, a sanitizer, stay
 * his.
 *
 * A fault close to where the stack pointer is means that the stack ran out: all
 * that is above its guard can be touched.  Whose stack it was, the address
 * says.
 *
 * The same is printed, without an end, of a thread that is sent the trace
 * signal: the watchdog's way to ask.
 */
#include <errno.h>
#include <execinfo.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <ucontext.h>
#include <unistd.h>

#include "control/control.h"
#include "main/main.h"

#ifndef SYS_SECCOMP /* siginfo's, that not all headers name */
#define SYS_SECCOMP 1
#endif

#define FRAMES_MAX 64
#define STACK_BYTES 65536u
#define FRAME_MOST 65536u
#define BELOW_MOST 4096u
/* Other mappings are further away from the stack of a process. */
#define LOOP_STACK_MOST (128u << 20)

static const int crash_signals[] = {
    SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL, SIGTRAP, SIGSYS};

/* The process's: a handler is handed nothing. */
static const struct host *_Atomic watched;
static atomic_bool journal;
static pthread_t loop_thread;
static uintptr_t loop_stack; /* an address high up in its own stack */
static char alternate_stack[STACK_BYTES];

/* --- in a handler ----------------------------------------------------------
 */

struct line {
	char text[512];
	size_t size;
};

static void
add(struct line *line, const char *text)
{
	while (*text != '\0' && line->size < sizeof(line->text))
		line->text[line->size++] = *text++;
}

static void
add_number(struct line *line, unsigned long number)
{
	char digits[24];
	size_t at = sizeof(digits) - 1;

	digits[at] = '\0';
	do
		digits[--at] = (char)('0' + number % 10);
	while ((number /= 10) > 0);
	add(line, digits + at);
}

static void
begin(struct line *line)
{
	line->size = 0;
	add(line, atomic_load(&journal) ? "<2>" : "berthd: [error] ");
}

static void
put(struct line *line)
{
	add(line, "\n");
	/* Nobody can be told that it was not written. */
	if (write(STDERR_FILENO, line->text, line->size) < 0)
		return;
}

/* Of the threads of loops the service, of others their own name. */
static void
add_culprit(struct line *line)
{
	const struct host *host = atomic_load(&watched);
	const char *name = host != NULL ? host_busy_name(host) : NULL;
	char thread[17] = "";

	if (name == NULL && !pthread_equal(pthread_self(), loop_thread)) {
		prctl(PR_GET_NAME, thread, 0, 0, 0);
		add(line, "in thread '");
		add(line, thread);
		add(line, "'");
		return;
	}
	add(line, name != NULL ? "while '" : "while no service");
	if (name != NULL) {
		add(line, name);
		add(line, "'");
	}
	add(line, " was running");
}

/* 0: not known here. */
static uintptr_t
stack_pointer(const void *context)
{
	const ucontext_t *place = context;

#if defined(__x86_64__)
	return (uintptr_t)place->uc_mcontext.gregs[REG_RSP];
#elif defined(__aarch64__)
	return (uintptr_t)place->uc_mcontext.sp;
#else
	(void)place;
	return 0;
#endif
}

/* A frame may be as large as this, or a little of it below the pointer. */
static bool
ran_out(int signum, const siginfo_t *info, uintptr_t pointer)
{
	uintptr_t address = (uintptr_t)info->si_addr;

	if ((signum != SIGSEGV && signum != SIGBUS) || info->si_code <= 0 ||
	    pointer == 0)
		return false;
	return address >= pointer ? address - pointer < FRAME_MOST
				  : pointer - address < BELOW_MOST;
}

static void
add_cause(
    struct line *line, int signum, const siginfo_t *info, const void *context)
{
	uintptr_t pointer = stack_pointer(context);

	if (!ran_out(signum, info, pointer))
		return;
	if (!pthread_equal(pthread_self(), loop_thread))
		add(line, ", and its stack ran out; of code written in "
			  "sequence, 'stack' of the service is its size");
	else if (loop_stack - pointer < LOOP_STACK_MOST)
		add(line, ", and the stack of the process ran out");
	else
		add(line, ", and the stack of its session ran out: give the "
			  "service a larger 'stack'");
}

static void
print_backtrace(void)
{
	void *frames[FRAMES_MAX];

	backtrace_symbols_fd(
	    frames, backtrace(frames, FRAMES_MAX), STDERR_FILENO);
}

/* A worker's: its host knows the names. */
static void
add_call(struct line *line, const siginfo_t *info)
{
	if (info->si_signo != SIGSYS || info->si_code != SYS_SECCOMP)
		return;
	add(line, ", by system call ");
	add_number(line, (unsigned long)info->si_syscall);
}

static void
crashed(int signum, siginfo_t *info, void *context)
{
	struct line line;

	begin(&line);
	add(&line, "crash: signal ");
	add_number(&line, (unsigned long)signum);
	add(&line, " ");
	add_culprit(&line);
	add_cause(&line, signum, info, context);
	add_call(&line, info);
	add(&line, "; where, the latest call first:");
	put(&line);
	print_backtrace();
	/* The default is in place again: this is the end. */
	raise(signum);
}

static void
traced(int signum, siginfo_t *info, void *context)
{
	int error = errno;
	struct line line;

	(void)signum;
	(void)info;
	(void)context;
	begin(&line);
	add(&line, "it is here, the latest call first:");
	put(&line);
	print_backtrace();
	errno = error;
}

/* --- from outside ----------------------------------------------------------
 */

/* Unless somebody else has it. */
static int
install(int signum, void (*handler)(int, siginfo_t *, void *), int flags)
{
	struct sigaction action = {
	    .sa_sigaction = handler, .sa_flags = flags | SA_SIGINFO};
	struct sigaction before;

	if (sigaction(signum, NULL, &before) < 0)
		return -errno;
	if (before.sa_handler != SIG_DFL)
		return 0;
	return sigaction(signum, &action, NULL) < 0 ? -errno : 0;
}

int
crash_watch(const struct host *host, const struct log_sink *sink)
{
	stack_t stack = {
	    .ss_sp = alternate_stack, .ss_size = sizeof(alternate_stack)};
	void *frame;
	int result = sigaltstack(&stack, NULL) < 0 ? -errno : 0;

	/* The first call loads a library, which a handler must not. */
	(void)backtrace(&frame, 1);
	loop_thread = pthread_self();
	loop_stack = (uintptr_t)&frame + FRAME_MOST;
	atomic_store(&journal, sink->target == LOG_TARGET_JOURNAL);
	atomic_store(&watched, host);
	for (size_t i = 0; result == 0 && i < BASE_COUNT(crash_signals); i++)
		result = install(crash_signals[i], crashed,
		    (int)(SA_ONSTACK | SA_NODEFER | SA_RESETHAND));
	if (result == 0)
		result = install(
		    THREAD_TRACE_SIGNAL, traced, SA_ONSTACK | SA_RESTART);
	return result;
}

void
crash_forget(void)
{
	atomic_store(&watched, NULL);
}

void
crash_print_stack(pthread_t thread)
{
	pthread_kill(thread, THREAD_TRACE_SIGNAL);
}
