/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * process_end: how a process ended, for people, and what of its sandbox was the
 * reason as far as the kernel says it.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "worker/filter.h"
#include "worker/process_end.h"

/* As a worker has it in its last words (main/crash.c). */
#define BY_CALL ", by system call "

static int
number_in(const struct lines *lines)
{
	unsigned kept = lines->count < LINES_KEPT ? lines->count : LINES_KEPT;

	for (unsigned i = 0; i < kept; i++) {
		const char *found = strstr(lines->last[i], BY_CALL);

		if (found != NULL)
			return (int)strtol(found + strlen(BY_CALL), NULL, 10);
	}
	return -1;
}

static void
add_call(const struct process_end *end, char *how, size_t room)
{
	int number = end->lines != NULL ? number_in(end->lines) : -1;
	char name[64] = "";

	if (number >= 0)
		filter_call_name(number, name, sizeof(name));
	if (number < 0)
		snprintf(how, room, ": system_call_filter refuses what it did");
	else
		snprintf(how, room, ": system_call_filter refuses %s%s%d%s",
		    name, name[0] != '\0' ? " (" : "system call ", number,
		    name[0] != '\0' ? ")" : "");
}

void
process_end_print(const struct process_end *end, char *how, size_t room)
{
	const struct spawn_sandbox *sandbox = end->sandbox;
	size_t size;

	if (end->code == 0) {
		snprintf(how, room, "nobody knows how");
		return;
	}
	if (end->code == CLD_EXITED) {
		snprintf(how, room, "exit status %d", end->status);
		return;
	}
	snprintf(how, room, "signal %d (%s)%s", end->status,
	    strsignal(end->status),
	    end->code == CLD_DUMPED ? ", memory dumped" : "");
	size = strlen(how);
	if (end->starved)
		snprintf(how + size, room - size,
		    ": the service has used up its memory_max");
	if (end->status == SIGSYS && sandbox != NULL && sandbox->filter != NULL)
		add_call(end, how + size, room - size);
}
