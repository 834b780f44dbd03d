/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The host: its parts put together, its start, its loop, its end.
 *
 * The order of making is the order of the rooms; the end is the reverse.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control/control_priv.h"

/* --- making --- */

static int
copy_inputs(struct host *host, const struct host_options *options)
{
	struct config_input *inputs;

	inputs = arena_alloc(
	    host->arena, ((size_t)options->input_count + 1) * sizeof(*inputs));
	if (inputs == NULL)
		return -ENOMEM;
	for (unsigned i = 0; i < options->input_count; i++) {
		const struct config_input *from = &options->inputs[i];

		inputs[i] = *from;
		inputs[i].text = arena_string(host->arena, from->text);
		if (from->name != NULL)
			inputs[i].name = arena_string(host->arena, from->name);
		if (from->address != NULL)
			inputs[i].address = arena_string(
			    host->arena, from->address);
		if (inputs[i].text == NULL ||
		    (from->name != NULL && inputs[i].name == NULL) ||
		    (from->address != NULL && inputs[i].address == NULL))
			return -ENOMEM;
	}
	host->options.inputs = inputs;
	if (options->plugin_path == NULL)
		return 0;
	host->options.plugin_path = arena_string(
	    host->arena, options->plugin_path);
	return host->options.plugin_path == NULL ? -ENOMEM : 0;
}

static const struct groups_sources group_files = {
    .membership = "/proc/self/cgroup", .mounts = "/proc/self/mountinfo"};

static int
make_loop(struct host *host)
{
	struct reactor_options options = {.log = host->log};
	int result = reactor_new(&options, &host->reactor);

	if (result < 0)
		return result;
	result = reactor_owner_init(&host->owner, host->reactor, "host");
	if (result < 0)
		return result;
	result = ledgers_new(host->reactor, host->log, &host->ledgers);
	if (result == 0)
		result = groups_new(&group_files, &host->groups);
	if (result == 0)
		result = wrap_open(host);
	if (result < 0)
		return result;
	result = loops_new(host->reactor, host->log, &host->loops);
	if (result == 0)
		result = listeners_new(
		    host->reactor, host->log, &host->listeners);
	if (result == 0 && host->options.is_worker) {
		listeners_borrow(host->listeners);
		listeners_hold(host->listeners, true);
	}
	return result;
}

static int
make_services(struct host *host)
{
	struct plugin_options plugins = {
	    .path = host->options.plugin_path != NULL
			? host->options.plugin_path
			: BERTH_PLUGIN_PATH,
	    .statics = host->options.statics,
	    .no_dynamic = host->options.no_dynamic,
	};
	struct repository_options repository = {
	    .reactor = host->reactor,
	    .listeners = host->listeners,
	    .ledgers = host->ledgers,
	    .groups = host->groups,
	    .wrapper = wrapper_ops(host->wrapper),
	    .loops = host->loops,
	    .log = host->log,
	    .processes = &host->processes,
	};
	int result = plugins_new(&plugins, &host->plugins);

	if (result < 0)
		return result;
	jobs_bind(host, &repository.doors);
	return repository_new(&repository, &host->repository);
}

int
host_new(const struct host_options *options, struct host **ret_host)
{
	struct host *host = calloc(1, sizeof(*host));
	int result;

	if (host == NULL)
		return -ENOMEM;
	TAILQ_INIT(&host->queue);
	LIST_INIT(&host->timed);
	host->options = *options;
	host->processes.program_fd = options->worker_program_fd;
	host->processes.door_fd = options->door_fd;
	host->log = options->log;
	host_settings_init(&host->settings);
	/* No watchdog runs yet, whatever the default is. */
	host->settings.watchdog_ms = 0;
	host->arena = arena_new();
	result = host->arena == NULL ? -ENOMEM : copy_inputs(host, options);
	if (result == 0)
		result = make_loop(host);
	if (result == 0)
		result = make_services(host);
	if (result < 0) {
		host_free(host);
		return result;
	}
	*ret_host = host;
	return 0;
}

struct host *
host_free(struct host *host)
{
	if (host == NULL)
		return NULL;
	jobs_drop_all(host);
	host->seat = seat_free(host->seat);
	watch_stop(host);
	suspend_forget_all(host);
	if (host->reactor != NULL)
		reactor_watchdog_stop(host->reactor);
	door_close(host, 0);
	host->repository = repository_free(host->repository);
	host->loops = loops_free(host->loops);
	host->plugins = plugins_free(host->plugins);
	host->listeners = listeners_free(host->listeners);
	host->ledgers = ledgers_free(host->ledgers);
	host->groups = groups_free(host->groups);
	host->wrapper = wrapper_free(host->wrapper);
	if (host->owner.reactor != NULL)
		reactor_owner_fini(&host->owner);
	host->reactor = reactor_free(host->reactor);
	arena_free(host->settings_arena);
	arena_free(host->arena);
	free(host);
	return NULL;
}

struct reactor_owner *
host_owner(struct host *host)
{
	return &host->owner;
}

const char *
host_busy_name(const struct host *host)
{
	return reactor_is_here(host->reactor) ? reactor_busy_name(host->reactor)
					      : loops_busy_name(host->loops);
}

int
host_adopt_socket(struct host *host, int fd)
{
	return listeners_adopt(host->listeners, fd);
}

const struct host_settings *
host_settings(const struct host *host)
{
	return &host->settings;
}

/* --- running --- */

static void
tell(struct host *host, enum host_event event, bool failed, const char *text)
{
	if (host->options.event != NULL)
		host->options.event(host->options.context, event, failed, text);
}

int
host_start(struct host *host, struct errors *errors)
{
	struct report report;
	int result;

	report_init(&report);
	result = host_apply(host, APPLY_START, NULL, errors, &report);
	report_fini(&report);
	if (result != 0)
		return result;
	host->started = reactor_now(host->reactor);
	tell(host, HOST_READY, false, NULL);
	return 0;
}

int
host_run(struct host *host)
{
	return reactor_run(host->reactor);
}

void
host_log_lines(struct host *host, int level, const char *lines)
{
	while (*lines != '\0') {
		size_t size = strcspn(lines, "\n");

		log_printf(host->log, level, NULL, "%.*s", (int)size, lines);
		lines += size;
		lines += *lines == '\n';
	}
}

int
host_reload_now(struct host *host, struct report *report)
{
	struct errors *errors = errors_new(ERRORS_A_FILE);
	int result;

	if (errors == NULL)
		return -ENOMEM;
	tell(host, HOST_RELOADING, false, NULL);
	result = host_apply(host, APPLY_RELOAD, NULL, errors, report);
	host->reloads++;
	host->reloads_refused += result != 0;
	host->last_refused = result != 0;
	host_log_lines(host, result == 0 ? BERTH_NOTICE : BERTH_ERROR,
	    text_string(&report->text));
	/* Whoever has moved files of lines away says so like this, too. */
	ledgers_reopen(host->ledgers);
	tell(host, HOST_RELOADED, result != 0, text_string(&report->text));
	errors_free(errors);
	return result;
}

void
host_reopen_logs(struct host *host)
{
	ledgers_reopen(host->ledgers);
}

static void
reload_posted(void *context)
{
	struct host *host = context;
	struct report report;

	/* An asking from here on is another reload. */
	if (host->applying) {
		host->reload_put_off = true;
		return;
	}
	atomic_store(&host->reload_wanted, false);
	if (host->stopping)
		return;
	report_init(&report);
	if (host_reload_now(host, &report) == -ENOMEM)
		log_printf(
		    host->log, BERTH_ERROR, NULL, "no memory for the reload");
	report_fini(&report);
}

void
host_reload(struct host *host)
{
	if (atomic_exchange(&host->reload_wanted, true))
		return;
	if (reactor_post(&host->owner, reload_posted, host) < 0) {
		atomic_store(&host->reload_wanted, false);
		log_printf(host->log, BERTH_ERROR, NULL,
		    "no memory to begin the reload that was asked for");
	}
}

/* While a change waits, the loop goes on, and what came is done now. */
void
host_applied(struct host *host)
{
	bool stop = host->stop_wanted;

	host->applying = false;
	host->stop_wanted = false;
	if (stop) {
		host_stop(host);
		return;
	}
	jobs_go_on(host);
	if (host->reload_put_off) {
		host->reload_put_off = false;
		atomic_store(&host->reload_wanted, false);
		host_reload(host);
	}
}

void
host_drain(struct host *host, uint64_t drain_ms)
{
	host->stopping = true;
	repository_shutdown(host->repository, MONO_MS(drain_ms));
}

int
host_offer_plugin(struct host *host, const char *path, int fd)
{
	return plugins_offer(host->plugins, path, fd);
}

void
host_stop(struct host *host)
{
	if (host->applying && !host->stop_wanted) {
		host->stop_wanted = true;
		return;
	}
	if (host->stopping || host->applying) {
		reactor_stop(host->reactor);
		return;
	}
	host->stopping = true;
	tell(host, HOST_STOPPING, false, NULL);
	door_close(host, 0);
	repository_shutdown(
	    host->repository, MONO_MS(host->settings.shutdown_ms));
}
