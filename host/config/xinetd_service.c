/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * xinetd_service: a section of xinetd.conf becomes a directive.
 *
 * What cannot be carried is told at its place: as an error if the service
 * would let in who was kept out, or not be what it was; else as a warning.
 * A disabled service is left out, and told in conversions.
 */
#include "config/config_xinetd.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

/* --- where -----------------------------------------------------------------
 */

static int
find_protocol(struct xinetd_making *making, const char **ret_protocol)
{
	struct reader *reader = making->reader;
	struct value type, protocol;
	bool datagram;
	int result = xinetd_word(reader, making->section, "socket_type", &type);

	if (result == 0)
		result = xinetd_word(
		    reader, making->section, "protocol", &protocol);
	if (result != 0)
		return result;
	if (type.text == NULL && protocol.text == NULL)
		return reader_tell(reader, &making->section->name.place,
		    "'socket_type' or 'protocol' is missing");
	if (type.text != NULL && strcmp(type.text, "stream") != 0 &&
	    strcmp(type.text, "dgram") != 0)
		return reader_tell(reader, &type.place,
		    "sockets of type '%.60s' are not carried", type.text);
	if (protocol.text != NULL && strcmp(protocol.text, "tcp") != 0 &&
	    strcmp(protocol.text, "udp") != 0)
		return reader_tell(reader, &protocol.place,
		    "protocol '%.60s' is not carried", protocol.text);
	datagram = type.text != NULL ? strcmp(type.text, "dgram") == 0
				     : strcmp(protocol.text, "udp") == 0;
	if (protocol.text != NULL && (protocol.text[0] == 'u') != datagram)
		return reader_tell(reader, &protocol.place,
		    "protocol '%s' does not go with socket_type '%s'",
		    protocol.text, type.text);
	*ret_protocol = datagram ? "udp" : "tcp";
	return 0;
}

static int
find_host(struct xinetd_making *making, struct value *ret_host)
{
	struct xinetd_section *defaults = making->reader->xinetd->defaults;
	struct reader *reader = making->reader;
	int result = xinetd_word(reader, making->section, "bind", ret_host);

	if (result == 0 && ret_host->text == NULL)
		result = xinetd_word(
		    reader, making->section, "interface", ret_host);
	if (result == 0 && ret_host->text == NULL)
		result = xinetd_word(reader, defaults, "bind", ret_host);
	if (result == 0 && ret_host->text == NULL)
		result = xinetd_word(reader, defaults, "interface", ret_host);
	return result;
}

static int
listen_on(struct xinetd_making *making, const char *protocol,
    const struct value *port, const struct value *host)
{
	const char *name = host->text != NULL ? host->text : "*";
	bool literal6 = strchr(name, ':') != NULL;
	bool literal4 = strspn(name, "0123456789.") == strlen(name);
	const char *text;

	text = arena_printf(making->reader->tree->arena,
	    literal6 ? "%s%s:[%s]:%s" : "%s%s:%s:%s", protocol,
	    literal6 || literal4 ? "" : making->family, name, port->text);
	if (text == NULL)
		return -ENOMEM;
	return make_listen(
	    making->reader, making->directive->settings, text, &port->place);
}

static int
set_endpoint(struct xinetd_making *making)
{
	struct reader *reader = making->reader;
	struct value port, host;
	const char *protocol = NULL;
	int result;

	result = xinetd_word(reader, making->section, "port", &port);
	if (result == 0)
		result = find_host(making, &host);
	if (result != 0)
		return result;
	if (making->mux != NULL) {
		xinetd_find(making->section, "socket_type");
		xinetd_find(making->section, "protocol");
		return make_set_word(reader, making->directive->settings,
		    "tcpmux", making->mux, &making->section->name.place);
	}
	result = find_protocol(making, &protocol);
	if (result != 0)
		return result;
	if (port.text == NULL && making->unlisted)
		return reader_tell(reader, &making->section->name.place,
		    "'port' is missing: the service is UNLISTED");
	if (port.text == NULL)
		port = making->section->name;
	return listen_on(making, protocol, &port, &host);
}

/* --- what ------------------------------------------------------------------
 */

static int
make_internal(struct xinetd_making *making)
{
	const struct value *service = &making->section->name;
	struct reader *reader = making->reader;
	struct suggestion suggestion;
	struct hint near;

	suggestion_init(&suggestion, service->text);
	make_suggest_static(&suggestion);
	if (!make_is_static(service->text))
		return reader_tell(reader, &service->place,
		    "there is no internal service '%.60s'%s", service->text,
		    hint(&suggestion, &near));
	making->directive = make_static(reader, &making->id);
	if (making->directive == NULL)
		return -ENOMEM;
	*making->directive->settings = reader->xinetd->for_others;
	xinetd_find(making->section, "server");
	xinetd_find(making->section, "server_args");
	xinetd_find(making->section, "wait");
	if (strcmp(making->id.text, service->text) == 0)
		return 0;
	return make_instance(reader, making->directive, service->text);
}

static int
make_relay(struct xinetd_making *making)
{
	struct reader *reader = making->reader;
	const struct xinetd_line *line = xinetd_find(
	    making->section, "redirect");
	struct directive *directive;

	if (line->count != 2)
		return reader_tell(reader, &line->how_place,
		    "'redirect' takes a host and a port");
	directive = make_directive(reader, DIRECTIVE_DYNAMIC, &making->id);
	if (directive == NULL)
		return -ENOMEM;
	making->directive = directive;
	*directive->settings = reader->xinetd->for_others;
	directive->type = BERTH_KIND_SERVICE;
	directive->path = "redirect";
	directive->symbol = "make_redirect";
	directive->factory = true;
	directive->location_place = line->key.place;
	xinetd_find(making->section, "server");
	xinetd_find(making->section, "server_args");
	xinetd_find(making->section, "wait");
	return make_arguments(reader, directive, line->values, 2);
}

static int
set_arguments(struct xinetd_making *making, const struct value *server)
{
	const struct xinetd_line *line = xinetd_find(
	    making->section, "server_args");
	struct reader *reader = making->reader;
	const char *base = strrchr(server->text, '/') + 1;
	unsigned skip = making->name_in_args ? 1 : 0;

	if (line == NULL || line->count < skip)
		return 0;
	if (skip == 1 && strcmp(line->values[0].text, base) != 0) {
		int result = make_set(reader, making->directive->settings,
		    "argv0", &line->values[0], 1, &line->values[0].place);

		if (result != 0)
			return result;
	}
	return make_arguments(
	    reader, making->directive, line->values + skip, line->count - skip);
}

static int
set_wait(struct xinetd_making *making)
{
	const struct xinetd_line *line = xinetd_find(making->section, "wait");
	bool wait = false;
	int result = xinetd_flag(
	    making->reader, making->section, "wait", &wait);

	if (line == NULL)
		return reader_tell(making->reader, &making->section->name.place,
		    "'wait' is missing");
	if (result != 0 || !wait)
		return result;
	return make_set_word(making->reader, making->directive->settings,
	    "wait", "yes", &line->key.place);
}

static int
make_external(struct xinetd_making *making)
{
	struct reader *reader = making->reader;
	struct value server;
	int result = xinetd_word(reader, making->section, "server", &server);

	if (result != 0)
		return result;
	if (server.text == NULL)
		return reader_tell(reader, &making->section->name.place,
		    "'server' is missing");
	if (server.text[0] != '/')
		return reader_tell(reader, &server.place,
		    "'server' is the path of a program, which begins with "
		    "'/', not '%.60s'",
		    server.text);
	if (xinetd_find(making->section, "user") == NULL)
		return reader_tell(
		    reader, &making->section->name.place, "'user' is missing");
	making->directive = make_program(reader, &making->id, &server);
	if (making->directive == NULL)
		return -ENOMEM;
	*making->directive->settings = reader->xinetd->for_programs;
	result = set_arguments(making, &server);
	return result != 0 ? result : set_wait(making);
}

/* --- the whole -------------------------------------------------------------
 */

static int
check_rest(struct reader *reader, struct xinetd_section *section)
{
	static const char *const lost[] = {
	    "deny_time", "mdns", "rpc_version", "rpc_number"};
	static const char *const others[] = {"socket_type", "protocol", "wait",
	    "user", "server", "server_args", "only_from", "no_access",
	    "log_on_success", "log_on_failure", "instances", "per_source",
	    "access_times", "redirect", "disable", "flags", "port", "bind"};
	struct xinetd_line *line;
	int result = 0;

	TAILQ_FOREACH (line, &section->lines, link) {
		struct suggestion suggestion;
		struct hint near;
		bool known = line->used;

		for (size_t i = 0; i < BASE_COUNT(lost) && !known; i++)
			if (strcmp(lost[i], line->key.text) == 0) {
				reader_warn(reader, &line->key.place, true,
				    "'%s' is not carried", lost[i]);
				known = true;
			}
		if (known)
			continue;
		suggestion_init(&suggestion, line->key.text);
		for (size_t i = 0; i < BASE_COUNT(others); i++)
			if (strcmp(others[i], line->key.text) != 0)
				suggestion_offer(&suggestion, others[i]);
		result = reader_tell(reader, &line->key.place,
		    "'%.60s' is no attribute here%s", line->key.text,
		    hint(&suggestion, &near));
	}
	return result;
}

static int
find_id(struct xinetd_making *making)
{
	struct value id;
	int result = xinetd_word(making->reader, making->section, "id", &id);

	if (result != 0)
		return result;
	making->id = id.text != NULL ? id : making->section->name;
	making->id.text = make_name(making->reader, making->id.text);
	return making->id.text == NULL ? -ENOMEM : 0;
}

static int
is_disabled(struct xinetd_making *making, bool *ret_disabled)
{
	struct xinetd_section *defaults = making->reader->xinetd->defaults;
	bool off = false;
	int result = xinetd_flag(
	    making->reader, making->section, "disable", &off);

	if (xinetd_has(defaults, "disabled", making->id.text) ||
	    (xinetd_find(defaults, "enabled") != NULL &&
		!xinetd_has(defaults, "enabled", making->id.text)))
		off = true;
	*ret_disabled = off;
	return result;
}

static void
note_disabled(const struct xinetd_making *making)
{
	const struct reader *reader = making->reader;

	if (reader->options != NULL && reader->options->convert)
		errors_add(reader->errors, SEVERITY_NOTE, 0,
		    &making->section->name.place,
		    "'%s' is disabled, and left out", making->id.text);
}

static int
make_service(struct xinetd_making *making)
{
	int result = xinetd_heed_flags(making);
	bool program;

	if (result != 0)
		return result;
	making->relay = xinetd_find(making->section, "redirect") != NULL;
	program = !making->internal && !making->relay;
	result = making->internal ? make_internal(making)
		 : making->relay  ? make_relay(making)
				  : make_external(making);
	if (result == 0)
		result = set_endpoint(making);
	if (result == 0)
		result = xinetd_set_flags(making);
	if (result == 0)
		result = xinetd_settings(making->reader, making->section,
		    making->directive->settings, program);
	if (result == 0)
		result = xinetd_set_wrap(making);
	if (result == 0)
		result = check_rest(making->reader, making->section);
	return result;
}

static int
finish_service(struct reader *reader, struct xinetd_section *section)
{
	struct xinetd_making making = {
	    .reader = reader, .section = section, .family = ""};
	bool disabled = false;
	int result = find_id(&making);

	if (result == 0)
		result = is_disabled(&making, &disabled);
	if (result != 0)
		return result;
	if (disabled) {
		note_disabled(&making);
		return 0;
	}
	result = make_service(&making);
	if (result == 0)
		TAILQ_INSERT_TAIL(
		    &reader->tree->directives, making.directive, link);
	return result;
}

/* What `defaults` says, once for all services. */
static int
take_defaults(struct reader *reader)
{
	struct xinetd *xinetd = reader->xinetd;
	struct xinetd_section *defaults = xinetd->defaults;
	int result;

	settings_init(&xinetd->for_programs);
	settings_init(&xinetd->for_others);
	if (defaults == NULL)
		return 0;
	reader->quiet++; /* it is told below */
	result = xinetd_settings(reader, defaults, &xinetd->for_others, false);
	reader->quiet--;
	if (result < 0)
		return result;
	xinetd_find(defaults, "enabled");
	xinetd_find(defaults, "disabled");
	xinetd_find(defaults, "bind");
	xinetd_find(defaults, "interface");
	result = xinetd_settings(reader, defaults, &xinetd->for_programs, true);
	return result < 0 ? result : check_rest(reader, defaults);
}

int
xinetd_finish(struct reader *reader)
{
	struct xinetd_section *section;
	int result = take_defaults(reader);

	if (result < 0)
		return result;
	TAILQ_FOREACH (section, &reader->xinetd->services, link) {
		int answer = finish_service(reader, section);

		if (answer < 0)
			return answer;
		result = answer > 0 ? answer : result;
	}
	return result;
}
