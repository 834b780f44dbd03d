/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * log: lines on their way to the sink that main set up.
 *
 * A message is one line, whatever a client managed to put into it: control
 * characters, newlines among them, are escaped.  A message that there is no
 * memory for is cut short rather than lost.  No state, any thread.
 */
#include "base/base.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <berth/host.h>

#define SHORT_LINE 512u

static const struct level {
	const char *name;
	int level;
} levels[] = {
    /* The first of several names for a level is the one that we print. */
    {"emergency", 0},
    {"alert", 1},
    {"critical", 2},
    {"error", BERTH_ERROR},
    {"warning", BERTH_WARNING},
    {"notice", BERTH_NOTICE},
    {"info", BERTH_INFO},
    {"debug", BERTH_DEBUG},
    {"emerg", 0},
    {"crit", 2},
    {"err", BERTH_ERROR},
    {"warn", BERTH_WARNING},
};

static bool
is_dropped(const struct log *log, int level)
{
	/* Threads of services log while it is set. */
	return log == NULL || log->write == NULL ||
	       level > __atomic_load_n(&log->level, __ATOMIC_RELAXED);
}

/* In place, for want of memory. */
static void
blank_controls(char *line)
{
	for (; *line != '\0'; line++)
		if ((unsigned char)*line < 0x20 || *line == 0x7f)
			*line = '?';
}

void
log_printf(struct log *log, int level, const char *who, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	log_vprintf(log, level, who, format, ap);
	va_end(ap);
}

void
log_vprintf(
    struct log *log, int level, const char *who, const char *format, va_list ap)
{
	AUTO_TEXT line = {0};
	AUTO_TEXT escaped = {0};
	char cut[SHORT_LINE];
	va_list again;

	if (is_dropped(log, level))
		return;
	va_copy(again, ap);
	if (text_vprintf(&line, format, again) == 0) {
		if (line.size > 0 && line.data[line.size - 1] == '\n')
			line.size--;
		text_escape(&escaped, line.data, line.size);
	}
	va_end(again);
	if (!line.failed && !escaped.failed) {
		log_put(log, level, who, escaped.data, escaped.size);
		return;
	}
	if (vsnprintf(cut, sizeof(cut), format, ap) < 0)
		return;
	blank_controls(cut);
	log_put(log, level, who, cut, strlen(cut));
}

void
log_text(
    struct log *log, int level, const char *who, const char *text, size_t size)
{
	AUTO_TEXT line = {0};

	if (is_dropped(log, level))
		return;
	while (size > 0) {
		const char *end = memchr(text, '\n', size);
		size_t length = end != NULL ? (size_t)(end - text) : size;
		size_t taken = end != NULL ? length + 1 : length;

		text_reset(&line);
		if (text_printable(&line, text, length) == 0)
			log_put(log, level, who, line.data, line.size);
		text += taken;
		size -= taken;
	}
}

int
log_level_parse(const char *name)
{
	if (name[0] >= '0' && name[0] <= '7' && name[1] == '\0')
		return name[0] - '0';
	for (size_t i = 0; i < BASE_COUNT(levels); i++)
		if (strcasecmp(levels[i].name, name) == 0)
			return levels[i].level;
	return -EINVAL;
}

const char *
log_level_name(int level)
{
	if (level < 0)
		level = 0;
	return levels[level > BERTH_DEBUG ? BERTH_DEBUG : level].name;
}
