/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * input: a log file, read entry by entry, also while it grows.
 */
#ifndef LOGGING_INPUT_H
#define LOGGING_INPUT_H

#include <sys/types.h>

#include "entry.h"

/* Answers: there is no more now; and the last entry is not all there. */
#define INPUT_E_END 1
#define INPUT_E_WITHIN 2

struct input {
	const char *name; /* as given to input_open() */
	int fd;
	char *data;
	size_t room, size, at; /* of data: held, and used up */
	uint64_t offset;       /* of data + at in the file */
};

/* "-" is standard input.  0 or a negative errno. */
int input_open(struct input *input, const char *name);
/*
 * The next entry, good until the next call.  0, INPUT_E_END or INPUT_E_WITHIN,
 * after which more may come; -EPROTO or -EMSGSIZE: this is none; or another
 * negative errno.
 */
int input_next(struct input *input, struct entry *ret_entry);
void input_close(struct input *input);

#endif
