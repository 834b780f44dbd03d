/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * check: berthd -t and -T.  Mistakes and warnings go to standard error, the
 * verdict or the canonical tree to standard output.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "main/program.h"

static enum status
fail(struct program *program, int error)
{
	log_printf(&program->sink.log, BERTH_ERROR, NULL,
	    "cannot check the configuration: %s", strerror(error));
	return STATUS_FAILED;
}

enum status
program_check(struct program *program)
{
	AUTO_TEXT tree;
	int result;

	text_init(&tree);
	result = program_open_host(program, NULL);
	if (result == 0)
		result = host_check(program->host, program->errors,
		    program->options.print ? &tree : NULL);
	if (result < 0)
		return fail(program, -result);
	program_print_errors(program);
	if (result == HOST_E_REFUSED)
		return STATUS_REFUSED;
	if (tree.failed)
		return fail(program, ENOMEM);
	fputs(program->options.print ? text_string(&tree)
				     : "the configuration is good\n",
	    stdout);
	return fflush(stdout) == 0 ? STATUS_GOOD : fail(program, errno);
}
