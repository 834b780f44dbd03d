/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * help: berthctl --help, from the tables of verbs and options.
 */
#include <string.h>

#include "client/client.h"

void
help_print(struct text *text)
{
	const struct option_row *row;
	const struct verb *verb;
	int width;

	text_printf(text, "usage: berthctl [OPTION ...] COMMAND [WORD ...]\n"
			  "Ask a running berthd for something.\n\n");
	for (verb = verbs_table(); verb->name != NULL; verb++) {
		width = 32 - (int)strlen(verb->name) - 1;
		text_printf(text, "  %s %-*s %s\n", verb->name, width,
		    verb->syntax, verb->help);
	}
	text_add(text, "\n", 1);
	for (row = options_table(); row->name != NULL; row++) {
		if (row->letter != 0)
			text_printf(text, "  -%c, ", row->letter);
		else
			text_printf(text, "      ");
		width = 26 - (int)strlen(row->name);
		text_printf(text, "--%s %-*s%s\n", row->name, width,
		    row->argument == NULL ? "" : row->argument, row->help);
	}
	text_printf(text,
	    "\nExit status: 0 good, 1 refused by the host, 2 usage, 3 the "
	    "host is out of\nreach.  See berthctl(1).\n");
}
