/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * convert: prints a configuration in another language, without a host.
 *
 * What is printed holds all that could be carried; the rest is told at its
 * place, and the status is then CLIENT_REFUSED, so that a script that goes by
 * it never takes half a configuration for a whole one.
 */
#include <errno.h>

#include "client/client.h"

int
convert_run(struct client *client, const struct options *options)
{
	const struct config_input from = {
	    .kind = CONFIG_FILE,
	    .text = options->words[0],
	    .format = options->from,
	};
	struct errors *errors = errors_new(0);
	int result;

	if (errors == NULL)
		return -ENOMEM;
	result = config_convert(&from, options->to, NULL, errors, &client->out);
	errors_print(errors, &client->err);
	errors_free(errors);
	if (result < 0)
		return result;
	return result == CONFIG_E_LOST ? CLIENT_REFUSED : CLIENT_GOOD;
}
