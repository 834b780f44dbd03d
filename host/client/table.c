/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * table: rows of cells, laid out when all are known.
 *
 * Each column is as wide as its widest cell.  When that is more than the
 * screen has, columns that shrink give way, the rightmost first, down to
 * LEAST columns or their title; what is cut ends with an ellipsis.  If that
 * is not enough, columns are left out from the right, and last the first one
 * is cut.  So no line is wider than the screen, whatever it is.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "client/client.h"

#define GAP 2u
#define LEAST 12u
#define ELLIPSIS "…"

struct cell {
	const char *data;
	size_t size;
	unsigned width;
	enum paint paint;
};

struct table {
	struct arena *arena; /* the texts of cells */
	struct column *columns;
	unsigned *widths; /* 0: left out */
	unsigned count;
	struct cell *cells; /* row by row */
	size_t used, room;
	bool failed;
};

/* One line on its way: blanks wait for something that they stand before. */
struct line {
	const struct screen *screen;
	struct text *text;
	unsigned blanks;
};

static void
add_titles(struct table *table)
{
	for (unsigned i = 0; i < table->count; i++)
		table_add(table, PAINT_BOLD, table->columns[i].title,
		    strlen(table->columns[i].title));
}

struct table *
table_new(const struct column *columns, unsigned count)
{
	struct table *table = calloc(1, sizeof(*table));

	BASE_ASSERT(count > 0);
	if (table == NULL)
		return NULL;
	table->count = count;
	table->arena = arena_new();
	if (table->arena == NULL)
		return table_free(table);
	table->widths = arena_alloc(
	    table->arena, count * sizeof(*table->widths));
	table->columns = arena_alloc(
	    table->arena, count * sizeof(*table->columns));
	if (table->widths == NULL || table->columns == NULL)
		return table_free(table);
	memcpy(table->columns, columns, count * sizeof(*columns));
	add_titles(table);
	return table;
}

struct table *
table_free(struct table *table)
{
	if (table == NULL)
		return NULL;
	arena_free(table->arena);
	free(table->cells);
	free(table);
	return NULL;
}

static int
grow(struct table *table)
{
	size_t room = table->room == 0 ? 64 : table->room * 2;
	struct cell *cells;

	if (table->used < table->room)
		return 0;
	cells = reallocarray(table->cells, room, sizeof(*cells));
	if (cells == NULL)
		return -ENOMEM;
	table->cells = cells;
	table->room = room;
	return 0;
}

/* Printable, in one line. */
static int
fill(struct table *table, const char *data, size_t size, struct cell *cell)
{
	AUTO_TEXT text;
	char *copy;

	text_init(&text);
	text_printable(&text, data, size);
	if (text.failed)
		return -ENOMEM;
	copy = arena_copy(table->arena, text_string(&text), text.size);
	if (copy == NULL)
		return -ENOMEM;
	for (char *tab = copy; (tab = strchr(tab, '\t')) != NULL;)
		*tab = ' ';
	cell->data = copy;
	cell->size = text.size;
	cell->width = screen_width(copy, text.size);
	return 0;
}

void
table_add(struct table *table, enum paint paint, const char *data, size_t size)
{
	struct cell *cell;
	unsigned *width;

	if (table->failed || grow(table) < 0) {
		table->failed = true;
		return;
	}
	cell = &table->cells[table->used];
	cell->paint = paint;
	if (fill(table, data, size, cell) < 0) {
		table->failed = true;
		return;
	}
	width = &table->widths[table->used % table->count];
	if (cell->width > *width)
		*width = cell->width;
	table->used++;
}

/* --- layout --- */

static unsigned
total(const struct table *table)
{
	unsigned sum = table->widths[0];

	for (unsigned i = 1; i < table->count; i++)
		if (table->widths[i] > 0)
			sum += GAP + table->widths[i];
	return sum;
}

/* Takes from a column what is too much, but leaves it that wide. */
static void
narrow(struct table *table, unsigned i, unsigned least, unsigned columns)
{
	unsigned now = total(table), *width = &table->widths[i];
	unsigned excess = now > columns ? now - columns : 0;

	if (*width > least)
		*width -= excess < *width - least ? excess : *width - least;
}

static void
lay_out(struct table *table, unsigned columns)
{
	unsigned i, title;

	if (columns == 0)
		return;
	for (i = table->count; i-- > 0;) {
		title = table->cells[i].width;
		if (table->columns[i].shrinks)
			narrow(
			    table, i, title > LEAST ? title : LEAST, columns);
	}
	for (i = table->count; i-- > 1 && total(table) > columns;)
		table->widths[i] = 0;
	narrow(table, 0, 1, columns);
}

/* --- print --- */

static void
put(struct line *line, enum paint paint, const char *data, size_t size)
{
	if (size == 0)
		return;
	text_printf(line->text, "%*s", (int)line->blanks, "");
	line->blanks = 0;
	screen_paint(line->screen, paint, data, size, line->text);
}

static void
put_cut(struct line *line, const struct cell *cell, unsigned width)
{
	unsigned kept_width;
	size_t kept = screen_fit(
	    cell->data, cell->size, width - 1, &kept_width);

	put(line, cell->paint, cell->data, kept);
	put(line, cell->paint, ELLIPSIS, strlen(ELLIPSIS));
	line->blanks += width - 1 - kept_width;
}

static void
put_cell(struct line *line, const struct cell *cell, unsigned width, bool right)
{
	if (cell->width > width) {
		put_cut(line, cell, width);
		return;
	}
	if (right)
		line->blanks += width - cell->width;
	put(line, cell->paint, cell->data, cell->size);
	if (!right)
		line->blanks += width - cell->width;
}

static void
put_row(const struct table *table, const struct cell *row, struct line *line)
{
	line->blanks = 0;
	for (unsigned i = 0; i < table->count; i++) {
		if (table->widths[i] == 0)
			continue;
		put_cell(
		    line, &row[i], table->widths[i], table->columns[i].right);
		line->blanks += GAP;
	}
	text_add(line->text, "\n", 1);
}

int
table_print(struct table *table, const struct screen *screen, struct text *text)
{
	struct line line = {screen, text, 0};

	if (table->failed)
		return -ENOMEM;
	lay_out(table, screen->columns);
	for (size_t i = 0; i + table->count <= table->used; i += table->count)
		put_row(table, &table->cells[i], &line);
	return text->failed ? -ENOMEM : 0;
}
