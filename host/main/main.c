/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * berthd: the command line, and which of the program's actions it asks for.
 * The exit statuses are those of enum status; berthd(8) is the manual.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "main/program.h"

static enum status
print(const char *text)
{
	if (fputs(text, stdout) < 0 || fflush(stdout) != 0) {
		fprintf(
		    stderr, "berthd: standard output: %s\n", strerror(errno));
		return STATUS_FAILED;
	}
	return STATUS_GOOD;
}

static enum status
print_help(const struct options *options)
{
	AUTO_TEXT text;

	text_init(&text);
	options_help(options->table, &text);
	return print(text_string(&text));
}

/* A mistake on the command line, or what kept it from being read. */
static enum status
refuse_options(int result, const char *message)
{
	if (result != OPTIONS_E_USAGE) {
		fprintf(stderr, "berthd: %s\n",
		    *message != '\0' ? message : strerror(-result));
		return STATUS_FAILED;
	}
	fprintf(
	    stderr, "berthd: %s\nberthd: --help lists the options\n", message);
	return STATUS_USAGE;
}

static enum status
act(struct program *program)
{
	switch (program->options.action) {
	case OPTIONS_HELP:
		return print_help(&program->options);
	case OPTIONS_VERSION:
		return print("berthd " PACKAGE_VERSION "\n");
	case OPTIONS_CHECK:
		return program_check(program);
	case OPTIONS_WORKER:
		return program_work(program);
	case OPTIONS_RUN:
		break;
	}
	return program_run(program);
}

int
main(int argc, char **argv)
{
	struct program program;
	AUTO_TEXT message;
	enum status status;
	int result;

	text_init(&message);
	/* Before anything else can get one of their numbers. */
	if (descriptors_open_standard() != 0)
		return STATUS_FAILED;
	result = program_init(&program);
	if (result == 0)
		result = options_parse(argc, argv, &program.options, &message);
	status = result == 0 ? act(&program)
			     : refuse_options(result, text_string(&message));
	program_fini(&program);
	return (int)status;
}
