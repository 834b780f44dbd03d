/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * inetd_entry: the fields of one service of inetd.conf become a directive.
 *
 * What a field says and no directive can is told at the field: as an error if
 * the service cannot be what it was (RPC, raw sockets), else as a warning.
 */
#include "config/config_inetd.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Of all addresses or of a name; literal addresses say it themselves. */
enum reach { REACH_DIALECT, REACH_4, REACH_6, REACH_BOTH };

static const struct protocol {
	const char *word;
	bool datagram, local;
	enum reach reach;
	enum reach gnu; /* what GNU's says, if not the same */
} protocols[] = {
    {"tcp", false, false, REACH_DIALECT, REACH_4},
    {"tcp4", false, false, REACH_4, REACH_4},
    {"tcp6", false, false, REACH_6, REACH_BOTH},
    {"tcp46", false, false, REACH_BOTH, REACH_BOTH},
    {"tcp6only", false, false, REACH_6, REACH_6},
    {"udp", true, false, REACH_DIALECT, REACH_4},
    {"udp4", true, false, REACH_4, REACH_4},
    {"udp6", true, false, REACH_6, REACH_BOTH},
    {"udp46", true, false, REACH_BOTH, REACH_BOTH},
    {"udp6only", true, false, REACH_6, REACH_6},
    {"unix", false, true, REACH_DIALECT, REACH_DIALECT},
};

struct making {
	struct reader *reader;
	const struct inetd_entry *entry;
	const struct protocol *protocol; /* NULL: of a path */
	const char *unix_kind;
	struct directive *directive;
	bool internal;
	const char *mux;     /* "yes" or "plus": reached by tcpmux */
	const char *service; /* without tcpmux/ and + */
};

/* --- type and protocol -----------------------------------------------------
 */

static const struct socket_type {
	const char *word;
	const char *unix_kind; /* NULL: of no use here */
	bool datagram;
} types[] = {{"stream", "unix", false}, {"dgram", "unix-dgram", true},
    {"seqpacket", "unix-seqpacket", false}, {"raw", NULL, false},
    {"rdm", NULL, false}};

static const struct socket_type *
find_type(const char *word, size_t size)
{
	for (size_t i = 0; i < BASE_COUNT(types); i++)
		if (strlen(types[i].word) == size &&
		    memcmp(types[i].word, word, size) == 0)
			return &types[i];
	return NULL;
}

static int
set_filter(struct making *making, const struct place *place, const char *word)
{
	struct value filter = make_value(
	    making->reader, place, word, strlen(word));

	if (filter.text == NULL)
		return -ENOMEM;
	filter.place.column = place->column + place->length -
			      (unsigned)strlen(word);
	filter.place.length = (unsigned)strlen(word);
	filter = inetd_accept_filter(making->reader, &filter);
	return make_set(making->reader, making->directive->settings,
	    "defer_accept", &filter, 1, &filter.place);
}

/* Behind the type: ",CHILDREN" and ":FILTER". */
static int
read_type_rest(struct making *making, const char *rest)
{
	struct reader *reader = making->reader;
	const struct value *field = &making->entry->type;
	struct settings *settings = making->directive->settings;
	size_t size = *rest == ',' ? strcspn(rest + 1, ":") : 0;
	struct place place = field->place;

	place.column += (unsigned)(rest - field->text);
	place.length = (unsigned)strlen(rest);
	if (size > 0) {
		struct value number = make_value(
		    reader, &place, rest + 1, size);
		int result;

		number.place.column++;
		number.place.length = (unsigned)size;
		if (number.text == NULL)
			return -ENOMEM;
		result = make_set(
		    reader, settings, "instances", &number, 1, &number.place);
		if (result != 0)
			return result;
		rest += size + 1;
	}
	if (*rest == ':')
		return set_filter(making, &place, rest + 1);
	if (*rest != '\0')
		return reader_tell(
		    reader, &place, "expected a number of children behind ','");
	return 0;
}

static const struct protocol *
find_protocol(const char *word, size_t size)
{
	for (size_t i = 0; i < BASE_COUNT(protocols); i++)
		if (strlen(protocols[i].word) == size &&
		    memcmp(protocols[i].word, word, size) == 0)
			return &protocols[i];
	return NULL;
}

static int
tell_protocol(struct reader *reader, const struct value *field, size_t size)
{
	struct suggestion suggestion;
	struct hint near;
	char word[32] = "";

	if (size < sizeof(word))
		memcpy(word, field->text, size);
	if (strncmp(word, "rpc/", 4) == 0)
		return reader_tell(reader, &field->place,
		    "RPC services are not carried: there is no port mapper");
	if (strcmp(word, "tcp/ttcp") == 0 || strcmp(word, "tcp6/faith") == 0)
		return reader_tell(reader, &field->place,
		    "'%s' is not carried: this system has no such protocol",
		    word);
	suggestion_init(&suggestion, word);
	for (size_t i = 0; i < BASE_COUNT(protocols); i++)
		suggestion_offer(&suggestion, protocols[i].word);
	return reader_tell(reader, &field->place, "unknown protocol '%.60s'%s",
	    field->text, hint(&suggestion, &near));
}

static int
read_protocol(struct making *making, const struct socket_type *type)
{
	struct reader *reader = making->reader;
	const struct value *field = &making->entry->protocol;
	size_t size = strcspn(field->text, ",");
	bool path = making->service[0] == '/' || making->service[0] == ':';

	making->protocol = find_protocol(field->text, size);
	if (making->protocol == NULL)
		return tell_protocol(reader, field, size);
	if (type->unix_kind == NULL)
		return reader_tell(reader, &making->entry->type.place,
		    "sockets of type '%s' are not carried", type->word);
	if (path != making->protocol->local)
		return reader_tell(reader, &field->place,
		    path ? "a service with a path goes with protocol 'unix'"
			 : "protocol 'unix' goes with a path as the service");
	if (!path && (type->datagram != making->protocol->datagram ||
			 strcmp(type->word, "seqpacket") == 0))
		return reader_tell(reader, &field->place,
		    "protocol '%s' does not go with socket type '%s'",
		    making->protocol->word, type->word);
	making->unix_kind = type->unix_kind;
	return inetd_buffers(reader, field, making->directive->settings);
}

static int
read_type(struct making *making)
{
	const struct value *field = &making->entry->type;
	size_t size = strcspn(field->text, ",:");
	const struct socket_type *type = find_type(field->text, size);
	int result;

	if (type == NULL)
		return reader_tell(making->reader, &field->place,
		    "expected a socket type (stream, dgram, seqpacket), not "
		    "'%.60s'",
		    field->text);
	result = read_type_rest(making, field->text + size);
	return result != 0 ? result : read_protocol(making, type);
}

/* --- endpoints -------------------------------------------------------------
 */

static const char *
reach_suffix(const struct making *making)
{
	enum config_format format = making->reader->format;
	enum reach reach = making->protocol->reach;

	if (format == CONFIG_INETD_GNU)
		reach = making->protocol->gnu;
	else if (reach == REACH_DIALECT)
		reach = format == CONFIG_INETD || format == CONFIG_INETD_DEBIAN
			    ? REACH_BOTH
			    : REACH_4;
	return reach == REACH_BOTH ? "" : reach == REACH_4 ? "4" : "6";
}

static int
listen_at(struct making *making, const char *host, const struct place *place)
{
	struct reader *reader = making->reader;
	const char *kind = making->protocol->datagram ? "udp" : "tcp";
	const char *suffix = reach_suffix(making), *text;
	bool literal6 = strchr(host, ':') != NULL && host[0] != '[';
	bool named = strspn(host, "0123456789.") != strlen(host) &&
		     strchr(host, ':') == NULL;

	text = arena_printf(reader->tree->arena,
	    literal6 ? "%s%s:[%s]:%s" : "%s%s:%s:%s", kind, named ? suffix : "",
	    host, making->service);
	if (text == NULL)
		return -ENOMEM;
	return make_listen(reader, making->directive->settings, text, place);
}

static int
listen_inet(struct making *making)
{
	const struct inetd_entry *entry = making->entry;
	int result = 0;

	if (entry->address_count == 0)
		return listen_at(making, "*", &entry->service.place);
	for (unsigned i = 0; i < entry->address_count && result == 0; i++)
		result = listen_at(
		    making, entry->addresses[i].text, &entry->service.place);
	return result;
}

/* FreeBSD's ":user:group:mode:/path". */
static int
read_owner(struct making *making, const char **path)
{
	static const char *const names[] = {
	    "socket_user", "socket_group", "socket_mode"};
	struct reader *reader = making->reader;
	const struct place *place = &making->entry->service.place;
	const char *at = *path;
	int result = 0;

	for (size_t i = 0; i < BASE_COUNT(names) && result == 0; i++) {
		size_t size = strcspn(++at, ":");
		struct value value = make_value(reader, place, at, size);

		if (value.text == NULL)
			return -ENOMEM;
		if (at[size] != ':')
			return reader_tell(
			    reader, place, "expected ':USER:GROUP:MODE:/PATH'");
		if (size > 0)
			result = make_set(reader, making->directive->settings,
			    names[i], &value, 1, place);
		at += size;
	}
	*path = at + 1;
	return result;
}

static int
listen_unix(struct making *making)
{
	struct reader *reader = making->reader;
	const struct place *place = &making->entry->service.place;
	const char *path = making->service, *text;
	int result = 0;

	if (path[0] == ':')
		result = read_owner(making, &path);
	else if (reader->format == CONFIG_INETD_FREEBSD)
		result = make_set_word(reader, making->directive->settings,
		    "socket_mode", "0600", place);
	if (result != 0)
		return result;
	text = arena_printf(
	    reader->tree->arena, "%s:%s", making->unix_kind, path);
	if (text == NULL)
		return -ENOMEM;
	return make_listen(reader, making->directive->settings, text, place);
}

static int
set_endpoints(struct making *making)
{
	if (making->mux != NULL)
		return make_set_word(making->reader,
		    making->directive->settings, "tcpmux", making->mux,
		    &making->entry->service.place);
	return making->protocol->local ? listen_unix(making)
				       : listen_inet(making);
}

/* --- the service -----------------------------------------------------------
 */

static int
read_service(struct making *making)
{
	const struct value *field = &making->entry->service;
	const char *name = field->text;

	making->service = name;
	if (strncmp(name, "tcpmux/", 7) == 0) {
		making->mux = name[7] == '+' ? "plus" : "yes";
		making->service += name[7] == '+' ? 8 : 7;
	} else if (name[0] != '/' && name[0] != ':' &&
		   strchr(name, '/') != NULL) {
		return reader_tell(making->reader, &field->place,
		    "RPC services are not carried: there is no port mapper");
	}
	if (making->service[0] == '\0')
		return reader_tell(
		    making->reader, &field->place, "a service is missing");
	return 0;
}

static int
make_internal(struct making *making, const struct value *name)
{
	struct reader *reader = making->reader;
	struct suggestion suggestion;
	struct hint near;

	suggestion_init(&suggestion, name->text);
	make_suggest_static(&suggestion);
	if (!make_is_static(making->service))
		return reader_tell(reader, &making->entry->program.place,
		    "there is no internal service '%.60s'%s", making->service,
		    hint(&suggestion, &near));
	if (making->entry->word_count > 0)
		reader_warn(reader, &making->entry->words[0].place, true,
		    "arguments of internal services are not carried");
	making->directive = make_static(reader, name);
	return making->directive == NULL ? -ENOMEM : 0;
}

static const char *
last_part(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}

static int
make_external(struct making *making, const struct value *name)
{
	struct reader *reader = making->reader;
	const struct inetd_entry *entry = making->entry;
	struct directive *directive;
	int result;

	if (entry->program.text[0] != '/')
		return reader_tell(reader, &entry->program.place,
		    "expected 'internal' or the path of a program, which "
		    "begins with '/', not '%.60s'",
		    entry->program.text);
	directive = make_program(reader, name, &entry->program);
	if (directive == NULL)
		return -ENOMEM;
	making->directive = directive;
	if (entry->word_count == 0)
		return 0;
	result = make_arguments(
	    reader, directive, entry->words + 1, entry->word_count - 1);
	if (result == 0 &&
	    strcmp(entry->words[0].text, last_part(entry->program.text)) != 0)
		result = make_set(reader, directive->settings, "argv0",
		    &entry->words[0], 1, &entry->words[0].place);
	return result;
}

static int
make_service(struct making *making)
{
	struct reader *reader = making->reader;
	const struct inetd_entry *entry = making->entry;
	struct value name = entry->service;
	const char *path = strrchr(making->service, '/');

	name.text = make_name(
	    reader, path != NULL ? path + 1 : making->service);
	if (name.text == NULL)
		return -ENOMEM;
	making->internal = strcmp(entry->program.text, "internal") == 0;
	return making->internal ? make_internal(making, &name)
				: make_external(making, &name);
}

static int
set_extra(struct making *making)
{
	const struct value *extra = making->entry->extra;
	struct settings *settings = making->directive->settings;
	int result = 0;

	for (unsigned i = 0; i < making->entry->extra_count && result == 0;
	     i++, extra += 2) {
		const char *name = extra[0].text;

		if (strcmp(name, "cps") == 0 || strcmp(name, "source_cps") == 0)
			result = inetd_rate(
			    making->reader, settings, name, &extra[1]);
		else
			result = make_set(making->reader, settings, name,
			    &extra[1], 1, &extra[0].place);
	}
	return result;
}

int
inetd_entry(struct reader *reader, const struct inetd_entry *entry)
{
	struct making making = {.reader = reader, .entry = entry};
	int result = read_service(&making);

	if (result == 0)
		result = make_service(&making);
	if (result == 0)
		result = read_type(&making);
	if (result == 0)
		result = set_endpoints(&making);
	if (result == 0)
		result = inetd_wait(reader, &entry->wait,
		    making.directive->settings, making.internal);
	/* What is internal runs in the host, whose user that is. */
	if (result == 0 && !making.internal && entry->user.text != NULL)
		result = inetd_user(reader, entry, making.directive->settings);
	if (result == 0)
		result = set_extra(&making);
	return result != 0 ? result : inetd_add(reader, making.directive);
}
