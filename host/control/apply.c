/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The one way by which a text changes the host: read, plan, prepare, commit.
 * Start-up, reload, a typed directive and the preview differ in what they read
 * and how far they go.
 */

#include <errno.h>
#include <string.h>

#include "control/control_priv.h"

void
report_init(struct report *report)
{
	text_init(&report->text);
	text_init(&report->json);
}

void
report_fini(struct report *report)
{
	text_fini(&report->text);
	text_fini(&report->json);
}

static int
read_tree(struct host *host, enum apply_mode mode, const char *directive,
    struct errors *errors, struct tree **ret_tree)
{
	struct config_input command = {
	    .kind = CONFIG_STRING,
	    .text = directive,
	    .name = "command",
	};
	struct config_options options = {.wraps = wrap_has_rules(host)};

	if (mode == APPLY_COMMAND)
		return config_read(&command, 1, &options, errors, ret_tree);
	return config_read(host->options.inputs, host->options.input_count,
	    &options, errors, ret_tree);
}

static void
check_command_tree(const struct tree *tree, struct errors *errors)
{
	if (given_any(&tree->host.given))
		errors_add(errors, SEVERITY_ERROR, -EINVAL, NULL,
		    "settings of the host are changed in its file, followed "
		    "by a reload");
}

/* Where plain plugin names are looked for: the option, the file, the default.
 */
static const char *
plugin_path(const struct host *host, const struct host_settings *settings)
{
	if (host->options.plugin_path != NULL)
		return host->options.plugin_path;
	return settings->plugin_path != NULL ? settings->plugin_path
					     : BERTH_PLUGIN_PATH;
}

static int
set_plugin_path(struct host *host, const struct host_settings *settings)
{
	return plugins_set_path(host->plugins, plugin_path(host, settings));
}

static void
tell_overrun(
    void *context, const char *owner, uint64_t busy_ms, pthread_t thread)
{
	struct host *host = context;

	log_printf(host->log, BERTH_WARNING, owner,
	    "has been in one callback for %llu ms; everybody else waits",
	    (unsigned long long)busy_ms);
	if (host->options.stack != NULL)
		host->options.stack(host->options.context, thread);
}

static void
overrun(void *context, const char *owner, uint64_t busy_ms)
{
	struct host *host = context;

	tell_overrun(host, owner, busy_ms, reactor_thread(host->reactor));
}

static void
apply_watchdog(struct host *host, uint64_t before_ms)
{
	uint64_t limit_ms = host->settings.watchdog_ms;

	if (limit_ms == before_ms)
		return;
	reactor_watchdog_stop(host->reactor);
	if (limit_ms > 0 &&
	    reactor_watchdog_start(host->reactor, limit_ms, overrun, host) < 0)
		log_printf(host->log, BERTH_WARNING, NULL,
		    "no thread for the watchdog");
	loops_watch(host->loops, limit_ms, tell_overrun, host);
}

/* Strings of the settings outlive the tree in an arena of their own. */
static int
copy_settings(const struct host_settings *from, struct arena **ret_arena,
    struct host_settings *ret_settings)
{
	struct arena *arena = arena_new();

	if (arena == NULL)
		return -ENOMEM;
	if (host_settings_copy(arena, from, ret_settings) < 0) {
		arena_free(arena);
		return -ENOMEM;
	}
	*ret_arena = arena;
	return 0;
}

static void
commit_settings(struct host *host, struct arena *arena,
    const struct host_settings *settings)
{
	uint64_t watchdog_before = host->settings.watchdog_ms;

	ledgers_set_sockets(
	    host->ledgers, settings->syslog_socket, settings->journal_socket);
	wrap_update(host, settings);
	arena_free(host->settings_arena);
	host->settings_arena = arena;
	host->settings = *settings;
	if (!host->options.keep_log_level)
		__atomic_store_n(&host->log->level, host->settings.log_level,
		    __ATOMIC_RELAXED);
	loops_use(host->loops, host->settings.loops);
	apply_watchdog(host, watchdog_before);
}

static int
no_memory(struct errors *errors)
{
	errors_add(errors, SEVERITY_ERROR, -ENOMEM, NULL, "no memory");
	return HOST_E_REFUSED;
}

/* Threads that are more than those that are used end when nothing came of it.
 */
static int
start_loops(struct host *host, const struct host_settings *settings,
    struct errors *errors)
{
	int result = loops_start(host->loops, settings->loops);

	if (result < 0)
		errors_add(errors, SEVERITY_ERROR, result, NULL,
		    "reactors = %u: no thread or loop for that: %s",
		    settings->loops, strerror(-result));
	return result;
}

/* Everything that can fail, then everything that can't. */
static int
carry_out(struct host *host, struct plan *plan, const struct tree *tree,
    struct errors *errors)
{
	struct door door = {.changes = false};
	struct host_settings settings;
	struct arena *arena;
	int result;

	if (copy_settings(&tree->host, &arena, &settings) < 0)
		return no_memory(errors);
	result = door_prepare(host, &settings, errors, &door);
	if (result == 0)
		result = start_loops(host, &settings, errors);
	if (result == 0)
		result = plan_prepare(plan);
	if (result < 0) {
		loops_use(host->loops, loops_count(host->loops));
		door_abandon(&door);
		arena_free(arena);
		if (errors_count(errors) == 0)
			return no_memory(errors);
		return HOST_E_REFUSED;
	}
	plan_commit(plan);
	door_commit(host, &door);
	commit_settings(host, arena, &settings);
	return 0;
}

static int
apply_tree(struct host *host, enum apply_mode mode, struct tree *tree,
    struct errors *errors, struct report *report)
{
	struct plan_options options = {
	    .repository = host->repository,
	    .plugins = host->plugins,
	    .tree = tree,
	    .exact = mode != APPLY_COMMAND && mode != APPLY_START &&
		     tree->host.reload == RELOAD_EXACT,
	    .command = mode == APPLY_COMMAND,
	    .files_only = mode == APPLY_RELOAD ||
			  (mode == APPLY_PLAN && host->started.ns != 0),
	    .errors = errors,
	};
	struct plan *plan;
	int result;

	/* A typed directive leaves the settings of the files as they are. */
	if (mode == APPLY_COMMAND)
		tree->host = host->settings;
	if (host->started.ns == 0 && host->options.settle != NULL)
		host->options.settle(
		    host->options.context, &tree->host, errors);
	if (set_plugin_path(host, &tree->host) < 0 ||
	    plan_new(&options, &plan) < 0)
		return no_memory(errors);
	wrap_check(host, tree, errors);
	if (mode == APPLY_PLAN)
		plan_look_up(plan);
	result = errors_count(errors) > 0 ? HOST_E_REFUSED : 0;
	if (result == 0 && mode != APPLY_PLAN)
		result = carry_out(host, plan, tree, errors);
	errors_sort(errors);
	errors_print(errors, &report->text);
	plan_report(plan, &report->text);
	plan_report_json(plan, &report->json);
	plan_free(plan);
	return result;
}

static int
one_at_a_time(struct errors *errors)
{
	errors_add(errors, SEVERITY_ERROR, -EBUSY, NULL,
	    "another change is under way and waits for its workers");
	return HOST_E_REFUSED;
}

int
host_apply(struct host *host, enum apply_mode mode, const char *directive,
    struct errors *errors, struct report *report)
{
	struct tree *tree;
	int result;

	if (host->applying)
		return one_at_a_time(errors);
	if (read_tree(host, mode, directive, errors, &tree) < 0)
		return no_memory(errors);
	if (mode == APPLY_COMMAND)
		check_command_tree(tree, errors);
	host->applying = true;
	result = apply_tree(host, mode, tree, errors, report);
	/* Also after a mistake: somebody is about to mend it. */
	if (mode == APPLY_START || mode == APPLY_RELOAD)
		watch_files(host, tree);
	/* Only a success may leave another path behind. */
	if (set_plugin_path(host, &host->settings) < 0 && result == 0)
		log_printf(host->log, BERTH_WARNING, NULL,
		    "no memory for plugin_path; it stays as it was");
	tree_free(tree);
	host_applied(host);
	return result;
}

int
host_check(struct host *host, struct errors *errors, struct text *print)
{
	struct report report;
	struct tree *tree;
	int result;

	if (read_tree(host, APPLY_PLAN, NULL, errors, &tree) < 0)
		return no_memory(errors);
	report_init(&report);
	result = apply_tree(host, APPLY_PLAN, tree, errors, &report);
	report_fini(&report);
	if (print != NULL && tree_print(tree, print) < 0)
		result = -ENOMEM;
	tree_free(tree);
	return result;
}
