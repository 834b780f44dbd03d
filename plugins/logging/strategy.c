/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * logging_strategy: where the lines of the host's log go, and how they look,
 * after ACE's Logging_Strategy.  The manual is berth-logging-strategy(8).
 *
 * A line that can't be written where it shall be goes to the host's own place.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "strategy.h"

#define POLL_S 600u

static const char *const level_names[] = {"EMERGENCY", "ALERT", "CRITICAL",
    "ERROR", "WARNING", "NOTICE", "INFO", "DEBUG"};

static int
is_wanted(
    const struct strategy *strategy, const struct berth_log_record *record)
{
	uint32_t mask = strategy->process;

	if (record->thread != strategy->loop)
		mask |= strategy->thread;
	return (mask >> (record->level & 7) & 1) != 0;
}

static int
add_time(char *to, size_t room, const struct berth_log_record *record)
{
	time_t seconds = (time_t)record->seconds;
	struct tm parts;
	char date[32], zone[16];

	localtime_r(&seconds, &parts);
	strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &parts);
	strftime(zone, sizeof(zone), "%z", &parts);
	return snprintf(
	    to, room, "%s.%03u%s@", date, record->nanoseconds / 1000000, zone);
}

/* What stands before the text; its size. */
static size_t
make_head(const struct strategy *strategy,
    const struct berth_log_record *record, char *to, size_t room)
{
	const char *level = level_names[record->level & 7];
	int size = 0;

	if (strategy->flags & VERBOSE) {
		size = add_time(to, room, record);
		size += snprintf(to + size, room - (size_t)size, "%s@%ld@%s@",
		    strategy->host, (long)getpid(), level);
	} else if (strategy->flags & VERBOSE_LITE) {
		size = add_time(to, room, record);
		size += snprintf(to + size, room - (size_t)size, "%s@", level);
	}
	if (strategy->program != NULL)
		size += snprintf(to + size, room - (size_t)size,
		    "%.100s::", strategy->program);
	if (record->service != NULL)
		size += snprintf(to + size, room - (size_t)size,
		    "%.255s: ", record->service);
	return (size_t)size;
}

static int
write_line(struct strategy *strategy, const struct berth_log_record *record)
{
	char head[1024], end[] = "\n";
	struct iovec parts[] = {
	    {head, make_head(strategy, record, head, sizeof(head))},
	    {(void *)(uintptr_t)record->text.data, record->text.size},
	    {end, 1},
	};

	return log_file_write(
	    &strategy->file, parts, 3, berth_now(strategy->service));
}

static void
to_syslog(
    const struct strategy *strategy, const struct berth_log_record *record)
{
	char head[1024];
	size_t size = make_head(strategy, record, head, sizeof(head));

	syslog(LOG_DAEMON | record->level, "%.*s%.*s", (int)size, head,
	    (int)record->text.size, (const char *)record->text.data);
}

/* Each place is tried, whatever becomes of the others. */
static int
take_line(void *arg, const struct berth_log_record *record)
{
	struct strategy *strategy = arg;
	int written = 0, sent = 0;

	if (!is_wanted(strategy, record) || (strategy->flags & SILENT))
		return 0;
	pthread_mutex_lock(&strategy->lock);
	strategy->lines++;
	if (strategy->flags & TO_FILE)
		written = write_line(strategy, record);
	if (strategy->flags & TO_LOGGER)
		sent = log_link_put(strategy, record);
	pthread_mutex_unlock(&strategy->lock);
	if (strategy->flags & TO_SYSLOG)
		to_syslog(strategy, record);
	if (written < 0 || sent < 0)
		return written < 0 ? written : sent;
	return strategy->flags & TO_STDERR ? BERTH_LOG_PASS : 0;
}

/* --- the service --- */

static void
end(struct strategy *strategy)
{
	log_link_close(strategy);
	log_file_close(&strategy->file);
	pthread_mutex_destroy(&strategy->lock);
}

static void
fini(struct berth_service *service)
{
	struct strategy *strategy = service->state;

	berth_log_sink_remove(service, strategy->sink);
	berth_connect_end(service, strategy->link.connector);
	berth_cancel_all(service, &strategy->handler);
	berth_purge(service, &strategy->handler, 0);
	end(strategy);
}

static int
start_polling(struct strategy *strategy)
{
	uint64_t every = strategy->poll_s;

	if (!(strategy->flags & TO_FILE))
		return 0;
	if (strategy->age_s > 0 && strategy->age_s < every)
		every = strategy->age_s;
	every *= UINT64_C(1000000000);
	return berth_schedule(
	    strategy->service, &strategy->handler, NULL, every, every, NULL);
}

static int
start(struct strategy *strategy, int argc, char **argv)
{
	struct berth_service *service = strategy->service;
	int result = strategy_options(strategy, argc, argv);

	if (result != 0)
		return result;
	if (strategy->flags & TO_FILE)
		result = log_file_open(&strategy->file, berth_now(service));
	if (result != 0)
		return berth_fail(service, -result, "%s: %s",
		    strategy->file.path, strerror(-result));
	result = log_link_open(strategy);
	if (result == 0)
		result = start_polling(strategy);
	if (result == 0)
		result = berth_log_sink_add(
		    service, take_line, strategy, &strategy->sink);
	return result;
}

static int
init(struct berth_service *service, int argc, char **argv)
{
	struct strategy *strategy = service->state;
	int result;

	strategy->service = service;
	strategy->poll_s = POLL_S;
	strategy->process = 0xff;
	strategy->loop = (uint32_t)syscall(SYS_gettid);
	strategy->file.keep = 1;
	strategy->file.fd = -1;
	strategy->link.fd = -1;
	pthread_mutex_init(&strategy->lock, NULL);
	if (gethostname(strategy->host, sizeof(strategy->host) - 1) != 0)
		strcpy(strategy->host, "localhost");
	result = start(strategy, argc, argv);
	if (result == 0)
		return 0;
	berth_connect_end(service, strategy->link.connector);
	berth_cancel_all(service, &strategy->handler);
	end(strategy);
	return result;
}

static void
info(struct berth_service *service, struct berth_text *text)
{
	struct strategy *strategy = service->state;
	const struct log_file *file = &strategy->file;

	pthread_mutex_lock(&strategy->lock);
	berth_text_printf(
	    text, "%llu lines", (unsigned long long)strategy->lines);
	if (strategy->flags & TO_FILE)
		berth_text_printf(text,
		    ", to %s with %llu bytes, rotated %llu times", file->path,
		    (unsigned long long)file->size,
		    (unsigned long long)file->rotations);
	if (strategy->flags & TO_LOGGER)
		berth_text_printf(text, ", to the logger %s (%s), %zu waiting",
		    strategy->link.key,
		    strategy->link.fd >= 0 ? "connected" : "away",
		    strategy->link.tail - strategy->link.head);
	pthread_mutex_unlock(&strategy->lock);
}

BERTH_SERVICE(make_logging_strategy,
    .summary = "takes the lines of the host's log",
    .state_size = sizeof(struct strategy), .init = init, .fini = fini,
    .info = info);
