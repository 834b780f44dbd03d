/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Commands that look: list, show, sessions, report.  Each writes lines
 * for people, or one JSON value.
 */

#include <string.h>

#include "control/control_priv.h"

/* The current instance, or the oldest that drains: a record has one. */
static struct instance *
instance_to_show(const struct record *record)
{
	struct instance *current = record_current(record);

	return current != NULL ? current : record_first_draining(record);
}

static void
put_endpoints(const struct instance *instance, struct text *text, bool json)
{
	const struct server *server = instance_server(instance);
	unsigned count = server != NULL ? server_listener_count(server) : 0;

	for (unsigned i = 0; i < count; i++) {
		const char *name = listener_text(server_listener(server, i));

		if (i > 0)
			show_put(text, json ? "," : " ");
		if (json)
			text_json(text, name, strlen(name));
		else
			show_put(text, name);
	}
}

typedef void(row_fn)(struct record *record, bool json, struct text *text);

/* A line, or an element of an array, for each service in order. */
static enum command_status
each_row(struct host *host, const struct request *request, row_fn *row,
    struct text *text)
{
	bool json = (request->flags & COMMAND_JSON) != 0;
	struct record *record = repository_first(host->repository);
	const char *comma = "";

	if (json)
		show_put(text, "[");
	for (; record != NULL; record = record_next(record)) {
		if (json)
			show_put(text, comma);
		comma = ",";
		row(record, json, text);
	}
	if (json)
		show_put(text, "]");
	return COMMAND_OK;
}

/* --- list --- */

static void
list_row(struct record *record, bool json, struct text *text)
{
	struct instance *instance = instance_to_show(record);
	struct server_counters counters;
	const char *state = service_state_name(record_state(record));
	unsigned old = show_draining_count(record);

	show_counters_of(instance, &counters);
	if (json) {
		show_put(text, "{");
		show_field(text, "name", record_name(record));
		show_field(text, "state", state);
		show_count(text, "generation", instance_generation(instance));
		show_count(text, "draining", old);
		show_count(text, "sessions", counters.sessions_active);
		show_key(text, "endpoints");
		show_put(text, "[");
		put_endpoints(instance, text, true);
		show_put(text, "]}");
		return;
	}
	text_printf(text, "%-20s %-10s %6llu  ", record_name(record), state,
	    (unsigned long long)counters.sessions_active);
	put_endpoints(instance, text, false);
	if (old > 0 && record_current(record) != NULL)
		text_printf(text, " (%u old generation%s draining)", old,
		    old == 1 ? "" : "s");
	show_put(text, "\n");
}

enum command_status
command_list(
    struct host *host, const struct request *request, struct text *text)
{
	return each_row(host, request, list_row, text);
}

/* --- report: the lines of ACE's manager --- */

/* Its own words, or else "tcp:127.0.0.1:7 # what its type does". */
static void
put_info(struct instance *instance, struct text *text)
{
	const struct berth_service_type *type = instance_type(instance);

	instance_info(instance, text);
	if (text->size > 0)
		return;
	put_endpoints(instance, text, false);
	if (type->summary != NULL)
		text_printf(
		    text, "%s# %s", text->size > 0 ? " " : "", type->summary);
}

static void
report_row(struct record *record, bool json, struct text *text)
{
	struct instance *instance = instance_to_show(record);
	bool active = record_state(record) == SERVICE_ACTIVE;
	AUTO_TEXT info;

	text_init(&info);
	put_info(instance, &info);
	if (json) {
		show_put(text, "{");
		show_field(text, "name", record_name(record));
		show_field(text, "state", active ? "active" : "paused");
		show_field(text, "info", text_string(&info));
		show_put(text, "}");
		return;
	}
	text_printf(text, "%s (%s)  ", record_name(record),
	    active ? "active" : "paused");
	/* One line a service, whatever it writes. */
	text_escape(text, text_string(&info), info.size);
	show_put(text, "\n");
}

enum command_status
command_report(
    struct host *host, const struct request *request, struct text *text)
{
	return each_row(host, request, report_row, text);
}

/* --- show --- */

static void
show_location(const struct definition *definition, struct text *text, bool json)
{
	AUTO_TEXT location;

	text_init(&location);
	if (definition->kind == DIRECTIVE_STATIC)
		text_printf(&location, "static");
	else if (definition->type == CONFIG_KIND_PROGRAM)
		text_printf(&location, "%s", definition->path);
	else
		text_printf(&location, "%s:%s%s",
		    definition->path != NULL ? definition->path : "",
		    definition->symbol != NULL ? definition->symbol : "",
		    definition->factory ? "()" : "");
	show_fact(text, json, "location", text_string(&location));
	show_fact(text, json, "build_id", definition->identity->build_id);
}

static void
show_words(const struct definition *definition, struct text *text, bool json)
{
	AUTO_TEXT words;

	text_init(&words);
	for (int i = 1; i < definition->argc; i++)
		text_printf(
		    &words, "%s%s", i > 1 ? " " : "", definition->argv[i]);
	show_fact(text, json, "arguments", text_string(&words));
}

/* Only where there are several. */
static void
show_loops(const struct instance *instance, struct text *text, bool json)
{
	const struct server *server = instance_server(instance);
	AUTO_TEXT line;
	uint64_t count;

	text_init(&line);
	for (unsigned i = 0;
	     server != NULL && server_sessions_on(server, i, &count); i++)
		text_printf(&line, "%s%llu", i > 0 ? " " : "",
		    (unsigned long long)count);
	if (strchr(text_string(&line), ' ') != NULL)
		show_fact(text, json, "loops", text_string(&line));
}

static void
show_counters(const struct instance *instance, struct text *text, bool json)
{
	struct server_counters counters;

	show_counters_of(instance, &counters);
	show_number(text, json, "sessions", counters.sessions_active);
	show_loops(instance, text, json);
	show_number(text, json, "served", counters.sessions_total);
	show_number(text, json, "failed", counters.sessions_failed);
	show_number(text, json, "datagrams", counters.datagrams);
	show_refusals(&counters, "refused", text, json);
	show_number(text, json, "bytes_in", counters.bytes_in);
	show_number(text, json, "bytes_out", counters.bytes_out);
}

static void
show_attributes(const struct settings *settings, struct text *text, bool json)
{
	const struct attribute *row = attributes(ATTRIBUTE_SERVICE);

	for (; row->name != NULL; row++) {
		AUTO_TEXT value = {.failed = false};

		/* The endpoints are shown as they are bound. */
		if (row->synonym_of != NULL || row->pending ||
		    strcmp(row->name, "listen") == 0)
			continue;
		text_init(&value);
		attribute_print(row, settings, &value);
		show_fact(text, json, row->name, text_string(&value));
	}
}

static void
show_instance(struct instance *instance, bool json, struct text *text)
{
	const struct definition *definition = instance_definition(instance);
	AUTO_TEXT line;

	text_init(&line);
	show_number(text, json, "generation", instance_generation(instance));
	show_number(text, json, "since_ms", instance_age_ms(instance));
	show_location(definition, text, json);
	show_words(definition, text, json);
	put_endpoints(instance, &line, false);
	show_fact(text, json, "endpoints", text_string(&line));
	show_counters(instance, text, json);
	show_workers(instance, text, json);
	if (template_group(definition->program) != NULL)
		show_number(
		    text, json, "oom_kills", instance_starved(instance));
	show_attributes(definition->settings, text, json);
	if (definition->program != NULL &&
	    definition->program->not_applied != NULL)
		show_fact(text, json, "not_applied",
		    definition->program->not_applied);
	text_reset(&line);
	instance_holders(instance, &line);
	show_fact(text, json, "holds", text_string(&line));
	text_reset(&line);
	instance_info(instance, &line);
	show_fact(text, json, "info", text_string(&line));
}

static void
show_draining(struct record *record, bool json, struct text *text)
{
	struct instance *old = record_first_draining(record);

	if (record_current(record) == NULL)
		return;
	for (; old != NULL; old = instance_next_draining(old)) {
		AUTO_TEXT line;

		text_init(&line);
		text_printf(&line,
		    "generation %u %s for %llu ms: ", instance_generation(old),
		    service_state_name(instance_state(old)),
		    (unsigned long long)instance_age_ms(old));
		instance_holders(old, &line);
		if (json && old != record_first_draining(record))
			show_put(text, ",");
		if (json)
			text_json(text, text_string(&line), line.size);
		else
			text_printf(
			    text, "%-14s %s\n", "old", text_string(&line));
	}
}

enum command_status
command_show(
    struct host *host, const struct request *request, struct text *text)
{
	struct record *record = command_service(host, request, text);
	bool json = (request->flags & COMMAND_JSON) != 0;

	if (record == NULL)
		return COMMAND_REFUSED;
	if (json)
		show_put(text, "{");
	show_fact(text, json, "name", record_name(record));
	show_fact(
	    text, json, "state", service_state_name(record_state(record)));
	show_instance(instance_to_show(record), json, text);
	if (json) {
		show_key(text, "old");
		show_put(text, "[");
	}
	show_draining(record, json, text);
	if (json)
		show_put(text, "]}");
	return COMMAND_OK;
}

/* --- sessions --- */

struct session_list {
	struct text *text;
	bool json;
	const char *comma;
};

static void
session_row(void *context, const struct session_info *info)
{
	struct session_list *list = context;
	struct text *text = list->text;

	if (!list->json) {
		if (info->pid != 0) {
			text_printf(text,
			    "%8llu  %-28s %-12s age %llu ms, pid %d\n",
			    (unsigned long long)info->id, info->peer,
			    info->state, (unsigned long long)info->age_ms,
			    info->pid);
			return;
		}
		text_printf(text,
		    "%8llu  %-28s %-12s age %llu ms, idle %llu ms, in %llu, "
		    "out %llu, pending %llu",
		    (unsigned long long)info->id, info->peer, info->state,
		    (unsigned long long)info->age_ms,
		    (unsigned long long)info->idle_ms,
		    (unsigned long long)info->bytes_in,
		    (unsigned long long)info->bytes_out,
		    (unsigned long long)info->output_pending_bytes);
		if (info->loop != 0)
			text_printf(text, ", loop %u", info->loop);
		if (info->identity != NULL) {
			show_put(text, ", identity ");
			text_printable(
			    text, info->identity, strlen(info->identity));
		}
		show_put(text, "\n");
		return;
	}
	show_put(text, list->comma);
	list->comma = ",";
	show_put(text, "{");
	show_count(text, "id", info->id);
	show_field(text, "peer", info->peer);
	show_field(text, "state", info->state);
	show_count(text, "age_ms", info->age_ms);
	show_count(text, "idle_ms", info->idle_ms);
	show_count(text, "bytes_in", info->bytes_in);
	show_count(text, "bytes_out", info->bytes_out);
	show_count(text, "pending", info->output_pending_bytes);
	if (info->loop != 0)
		show_count(text, "loop", info->loop);
	if (info->identity != NULL)
		show_field(text, "identity", info->identity);
	if (info->pid != 0)
		show_count(text, "pid", (uint64_t)info->pid);
	show_put(text, "}");
}

static void
sessions_of(struct instance *instance, struct session_list *list)
{
	if (instance_server(instance) != NULL)
		server_each_session(
		    instance_server(instance), session_row, list);
}

enum command_status
command_sessions(
    struct host *host, const struct request *request, struct text *text)
{
	struct record *record = command_service(host, request, text);
	struct session_list list = {
	    .text = text,
	    .json = (request->flags & COMMAND_JSON) != 0,
	    .comma = "",
	};
	struct instance *old;

	if (record == NULL)
		return COMMAND_REFUSED;
	if (list.json)
		show_put(text, "[");
	if (record_current(record) != NULL)
		sessions_of(record_current(record), &list);
	old = record_first_draining(record);
	for (; old != NULL; old = instance_next_draining(old))
		sessions_of(old, &list);
	if (list.json)
		show_put(text, "]");
	return COMMAND_OK;
}
