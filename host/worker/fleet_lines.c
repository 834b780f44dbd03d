/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fleet_lines: what a worker writes to its standard output and error becomes
 * lines of the host's log, under the service's name.
 *
 * The worker's own log begins its lines with "<LEVEL>", as for the journal.
 * Whatever else is written there comes from the service or its libraries, and
 * is logged as a notice.  Of a worker that writes without end a hundred lines
 * a second are logged, and then how many were not.  The last few are kept:
 * they may say why it died.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "worker/fleet_priv.h"

#define LINES_A_SECOND 100u
/* Of main's line before it dies; nothing else is logged at it. */
#define CRASH_LEVEL 2
/* Bytes in one turn; the rest waits for the next. */
#define READ_BUDGET 65536u

/* "<6>text": the level, and the text behind it. */
static int
take_level(const char **line, size_t *size)
{
	const char *at = *line;

	if (*size < 3 || at[0] != '<' || at[1] < '0' || at[1] > '7' ||
	    at[2] != '>')
		return BERTH_NOTICE;
	*line += 3;
	*size -= 3;
	return at[1] - '0';
}

/* "NAME: text" of the worker's log: the host adds the name itself. */
static void
drop_name(const char *name, const char **line, size_t *size)
{
	size_t length = strlen(name);

	if (*size < length + 2 || memcmp(*line, name, length) != 0 ||
	    memcmp(*line + length, ": ", 2) != 0)
		return;
	*line += length + 2;
	*size -= length + 2;
}

static void
keep(struct lines *lines, const char *line, size_t size)
{
	char *room;

	if (lines->complete)
		return;
	room = lines->last[lines->count++ % LINES_KEPT];
	if (size >= sizeof(lines->last[0]))
		size = sizeof(lines->last[0]) - 1;
	memcpy(room, line, size);
	room[size] = '\0';
}

/* Is there room for another in this second?  Else it is counted. */
static bool
may_log(struct member *member)
{
	struct lines *lines = &member->lines;
	uint64_t now = reactor_now(member->fleet->reactor).ns;

	if (now - lines->second_ns >= MONO_MS(1000)) {
		if (lines->unlogged > 0)
			log_printf(member->fleet->log, BERTH_WARNING,
			    member->fleet->name,
			    "process %d wrote %u more lines, which are not "
			    "logged",
			    member->pid, lines->unlogged);
		lines->second_ns = now;
		lines->logged = 0;
		lines->unlogged = 0;
	}
	if (lines->logged >= LINES_A_SECOND) {
		lines->unlogged++;
		return false;
	}
	lines->logged++;
	return true;
}

static void
end_line(struct member *member)
{
	struct lines *lines = &member->lines;
	const char *line = lines->line;
	size_t size = lines->size;
	int level = take_level(&line, &size);

	lines->size = 0;
	drop_name(member->fleet->name, &line, &size);
	if (size == 0)
		return;
	keep(lines, line, size);
	lines->complete = lines->complete || level == CRASH_LEVEL;
	if (may_log(member))
		log_printf(member->fleet->log, level, member->fleet->name,
		    "[%d] %.*s", member->pid, (int)size, line);
}

static void
take(struct member *member, const char *data, size_t size)
{
	struct lines *lines = &member->lines;

	for (size_t i = 0; i < size; i++) {
		if (data[i] != '\n')
			lines->line[lines->size++] = data[i];
		if (data[i] == '\n' || lines->size == sizeof(lines->line))
			end_line(member);
	}
}

bool
lines_read(struct member *member)
{
	char data[4096];
	ssize_t got = 1;
	size_t all = 0;

	while (got > 0 && all < READ_BUDGET) {
		do
			got = read(member->lines_fd, data, sizeof(data));
		while (got < 0 && errno == EINTR);
		if (got < 0)
			return errno == EAGAIN;
		take(member, data, (size_t)got);
		all += (size_t)got;
	}
	if (got == 0 && member->lines.size > 0)
		end_line(member);
	return got > 0;
}

static int
readable(struct berth_handler *handler, int fd)
{
	struct member *member = BASE_CONTAINER(
	    handler, struct member, lines_handler);

	(void)fd;
	/* Its end is noticed by the process's own. */
	if (!lines_read(member)) {
		reactor_remove(member->fleet->options.server.owner,
		    member->lines_fd, BERTH_IO_EVENTS | BERTH_DONT_CALL);
		fd_close(&member->lines_fd);
	}
	return 0;
}

const struct berth_handler_type member_lines_type = {
    .input = readable,
};

void
lines_print(const struct lines *lines, struct text *text)
{
	unsigned first = lines->count > LINES_KEPT ? lines->count - LINES_KEPT
						   : 0;

	if (lines->count == 0)
		return;
	text_printf(text, "; its last words: ");
	for (unsigned i = first; i < lines->count; i++) {
		const char *line = lines->last[i % LINES_KEPT];

		if (i > first)
			text_printf(text, " | ");
		text_escape(text, line, strlen(line));
	}
}
