/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * display: what the modules of display_logfile share (C++NPv2, chapter 9).
 *
 * A record goes down the stream as one message, a block for each field.  What
 * is no record, such as a BERTH_MB_STOP, all of them hand on.
 */
#ifndef LOGGING_DISPLAY_H
#define LOGGING_DISPLAY_H

#include <berth/berth.h>

#include "entry.h"

/* Types of blocks.  Before the formatter they hold: */
enum field {
	FIELD_CLIENT = BERTH_MB_USER, /* the host's name, without a NUL */
	FIELD_TYPE,		      /* uint32_t */
	FIELD_PID,		      /* int32_t */
	FIELD_TIME,		      /* struct moment */
	FIELD_TEXT,		      /* the text */
	FIELD_LINE		      /* behind it only: a whole record */
};
#define FIELD_COUNT 5

struct moment {
	int64_t secs;
	int32_t usecs;
};

/* Does it begin with a field of a record? */
int is_record(const struct berth_message *m);

/* The message of an entry; NULL without memory. */
struct berth_message *display_message(
    struct berth_service *service, const struct entry *entry);

/* The entry of a message whose fields are as above; its name is copied to
 * host, its text points into the message.  A field that is missing is empty.
 */
void display_entry(const struct berth_message *m, struct entry *ret_entry,
    char host[ENTRY_HOST_BYTES]);

/* A block with these bytes; NULL without memory. */
struct berth_message *display_block(struct berth_service *service,
    uint32_t type, const void *data, size_t size);

#endif
