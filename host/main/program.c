/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * program: the parts of a run, from options to a host.
 */
#include <berth/host.h>
#include <errno.h>
#include <string.h>

#include "main/program.h"
#include "services/services.h"

/* Mistakes of one file that are shown; the rest is counted. */
#define ERRORS_PER_FILE 20

int
program_init(struct program *program)
{
	memset(program, 0, sizeof(*program));
	program->pid_file.fd = -1;
	program->notify.fd = -1;
	program->daemon.result_fd = -1;
	program->self_fd = -1;
	/* Until the configuration says how much is wanted. */
	log_sink_init(&program->sink, BERTH_INFO);
	program->errors = errors_new(ERRORS_PER_FILE);
	return program->errors != NULL ? 0 : -ENOMEM;
}

void
program_fini(struct program *program)
{
	program_close_host(program);
	pid_file_close(&program->pid_file);
	notify_fini(&program->notify);
	program->errors = errors_free(program->errors);
	options_fini(&program->options);
	if (program->door_fd > 0)
		fd_close(&program->door_fd);
	fd_close(&program->self_fd);
}

static void
settle(
    void *context, const struct host_settings *settings, struct errors *errors)
{
	(void)context;
	capabilities_settle(&settings->capabilities, errors);
}

void
program_close_host(struct program *program)
{
	crash_forget();
	program->host = host_free(program->host);
}

void
program_print_stack(void *context, pthread_t thread)
{
	(void)context;
	crash_print_stack(thread);
}

int
program_open_host(
    struct program *program, void (*event)(void *context, enum host_event event,
				 bool failed, const char *text))
{
	const struct options *options = &program->options;
	struct host_options host = {
	    .inputs = options->inputs,
	    .input_count = options->input_count,
	    .statics = options->no_static ? NULL : berth_static_services,
	    .control = make_manager,
	    .plugin_path = options->plugin_path,
	    .no_dynamic = options->no_dynamic,
	    .worker_program_fd = program->self_fd > 0 ? program->self_fd : 0,
	    .door_fd = program->door_fd,
	    .log = &program->sink.log,
	    .keep_log_level = options->debug,
	    .stack = program_print_stack,
	    .event = event,
	    .settle = settle,
	    .context = program,
	};

	if (options->debug)
		program->sink.log.level = BERTH_DEBUG;
	return host_new(&host, &program->host);
}

void
program_print_errors(struct program *program)
{
	AUTO_TEXT text;

	text_init(&text);
	errors_print(program->errors, &text);
	log_sink_text(&program->sink, BERTH_ERROR, text_string(&text));
	if (text.failed)
		log_sink_text(&program->sink, BERTH_ERROR,
		    "no memory to print all mistakes");
}
