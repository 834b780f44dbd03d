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

struct making {
	struct reader *reader;
	struct xinetd_section *section;
	struct directive *directive;
	struct value id;
	bool internal, unlisted, relay;
	const char *mux;
	const char *family; /* "4" or "" */
	bool name_in_args;
};

/* --- type and flags --------------------------------------------------------
 */

enum meaning {
	NOTHING, /* it is so already */
	INTERNAL,
	UNLISTED,
	MUX,
	MUX_PLUS,
	IPV4,
	NAME_IN_ARGS,
	KEEPALIVE,
	NODELAY,
	LOST,
	REFUSED
};

struct flag {
	const char *word;
	enum meaning meaning;
	const char *why; /* LOST and REFUSED */
};

static const struct flag type_words[] = {
    {"INTERNAL", INTERNAL, NULL},
    {"UNLISTED", UNLISTED, NULL},
    {"TCPMUX", MUX, NULL},
    {"TCPMUXPLUS", MUX_PLUS, NULL},
    {"SPECIAL", NOTHING, NULL},
    {"RPC", REFUSED, "there is no port mapper"},
    {NULL, NOTHING, NULL},
};

static const struct flag flag_words[] = {
    {"INTERCEPT", LOST, "the first client alone is looked at"},
    {"NORETRY", NOTHING, NULL},
    {"IDONLY", REFUSED, "clients are not asked who their user is"},
    {"NAMEINARGS", NAME_IN_ARGS, NULL},
    {"NODELAY", NODELAY, NULL},
    {"KEEPALIVE", KEEPALIVE, NULL},
    {"NOLIBWRAP", NOTHING, NULL},
    {"SENSOR", REFUSED, "there are no sensors"},
    {"IPv4", IPV4, NULL},
    {"IPv6", NOTHING, NULL},
    {"LABELED", REFUSED, "labels of clients are not looked at"},
    {"REUSE", NOTHING, NULL},
    {NULL, NOTHING, NULL},
};

static int
heed(struct making *making, const struct flag *flag, const struct value *word)
{
	struct reader *reader = making->reader;

	switch (flag->meaning) {
	case INTERNAL:
		making->internal = true;
		break;
	case UNLISTED:
		making->unlisted = true;
		break;
	case MUX:
		making->mux = "yes";
		break;
	case MUX_PLUS:
		making->mux = "plus";
		break;
	case IPV4:
		making->family = "4";
		break;
	case NAME_IN_ARGS:
		making->name_in_args = true;
		break;
	case LOST:
		reader_warn(reader, &word->place, true,
		    "'%s' is not carried: %s", flag->word, flag->why);
		break;
	case REFUSED:
		return reader_tell(reader, &word->place,
		    "'%s' is not carried: %s", flag->word, flag->why);
	case KEEPALIVE:
	case NODELAY:
	case NOTHING:
		break;
	}
	return 0;
}

static int
unknown_flag(struct reader *reader, const char *key, const struct flag *table,
    const struct value *word)
{
	struct suggestion suggestion;
	struct hint near;

	suggestion_init(&suggestion, word->text);
	for (; table->word != NULL; table++)
		suggestion_offer(&suggestion, table->word);
	return reader_tell(reader, &word->place, "unknown %s '%.60s'%s", key,
	    word->text, hint(&suggestion, &near));
}

static int
heed_all(struct making *making, const char *key, const struct flag *table)
{
	const struct xinetd_line *line = xinetd_find(making->section, key);
	int result = 0;

	for (unsigned i = 0; line != NULL && i < line->count && result == 0;
	     i++) {
		const struct flag *flag = table;

		while (flag->word != NULL &&
		       strcasecmp(flag->word, line->values[i].text) != 0)
			flag++;
		result = flag->word == NULL
			     ? unknown_flag(
				   making->reader, key, table, &line->values[i])
			     : heed(making, flag, &line->values[i]);
	}
	return result;
}

/* Flags that are attributes of ours. */
static int
set_flags(struct making *making)
{
	static const char *const words[][2] = {
	    {"KEEPALIVE", "keepalive"}, {"NODELAY", "nodelay"}};
	int result = 0;

	for (size_t i = 0; i < BASE_COUNT(words) && result == 0; i++)
		if (xinetd_has(making->section, "flags", words[i][0]))
			result = make_set_word(making->reader,
			    making->directive->settings, words[i][1], "yes",
			    &making->section->name.place);
	return result;
}

/* --- where -----------------------------------------------------------------
 */

static int
find_protocol(struct making *making, const char **ret_protocol)
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
find_host(struct making *making, struct value *ret_host)
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
listen_on(struct making *making, const char *protocol, const struct value *port,
    const struct value *host)
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
set_endpoint(struct making *making)
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
make_internal(struct making *making)
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
make_relay(struct making *making)
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
set_arguments(struct making *making, const struct value *server)
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
set_wait(struct making *making)
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
make_external(struct making *making)
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
find_id(struct making *making)
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
is_disabled(struct making *making, bool *ret_disabled)
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
note_disabled(const struct making *making)
{
	const struct reader *reader = making->reader;

	if (reader->options != NULL && reader->options->convert)
		errors_add(reader->errors, SEVERITY_NOTE, 0,
		    &making->section->name.place,
		    "'%s' is disabled, and left out", making->id.text);
}

static int
make_service(struct making *making)
{
	int result = heed_all(making, "type", type_words);
	bool program;

	if (result == 0)
		result = heed_all(making, "flags", flag_words);
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
		result = set_flags(making);
	if (result == 0)
		result = xinetd_settings(making->reader, making->section,
		    making->directive->settings, program);
	if (result == 0)
		result = check_rest(making->reader, making->section);
	return result;
}

static int
finish_service(struct reader *reader, struct xinetd_section *section)
{
	struct making making = {
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
