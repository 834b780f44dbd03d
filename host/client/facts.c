/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * facts: an object as lines of a name and a value, the values below each
 * other.  A value of several lines, or an array, goes on under itself.
 */
#include <errno.h>
#include <string.h>

#include <jansson.h>

#include "client/client_priv.h"

struct fact {
	struct client *client;
	char name[FIELD_NAME_ROOM]; /* empty after the first line */
	unsigned width;		    /* of the widest name */
	enum paint paint;
};

static unsigned
widest_name(json_t *object)
{
	unsigned widest = 0, width;
	const char *key;
	json_t *value;

	json_object_foreach (object, key, value) {
		char name[FIELD_NAME_ROOM];

		field_name(key, name, sizeof(name));
		width = screen_width(name, strlen(name));
		if (width > widest)
			widest = width;
	}
	return widest;
}

static void
put_line(struct fact *fact, const char *data, size_t size)
{
	struct client *client = fact->client;
	unsigned width = screen_width(fact->name, strlen(fact->name));
	AUTO_TEXT clean;

	text_init(&clean);
	text_printable(&clean, data, size);
	client->out.failed |= clean.failed;
	screen_paint(&client->screen, PAINT_BOLD, fact->name,
	    strlen(fact->name), &client->out);
	if (clean.size > 0)
		text_printf(
		    &client->out, "%*s", (int)(fact->width - width + 2), "");
	screen_paint(&client->screen, fact->paint, text_string(&clean),
	    clean.size, &client->out);
	text_add(&client->out, "\n", 1);
	fact->name[0] = '\0';
}

static void
put_value(struct fact *fact, const struct field *field, json_t *value)
{
	const char *at, *end;
	AUTO_TEXT text;

	text_init(&text);
	field_print(field, value, &text);
	fact->client->out.failed |= text.failed;
	fact->paint = field_paint(field, value);
	at = text_string(&text);
	while ((end = strchr(at, '\n')) != NULL && end[1] != '\0') {
		put_line(fact, at, (size_t)(end - at));
		at = end + 1;
	}
	put_line(fact, at, strcspn(at, "\n"));
}

int
view_facts(struct client *client, struct json_t *object)
{
	struct fact fact = {.client = client, .width = widest_name(object)};
	json_t *value, *element;
	const char *key;
	size_t i;

	json_object_foreach (object, key, value) {
		const struct field *field = field_of(key);

		field_name(key, fact.name, sizeof(fact.name));
		if (json_is_array(value))
			json_array_foreach (value, i, element)
				put_value(&fact, field, element);
		else
			put_value(&fact, field, value);
	}
	return client->out.failed ? -ENOMEM : 0;
}
