/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * input: reading log files.  A file is read in pieces; the buffer grows to the
 * longest entry.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "input.h"

#define ROOM_FIRST 65536u
#define RECORD_LONGEST (64u << 20)

int
input_open(struct input *input, const char *name)
{
	struct input made = {.name = name, .room = ROOM_FIRST};

	if (strcmp(name, "-") == 0)
		made.fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0);
	else
		made.fd = open(name, O_RDONLY | O_CLOEXEC);
	if (made.fd < 0)
		return -errno;
	made.data = malloc(made.room);
	if (made.data == NULL) {
		close(made.fd);
		return -ENOMEM;
	}
	*input = made;
	return 0;
}

void
input_close(struct input *input)
{
	close(input->fd);
	free(input->data);
	input->data = NULL;
	input->fd = -1;
}

/* Reads more, behind what is held.  How much, 0 at the end, or a negative
 * errno. */
static ssize_t
fill(struct input *input)
{
	ssize_t got;

	memmove(input->data, input->data + input->at, input->size - input->at);
	input->size -= input->at;
	input->at = 0;
	if (input->size == input->room) {
		char *more = realloc(input->data, 2 * input->room);

		if (more == NULL)
			return -ENOMEM;
		input->data = more;
		input->room *= 2;
	}
	do
		got = read(input->fd, input->data + input->size,
		    input->room - input->size);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return -errno;
	input->size += (size_t)got;
	return got;
}

int
input_next(struct input *input, struct entry *ret_entry)
{
	ssize_t got;
	int result;

	for (;;) {
		result = entry_decode(input->data + input->at,
		    input->size - input->at, RECORD_LONGEST, ret_entry);
		if (result != RECORD_E_MORE)
			break;
		got = fill(input);
		if (got < 0)
			return (int)got;
		if (got == 0)
			return input->size > 0 ? INPUT_E_WITHIN : INPUT_E_END;
	}
	if (result == 0) {
		input->at += ret_entry->size;
		input->offset += ret_entry->size;
	}
	return result;
}
