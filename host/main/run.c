/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * run: the life of the process around a host.
 *
 *   environment and inherited descriptors, before any fork
 *   the background (-b), before any thread
 *   signals, pid file, host, sockets that were handed over, services
 *   the caller and the supervisor are told
 *   the loop, until the host has stopped
 *
 * A start that fails says why on the standard error of who asked for it and
 * leaves nothing: the caller of -b is told after all is undone.
 */
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <string.h>
#include <unistd.h>

#include "config.h"
#include "main/program.h"

BASE_PRINTF(3, 4)
static enum status
give_up(struct program *program, enum status status, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	log_vprintf(&program->sink.log, BERTH_ERROR, NULL, format, ap);
	va_end(ap);
	return status;
}

/* A failure's first mistake, or a success's summary, which comes last. */
static void
tell_reloaded(struct program *program, bool failed, const char *text)
{
	size_t size = strlen(text), start;
	AUTO_TEXT status;

	text_init(&status);
	while (size > 0 && text[size - 1] == '\n')
		size--;
	for (start = size; start > 0 && text[start - 1] != '\n'; start--)
		continue;
	if (failed)
		text_printf(&status, "reload refused: %s", text);
	else
		text_printf(&status, "reloaded: %.*s", (int)(size - start),
		    text + start);
	notify_state(&program->notify, "READY=1", text_string(&status));
}

static void
tell_supervisor(
    void *context, enum host_event event, bool failed, const char *text)
{
	struct program *program = context;

	switch (event) {
	case HOST_RELOADING:
		notify_reloading(&program->notify);
		break;
	case HOST_RELOADED:
		tell_reloaded(program, failed, text);
		break;
	case HOST_STOPPING:
		notify_state(&program->notify, "STOPPING=1", "stopping");
		break;
	case HOST_READY:
		/* Told when the pid file is there, too.  What was read is
		 * gone by now: a host that lives long begins small. */
		malloc_trim(0);
		break;
	}
}

/* Before any fork: both protocols name the process that was started. */
static enum status
take_inheritance(struct program *program)
{
	int result = notify_init(&program->notify);
	int count = listen_fds_take();

	if (result != 0)
		log_printf(&program->sink.log, BERTH_WARNING, NULL,
		    "NOTIFY_SOCKET: %s", strerror(-result));
	if (count < 0)
		return give_up(program, STATUS_REFUSED, "LISTEN_FDS: %s",
		    strerror(-count));
	program->handed = (unsigned)count;
	result = descriptors_close_from(
	    LISTEN_FDS_FIRST + program->handed, !program->options.daemon);
	if (result != 0)
		return give_up(program, STATUS_FAILED,
		    "inherited descriptors: %s", strerror(-result));
	/* Without it starts are slower. */
	program->door_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	/* Workers run the program that runs now, whatever is installed
	 * meanwhile. */
	program->self_fd = open("/proc/self/exe", O_PATH | O_CLOEXEC);
	if (program->self_fd < 0)
		log_printf(&program->sink.log, BERTH_WARNING, NULL,
		    "/proc/self/exe: %s: there can be no workers",
		    strerror(errno));
	return STATUS_GOOD;
}

static enum status
take_pid_file(struct program *program, const char *path)
{
	pid_t holder = 0;
	int result;

	if (path == NULL || program->pid_file.fd >= 0)
		return STATUS_GOOD;
	result = pid_file_open(&program->pid_file, path, &holder);
	if (result == PID_FILE_E_HELD && holder != 0)
		return give_up(program, STATUS_REFUSED,
		    "pid file %s: process %ld is running already", path,
		    (long)holder);
	if (result == PID_FILE_E_HELD)
		return give_up(program, STATUS_REFUSED,
		    "pid file %s: another process holds it", path);
	if (result == -EINVAL)
		return give_up(program, STATUS_REFUSED,
		    "pid file %s: not a regular file", path);
	if (result != 0)
		return give_up(program, STATUS_REFUSED, "pid file %s: %s", path,
		    strerror(-result));
	return STATUS_GOOD;
}

static enum status
start_services(struct program *program)
{
	int fd = -1;
	int result = program_open_host(program, tell_supervisor);

	if (result != 0)
		return give_up(program, STATUS_FAILED, "cannot make a host: %s",
		    strerror(-result));
	result = crash_watch(program->host, &program->sink);
	if (result != 0)
		log_printf(&program->sink.log, BERTH_WARNING, NULL,
		    "crashes will not be told: %s", strerror(-result));
	result = listen_fds_adopt(program->host, program->handed, &fd);
	if (result != 0)
		return give_up(program, STATUS_REFUSED,
		    "LISTEN_FDS: descriptor %d: %s", fd, strerror(-result));
	result = host_start(program->host, program->errors);
	program_print_errors(program);
	if (result == HOST_E_REFUSED)
		return give_up(program, STATUS_REFUSED,
		    "not started: the configuration has %u mistake%s",
		    errors_count(program->errors),
		    errors_count(program->errors) == 1 ? "" : "s");
	if (result != 0)
		return give_up(program, STATUS_FAILED, "cannot start: %s",
		    strerror(-result));
	return STATUS_GOOD;
}

/* Options of inetd and xinetd that have no meaning here. */
static void
tell_notes(struct program *program)
{
	const struct options *options = &program->options;

	for (unsigned i = 0; i < options->note_count; i++) {
		const struct option_row *row = options->notes[i];
		const char letter[] = {(char)row->letter, '\0'};

		log_printf(&program->sink.log, BERTH_WARNING, NULL,
		    "option -%s has no effect: %s",
		    row->name[0] != '\0' ? row->name : letter, row->help);
	}
}

static enum status
start(struct program *program)
{
	const struct options *options = &program->options;
	enum status status;
	int result;

	result = signals_block(
	    &program->signals, options->reload_signal, options->daemon);
	if (result != 0)
		return give_up(
		    program, STATUS_FAILED, "signals: %s", strerror(-result));
	result = fd_raise_limit();
	if (result != 0)
		log_printf(&program->sink.log, BERTH_WARNING, NULL,
		    "limit of descriptors: %s", strerror(-result));
	tell_notes(program);
	status = take_pid_file(program, options->pid_file);
	if (status == STATUS_GOOD)
		status = start_services(program);
	if (status == STATUS_GOOD)
		status = take_pid_file(
		    program, host_settings(program->host)->pid_file);
	if (status != STATUS_GOOD)
		return status;
	result = signals_watch(
	    &program->signals, program->host, &program->sink.log);
	if (result == 0)
		result = notify_watch(
		    &program->notify, host_owner(program->host));
	if (result != 0)
		return give_up(program, STATUS_FAILED,
		    "cannot watch signals: %s", strerror(-result));
	return STATUS_GOOD;
}

/* Whoever runs the host as root may want to know why. */
static void
tell_root(struct program *program)
{
	AUTO_TEXT needs;

	text_init(&needs);
	if (geteuid() != 0)
		return;
	host_needs_root(program->host, &needs);
	if (needs.size > 0)
		log_printf(&program->sink.log, BERTH_INFO, NULL,
		    "root is used only for: %s", text_string(&needs));
	else
		log_printf(&program->sink.log, BERTH_INFO, NULL,
		    "root is not needed for any of the services");
}

/* The caller last: it may look at all the rest as soon as it goes on. */
static void
tell_ready(struct program *program)
{
	long pid = (long)getpid();

	if (program->options.daemon)
		log_sink_to_syslog(&program->sink);
	log_printf(&program->sink.log, BERTH_NOTICE, NULL,
	    "berthd " PACKAGE_VERSION " is up, process %ld", pid);
	tell_root(program);
	if (program->options.daemon)
		notify_send(&program->notify,
		    "READY=1\nMAINPID=%ld\nSTATUS=ready", pid);
	else
		notify_state(&program->notify, "READY=1", "ready");
	daemon_report(&program->daemon, STATUS_GOOD);
}

static enum status
run_services(struct program *program)
{
	enum status status = start(program);
	int result;

	if (status != STATUS_GOOD)
		return status;
	tell_ready(program);
	result = host_run(program->host);
	if (result != 0)
		return give_up(program, STATUS_FAILED, "the event loop: %s",
		    strerror(-result));
	return STATUS_GOOD;
}

enum status
program_run(struct program *program)
{
	enum status status = take_inheritance(program);
	int result;

	if (status != STATUS_GOOD)
		return status;
	if (program->options.daemon) {
		result = daemon_detach(&program->daemon, &status);
		if (result == DAEMON_E_PARENT)
			return status;
		if (result != 0)
			status = give_up(program, STATUS_FAILED,
			    "cannot go to the background: %s",
			    strerror(-result));
	}
	if (status == STATUS_GOOD)
		status = run_services(program);
	program_close_host(program);
	pid_file_close(&program->pid_file);
	daemon_report(&program->daemon, status);
	return status;
}
