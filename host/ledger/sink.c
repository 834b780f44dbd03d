/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sink: where lines go.  Services that name the same share one, with its
 * descriptor; the last that lets go closes it.
 *
 * A line that cannot be written is lost and counted.  That it is so, and that
 * it is over and how many were lost, is said in the host's log, once each, and
 * not more often than once a minute.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <berth/host.h>

#include "ledger/ledger_priv.h"

#define TELL_EVERY_NS MONO_MS(60000)

static int
write_host(struct sink *sink, const struct sink_line *line)
{
	struct log *log = sink->ledgers->log;

	if (log != NULL && log->write != NULL &&
	    __atomic_load_n(&log->level, __ATOMIC_RELAXED) >= BERTH_INFO)
		log_put(log, BERTH_INFO, NULL, line->data, line->size);
	return 0;
}

static int
open_nothing(struct sink *sink)
{
	(void)sink;
	return 0;
}

static const struct sink_type {
	int (*open)(struct sink *sink);
	int (*write)(struct sink *sink, const struct sink_line *line);
} types[] = {
    [SINK_HOST] = {open_nothing, write_host},
    [SINK_SYSLOG] = {sink_socket_open, sink_syslog_write},
    [SINK_JOURNAL] = {sink_socket_open, sink_journal_write},
    [SINK_FILE] = {sink_file_open, sink_file_write},
};

/* --- sharing ---------------------------------------------------------------*/

static bool
is_same(const struct sink *sink, const struct sink_spec *spec)
{
	const struct sink_spec *own = &sink->spec;

	if (own->kind != spec->kind || own->kind != SINK_FILE)
		return own->kind == spec->kind;
	return strcmp(own->path, spec->path) == 0 &&
	       own->soft_bytes == spec->soft_bytes &&
	       own->hard_bytes == spec->hard_bytes;
}

static void
sink_free(struct sink *sink)
{
	void *path = (void *)(uintptr_t)sink->spec.path;

	fd_close(&sink->fd);
	free(path);
	free(sink);
}

static int
sink_new(struct ledgers *ledgers, const struct sink_spec *spec,
    struct sink **ret_sink)
{
	struct sink *sink = calloc(1, sizeof(*sink));
	int result;

	if (sink == NULL)
		return -ENOMEM;
	sink->ledgers = ledgers;
	sink->fd = -1;
	sink->spec = *spec;
	if (spec->path != NULL) {
		sink->spec.path = strdup(spec->path);
		if (sink->spec.path == NULL) {
			free(sink);
			return -ENOMEM;
		}
	}
	result = types[spec->kind].open(sink);
	if (result < 0) {
		sink_free(sink);
		return result;
	}
	*ret_sink = sink;
	return 0;
}

int
sink_acquire(struct ledgers *ledgers, const struct sink_spec *spec,
    struct sink **ret_sink)
{
	struct sink *sink;
	int result;

	LIST_FOREACH (sink, &ledgers->sinks, link) {
		if (!is_same(sink, spec))
			continue;
		sink->users++;
		*ret_sink = sink;
		return 0;
	}
	result = sink_new(ledgers, spec, &sink);
	if (result < 0)
		return result;
	sink->users = 1;
	LIST_INSERT_HEAD(&ledgers->sinks, sink, link);
	*ret_sink = sink;
	return 0;
}

void
sink_release(struct sink *sink)
{
	if (--sink->users > 0)
		return;
	LIST_REMOVE(sink, link);
	sink_free(sink);
}

/* --- writing ---------------------------------------------------------------*/

const char *
sink_name(const struct sink *sink, char *buffer, size_t size)
{
	const struct ledgers *ledgers = sink->ledgers;

	switch (sink->spec.kind) {
	case SINK_HOST:
		return "the host's log";
	case SINK_SYSLOG:
		snprintf(buffer, size, "syslog at '%s'", ledgers->syslog);
		break;
	case SINK_JOURNAL:
		snprintf(buffer, size, "the journal at '%s'", ledgers->journal);
		break;
	case SINK_FILE:
		snprintf(buffer, size, "log file '%s'", sink->spec.path);
		break;
	}
	return buffer;
}

static void
fails(struct sink *sink, int error)
{
	uint64_t now = mono_now().ns;
	char name[SINK_NAME_MAX];

	sink->lost++;
	if (sink->failing)
		return;
	sink->failing = true;
	if (sink->told_ns != 0 && now - sink->told_ns < TELL_EVERY_NS)
		return;
	sink->told = true;
	sink->told_ns = now;
	log_printf(sink->ledgers->log, BERTH_WARNING, NULL,
	    "%s: %s; lines are lost until it takes them again",
	    sink_name(sink, name, sizeof(name)),
	    error == -EFBIG ? "its hard limit is reached" : strerror(-error));
}

static void
works(struct sink *sink)
{
	char name[SINK_NAME_MAX];

	if (!sink->failing)
		return;
	sink->failing = false;
	if (!sink->told)
		return;
	sink->told = false;
	log_printf(sink->ledgers->log, BERTH_NOTICE, NULL,
	    "%s takes lines again; %" PRIu64 " were lost",
	    sink_name(sink, name, sizeof(name)), sink->lost);
	sink->lost = 0;
}

void
sink_write(struct sink *sink, const struct sink_line *line)
{
	int result = line->data == NULL
			 ? -ENOMEM
			 : types[sink->spec.kind].write(sink, line);

	if (result < 0)
		fails(sink, result);
	else
		works(sink);
}
