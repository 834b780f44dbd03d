/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rows: an array of objects as a table, a column for each key that any of them
 * has.  What keys mean stands in fields.c.
 */
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include <jansson.h>

#include "client/client_priv.h"

/* Columns of a table on their way: what keys the rows have, in order. */
struct sheet {
	json_t *rows;
	json_t *keys; /* an object: key -> a value that was seen */
	struct column *columns;
	const char **names; /* the key of each column */
	unsigned count;
	struct arena *arena;
};

static bool
any(json_t *rows, const char *key)
{
	json_t *row;
	size_t i;

	json_array_foreach (rows, i, row)
		if (json_integer_value(json_object_get(row, key)) != 0)
			return true;
	return false;
}

static char *
make_title(struct arena *arena, const struct field *field, const char *key)
{
	char name[FIELD_NAME_ROOM], *title;

	if (field->title != NULL)
		return arena_string(arena, field->title);
	field_name(key, name, sizeof(name));
	title = arena_string(arena, name);
	for (char *c = title; c != NULL && *c != '\0'; c++)
		*c = (char)toupper((unsigned char)*c);
	return title;
}

static int
add_column(struct sheet *sheet, const char *key, json_t *sample)
{
	const struct field *field = field_of(key);
	char *title;

	if (field->if_any && !any(sheet->rows, key))
		return 0;
	title = make_title(sheet->arena, field, key);
	if (title == NULL)
		return -ENOMEM;
	sheet->names[sheet->count] = key;
	sheet->columns[sheet->count++] = (struct column){
	    title, json_is_integer(sample), field->shrinks};
	return 0;
}

static int
add_columns(struct sheet *sheet)
{
	size_t room = json_object_size(sheet->keys);
	json_t *sample;
	const char *key;

	sheet->columns = arena_alloc(
	    sheet->arena, (room + 1) * sizeof(*sheet->columns));
	sheet->names = arena_alloc(
	    sheet->arena, (room + 1) * sizeof(*sheet->names));
	if (sheet->columns == NULL || sheet->names == NULL)
		return -ENOMEM;
	json_object_foreach (sheet->keys, key, sample)
		if (add_column(sheet, key, sample) < 0)
			return -ENOMEM;
	return 0;
}

/* The keys of all rows: the first one need not have all. */
static int
collect_keys(struct sheet *sheet)
{
	json_t *row;
	size_t i;

	sheet->keys = json_object();
	sheet->arena = arena_new();
	if (sheet->keys == NULL || sheet->arena == NULL)
		return -ENOMEM;
	json_array_foreach (sheet->rows, i, row)
		if (json_is_object(row) &&
		    json_object_update_missing(sheet->keys, row) < 0)
			return -ENOMEM;
	return 0;
}

static int
add_row(const struct sheet *sheet, json_t *row, struct table *table)
{
	AUTO_TEXT cell;

	text_init(&cell);
	for (unsigned i = 0; i < sheet->count; i++) {
		const struct field *field = field_of(sheet->names[i]);
		json_t *value = json_object_get(row, sheet->names[i]);

		text_reset(&cell);
		field_print(field, value, &cell);
		if (cell.failed)
			return -ENOMEM;
		table_add(table, field_paint(field, value), text_string(&cell),
		    cell.size);
	}
	return 0;
}

static int
print_rows(struct client *client, const struct sheet *sheet)
{
	struct table *table;
	json_t *row;
	size_t i;
	int result = 0;

	if (sheet->count == 0)
		return 0;
	table = table_new(sheet->columns, sheet->count);
	if (table == NULL)
		return -ENOMEM;
	json_array_foreach (sheet->rows, i, row)
		if (result == 0)
			result = add_row(sheet, row, table);
	if (result == 0)
		result = table_print(table, &client->screen, &client->out);
	table_free(table);
	return result;
}

int
view_rows(struct client *client, struct json_t *rows)
{
	struct sheet sheet = {.rows = rows};
	int result = collect_keys(&sheet);

	if (result == 0)
		result = add_columns(&sheet);
	if (result == 0)
		result = print_rows(client, &sheet);
	arena_free(sheet.arena);
	json_decref(sheet.keys);
	return result;
}
