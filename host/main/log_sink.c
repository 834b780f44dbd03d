/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * log_sink: where the lines of the log go.
 *
 *   a stream	2025-11-21T21:46:03.123+0100 berthd: [warning] echo: text
 *   journal	<4>echo: text		(it adds time and program itself)
 *   syslog(3)	echo: text		(likewise), facility daemon
 *
 * Every line is one write(2), so that lines of several threads and processes
 * do not mix.  Messages come from log_printf() as one safe line; texts of
 * several lines, such as the mistakes of a file, are split here, and what is
 * not printable in them becomes \xHH.  Nothing is allocated.  A line is cut
 * after about 4,000 bytes.  What cannot be written is lost: there is nobody to
 * tell.
 */
/*
 * log_sink: where the lines of the log go.
 *
 *   a stream	2025-11-21T21:46:03.123+0100 berthd: [warning] echo: text
 *   journal	<4>echo: text		(it adds time and program itself)
 *   syslog(3)	echo: text		(likewise), facility daemon
 *
 * Every line is one write(2), so that lines of several threads and processes
 * do not mix, and is put together without an allocation, so that it can say
 * that there is no memory.  A text of several lines becomes several; other
 * control characters become \xHH, so that a client's bytes in a message
 * cannot play with a terminal or forge a line.  A line is cut after about
 * 4,000 bytes.  What cannot be written is lost: there is nobody to tell.
 */
#include <berth/host.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "main/main.h"

struct line {
	char data[4096];
	size_t size;
};

#define CUT_MARK "..."
/* Room that is kept for the mark and the newline. */
#define RESERVE sizeof(CUT_MARK)

/* False: cut; nothing more fits. */
static bool
add(struct line *line, const char *data, size_t size)
{
	if (size > sizeof(line->data) - RESERVE - line->size)
		return false;
	memcpy(line->data + line->size, data, size);
	line->size += size;
	return true;
}

/* Through snprintf, of which what does not fit is left out. */
BASE_PRINTF(2, 3)
static void
add_printf(struct line *line, const char *format, ...)
{
	size_t room = sizeof(line->data) - RESERVE - line->size;
	va_list ap;
	int size;

	va_start(ap, format);
	size = vsnprintf(line->data + line->size, room, format, ap);
	va_end(ap);
	if (size > 0)
		line->size += (size_t)size < room ? (size_t)size : room - 1;
}

static void
add_escaped(struct line *line, const char *text, size_t size)
{
	char escape[sizeof("\\x00")];
	bool fits = true;

	for (size_t i = 0; fits && i < size; i++) {
		unsigned char c = (unsigned char)text[i];

		if ((c >= ' ' || c == '\t') && c != 0x7f) {
			fits = add(line, text + i, 1);
		} else {
			snprintf(escape, sizeof(escape), "\\x%02x", c);
			fits = add(line, escape, sizeof(escape) - 1);
		}
	}
	if (!fits) {
		memcpy(line->data + line->size, CUT_MARK, sizeof(CUT_MARK) - 1);
		line->size += sizeof(CUT_MARK) - 1;
	}
}

static void
add_time(struct line *line)
{
	struct timespec now;
	struct tm parts;
	char date[32], zone[16];

	clock_gettime(CLOCK_REALTIME, &now);
	localtime_r(&now.tv_sec, &parts);
	strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &parts);
	strftime(zone, sizeof(zone), "%z", &parts);
	add_printf(line, "%s.%03ld%s ", date, now.tv_nsec / 1000000, zone);
}

static void
put(struct log_sink *sink, int target, int level, struct line *line)
{
	const char *from = line->data;
	ssize_t written;

	if (target == LOG_TARGET_SYSLOG) {
		syslog(level, "%.*s", (int)line->size, line->data);
		return;
	}
	line->data[line->size++] = '\n';
	while (line->size > 0) {
		written = write(sink->fd, from, line->size);
		if (written < 0 && errno != EINTR)
			return;
		if (written > 0) {
			from += written;
			line->size -= (size_t)written;
		}
	}
}

/* who: NULL for the host; "" for a text without a prefix. */
static void
put_line(struct log_sink *sink, int level, const char *who, const char *text,
    size_t size)
{
	int target = atomic_load_explicit(&sink->target, memory_order_relaxed);
	bool bare = who != NULL && *who == '\0';
	struct line line = {.size = 0};

	if (target == LOG_TARGET_JOURNAL) {
		add_printf(&line, "<%d>", level);
	} else if (target == LOG_TARGET_STREAM && !bare) {
		add_time(&line);
		add_printf(&line, "berthd: [%s] ", log_level_name(level));
	}
	if (who != NULL && !bare)
		add_printf(&line, "%.255s: ", who);
	add_escaped(&line, text, size);
	put(sink, target, level, &line);
}

static void
sink_write(
    struct log *log, int level, const char *who, const char *line, size_t size)
{
	put_line(
	    BASE_CONTAINER(log, struct log_sink, log), level, who, line, size);
}

/* JOURNAL_STREAM is the device and inode of the journal's socket; it may be
 * inherited while the stream is another one now. */
static bool
is_journal(int fd)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long device, inode;
	struct stat status;

	return stream != NULL &&
	       sscanf(stream, "%llu:%llu", &device, &inode) == 2 &&
	       fstat(fd, &status) == 0 && status.st_dev == device &&
	       status.st_ino == inode;
}

void
log_sink_init(struct log_sink *sink, int level)
{
	memset(sink, 0, sizeof(*sink));
	sink->log.write = sink_write;
	sink->log.level = level;
	sink->fd = STDERR_FILENO;
	atomic_init(&sink->target,
	    is_journal(sink->fd) ? LOG_TARGET_JOURNAL : LOG_TARGET_STREAM);
}

void
log_sink_to_syslog(struct log_sink *sink)
{
	/* Connected now: later there may be no descriptor left for it. */
	openlog("berthd", LOG_PID | LOG_NDELAY, LOG_DAEMON);
	atomic_store(&sink->target, LOG_TARGET_SYSLOG);
}

void
log_sink_to_host(struct log_sink *sink)
{
	atomic_store(&sink->target, LOG_TARGET_JOURNAL);
}

void
log_sink_text(struct log_sink *sink, int level, const char *text)
{
	size_t size;

	for (; *text != '\0'; text += size + (text[size] == '\n')) {
		size = strcspn(text, "\n");
		put_line(sink, level, "", text, size);
	}
}
