/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fleet: its life, and what it waits for.
 *
 * It waits in two places only, a start and a resumption, each bounded by
 * start_timeout, and the loop goes on meanwhile.  Both give 0, or a negative
 * errno that was told.  What a member does is the other files' concern.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "worker/fleet_priv.h"

/* At most so long between two heartbeats. */
#define TICK_MS 1000u
#define TICK_LOAD_MS 250u
#define TICK_MIN_MS 10u

const struct berth_service_type fleet_type = {
    .summary = "service in workers",
};

static struct reactor_owner *
owner_of(const struct fleet *fleet)
{
	return fleet->options.server.owner;
}

/* --- words -----------------------------------------------------------------
 */

void
fleet_tell(struct member *member, int code, const char *format, ...)
{
	struct fleet *fleet = member->fleet;
	va_list ap;

	member->told = true;
	va_start(ap, format);
	if (fleet->waiting && fleet->errors != NULL)
		errors_vadd(fleet->errors, SEVERITY_ERROR, code, fleet->place,
		    format, ap);
	else
		log_vprintf(fleet->log, BERTH_ERROR, fleet->name, format, ap);
	va_end(ap);
}

void
fleet_answered(struct fleet *fleet, int result)
{
	if (!fleet->waiting)
		return;
	if (fleet->waited_for > 0)
		fleet->waited_for--;
	if (fleet->result == 0)
		fleet->result = result;
}

/* --- the tick --------------------------------------------------------------
 */

static int
ticked(struct berth_handler *handler, uint64_t now_ns, void *token)
{
	(void)now_ns;
	(void)token;
	slots_tick(BASE_CONTAINER(handler, struct fleet, handler));
	return 0;
}

static const struct berth_handler_type tick_type = {
    .timeout = ticked,
};

static uint64_t
tick_ms(const struct fleet *fleet)
{
	struct worker_span span = slots_span(fleet);
	const struct settings *settings = fleet->settings;
	uint64_t ms = span.least < span.most ? TICK_LOAD_MS : TICK_MS;

	if (settings->watchdog_ms > 0 && settings->watchdog_ms / 4 < ms)
		ms = settings->watchdog_ms / 4;
	if (settings->start_timeout_ms / 2 < ms)
		ms = settings->start_timeout_ms / 2;
	return ms < TICK_MIN_MS ? TICK_MIN_MS : ms;
}

static void
stop_ticking(struct fleet *fleet)
{
	if (fleet->tick != 0)
		reactor_cancel(owner_of(fleet), fleet->tick, NULL);
	fleet->tick = 0;
}

static int
keep_ticking(struct fleet *fleet)
{
	uint64_t ms = tick_ms(fleet);

	stop_ticking(fleet);
	fleet->tick_ms = ms;
	return reactor_schedule(owner_of(fleet), &fleet->handler, NULL,
	    MONO_MS(ms), MONO_MS(ms), &fleet->tick);
}

/* --- starting --------------------------------------------------------------
 */

static void
begin_waiting(
    struct fleet *fleet, const struct place *place, struct errors *errors)
{
	fleet->waiting = true;
	fleet->place = place;
	fleet->errors = errors;
	fleet->result = 0;
	fleet->waited_for = 0;
}

/* The loop goes on: others are served meanwhile. */
static int
wait_for_answers(struct fleet *fleet)
{
	uint64_t end = reactor_now(fleet->reactor).ns +
		       MONO_MS(fleet->settings->start_timeout_ms);
	uint64_t now = reactor_now(fleet->reactor).ns;

	while (fleet->waited_for > 0 && fleet->result == 0 && now < end) {
		int turned = reactor_turn(fleet->reactor, end - now);

		if (turned >= 0 && reactor_stopped(fleet->reactor))
			turned = -ECANCELED;
		if (turned < 0 && fleet->result == 0)
			fleet->result = turned;
		now = reactor_now(fleet->reactor).ns;
	}
	if (fleet->waited_for > 0 && fleet->result == 0) {
		errors_add(fleet->errors, SEVERITY_ERROR, -ETIMEDOUT,
		    fleet->place,
		    "%u worker%s of '%s' did not answer within start_timeout",
		    fleet->waited_for, fleet->waited_for == 1 ? "" : "s",
		    fleet->name);
		fleet->result = -ETIMEDOUT;
	}
	return fleet->result;
}

static void
end_waiting(struct fleet *fleet)
{
	fleet->waiting = false;
	fleet->errors = NULL;
	fleet->place = NULL;
}

/* Those that were just started. */
static void
undo_start(struct fleet *fleet)
{
	fleet->slot_wanted = 0;
	slots_stop_timers(fleet);
	for (unsigned i = 0; i < fleet->slot_count; i++)
		if (fleet->slots[i].member != NULL)
			member_abandon(fleet->slots[i].member, SIGKILL);
}

static int
start_all(struct fleet *fleet)
{
	int result = 0;

	for (unsigned i = 0; result == 0 && i < fleet->slot_wanted; i++) {
		if (fleet->slots[i].member != NULL)
			continue;
		result = member_start(fleet, i);
		fleet->waited_for += result == 0;
	}
	return result;
}

static void
reset(struct fleet *fleet)
{
	fleet->suspended = false;
	fleet->failed = false;
	text_reset(&fleet->failure);
	fleet->deaths = 0;
	fleet->crowded = 0;
	for (unsigned i = 0; i < fleet->slot_count; i++)
		fleet->slots[i].delay_ms = 0;
	fleet->slot_wanted = slots_span(fleet).least;
}

static int
no_workers(
    const struct fleet *fleet, const struct place *place, struct errors *errors)
{
	errors_add(errors, SEVERITY_ERROR, -EOPNOTSUPP, place,
	    "'%s' is to run in workers, which this program does not have",
	    fleet->name);
	return -EOPNOTSUPP;
}

int
fleet_start(
    struct fleet *fleet, const struct place *place, struct errors *errors)
{
	int result;

	if (fleet->options.host == NULL || fleet->options.host->program_fd <= 0)
		return no_workers(fleet, place, errors);
	if (slots_make_room(fleet, slots_span(fleet).most) < 0)
		return -ENOMEM;
	reset(fleet);
	begin_waiting(fleet, place, errors);
	result = start_all(fleet);
	if (result == 0)
		result = wait_for_answers(fleet);
	if (result == 0)
		result = keep_ticking(fleet);
	end_waiting(fleet);
	if (result < 0)
		undo_start(fleet);
	return result;
}

/* --- the hooks -------------------------------------------------------------
 */

static int
ask_all(struct fleet *fleet, const char *verb)
{
	struct member *member;
	AUTO_TEXT text;

	text_init(&text);
	text_printf(&text, "%s %s", verb, fleet->name);
	if (text.failed)
		return -ENOMEM;
	LIST_FOREACH (member, &fleet->members, link) {
		if (member->state != MEMBER_SERVING)
			continue;
		/* One with a client may be about to end: it is told, and
		 * nobody waits for it. */
		if (member->client != NULL)
			(void)member_ask(member, CHANNEL_APPLY, text.data);
		else if (member_ask(member, CHANNEL_APPLY, text.data) < 0)
			member_kill(member, SIGKILL);
		else
			fleet->waited_for++;
	}
	return 0;
}

int
fleet_resume(
    struct fleet *fleet, const struct place *place, struct errors *errors)
{
	int result;

	if (fleet->failed)
		return fleet_start(fleet, place, errors);
	begin_waiting(fleet, place, errors);
	fleet->suspended = false;
	result = ask_all(fleet, "resume");
	if (result == 0)
		result = wait_for_answers(fleet);
	end_waiting(fleet);
	if (result < 0) {
		fleet_suspend(fleet);
		return result;
	}
	slots_fill(fleet);
	return 0;
}

void
fleet_suspend(struct fleet *fleet)
{
	fleet->suspended = true;
	/* Without memory for the words they are suspended all the same: they
	 * take no clients. */
	(void)ask_all(fleet, "suspend");
}

/* --- the end ---------------------------------------------------------------
 */

void
fleet_rest(struct fleet *fleet)
{
	stop_ticking(fleet);
	slots_stop_timers(fleet);
	fleet->slot_wanted = 0;
}

void
fleet_leave_all(struct fleet *fleet, uint32_t drain_ms, bool ends_clients)
{
	struct member *member, *next;

	fleet->slot_wanted = 0;
	slots_stop_timers(fleet);
	for (member = LIST_FIRST(&fleet->members); member != NULL;
	     member = next) {
		next = LIST_NEXT(member, link);
		if (fleet->slots[member->slot].member == member)
			fleet->slots[member->slot].member = NULL;
		if (member->client == NULL || ends_clients)
			member_leave(member, drain_ms);
	}
}

void
fleet_fail(struct fleet *fleet, const char *why)
{
	fleet->failed = true;
	text_reset(&fleet->failure);
	text_printf(&fleet->failure, "%s", why);
	fleet_leave_all(fleet, (uint32_t)fleet->settings->drain_ms, false);
	log_printf(fleet->log, BERTH_ERROR, fleet->name,
	    "has failed: %s; its clients wait until it is resumed", why);
	fleet->options.failed(fleet->options.context, why);
}

/* --- life ------------------------------------------------------------------
 */

int
fleet_new(const struct fleet_options *options, struct fleet **ret_fleet)
{
	struct fleet *fleet = calloc(1, sizeof(*fleet));

	if (fleet == NULL)
		return -ENOMEM;
	fleet->options = *options;
	fleet->reactor = options->server.owner->reactor;
	fleet->name = options->server.service->name;
	fleet->log = options->server.log;
	fleet->settings = options->server.settings;
	fleet->plugin_fd = -1;
	STAILQ_INIT(&fleet->plugins);
	fleet->handler.type = &tick_type;
	text_init(&fleet->failure);
	LIST_INIT(&fleet->members);
	TAILQ_INIT(&fleet->clients);
	fleet->per_client = fleet->settings->concurrency.kind ==
			    CONCURRENCY_PROCESS;
	*ret_fleet = fleet;
	return 0;
}

static void
drop_plugins(struct fleet *fleet)
{
	struct fleet_plugin *plugin;

	while ((plugin = STAILQ_FIRST(&fleet->plugins)) != NULL) {
		STAILQ_REMOVE_HEAD(&fleet->plugins, link);
		fd_close(&plugin->fd);
		free(plugin);
	}
	fd_close(&fleet->plugin_fd);
}

struct fleet *
fleet_free(struct fleet *fleet)
{
	if (fleet == NULL)
		return NULL;
	BASE_ASSERT(LIST_EMPTY(&fleet->members));
	BASE_ASSERT(TAILQ_EMPTY(&fleet->clients));
	fleet_rest(fleet);
	drop_plugins(fleet);
	text_fini(&fleet->failure);
	free(fleet->plugin_path);
	free(fleet->slots);
	free(fleet);
	return NULL;
}

const struct server_strategy *
fleet_strategy_of(const struct fleet *fleet)
{
	return fleet->per_client ? &fleet_client_strategy : &fleet_strategy;
}

bool
fleet_is_per_client(const struct fleet *fleet)
{
	return fleet->per_client;
}

void
fleet_set_server(struct fleet *fleet, struct server *server)
{
	fleet->server = server;
}

int
fleet_set_plugin(struct fleet *fleet, const char *path, int fd)
{
	fd_close(&fleet->plugin_fd);
	fleet->plugin_fd = fd;
	free(fleet->plugin_path);
	fleet->plugin_path = path == NULL ? NULL : strdup(path);
	return path != NULL && fleet->plugin_path == NULL ? -ENOMEM : 0;
}

int
fleet_add_plugin(struct fleet *fleet, const char *path, int fd)
{
	size_t size = strlen(path) + 1;
	struct fleet_plugin *plugin = malloc(sizeof(*plugin) + size);

	if (plugin == NULL) {
		fd_close(&fd);
		return -ENOMEM;
	}
	plugin->fd = fd;
	memcpy(plugin->path, path, size);
	STAILQ_INSERT_TAIL(&fleet->plugins, plugin, link);
	return 0;
}

static void
tell_change(struct fleet *fleet)
{
	struct member *member;

	LIST_FOREACH (member, &fleet->members, link)
		if (member->state <= MEMBER_SERVING &&
		    member_ask(member, CHANNEL_APPLY, fleet->directive) < 0 &&
		    member->client == NULL)
			member_kill(member, SIGKILL);
}

void
fleet_update(struct fleet *fleet, const struct settings *settings,
    const struct spawn_template *template, const char *directive)
{
	bool changed = fleet->directive != NULL && directive != NULL &&
		       strcmp(fleet->directive, directive) != 0;

	fleet->settings = settings;
	fleet->template = template;
	fleet->directive = directive;
	if (LIST_EMPTY(&fleet->members))
		return;
	if (changed)
		tell_change(fleet);
	if (slots_make_room(fleet, slots_span(fleet).most) < 0 ||
	    keep_ticking(fleet) < 0)
		log_printf(fleet->log, BERTH_WARNING, fleet->name,
		    "no memory for more workers: it goes on with those that "
		    "there are");
	slots_fit(fleet);
	slots_fill(fleet);
}
