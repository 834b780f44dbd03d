/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * view: the host's results for people, by their shape: an array of objects is
 * a table, an object is facts, a report has its own form, all else is lines.
 *
 * Whatever a service or its clients put into a text, no terminal obeys it.
 */
#include <errno.h>

#include <jansson.h>

#include "config.h"
#include "client/client_priv.h"

static int
view_line(struct client *client, json_t *value)
{
	AUTO_TEXT text;

	text_init(&text);
	field_print(field_of(""), value, &text);
	text_printable(&client->out, text_string(&text), text.size);
	text_add(&client->out, "\n", 1);
	return text.failed || client->out.failed ? -ENOMEM : 0;
}

static int
view_lines(struct client *client, json_t *array)
{
	json_t *element;
	int result = 0;
	size_t i;

	json_array_foreach (array, i, element)
		if (result == 0)
			result = view_line(client, element);
	return result;
}

int
view_value(struct client *client, struct json_t *value)
{
	if (value == NULL || json_is_null(value))
		return 0;
	if (report_is(value))
		return view_report(client, value);
	if (json_is_object(value))
		return view_facts(client, value);
	if (!json_is_array(value))
		return view_line(client, value);
	return json_is_object(json_array_get(value, 0))
		   ? view_rows(client, value)
		   : view_lines(client, value);
}

/* The host's, after our own. */
int
view_version(struct client *client, struct json_t *result)
{
	text_printf(&client->out, "berthctl %s\n", PACKAGE_VERSION);
	return view_value(client, result);
}
