/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Puts the messages of a list in the order of their places, so that a file's
 * mistakes are told from top to bottom whichever check has found them.
 *
 * Files keep the order in which they were first told; what has no place comes
 * last; a note stays behind its message.
 */
#include "base/base_priv.h"

#include <stdlib.h>
#include <string.h>

struct key {
	unsigned file; /* where it was first told */
	unsigned line;
	unsigned column;
	unsigned index;
};

static int
compare(const void *a, const void *b)
{
	const struct key *one = a, *two = b;

	if (one->file != two->file)
		return one->file < two->file ? -1 : 1;
	if (one->line != two->line)
		return one->line < two->line ? -1 : 1;
	if (one->column != two->column)
		return one->column < two->column ? -1 : 1;
	return one->index < two->index ? -1 : 1;
}

/* Texts of one file are copied once, so that pointers tell. */
static unsigned
first_with(const struct errors *errors, const char *file)
{
	unsigned index = 0;

	while (errors->list[index].file != file)
		index++;
	return file == NULL ? errors->kept : index;
}

static void
make_keys(const struct errors *errors, struct key *keys)
{
	for (unsigned i = 0; i < errors->kept; i++) {
		const struct error *error = &errors->list[i];

		if (i > 0 && error->severity == SEVERITY_NOTE) {
			keys[i] = keys[i - 1];
			keys[i].index = i;
			continue;
		}
		keys[i].file = first_with(errors, error->file);
		keys[i].line = error->place.line;
		keys[i].column = error->place.column;
		keys[i].index = i;
	}
}

void
errors_sort(struct errors *errors)
{
	AUTO_FREE struct key *keys = NULL;
	struct error *sorted;

	if (errors->kept < 2)
		return;
	keys = calloc(errors->kept, sizeof(*keys));
	sorted = calloc(errors->room, sizeof(*sorted));
	/* Without memory the order is the one of finding. */
	if (keys == NULL || sorted == NULL) {
		free(sorted);
		return;
	}
	make_keys(errors, keys);
	qsort(keys, errors->kept, sizeof(*keys), compare);
	for (unsigned i = 0; i < errors->kept; i++)
		sorted[i] = errors->list[keys[i].index];
	free(errors->list);
	errors->list = sorted;
}
