/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * entry: a record as it lies in a log file, behind the name of the host that
 * sent it, which a NUL ends; and as people read it.
 */
#ifndef LOGGING_ENTRY_H
#define LOGGING_ENTRY_H

#include <stdio.h>

#include "record.h"

#define ENTRY_HOST_BYTES 256u /* of a name, with its NUL */

struct entry {
	const char *host;
	struct record record;
	size_t size; /* of all of it */
};

/*
 * The entry that begins here.  0, or RECORD_E_MORE: it is not all there;
 * -EPROTO or -EMSGSIZE: the file is damaged.  Its host and text point into
 * data.
 */
int entry_decode(
    const char *data, size_t size, size_t most, struct entry *ret_entry);

/* "Oct 31 14:48:13.123 2001", local time. */
#define ENTRY_TIME_BYTES 64
void entry_time(const struct record *record, char text[ENTRY_TIME_BYTES]);

/* host|type|pid|time|text and a newline; what a terminal would obey in the
 * text is escaped. */
void entry_print(const struct entry *entry, const char *separator, FILE *out);
/* Any bytes, what a terminal would obey as escapes. */
void entry_print_safely(const char *text, size_t size, FILE *out);
/* One JSON object and a newline. */
void entry_print_json(const struct entry *entry, FILE *out);

#endif
