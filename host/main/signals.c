/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * signals: what the process is told from outside, turned into calls of the
 * host.  All are blocked before the first thread exists and delivered by the
 * reactor (signalfd), so that a handler may do anything; one that comes while
 * the services are still being started waits until they run.
 *
 *   the reload signal	 host_reload(); SIGHUP unless -s names another
 *   SIGTERM, SIGINT	 host_stop(); the second one ends at once
 *   SIGHUP after -s	 a note in the log: it must not kill the host
 *   SIGUSR1		 host_reopen_logs(), unless it is the reload signal
 *   SIGXFSZ		 ignored: the write that caused it reports EFBIG
 *   SIGPIPE		 ignored: the write that caused it reports EPIPE
 */
#include <errno.h>
#include <string.h>

#include "control/control.h"
#include "main/main.h"

static const int stop_signals[] = {SIGTERM, SIGINT};
/* The terminal's; a daemon has none, but its caller may have set them. */
static const int terminal_signals[] = {SIGTTIN, SIGTTOU, SIGTSTP};

static int
ignore(int signum)
{
	struct sigaction action = {.sa_handler = SIG_IGN};

	return sigaction(signum, &action, NULL) == 0 ? 0 : -errno;
}

int
signals_block(struct signals *signals, int reload_signal, bool daemon)
{
	sigset_t set;
	int result = ignore(SIGPIPE);

	if (result == 0)
		result = ignore(SIGXFSZ);
	memset(signals, 0, sizeof(*signals));
	signals->reload_signal = reload_signal;
	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, reload_signal);
	for (size_t i = 0; i < BASE_COUNT(stop_signals); i++)
		sigaddset(&set, stop_signals[i]);
	for (size_t i = 0; daemon && i < BASE_COUNT(terminal_signals); i++)
		if (result == 0 && terminal_signals[i] != reload_signal)
			result = ignore(terminal_signals[i]);
	if (result == 0)
		result = -pthread_sigmask(SIG_BLOCK, &set, &signals->original);
	return result;
}

static int
deliver(struct berth_handler *handler, int signum)
{
	struct signals *signals = BASE_CONTAINER(
	    handler, struct signals, handler);
	char name[SIGNAL_NAME_SIZE], reload[SIGNAL_NAME_SIZE];

	signal_name(signum, name);
	if (signum == signals->reload_signal) {
		log_printf(
		    signals->log, BERTH_INFO, NULL, "SIG%s: reload", name);
		host_reload(signals->host);
	} else if (signum == SIGUSR1) {
		log_printf(signals->log, BERTH_INFO, NULL,
		    "SIGUSR1: log files are opened anew");
		host_reopen_logs(signals->host);
	} else if (signum == SIGHUP) {
		signal_name(signals->reload_signal, reload);
		log_printf(signals->log, BERTH_NOTICE, NULL,
		    "SIGHUP ignored: SIG%s asks for a reload (-s)", reload);
	} else {
		log_printf(
		    signals->log, BERTH_NOTICE, NULL, "SIG%s: stop", name);
		host_stop(signals->host);
	}
	return 0;
}

int
signals_watch(struct signals *signals, struct host *host, struct log *log)
{
	static const struct berth_handler_type type = {.signal = deliver};
	struct reactor_owner *owner = host_owner(host);
	int result;

	signals->handler.type = &type;
	signals->host = host;
	signals->log = log;
	result = reactor_signal(
	    owner, &signals->handler, signals->reload_signal);
	if (result == 0 && signals->reload_signal != SIGHUP)
		result = reactor_signal(owner, &signals->handler, SIGHUP);
	if (result == 0 && signals->reload_signal != SIGUSR1)
		result = reactor_signal(owner, &signals->handler, SIGUSR1);
	for (size_t i = 0; result == 0 && i < BASE_COUNT(stop_signals); i++)
		result = reactor_signal(
		    owner, &signals->handler, stop_signals[i]);
	return result;
}
