/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * main: the program berthd, that is, what belongs to the process and not to a
 * host: standard streams, descriptors it was started with, signals, the log,
 * the pid file, the supervisor, going to the background.  options.h has the
 * command line, program.h puts all together.
 */
#ifndef MAIN_MAIN_H
#define MAIN_MAIN_H

#include <berth/reactor.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/base.h"
#include "config/config.h"

struct host;
struct reactor_owner;

/* The exit status of berthd. */
enum status {
	STATUS_GOOD = 0,
	STATUS_REFUSED = 1, /* the configuration, or what it needs */
	STATUS_USAGE = 2,
	STATUS_FAILED = 3 /* at run time */
};

/* --- descriptors ---------------------------------------------------------- */

/* Opens those of 0, 1, 2 that are closed on /dev/null, so that no socket gets
 * such a number. */
int descriptors_open_standard(void);
/* Makes /dev/null of 0, 1 and 2. */
int descriptors_null_standard(void);
/* Everything from `first` on is closed, or else (keep) only not inherited. */
int descriptors_close_from(unsigned first, bool keep);

/* --- sockets that were handed over (LISTEN_FDS, sd_listen_fds(3)) ----------
 */

#define LISTEN_FDS_FIRST 3

/* The number of descriptors from LISTEN_FDS_FIRST on that are meant for this
 * process, or a negative errno.  Takes the variables out of the environment
 * and makes the descriptors CLOEXEC. */
int listen_fds_take(void);
/* Hands all to the host.  On a failure *ret_fd is the bad one, and the rest
 * stays open. */
int listen_fds_adopt(struct host *host, unsigned count, int *ret_fd);

/* --- the log ---------------------------------------------------------------
 */

enum log_target { LOG_TARGET_STREAM, LOG_TARGET_JOURNAL, LOG_TARGET_SYSLOG };

/* Writes lines to standard error or syslog(3).  [any thread] */
struct log_sink {
	struct log log;
	int fd;
	_Atomic(int) target; /* enum log_target */
};

/* Standard error; with priorities instead of times when it is the journal
 * ($JOURNAL_STREAM). */
void log_sink_init(struct log_sink *sink, int level);
/* From here on lines go to syslog(3). */
void log_sink_to_syslog(struct log_sink *sink);
/* Standard error is a host's to read: lines as for the journal. */
void log_sink_to_host(struct log_sink *sink);
/* A text of several lines for people, such as the mistakes of a file: as it
 * is, without time and program. */
void log_sink_text(struct log_sink *sink, int level, const char *text);

/* --- the pid file ----------------------------------------------------------
 */

struct pid_file {
	int fd; /* holds the lock; -1: there is none */
	char *path;
};

#define PID_FILE_E_HELD 1 /* by a live process: *ret_holder, 0 if unknown */

/* Takes the lock and writes this process's pid.  0, PID_FILE_E_HELD or a
 * negative errno; -EINVAL: not a regular file. */
int pid_file_open(
    struct pid_file *pid_file, const char *path, pid_t *ret_holder);
/* Removes the file if it is still ours. */
void pid_file_close(struct pid_file *pid_file);

/* --- the supervisor (sd_notify(3)) ------------------------------------------
 */

struct notify {
	struct berth_handler handler; /* of the watchdog's timer */
	struct sockaddr_un address;
	socklen_t address_size; /* 0: nobody listens */
	int fd;			/* -1 until the first message */
	uint64_t watchdog_ns;	/* 0: no pings are wanted */
};

/* Reads NOTIFY_SOCKET and kin and takes them out of the environment.  To be
 * called in the process that was started, before it forks. */
int notify_init(struct notify *notify);
void notify_fini(struct notify *notify);
/* 0 also when nobody listens. */
BASE_PRINTF(2, 3)
int notify_send(struct notify *notify, const char *format, ...);
/* Assignments of a datagram that say a state and, with text, its first line
 * as STATUS. */
int notify_state(struct notify *notify, const char *state, const char *text);
int notify_reloading(struct notify *notify);
/* Pings at half of the interval that was asked for. */
int notify_watch(struct notify *notify, struct reactor_owner *owner);

/* --- signals ----------------------------------------------------------------
 */

struct signals {
	struct berth_handler handler;
	struct host *host;
	struct log *log;
	int reload_signal;
	sigset_t original; /* the mask berthd was started with: children's */
};

/* Before there are threads: blocks what is watched, ignores the rest. */
int signals_block(struct signals *signals, int reload_signal, bool daemon);
/* Reload and stop; until the host's reactor ends. */
int signals_watch(struct signals *signals, struct host *host, struct log *log);

#define SIGNAL_NAME_SIZE 16

/* "HUP", "SIGHUP", "1", "RTMIN+2"; -EINVAL: there is no such signal. */
int signal_parse(const char *name);
/* Without "SIG". */
void signal_name(int number, char name[SIGNAL_NAME_SIZE]);
/* Why the signal cannot ask for a reload; NULL: it can. */
const char *signal_refusal(int number);

/* --- capabilities -----------------------------------------------------------
 */

/* Gives up what `capabilities` does not keep, for good; before there are
 * threads, since each has its own.  Mistakes are told. */
void capabilities_settle(const struct word_list *order, struct errors *errors);

/* --- crashes ----------------------------------------------------------------
 */

/* From here on a signal that means a crash says which service was running, and
 * where, before it ends the process as ever.  One host a process. */
int crash_watch(const struct host *host, const struct log_sink *sink);
/* No more, as the host ends. */
void crash_forget(void);
/* Writes where that thread is now.  [any thread] */
void crash_print_stack(pthread_t thread);

/* --- the background ---------------------------------------------------------
 */

struct daemon {
	int result_fd; /* -1: not detached, or already reported */
};

#define DAEMON_E_PARENT 1 /* this is the caller's process: it only ends */

/* Goes on in a child without terminal, in "/", with umask 022.  0 there,
 * DAEMON_E_PARENT with the child's result in *ret_status in the caller's
 * process, which waits until daemon_report(). */
int daemon_detach(struct daemon *daemon, enum status *ret_status);
/* Lets the caller go; with STATUS_GOOD standard streams become /dev/null. */
void daemon_report(struct daemon *daemon, enum status status);

#endif
