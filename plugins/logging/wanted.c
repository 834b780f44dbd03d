/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * wanted: conditions on records, of berth-logview and the module Filter.
 */
#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "wanted.h"

int
wanted_option(struct wanted *wanted, int letter, const char *value)
{
	uint32_t type = 0;

	switch (letter) {
	case 'H':
		wanted->host = value;
		return 0;
	case 'g':
		wanted->text = value;
		return 0;
	case 'i':
		wanted->pid = strtol(value, NULL, 10);
		return 0;
	default: /* p */
		if (record_type_of(value, &type) != 0)
			return -EINVAL;
		wanted->severity = record_severity(type);
		return 0;
	}
}

int
is_wanted(const struct wanted *wanted, const struct entry *entry)
{
	const struct record *record = &entry->record;

	if (wanted->host != NULL && fnmatch(wanted->host, entry->host, 0) != 0)
		return 0;
	if (wanted->pid >= 0 && record->pid != wanted->pid)
		return 0;
	if (record_severity(record->type) > wanted->severity)
		return 0;
	return wanted->text == NULL || memmem(record->text, record->text_size,
					   wanted->text, strlen(wanted->text));
}
