/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ledger_bed: a net_bed with the ledgers of a host, and settings written as
 * words.
 */
#ifndef UNIT_LEDGER_BED_H
#define UNIT_LEDGER_BED_H

#include "ledger/ledger.h"
#include "unit/net_bed.h"

struct lines {
	struct bed *bed;
	struct ledgers *ledgers;
	struct settings settings;
	const char *type[4];
	const char *success[8];
	const char *failure[4];
};

int lines_setup(void **state);
int lines_teardown(void **state);

/* log_type and the two lists, each as words with blanks between them; NULL:
 * not set.  The words live as long as the bed. */
void lines_set(struct lines *lines, const char *type, const char *success,
    const char *failure);
/* Of the service "echo". */
struct ledger *lines_ledger(struct lines *lines);
/* What a file of the bed's folder holds, "" when it is not there. */
void lines_read(const char *path, struct text *text);
/* So many lines are in it. */
unsigned lines_count(const char *path);

#endif
